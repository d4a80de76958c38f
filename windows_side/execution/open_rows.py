"""The rows that are not settled, in the groups the core asks for at every event, each oldest first.

Kept as rows change, never looked for: with a backlog of thousands a walk over all rows at every event of
the broker would cost more than everything else together.
"""

from __future__ import annotations

from collections.abc import Iterator

from shared_schema.ids import SignalId
from windows_side.execution.order import Order


class Rows:
    """Some rows, oldest first. A new one is nearly always the newest, so that sorting is the exception."""

    def __init__(self) -> None:
        self._rows: dict[SignalId, Order] = {}
        self._newest = (float("-inf"), "")
        self._is_sorted = True

    def __len__(self) -> int:
        return len(self._rows)

    def __iter__(self) -> Iterator[Order]:
        """Over the rows of this moment: they may change while one walks over them."""
        if not self._is_sorted:
            self._rows = {order.signal_id: order for order in sorted(self._rows.values(), key=age)}
            self._is_sorted = True
        return iter(tuple(self._rows.values()))

    def put(self, order: Order) -> None:
        """Keep the newest value of a row."""
        if order.signal_id not in self._rows:
            if age(order) < self._newest:
                self._is_sorted = False
            else:
                self._newest = age(order)
        self._rows[order.signal_id] = order

    def drop(self, signal_id: SignalId) -> None:
        """Let a row go; one that is not here is fine."""
        self._rows.pop(signal_id, None)


class OpenRows:
    """Every open row, and which of them waits, is at the broker, is unknown or takes another back."""

    def __init__(self) -> None:
        self.all = Rows()
        self.waiting = Rows()
        self.at_broker = Rows()
        self.unknown = Rows()
        self.cancels = Rows()

    def put(self, order: Order) -> None:
        """Keep the newest value of a row where it belongs now; a settled one belongs nowhere."""
        is_cancel, is_open = order.is_cancel, not order.is_terminal
        for rows, belongs in (
            (self.all, is_open),
            (self.cancels, is_open and is_cancel),
            (self.waiting, order.state == "accepted" and not is_cancel),
            (self.at_broker, order.is_at_broker and not is_cancel),
            (self.unknown, order.state == "unknown" and not is_cancel),
        ):
            if belongs:
                rows.put(order)
            else:
                rows.drop(order.signal_id)


def age(order: Order) -> tuple[float, str]:
    """What rows are sorted by: when they came, then their ids."""
    return order.received_at, order.signal_id
