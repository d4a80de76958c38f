"""How a row comes into doubt, and what can't be: both are told to a person, and too much of either halts."""

from __future__ import annotations

from shared_schema.ids import OrderId
from shared_schema.words import say
from windows_side.brokers.port import Unclear
from windows_side.execution.actions import AskDay
from windows_side.execution.desk import Desk
from windows_side.execution.order import NO_ORDER_ID, Order
from windows_side.execution.states import OrderEvent


class Doubts:
    """Brings rows into doubt; how they leave it, the unknown orders tell."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._impossible_said: set[tuple[str, str]] = set()

    def unclear(self, order: Order, answer: Unclear) -> None:
        """No usable answer about an order without an id: unknown, told, and the day's list asked for."""
        if order.order_id or not order.may(OrderEvent.NO_ANSWER):
            return
        unknown = self._desk.store(
            order.after(OrderEvent.NO_ANSWER),
            "unknown",
            answer.message,
            unclear_at=self._desk.now.wall,
            error_code="",
            broker_message=answer.message,
        )
        self._desk.alarm("order_unknown", signal_id=order.signal_id, sentence=unknown.message)
        self._desk.do(AskDay())
        self._too_many_unknown()

    def _too_many_unknown(self) -> None:
        limit = self._desk.rules.limits.unknowns_per_day
        today = self._desk.book.placed_on(self._desk.trading_day)
        count = sum(1 for order in today if order.unclear_at)
        if count >= limit:
            self._desk.halt_trading(say("recovery.too_many_unknown", count=count))

    def waits_in_doubt(self, order: Order) -> None:
        """Of an order that waits in a ledger that was put back: it may have been handed in since."""
        now = self._desk.now
        unknown = self._desk.store(
            order.after(OrderEvent.DOUBT),
            "doubtful",
            calling_at=now.wall,
            calling_market=now.market,
            unclear_at=now.wall,
        )
        self._desk.alarm("order_unknown", signal_id=order.signal_id, sentence=unknown.message)

    def id_of_another(self, order: Order, order_id: OrderId) -> None:
        """The broker answered with an id that is not this row's: it proves nothing, the row is in doubt."""
        if order.order_id == order_id and (order.trades or order.is_terminal):
            self.impossible(order, "followed", order_id=order_id)
            return
        self._desk.alarm("order_id_of_another", signal_id=order.signal_id, order_id=order_id)
        if order.order_id in (NO_ORDER_ID, order_id):
            self.unclear(_without_id(order), Unclear(f"order id {order_id} is another order's"))

    def id_unseen(self, order: Order) -> None:
        """Whole lists of the day lack the row's answered id: the row is in doubt without it."""
        self._desk.alarm("order_id_unseen", signal_id=order.signal_id, order_id=order.order_id)
        self.unclear(_without_id(order), Unclear(f"no list shows the order id {order.order_id}"))

    def impossible(self, order: Order, word: str, **values: object) -> None:
        """Something is said that can't be (``recovery.impossible_<word>``): told once, and trading halts."""
        what = say(f"recovery.impossible_{word}", **values)
        # Every reading of the day's list tells it again; once is enough, or nobody could ever resume.
        if (order.signal_id, what) in self._impossible_said:
            return
        self._impossible_said.add((order.signal_id, what))
        self._desk.alarm("impossible_event", signal_id=order.signal_id, detail=what)
        self._desk.halt_trading(what)


def _without_id(order: Order) -> Order:
    """The row as if the broker had never told an id."""
    return order.changed(
        order_id=NO_ORDER_ID, broker_status=0, broker_filled=0, final_seen_at=0.0, cancel_sent_at=0.0
    )
