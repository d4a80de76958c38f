"""The simulated broker's lists: read from its books once, and after that only what is new.

An order that has ended never changes again, and a trade never does. Read anew at each question, a list of
ten thousand would hold the books for a tenth of a second, and the next order with them.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from shared_schema.ids import OrderId, TradeId
from windows_side.brokers.port import BrokerOrder, BrokerTrade
from windows_side.brokers.simulated_books import SimulatedBooks


@dataclass
class _Listed:
    """What was read of the orders and trades since one day, oldest first."""

    orders: dict[OrderId, BrokerOrder] = field(default_factory=dict)
    alive: set[OrderId] = field(default_factory=set)
    trades: dict[TradeId, BrokerTrade] = field(default_factory=dict)


class SimulatedLists:
    """The lists of one pair of open books. Ask between transactions only: an undone row would stay listed."""

    def __init__(self, books: SimulatedBooks) -> None:
        self._books = books
        self._listed: dict[str, _Listed] = {}

    def orders(self, since: str) -> tuple[BrokerOrder, ...]:
        """Every order since the trading day ``since`` as it stands now, oldest first."""
        listed = self._since(since)
        known = [self._books.order(order_id) for order_id in listed.alive]
        new = self._books.orders(since, after=_newest(listed.orders))
        for row in (*known, *new):
            if row is not None:
                order = listed.orders[OrderId(str(row.order_id))] = row.as_broker_order()
                (listed.alive.discard if order.is_final else listed.alive.add)(order.order_id)
        return tuple(listed.orders.values())

    def trades(self, since: str) -> tuple[BrokerTrade, ...]:
        """Every trade since the same day, oldest first."""
        listed = self._since(since)
        new = self._books.trades(since, after=_newest(listed.trades))
        listed.trades.update((trade.trade_id, trade) for trade in new)
        return tuple(listed.trades.values())

    def _since(self, since: str) -> _Listed:
        if since not in self._listed:
            # A new trading day: of the days before only the one still asked for is kept.
            asked = (self._books.day, self._books.day_before)
            self._listed = {day: listed for day, listed in self._listed.items() if day in asked}
            self._listed[since] = _Listed()
        return self._listed[since]


def _newest(listed: dict[OrderId, BrokerOrder] | dict[TradeId, BrokerTrade]) -> int:
    return int(next(reversed(listed), "0"))
