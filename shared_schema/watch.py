"""Waiting for a change in a folder: the scan is the truth, a watcher only wakes it early (rule 4)."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from shared_schema.logs import Log
from shared_schema.watch_events import BellWaker, WatchdogWaker

Concerns = Callable[[str], bool]
"""Whether a changed path (relative to the folder, ``/`` between folder and name) is worth waking for;
asked as ``name/`` of a folder itself: whether anything in it can be."""


def anything(path: str) -> bool:
    """Every change concerns."""
    return True


class Waker(Protocol):
    """What a wait is ended by."""

    @property
    def healthy(self) -> bool:
        """Whether changes of the folder wake."""

    def wait(self, at_most: float) -> bool:
        """Wait, at most that many seconds; whether something woke."""

    def wake(self) -> None:
        """End the wait from outside."""

    def stop(self) -> None:
        """Let go of the folder."""


class FolderWatch:
    """Wakes a scan when something changes in ``path`` or a folder in it, at the latest after ``interval``.

    Without ``use_watcher``, or where the watcher can't be started or has died, the
    interval (seconds) alone wakes: slower, never wrong. ``healthy`` says which it is.
    """

    def __init__(
        self, path: Path, interval: float, *, use_watcher: bool = True, concerns: Concerns = anything
    ) -> None:
        """``concerns`` spares a busy process the wake-ups by its own writings; the interval still comes."""
        self.interval = interval
        self._alarm_due = use_watcher
        self.problem = ""
        self._waker: Waker = BellWaker()
        if use_watcher:
            try:
                self._waker = _watcher(path, concerns)
            except OSError as problem:
                self.problem = str(problem)

    @property
    def healthy(self) -> bool:
        """Whether a watcher wakes early; False where only the interval does."""
        return self._waker.healthy

    def look_after(self, log: Log) -> None:
        """Say once where a watcher was asked for and none runs: from now on the interval alone wakes."""
        if self._alarm_due and not self.healthy:
            self._alarm_due = False
            detail = self.problem or "the watcher ended"
            log.say("error", "watcher_dead", detail=detail, interval=self.interval)

    def wake(self) -> None:
        """End the wait from outside."""
        self._waker.wake()

    def wait(self, at_most: float | None = None) -> bool:
        """Wait for a change, for ``interval`` (or ``at_most``, if shorter) seconds; whether one woke us."""
        return self._waker.wait(self.interval if at_most is None else max(0.0, min(at_most, self.interval)))

    def stop(self) -> None:
        """Stop watching; a wait ends."""
        self._waker.wake()
        self._waker.stop()


def _watcher(path: Path, concerns: Concerns) -> Waker:
    if sys.platform != "linux":
        return WatchdogWaker(path, concerns)
    from shared_schema.watch_inotify import InotifyWaker

    return InotifyWaker(path, concerns)
