"""Counts, turnover and intents of the day, kept as orders change: the gate asks for them at every signal."""

from __future__ import annotations

import math

from shared_schema.clock import Moment
from shared_schema.ids import Code, SignalId
from shared_schema.messages import OrderSignal, price_text
from windows_side.execution.order import Order


class DayTally:
    """What the orders handed in on each day add up to."""

    def __init__(self) -> None:
        self._turnover: dict[tuple[str, Code], dict[SignalId, float]] = {}
        self._intents: dict[tuple[object, ...], dict[SignalId, tuple[float, float]]] = {}
        """When each was received and when it was decided, both on the market's clock."""

    def put(self, order: Order) -> None:
        """Count the newest value of a row; one that was never to be handed in counts nothing."""
        signal = order.signal
        if signal is None or not order.intent_at or order.is_cancel:
            return
        filled = sum(trade.price * trade.shares for trade in order.trades)
        still_open = 0.0 if order.is_terminal else signal.price * order.open_shares
        self._turnover.setdefault((order.trading_day, signal.code), {})[order.signal_id] = filled + still_open
        received = Moment(order.received_at, order.received_market)
        self._intents.setdefault(_intent(signal), {})[order.signal_id] = (
            order.received_market,
            _decided(signal, received),
        )

    def orders_on(self, trading_day: str) -> int:
        """How many orders were handed in on a day, those that wait for their turn included."""
        return sum(len(orders) for (day, _), orders in self._turnover.items() if day == trading_day)

    def turnover_on(self, trading_day: str, code: Code) -> float:
        """Yuan of a code on a day: what was filled, and what may still be; both sides."""
        return math.fsum(self._turnover.get((trading_day, code), {}).values())

    def duplicate_of(self, signal: OrderSignal, now: Moment, window: float) -> SignalId | None:
        """An order of the same intent (code, side, price, shares, lots) within ``window`` seconds.

        Received or decided within it: of two sent together one may arrive long after the other.
        """
        decided_now = _decided(signal, now)
        if window <= 0:
            return None
        for signal_id, (received, decided) in self._intents.get(_intent(signal), {}).items():
            apart = min(abs(now.market - received), abs(decided_now - decided))
            if signal_id != signal.signal_id and apart < window:
                return signal_id
        return None

    def forget(self, order: Order) -> None:
        """Let a settled row of an earlier day go."""
        if order.signal is not None:
            self._turnover.get((order.trading_day, order.signal.code), {}).pop(order.signal_id, None)
            intent = _intent(order.signal)
            same = self._intents.get(intent, {})
            same.pop(order.signal_id, None)
            if not same:
                self._intents.pop(intent, None)


def _decided(signal: OrderSignal, received: Moment) -> float:
    # Its timestamp is of the wall clock; in a replay the market's runs elsewhere.
    return signal.timestamp + received.market - received.wall


def _intent(signal: OrderSignal) -> tuple[object, ...]:
    lots = tuple(sorted(signal.release_client_order_ids)) or signal.layer_index
    return signal.code, signal.direction, price_text(signal.price), signal.shares, lots
