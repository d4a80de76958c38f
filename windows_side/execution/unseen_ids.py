"""Order ids that the place call answered with and no order of the broker carries (fault 45).

Such an id proves nothing. Where complete, fresh lists go on lacking it, the row is in doubt, and a person
is told; what shows up under the id later, with nothing that speaks against it, is the row's all the same.
"""

from __future__ import annotations

from shared_schema.ids import OrderId, SignalId
from windows_side.brokers.port import BrokerOrder, Day
from windows_side.execution.desk import Desk
from windows_side.execution.order import Order
from windows_side.execution.resolve import is_anothers, objection_to

UNSEEN = 15.0
"""Seconds between the first list that lacks an answered id and the one after which nobody waits for it."""


class UnseenIds:
    """Waits for each answered id to be seen, and remembers those given up; of one trading day and one run."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._lacking_since: dict[SignalId, float] = {}
        self._given_up: dict[OrderId, SignalId] = {}

    def listed(self, day: Day, asked_at: float) -> list[Order]:
        """The rows whose answered id complete, fresh lists have lacked for ``UNSEEN`` seconds, this one too.

        ``asked_at``: wall Unix seconds."""
        book, wall = self._desk.book, self._desk.now.wall
        unseen = [order for order in book.at_broker() if order.order_id and not order.has_seen_id]
        waiting = {order.signal_id for order in unseen}
        self._lacking_since = {one: at for one, at in self._lacking_since.items() if one in waiting}
        if not unseen or not self._is_whole(day):
            return []
        lost: list[Order] = []
        for order in unseen:
            if asked_at <= order.calling_at <= wall:
                continue  # asked before the call: it could not show the order
            since = self._lacking_since.get(order.signal_id, asked_at)
            # Later than this list: the clock was set back, and the wait begins anew.
            since = self._lacking_since[order.signal_id] = min(since, asked_at)
            if asked_at - since >= UNSEEN:
                self._given_up[order.order_id] = order.signal_id
                lost.append(order)
        return lost

    def _is_whole(self, day: Day) -> bool:
        """Whether the list shows every order of today that the broker has shown before (fault 51)."""
        listed = {seen.order_id for seen in day.orders}
        known = self._desk.book.placed_on(self._desk.trading_day)
        return all(order.order_id in listed for order in known if order.order_id and order.has_seen_id)

    def row_of(self, seen: BrokerOrder) -> Order | None:
        """The row in doubt whose call was answered with this order's id, where nothing speaks against it."""
        signal_id = self._given_up.get(seen.order_id)
        order = self._desk.book.get(signal_id) if signal_id is not None else None
        if order is None or order.state != "unknown" or order.order_id or is_anothers(order, seen):
            return None
        return order if objection_to(order, seen, self._desk.book) is None else None

    def forget(self) -> None:
        """A new day: the broker may give an id again."""
        self._lacking_since.clear()
        self._given_up.clear()
