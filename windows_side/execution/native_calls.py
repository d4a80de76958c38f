"""When orders reach the broker's own call: it counts for the orders a second, and for what an account shows.

A call waits its turn in the worker: between the mark in the ledger and the broker lie milliseconds, or the
seconds of a query that hangs. What waits there would reach the counter in one burst.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable

from shared_schema.ids import SignalId
from windows_side.execution.order import Order

NOT_YET = float("inf")


class NativeCalls:
    """The calls under way, and those of late. Times are wall Unix seconds."""

    def __init__(self, earlier: Iterable[float]) -> None:
        """``earlier``: calls of an earlier run: a restart is no way around the orders a second."""
        self._of_late = deque(sorted(earlier))
        self._under_way: dict[SignalId, float] = {}
        self._began: dict[SignalId, float] = {}
        """Of calls that ended, where they began later than their mark."""

    def begin(self, signal_id: SignalId, wall: float) -> None:
        """The order is marked as calling and goes to the worker."""
        self._under_way[signal_id] = wall

    def end(self, signal_id: SignalId, started_at: float = 0.0) -> None:
        """The call came back, or is waited for no longer. ``started_at``: directly before the native call."""
        marked = self._under_way.pop(signal_id, None)
        if marked is None:
            return
        self._of_late.append(max(marked, started_at))
        if started_at > marked:
            self._began[signal_id] = started_at

    def count(self, wall: float) -> int:
        """The calls under way and those that began in the second before ``wall``."""
        # A call in the future tells that the clock was set back.
        while self._of_late and not wall - 1.0 < self._of_late[0] <= wall:
            self._of_late.popleft()
        return len(self._of_late) + len(self._under_way)

    def began(self, order: Order) -> float:
        """When its native call began, NOT_YET while nobody knows that it did; its mark after a restart."""
        if order.signal_id in self._under_way:
            return NOT_YET
        return self._began.get(order.signal_id, order.calling_at)

    def forget_before(self, wall: float) -> None:
        """Let calls go that began before ``wall``: their marks say the same."""
        self._began = {signal_id: at for signal_id, at in self._began.items() if at >= wall}
