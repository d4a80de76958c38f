"""Orders of the account that are not ours: never touched, but the day's limits count them (fault 56)."""

from __future__ import annotations

from dataclasses import dataclass

from shared_schema.ids import Code, OrderId
from shared_schema.sessions import trading_day_of
from windows_side.brokers.port import BrokerOrder, BrokerTrade
from windows_side.execution.order_book import OrderBook


@dataclass
class _Seen:
    day: str
    order: BrokerOrder


class ForeignOrders:
    """What the broker showed under ids that no row owns: counted where it is asked, not where it came in."""

    def __init__(self, book: OrderBook) -> None:
        self._book = book
        self._orders: dict[OrderId, _Seen] = {}
        self._trades: dict[OrderId, dict[str, BrokerTrade]] = {}

    def seen(self, order: BrokerOrder, today: str) -> bool:
        """Keep the newest picture of an order that is not ours; whether it is new. ``today``: the trading
        day it belongs to where the broker gives no time."""
        is_new = order.order_id not in self._orders
        day = trading_day_of(order.time) if order.time > 0 else today
        self._orders[order.order_id] = _Seen(day, order)
        return is_new

    def traded(self, trade: BrokerTrade) -> None:
        """Keep a fill that belongs to no row."""
        self._trades.setdefault(trade.order_id, {})[trade.trade_id] = trade

    def count_on(self, trading_day: str) -> int:
        """How many orders others placed on a day; one that a row owns by now is no longer theirs."""
        return sum(1 for _ in self._of(trading_day))

    def turnover_on(self, trading_day: str, code: Code) -> float:
        """Yuan of a code on a day, both sides: what was filled, and what may still be."""
        return sum(self._yuan(order) for order in self._of(trading_day) if order.code == code)

    def forget_before(self, trading_day: str) -> None:
        """Let earlier days go."""
        for order_id in [known for known, seen in self._orders.items() if seen.day < trading_day]:
            del self._orders[order_id]
            self._trades.pop(order_id, None)

    def _of(self, trading_day: str) -> list[BrokerOrder]:
        return [
            seen.order
            for order_id, seen in self._orders.items()
            if seen.day == trading_day and self._book.by_order_id(order_id) is None
        ]

    def _yuan(self, order: BrokerOrder) -> float:
        # Fills of an id that was given again are the earlier day's.
        known = self._trades.get(order.order_id, {}).values()
        day = trading_day_of(order.time)
        trades = [one for one in known if not one.time or trading_day_of(one.time) >= day]
        told = sum(trade.shares for trade in trades)
        # Fills whose trades have not come yet are taken at the order's own price.
        filled = sum(trade.price * trade.shares for trade in trades)
        filled += order.price * max(0, order.filled_shares - told)
        still_open = 0 if order.is_final else max(0, order.shares - max(order.filled_shares, told))
        return filled + order.price * still_open
