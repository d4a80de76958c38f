"""Orders and fills as the broker shows them, brought onto the rows: any order of events, any duplicates,
same end."""

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
    Unclear,
)
from windows_side.execution.desk import Desk
from windows_side.execution.doubts import Doubts
from windows_side.execution.old_news import OldNews
from windows_side.execution.order import NO_ORDER_ID, Order
from windows_side.execution.resolve import is_anothers, objection_to
from windows_side.execution.settlement import event_of, overfilled
from windows_side.execution.states import OrderEvent
from windows_side.execution.tags import is_ours
from windows_side.execution.unknown_orders import UnknownOrders
from windows_side.execution.unseen_ids import UnseenIds


class BrokerDesk:
    """Knows what was seen at the broker, and whose it is."""

    def __init__(self, desk: Desk, newest_tick: Callable[[], float]) -> None:
        self._desk = desk
        self._orphans: dict[OrderId, dict[str, BrokerTrade]] = {}
        self._mirror: dict[OrderId, BrokerOrder] = {}
        self._foreign_tags: set[Tag] = set()
        self._old_news = OldNews(desk.book)
        self.unknown = UnknownOrders(desk, self._mirror, self.order_updated, newest_tick)
        self.unseen = UnseenIds(desk)
        self.doubts = Doubts(desk)

    def placed(self, order: Order, order_id: OrderId) -> None:
        """The place call was answered with this id: it counts where nothing seen under it disagrees."""
        owner = self._desk.book.by_order_id(order_id)
        if owner is not None and owner.signal_id != order.signal_id:
            # An id that belongs to another row proves nothing about this one.
            self.doubts.unclear(order, Unclear(f"order id {order_id} belongs to {owner.signal_id}"))
            return
        if order.order_id == order_id and order.state != "unknown":
            return
        if any(_speaks_against(order, seen) for seen in self._seen_of(order_id)):
            self.doubts.id_of_another(order, order_id)
            return
        if not self._is_the_one(order, order_id):
            return
        if order.may(OrderEvent.LIVE):
            order = order.after(OrderEvent.LIVE)
        self._settle(self._with_orphans(order.changed(order_id=order_id)), "placed", order_id, force=True)

    def _seen_of(self, order_id: OrderId) -> list[BrokerOrder | BrokerTrade]:
        """What was seen today under ``order_id`` and belongs to no row.

        Until its restart in the morning the terminal lists the day before, and then gives its ids again.
        """
        shown: list[BrokerOrder | BrokerTrade] = [*self._orphans.get(order_id, {}).values()]
        if order_id in self._mirror:
            shown.append(self._mirror[order_id])
        today = self._desk.trading_day
        return [seen for seen in shown if not seen.time or trading_day_of(seen.time) >= today]

    def forget_ids(self) -> None:
        """A new day: what was seen under an id stays only where it could be an unknown order's."""
        doubted, book = self._desk.book.unknown(), self._desk.book
        for order_id, seen in tuple(self._mirror.items()):
            if all(objection_to(order, seen, book) is not None for order in doubted):
                del self._mirror[order_id]  # in place: the unknown orders' proofs look into the same
        self.unseen.forget()
        self._old_news.forget()
        self._orphans = {i: trades for i, trades in self._orphans.items() if i in self._mirror}

    def order_updated(self, seen: BrokerOrder, asked_at: float | None = None) -> None:
        """An order as the broker shows it; ``asked_at`` where it comes from a query."""
        if self._old_news.order_again(seen) and seen.order_id not in self._orphans:
            return
        self._mirror[seen.order_id] = seen
        order = self._desk.book.by_tag(seen.remark) if seen.remark else None
        if order is None:
            order = self._desk.book.by_order_id(seen.order_id) or self.unseen.row_of(seen)
        if order is None:
            self._not_ours(seen)
            return
        if _speaks_against(order, seen):
            self.doubts.id_of_another(order, seen.order_id)
            self._not_ours(seen)
            return
        if _differs(order, seen):
            self.doubts.impossible(order, "differs", order_id=seen.order_id)
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
        self._old_news.heard_order(seen)

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
        if self._old_news.trade_again(seen):
            return
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
            self.doubts.id_of_another(order, seen.order_id)
            return
        if seen.remark != order.tag and not order.has_seen_id and seen.order_id not in self._mirror:
            # Only the call's answer told this id: the order itself must say first that it is this row's.
            self._orphans.setdefault(seen.order_id, {})[seen.trade_id] = seen
            return
        order = self._by_tag_alone(order, seen)
        if not self._is_the_one(order, seen.order_id):
            return
        changed = order.changed(order_id=order.order_id or seen.order_id)
        self._settle(self._with_trades(changed, [seen]), "trade", seen.trade_id)
        self._old_news.heard_trade(seen)

    def _with_orphans(self, order: Order) -> Order:
        orphans = self._orphans.pop(order.order_id, {}).values()
        # The id may be one that is given again: remark and time tell whose fills these were.
        return self._with_trades(order, [seen for seen in orphans if not is_anothers(order, seen)])

    def _with_trades(self, order: Order, trades: list[BrokerTrade]) -> Order:
        for seen in trades:
            sound = seen.shares > 0 and 0 < seen.price < math.inf and math.isfinite(seen.time)
            if not sound or not _fits(order, seen):
                told = {"trade_id": seen.trade_id, "shares": seen.shares, "price": seen.price}
                self.doubts.impossible(order, "trade", **told)
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
        if happened is not None and order.may(happened):
            order = order.after(happened)
        if order == before and not force:
            return
        if before is not None and before.is_terminal and order.trades != before.trades:
            self._desk.alarm("late_trade", signal_id=order.signal_id, filled=order.filled_shares)
        if order.state == "refused_by_broker" and not order.error_code:
            order = order.changed(error_code="refused_by_broker", message=order.broker_message)
        self._desk.store(order, action, detail)
        if overfilled(order):
            self.doubts.impossible(order, "overfilled", filled=order.filled_shares)

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
            self.doubts.impossible(order, "second", order_id=order_id, first=order.order_id)
            return False
        if not order.order_id and order.is_terminal:
            self.doubts.impossible(order, "ended", order_id=order_id, state=order.state)
            return False
        return True


def _speaks_against(order: Order, seen: BrokerOrder | BrokerTrade) -> bool:
    """Whether what carries an id that only the call's answer gave to this row is another's.

    By remark or time, or, without our tag and before the id was ever seen, by its contents.
    """
    if is_anothers(order, seen):
        return True
    unproven = not order.order_id_typed and not order.has_seen_id and seen.remark != order.tag
    return unproven and isinstance(seen, BrokerOrder) and _differs(order, seen)


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
