"""What the broker says, brought onto the rows: any order of events, any duplicates, same end."""

from __future__ import annotations

import math
from collections.abc import Callable

from shared_schema.errors import StateError
from shared_schema.ids import OrderId, Tag
from shared_schema.instruments import instrument, to_ticks
from shared_schema.messages import Trade
from shared_schema.sessions import trading_day_of
from shared_schema.words import say
from windows_side.brokers.port import (
    FINAL_STATUSES,
    BrokerOrder,
    BrokerTrade,
    CancelReturned,
    DayAnswered,
    Placed,
    Refused,
    SubmitOverran,
    SubmitReturned,
    SubmitTurnedBack,
    Unclear,
)
from windows_side.execution.actions import AskDay
from windows_side.execution.desk import Desk
from windows_side.execution.order import NO_ORDER_ID, Order
from windows_side.execution.resolve import is_anothers, objection_to
from windows_side.execution.settlement import event_of, overfilled
from windows_side.execution.states import TRANSITIONS, OrderEvent
from windows_side.execution.tags import is_ours
from windows_side.execution.unknown_orders import UnknownOrders
from windows_side.execution.unseen_ids import UnseenIds

TURNED_BACK = {
    "halt": (OrderEvent.TURN_BACK_HALT, "halted"),
    "expired": (OrderEvent.TURN_BACK_EXPIRED, "expired"),
    "outside_session": (OrderEvent.TURN_BACK_SESSION, "outside_session"),
}


class BrokerDesk:
    """Applies the broker's answers and pushes."""

    def __init__(self, desk: Desk, newest_tick: Callable[[], float]) -> None:
        self._desk = desk
        self._orphans: dict[OrderId, dict[str, BrokerTrade]] = {}
        self._mirror: dict[OrderId, BrokerOrder] = {}
        self._foreign_tags: set[Tag] = set()
        self.unknown = UnknownOrders(desk, self._mirror, self.order_updated, newest_tick)
        self._unseen = UnseenIds(desk)
        self._impossible_said: set[tuple[str, str]] = set()
        # What an earlier run left at the broker without an id: the first complete list decides.
        self._left_open = {order.signal_id for order in desk.book.at_broker() if not order.order_id}

    def submit_returned(self, event: SubmitReturned) -> None:
        """The place call came back, in time or late."""
        order = self._desk.book.get(event.signal_id)
        if order is None:
            self._desk.alarm("answer_without_order", signal_id=event.signal_id)
            return
        answer = event.answer
        if isinstance(answer, Placed):
            self._placed(order, answer.order_id)
        elif isinstance(answer, Refused):
            if order.order_id:
                self._impossible(order, f"refused, yet seen at the broker as {order.order_id}")
            elif self._may(order, OrderEvent.REFUSED_FOR_SURE):
                self._desk.store(
                    order.after(OrderEvent.REFUSED_FOR_SURE),
                    "refused_by_broker",
                    answer.code,
                    error_code="refused_by_broker",
                    broker_message=answer.message,
                    message=answer.message,
                )
        else:
            self._unclear(order, answer)

    def _placed(self, order: Order, order_id: OrderId) -> None:
        owner = self._desk.book.by_order_id(order_id)
        if owner is not None and owner.signal_id != order.signal_id:
            # An id that belongs to another row proves nothing about this one.
            self._unclear(order, Unclear(f"order id {order_id} belongs to {owner.signal_id}"))
            return
        if order.order_id == order_id and order.state != "unknown":
            return
        if any(is_anothers(order, seen) for seen in self._seen_of(order_id)):
            self._id_of_another(order, order_id)
            return
        if not self._is_the_one(order, order_id):
            return
        if self._may(order, OrderEvent.LIVE):
            order = order.after(OrderEvent.LIVE)
        self._settle(self._with_orphans(order.changed(order_id=order_id)), "placed", order_id, force=True)

    def _seen_of(self, order_id: OrderId) -> list[BrokerOrder | BrokerTrade]:
        """What was seen under ``order_id`` and belongs to no row."""
        shown: list[BrokerOrder | BrokerTrade] = [*self._orphans.get(order_id, {}).values()]
        return [*shown, self._mirror[order_id]] if order_id in self._mirror else shown

    def _id_of_another(self, order: Order, order_id: OrderId) -> None:
        """The broker answered with an id that is not this row's: it proves nothing, the row is in doubt."""
        if order.order_id == order_id and (order.trades or order.is_terminal):
            self._impossible(order, f"order {order_id} was followed and carries another remark or time")
            return
        self._desk.alarm("order_id_of_another", signal_id=order.signal_id, order_id=order_id)
        if order.order_id in (NO_ORDER_ID, order_id):
            self._unclear(_without_id(order), Unclear(f"order id {order_id} is another order's"))

    def _unclear(self, order: Order, answer: Unclear) -> None:
        if order.order_id or not self._may(order, OrderEvent.NO_ANSWER):
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

    def doubt(self, order: Order) -> None:
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

    def submit_overran(self, event: SubmitOverran) -> None:
        """The place call did not come back in time: unknown, never failed."""
        order = self._desk.book.get(event.signal_id)
        if order is not None and order.state == "submitted":
            self._unclear(order, Unclear("no answer within the deadline"))

    def turned_back(self, event: SubmitTurnedBack) -> None:
        """The worker stopped directly before the call: positive proof that nothing was placed."""
        order = self._desk.book.get(event.signal_id)
        happened, code = TURNED_BACK.get(event.reason, (OrderEvent.PROVEN_ABSENT, "not_placed"))
        if order is None or not self._may(order, happened):
            return
        sentence = say(f"executor.turned_back_{code}")
        self._desk.store(
            order.after(happened), "turned_back", event.reason, error_code=code, message=sentence
        )

    def cancel_returned(self, event: CancelReturned) -> None:
        """A cancel was taken or not; the order's own updates tell the rest."""
        order = self._desk.book.by_order_id(event.order_id)
        if order is not None and not event.accepted:
            self._desk.say("cancel_refused", signal_id=order.signal_id, detail=event.message)
            self._desk.do(AskDay())

    def day_answered(self, event: DayAnswered) -> bool:
        """The day's list; a failed one says nothing. Whether it was a complete answer."""
        if event.day is None:
            return False
        # Those without our tag first: a row must let go of another's id before its own is shown.
        book = self._desk.book
        for broker_order in sorted(event.day.orders, key=lambda seen: book.by_tag(seen.remark) is not None):
            self.order_updated(broker_order, event.asked_at)
        for trade in event.day.trades:
            self.trade_updated(trade)
        for order in self._desk.book.at_broker():
            if not order.order_id:
                self._not_in_list(order, event.asked_at)
            elif not self._desk.book.was_shown(order):
                self._day_gone(order, event.asked_at)
        for order in self._unseen.listed(event.day, event.asked_at):
            self._desk.alarm("order_id_unseen", signal_id=order.signal_id, order_id=order.order_id)
            self._unclear(_without_id(order), Unclear(f"no list shows the order id {order.order_id}"))
        self._left_open.clear()
        self.unknown.listed(event.day, event.asked_at)
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
            self._unclear(order, Unclear("not in the day's list after a restart"))

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

    def forget_ids(self) -> None:
        """A new day: what was seen under an id stays only where it could be an unknown order's."""
        doubted, book = self._desk.book.unknown(), self._desk.book
        for order_id, seen in tuple(self._mirror.items()):
            if all(objection_to(order, seen, book) is not None for order in doubted):
                del self._mirror[order_id]  # in place: the unknown orders' proofs look into the same
        self._unseen.forget()
        self._orphans = {i: trades for i, trades in self._orphans.items() if i in self._mirror}

    def order_updated(self, seen: BrokerOrder, asked_at: float | None = None) -> None:
        """An order as the broker shows it; ``asked_at`` where it comes from a query."""
        self._mirror[seen.order_id] = seen
        order = self._desk.book.by_tag(seen.remark) if seen.remark else None
        if order is None:
            order = self._desk.book.by_order_id(seen.order_id) or self._unseen.row_of(seen)
        if order is None:
            self._not_ours(seen)
            return
        if is_anothers(order, seen):
            self._id_of_another(order, seen.order_id)
            self._not_ours(seen)
            return
        if _differs(order, seen):
            self._impossible(order, f"order {seen.order_id} differs from its signal")
            return
        order = self._by_tag_alone(order, seen)
        if not self._is_the_one(order, seen.order_id):
            return
        status, filled = _merged(order, seen)
        final_seen = order.final_seen_at
        if status in FINAL_STATUSES and (not final_seen or final_seen > self._desk.now.wall):
            # Seen later than now: the clock was set back, and the wait begins anew.
            final_seen = self._desk.now.wall
        self._desk.book.shows(order.signal_id)
        changed = order.changed(
            order_id=order.order_id or seen.order_id,
            broker_status=status,
            broker_filled=filled,
            broker_message=seen.message or order.broker_message,
            final_seen_at=final_seen,
        )
        self._settle(self._with_orphans(changed), "order_update", str(status), asked_at=asked_at)

    def _not_ours(self, seen: BrokerOrder) -> None:
        if not self._desk.foreign.seen(seen, self._desk.trading_day):
            return
        if is_ours(seen.remark) and not self._desk.book.knows_tag(seen.remark):
            self._tag_without_row(seen.order_id, Tag(seen.remark))
        self._desk.say("foreign_order", order_id=seen.order_id, code=seen.code, shares=seen.shares)

    def _tag_without_row(self, order_id: OrderId, tag: Tag) -> None:
        # Our tag, unknown to the ledger: it was put back, or another executor trades here.
        self._foreign_tags.add(tag)
        self._desk.hold(say("recovery.tag_without_row", order_id=order_id))

    def accept_foreign_tags(self) -> None:
        """A person has seen the orders that carry our tag without a row: they hold nothing any more."""
        if not self._foreign_tags:
            return
        self._desk.accept_tags(self._foreign_tags)
        self._foreign_tags.clear()

    def trade_updated(self, seen: BrokerTrade) -> None:
        """A fill; the same one may come many times, and before its order."""
        order = self._desk.book.by_tag(seen.remark) if seen.remark else None
        if order is None:
            order = self._desk.book.by_order_id(seen.order_id)
        if order is None:
            self._orphans.setdefault(seen.order_id, {})[seen.trade_id] = seen
            self._desk.foreign.traded(seen)
            if is_ours(seen.remark) and not self._desk.book.knows_tag(seen.remark):
                self._tag_without_row(seen.order_id, Tag(seen.remark))
            return
        if is_anothers(order, seen):
            self._orphans.setdefault(seen.order_id, {})[seen.trade_id] = seen
            self._desk.foreign.traded(seen)
            self._id_of_another(order, seen.order_id)
            return
        order = self._by_tag_alone(order, seen)
        if not self._is_the_one(order, seen.order_id):
            return
        changed = order.changed(order_id=order.order_id or seen.order_id)
        self._settle(self._with_trades(changed, [seen]), "trade", seen.trade_id)

    def _with_orphans(self, order: Order) -> Order:
        return self._with_trades(order, list(self._orphans.pop(order.order_id, {}).values()))

    def _with_trades(self, order: Order, trades: list[BrokerTrade]) -> Order:
        for seen in trades:
            sound = seen.shares > 0 and 0 < seen.price < math.inf and math.isfinite(seen.time)
            if not sound or not _fits(order, seen):
                self._impossible(order, f"trade {seen.trade_id}: {seen.shares} shares at {seen.price}")
                continue
            trade = Trade(trade_id=seen.trade_id, price=seen.price, shares=seen.shares, time=seen.time)
            order = order.with_trade(trade)
        return order

    def _settle(
        self,
        order: Order,
        action: str,
        detail: str = "",
        *,
        asked_at: float | None = None,
        force: bool = False,
    ) -> None:
        before = self._desk.book.get(order.signal_id)
        happened = event_of(order, final_confirmed=self._final_is_confirmed(order, asked_at))
        if happened is not None and self._may(order, happened):
            order = order.after(happened)
        if order == before and not force:
            return
        if before is not None and before.is_terminal and order.trades != before.trades:
            self._desk.alarm("late_trade", signal_id=order.signal_id, filled=order.filled_shares)
        if order.state == "refused_by_broker" and not order.error_code:
            order = order.changed(error_code="refused_by_broker", message=order.broker_message)
        self._desk.store(order, action, detail)
        if overfilled(order):
            self._impossible(order, f"{order.filled_shares} shares filled of fewer ordered")

    def _final_is_confirmed(self, order: Order, asked_at: float | None) -> bool:
        wait = self._desk.rules.final_read
        if wait == 0:
            return True
        return asked_at is not None and bool(order.final_seen_at) and asked_at >= order.final_seen_at + wait

    def _by_tag_alone(self, order: Order, seen: BrokerOrder | BrokerTrade) -> Order:
        """The row without the id its call was answered with, where nobody saw that id and ours is another."""
        unseen = order.order_id and not order.has_seen_id
        if not unseen or seen.remark != order.tag or seen.order_id == order.order_id:
            return order
        self._desk.alarm("order_id_of_another", signal_id=order.signal_id, order_id=order.order_id)
        return order.changed(order_id=NO_ORDER_ID)

    def _is_the_one(self, order: Order, order_id: OrderId) -> bool:
        """Whether the broker's ``order_id`` can be this row's: one signal has one order, or none at all."""
        if order.order_id and order.order_id != order_id:
            self._impossible(order, f"a second order {order_id} beside {order.order_id}")
            return False
        if not order.order_id and order.is_terminal:
            self._impossible(order, f"order {order_id} of a signal that ended as {order.state}")
            return False
        return True

    def _impossible(self, order: Order, what: str) -> None:
        # Every reading of the day's list tells it again; once is enough, or nobody could ever resume.
        if (order.signal_id, what) in self._impossible_said:
            return
        self._impossible_said.add((order.signal_id, what))
        self._desk.alarm("impossible_event", signal_id=order.signal_id, detail=what)
        self._desk.halt_trading(what)

    def _may(self, order: Order, happened: OrderEvent) -> bool:
        return (order.state, happened) in TRANSITIONS


def _without_id(order: Order) -> Order:
    """The row as if the broker had never told an id."""
    return order.changed(
        order_id=NO_ORDER_ID, broker_status=0, broker_filled=0, final_seen_at=0.0, cancel_sent_at=0.0
    )


def _differs(order: Order, seen: BrokerOrder) -> bool:
    signal = order.signal
    if signal is None:
        raise StateError("executor.ledger_damaged", order.signal_id, detail="an order without its signal")
    tick = instrument(signal.code).tick_size
    same_price = seen.price <= 0 or to_ticks(seen.price, tick) == to_ticks(signal.price, tick)
    same = (seen.code, seen.direction, seen.shares) == (signal.code, signal.direction, signal.shares)
    return not (same and same_price)


def _fits(order: Order, seen: BrokerTrade) -> bool:
    return order.signal is not None and (seen.code, seen.direction) == (
        order.signal.code,
        order.signal.direction,
    )


def _merged(order: Order, seen: BrokerOrder) -> tuple[int, int]:
    """Status and traded volume after ``seen``: neither goes back, whatever order the news come in."""
    filled = max(order.broker_filled, seen.filled_shares)
    if order.broker_status in FINAL_STATUSES and seen.status not in FINAL_STATUSES:
        return order.broker_status, filled
    return seen.status, filled
