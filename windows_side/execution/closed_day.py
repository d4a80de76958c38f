"""Orders the exchange's day ended, while the terminal goes on calling them reported (decision 0028).

No order of ours outlives its day: at 15:00 the exchange drops what is left of it. A terminal that never heard
of that shows the order as alive all evening, and forgets it with its restart in the morning.
"""

from __future__ import annotations

from shared_schema.ids import SignalId
from windows_side.brokers.port import BrokerStatus
from windows_side.execution.desk import Desk
from windows_side.execution.final_list import FinalList
from windows_side.execution.order import Order
from windows_side.execution.states import OrderEvent

APART = 60.0
"""Seconds between the two final lists that have to show the same: one after a reconnect may be stale."""

HANDED_IN = frozenset(
    {
        BrokerStatus.REPORTED,
        BrokerStatus.REPORTED_CANCEL,
        BrokerStatus.PART_FILLED_CANCEL,
        BrokerStatus.PART_FILLED,
    }
)
"""What the exchange had, and drops. One that was never handed in may be, by terminal or counter, tomorrow."""
_Shown = tuple[int, int]
"""The broker's status and traded volume of an order."""


class ClosedDay:
    """Ends rows whose day the exchange has ended; fills that come later still count."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._first: dict[SignalId, tuple[_Shown, float]] = {}
        """What a final list first showed of a row, and when that list was asked (wall Unix seconds)."""

    def listed(self, final: FinalList) -> None:
        """A final list was brought onto the rows: what it and one before show alive, and whole, has ended."""
        before, self._first = self._first, {}
        for order in self._desk.book.at_broker():
            if not self._outlived(order, final):
                continue
            shown = (order.broker_status, order.broker_filled)
            then, asked_at = before.get(order.signal_id, (shown, final.asked_at))
            if then != shown or asked_at > final.asked_at:
                asked_at = final.asked_at
            self._first[order.signal_id] = shown, asked_at
            if final.asked_at - asked_at >= APART:
                ended = OrderEvent.END_PARTLY if order.trades else OrderEvent.END_EMPTY
                self._desk.store(order.after(ended), "day_over", f"status {order.broker_status}")

    def _outlived(self, order: Order, final: FinalList) -> bool:
        """Whether the list shows the row's order alive after its day, with all its trades known here."""
        called_in_its_day = 0 < order.calling_market < final.closed_at
        at_exchange = order.broker_status in HANDED_IN
        shown = bool(order.order_id) and self._desk.book.was_shown(order)
        return called_in_its_day and at_exchange and shown and order.broker_filled == order.filled_shares
