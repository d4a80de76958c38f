"""The day's lists: what they show is followed, and what they lack is judged by what absence proves."""

from __future__ import annotations

from shared_schema.sessions import trading_day_of
from shared_schema.words import say
from windows_side.brokers.port import DayAnswered, Unclear
from windows_side.execution.broker_desk import BrokerDesk
from windows_side.execution.closed_day import ClosedDay
from windows_side.execution.desk import Desk
from windows_side.execution.order import NO_ORDER_ID, Order
from windows_side.execution.states import OrderEvent


class DayLists:
    """Applies the answers to the question for the day's orders and trades."""

    def __init__(self, desk: Desk, broker: BrokerDesk) -> None:
        self._desk = desk
        self._broker = broker
        self._closed_day = ClosedDay(desk)
        # What an earlier run left at the broker without an id: the first complete list decides.
        self._left_open = {order.signal_id for order in desk.book.at_broker() if not order.order_id}

    def answered(self, event: DayAnswered) -> bool:
        """The day's list; a failed one says nothing. Whether it was a complete answer."""
        if event.day is None:
            return False
        # Those without our tag first: a row must let go of another's id before its own is shown.
        book = self._desk.book
        book.forget_shown()
        for broker_order in sorted(event.day.orders, key=lambda seen: book.by_tag(seen.remark) is not None):
            self._broker.order_updated(broker_order, event.asked_at)
        for trade in event.day.trades:
            self._broker.trade_updated(trade)
        for order in self._desk.book.at_broker():
            if not order.order_id:
                self._not_in_list(order, event.asked_at)
            elif not self._desk.book.was_shown(order):
                self._day_gone(order, event.asked_at)
        for order in self._broker.unseen.listed(event.day, event.asked_at):
            self._broker.doubts.id_unseen(order)
        self._left_open.clear()
        final = self._broker.unknown.listed(event.day, event.asked_at)
        if final is not None:
            self._closed_day.listed(final)
        return True

    def _not_in_list(self, order: Order, asked_at: float) -> None:
        if order.unclear_at > self._desk.now.wall:
            # The clock was set back since: a list asked from now on decides.
            self._desk.store(order, "clock_set_back", unclear_at=self._desk.now.wall)
            return
        asked_after = order.signal_id in self._left_open or 0 < order.unclear_at < asked_at
        if not asked_after:
            return
        if self._desk.rules.absence_is_proof:
            self._desk.store(
                order.after(OrderEvent.PROVEN_ABSENT),
                "proven_absent",
                error_code="not_placed",
                message=say("executor.proven_absent"),
            )
        elif order.state != "unknown":
            self._broker.doubts.unclear(order, Unclear("not in the day's list after a restart"))
        elif trading_day_of(order.changed_market) <= order.trading_day < self._desk.trading_day:
            # Its sentence still sends a person to the list of its own day.
            self._desk.store(order, "day_gone")

    def _day_gone(self, order: Order, asked_at: float) -> None:
        """Of an earlier day, and not in today's list: how it ended nobody saw, and its id is of that day."""
        now = self._desk.now
        if trading_day_of(now.market - (now.wall - asked_at)) <= order.trading_day:
            return
        unknown = self._desk.store(
            order.after(OrderEvent.DAY_GONE),
            "day_gone",
            order.order_id,
            order_id=NO_ORDER_ID,
            broker_status=0,
            final_seen_at=0.0,
            unclear_at=now.wall,
        )
        self._desk.alarm("order_unknown", signal_id=order.signal_id, sentence=unknown.message)
