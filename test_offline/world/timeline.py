"""True time of the simulated world: what happens next, in one order for one seed."""

from __future__ import annotations

import heapq
from collections.abc import Callable


class Killed(BaseException):
    """The process is gone at this very step. Not an Exception: nothing in the product may catch it."""


class Timeline:
    """A queue of things to happen. ``now`` is true Unix time; nothing takes time but waiting."""

    def __init__(self, start: float) -> None:
        self.start = start
        self.now = start
        self._queue: list[tuple[float, int, Callable[[], object]]] = []
        self._number = 0

    def after(self, delay: float, act: Callable[[], object]) -> None:
        """Let ``act`` happen ``delay`` seconds from now."""
        self._number += 1
        heapq.heappush(self._queue, (self.now + delay, self._number, act))

    def run_until(self, end: float) -> None:
        """Let everything happen that is due before ``end`` (Unix seconds)."""
        queue = self._queue
        while queue and queue[0][0] <= end:
            when, _, act = heapq.heappop(queue)
            if when > self.now:
                self.now = when
            act()
        self.now = max(self.now, end)

    def skip(self, to: float) -> None:
        """Let time pass in which nothing happens, as over a long lunch: what was due happens late."""
        self.now = max(self.now, to)


class HostClock:
    """A host's own idea of the time: off by an offset, drifting, and able to jump."""

    def __init__(self, timeline: Timeline, drift: float = 0.0) -> None:
        self._timeline = timeline
        self._drift = drift
        self.offset = 0.0

    def wall(self) -> float:
        """Unix seconds as this host believes."""
        now = self._timeline.now
        return now + self.offset + (now - self._timeline.start) * self._drift

    def monotonic(self) -> float:
        """Seconds that never jump."""
        return self._timeline.now

    def set_right(self) -> None:
        """Somebody sets the clock: exact from now on."""
        self.offset = self._drift = 0.0
