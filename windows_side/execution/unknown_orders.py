"""Unknown orders: who may say what became of them. The final list of the day may, and a person may.

An order that looks like an unknown one is only shown: the machine never decides by likeness (I4).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from shared_schema.ids import OrderId, SignalId
from shared_schema.words import say
from windows_side.brokers.port import AccountState, BrokerOrder, Day
from windows_side.execution.actions import AskDay, RecordOrder
from windows_side.execution.desk import Desk
from windows_side.execution.events import ResolveTyped
from windows_side.execution.final_list import FinalList, final_list_of, nothing_unexplained
from windows_side.execution.ledger import JournalEntry
from windows_side.execution.order import Order
from windows_side.execution.resolve import candidates_of, objection_to, objection_to_fill, typed_trade
from windows_side.execution.states import OrderEvent


class UnknownOrders:
    """Proofs about the rows nobody knows the outcome of."""

    def __init__(
        self,
        desk: Desk,
        mirror: Mapping[OrderId, BrokerOrder],
        follow: Callable[[BrokerOrder], None],
        newest_tick: Callable[[], float],
    ) -> None:
        """``mirror``: the broker's orders as last seen; ``follow`` brings one of them onto its row.

        ``newest_tick``: market time of the newest quote, Unix seconds."""
        self._newest_tick = newest_tick
        self._desk = desk
        self._mirror = mirror
        self._follow = follow
        self._final_list: FinalList | None = None
        self._shown: dict[SignalId, tuple[OrderId, ...]] = {}

    def listed(self, day: Day, asked_at: float) -> FinalList | None:
        """A complete list of the day: show what could be an unknown order; keep it where it is final."""
        self._show_candidates()
        known = self._desk.book.placed_on(self._desk.trading_day)
        final = final_list_of(day, asked_at, self._desk.now, known, self._newest_tick())
        self._final_list = final or self._final_list
        return final

    def account_answered(self, account: AccountState, asked_at: float) -> None:
        """Asset and positions; after the final list they may prove that an unknown order never was (I4)."""
        final = self._final_list
        if final is None or asked_at <= final.asked_at:
            return
        for order in self._desk.book.unknown():
            code = order.signal.code if order.signal is not None else None
            asked_after = 0 < order.unclear_at < final.asked_at
            if code is None or order.order_id or not asked_after or order.trading_day != final.trading_day:
                continue
            if candidates_of(order, final.day.orders, self._desk.book):
                continue  # one of them may be it, its remark lost: the list does not lack it for sure
            if nothing_unexplained(final, account, code):
                self._desk.store(
                    order.after(OrderEvent.PROVEN_ABSENT),
                    "final_list",
                    error_code="not_placed",
                    message=say("recovery.final_list"),
                )

    def _show_candidates(self) -> None:
        """Name the orders that could be an unknown one; a person decides, never the machine."""
        for order in self._desk.book.unknown():
            if order.order_id:
                continue
            found = tuple(
                seen.order_id for seen in candidates_of(order, self._mirror.values(), self._desk.book)
            )
            if found and self._shown.get(order.signal_id) != found:
                self._shown[order.signal_id] = found
                self._desk.alarm(
                    "order_candidates",
                    signal_id=order.signal_id,
                    orders=", ".join(found),
                    sentence=order.message,
                )

    def resolve(self, event: ResolveTyped) -> None:
        """A person's proof about an unknown order: never placed, the broker's order X, or filled so much."""
        order = self._desk.book.get(event.signal_id)
        if order is None or order.state != "unknown" or order.order_id:
            self._desk.alarm("resolve_refused", signal_id=event.signal_id, detail=say("recovery.not_unknown"))
            return
        if event.filled is not None:
            self._resolve_filled(order, event.filled, event.price, event.reason)
            return
        if event.order_id is None:
            ended = OrderEvent.END_PARTLY if order.trades else OrderEvent.PROVEN_ABSENT
            self._desk.store(
                order.after(ended),
                "resolved_not_placed",
                event.reason,
                error_code="not_placed",
                message=say("recovery.resolved_not_placed", reason=event.reason),
            )
            return
        seen = self._mirror.get(event.order_id)
        unseen = "list_gone" if order.trading_day < self._desk.trading_day else "not_listed"
        objection = unseen if seen is None else objection_to(order, seen, self._desk.book)
        if seen is None or objection is not None:
            self._refuse(order, say(f"recovery.refused_{objection}", order_id=event.order_id))
            return
        self._desk.store(
            order.after(OrderEvent.LIVE),
            "resolved_placed",
            f"{event.order_id} {event.reason}".strip(),
            order_id=event.order_id,
            order_id_typed=True,
            error_code="",
            final_seen_at=0.0,
        )
        self._follow(seen)
        self._desk.do(AskDay())

    def _resolve_filled(self, order: Order, filled: int, price: float, reason: str) -> None:
        """The list of its day is gone, and with it the order's id: a person tells what its history shows."""
        objection = objection_to_fill(order, filled, price, self._desk.trading_day)
        if objection is not None:
            ordered, limit = (order.signal.shares, order.signal.price) if order.signal else (0, 0.0)
            values = {"booked": order.filled_shares, "ordered": ordered, "limit": limit}
            self._refuse(order, say(f"recovery.refused_{objection}", **values))
            return
        trade = typed_trade(order, filled, price)
        if trade is not None:
            order = order.with_trade(trade)
        ended = OrderEvent.END_PARTLY if order.open_shares else OrderEvent.FILL_ALL
        told = f"{filled} @{price:g} {reason}"
        self._desk.store(order.after(ended), "resolved_filled", told, error_code="")

    def _refuse(self, order: Order, why: str) -> None:
        entry = JournalEntry(self._desk.now.wall, order.signal_id, "resolve_refused", why)
        self._desk.do(RecordOrder(order, entry))
        self._desk.alarm("resolve_refused", signal_id=order.signal_id, detail=why)
