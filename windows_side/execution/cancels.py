"""Taking orders back: by a signal, and by time (every order ends, I13)."""

from __future__ import annotations

from collections.abc import Iterable

from shared_schema.clock import Moment
from shared_schema.ids import SignalId
from shared_schema.messages import OrderSignal
from shared_schema.sessions import last_cancel_at, may_cancel, state_at, trading_seconds_between
from shared_schema.words import say
from windows_side.execution.actions import CancelAtBroker
from windows_side.execution.desk import Desk
from windows_side.execution.order import Order
from windows_side.execution.states import OrderEvent

CLOCK_STEP = 1.0
"""Seconds by which a clock may be corrected without anybody noticing."""


class Cancels:
    """Keeps cancel signals until their targets have ended, and ends orders by time."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._looked_at: Moment | None = None

    # By signal

    def take(self, order: Order) -> None:
        """A cancel signal, not yet recorded: done at once, sent on, or kept for a target still to come."""
        kept = self._desk.store(order.after(OrderEvent.ADMIT, intent_at=self._desk.now.wall), "cancel_taken")
        target = self._target_of(kept)
        if target is not None and target.state == "accepted":
            self.settle_unplaced(target)
        elif target is not None:
            self._ask(target)
        self.settle()

    def waits_for(self, order: Order) -> bool:
        """Whether a cancel came before this order."""
        return any(_target_id(cancel) == order.signal_id for cancel in self._desk.book.open_cancels())

    def settle_unplaced(self, order: Order) -> None:
        """End an order that was never handed to the broker as cancelled."""
        self._desk.store(order.after(OrderEvent.CANCEL_FIRST), "cancelled_first")
        self.settle()

    def settle(self) -> None:
        """Close every cancel signal whose target has ended; ask again for one adopted since."""
        for cancel in self._desk.book.open_cancels():
            target = self._target_of(cancel)
            if target is not None and target.is_terminal:
                self._close(cancel)
            elif target is None and self._desk.book.digest_of(_target_id(cancel)) is not None:
                self._close(cancel)  # settled on an earlier day: only its id is kept in memory
            elif target is not None and target.order_id and not target.cancel_sent_at:
                self._ask(target)

    def _close(self, cancel: Order) -> None:
        self._desk.store(cancel.after(OrderEvent.CANCEL_FIRST), "cancel_done")

    def _target_of(self, cancel: Order) -> Order | None:
        return self._desk.book.get(_target_id(cancel))

    # By time

    def time_passed(self) -> None:
        """End cancels of a day gone by; take back orders whose time at the market is over."""
        for cancel in self._desk.book.open_cancels():
            if cancel.trading_day < self._desk.trading_day and self._target_of(cancel) is None:
                self._desk.store(
                    cancel.after(OrderEvent.EXPIRE),
                    "cancel_expired",
                    error_code="no_target",
                    message=say("executor.no_target"),
                )
        for order in self._to_look_at():
            if order.order_id and (self._is_over(order) or self._is_asked_back(order)):
                self._ask(order)

    def _to_look_at(self) -> Iterable[Order]:
        """Orders at the broker; of several events of one moment the later ones only those that changed."""
        book, now = self._desk.book, self._desk.now
        touched = book.take_touched()
        if now is self._looked_at and not book.open_cancels():
            return touched
        self._looked_at = now
        return book.at_broker()

    def _is_over(self, order: Order) -> bool:
        signal: OrderSignal | None = order.signal
        if signal is None:
            return False
        begin = order.calling_market
        if begin - self._desk.now.market > CLOCK_STEP:
            return True  # the clock was set back: how long it has lasted nobody knows, and every order ends
        market, calendar = self._desk.now.market, self._desk.rules.calendar
        if self._desk.trading_day > order.trading_day or market >= last_cancel_at(begin, calendar):
            return True
        if market - begin < signal.cancel_after_seconds:
            return False  # trading time is never more than all time
        lasted = trading_seconds_between(begin, market, calendar)
        return lasted >= signal.cancel_after_seconds

    def _is_asked_back(self, order: Order) -> bool:
        return any(_target_id(cancel) == order.signal_id for cancel in self._desk.book.open_cancels())

    def _ask(self, order: Order) -> None:
        """Ask the broker, unless the exchange takes no cancels now or it was asked just before."""
        now, rules = self._desk.now, self._desk.rules
        if not self._desk.book.was_shown(order):
            return  # of an earlier day: its id may be another order's by now
        # An id that no order of the broker has confirmed could be another's: it is never cancelled by.
        if not order.order_id or not order.broker_status or (
            order.cancel_sent_at and abs(now.wall - order.cancel_sent_at) < rules.cancel_retry
        ):
            return
        if rules.enforce_sessions and not may_cancel(state_at(now.market, rules.calendar)):
            return
        self._desk.store(order, "cancel_sent", order.order_id, cancel_sent_at=now.wall)
        self._desk.do(CancelAtBroker(order.order_id))


def _target_id(cancel: Order) -> SignalId:
    target = cancel.signal.target_signal_id if cancel.signal else None
    return target if target is not None else SignalId("")
