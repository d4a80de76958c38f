"""What the broker said before of rows that have ended, word for word: said again, nothing follows from it.

Every list of the day shows every order of the day once more. Of thousands nearly all is old news, and the
loop that judges each of them anew holds up the next signal.
"""

from __future__ import annotations

from shared_schema.ids import OrderId, TradeId
from windows_side.brokers.port import BrokerOrder, BrokerTrade
from windows_side.execution.order import Order
from windows_side.execution.order_book import OrderBook


class OldNews:
    """Remembers, with the ended row each was brought onto, the orders and fills of one trading day."""

    def __init__(self, book: OrderBook) -> None:
        self._book = book
        self._orders: dict[OrderId, tuple[BrokerOrder, Order]] = {}
        self._trades: dict[tuple[OrderId, TradeId], tuple[BrokerTrade, Order]] = {}

    def order_again(self, seen: BrokerOrder) -> bool:
        """Whether this is the last word that was heard of its row, and the row has not changed since."""
        said, row = self._orders.get(seen.order_id, _NOTHING)
        if said == seen and row is self._book.by_tag(seen.remark):
            return True
        self._orders.pop(seen.order_id, None)
        return False

    def trade_again(self, seen: BrokerTrade) -> bool:
        """The same of a fill."""
        said, row = self._trades.get((seen.order_id, seen.trade_id), _NOTHING)
        return said == seen and row is self._book.by_tag(seen.remark)

    def heard_order(self, seen: BrokerOrder) -> None:
        """It was brought onto its row; kept where the row has ended and carries its tag."""
        row = self._book.by_tag(seen.remark)
        if row is not None and row.is_terminal:
            self._orders[seen.order_id] = seen, row

    def heard_trade(self, seen: BrokerTrade) -> None:
        """The same of a fill."""
        row = self._book.by_tag(seen.remark)
        if row is not None and row.is_terminal:
            self._trades[seen.order_id, seen.trade_id] = seen, row

    def forget(self) -> None:
        """A new day: whatever is said on it is said for the first time."""
        self._orders.clear()
        self._trades.clear()


_NOTHING = (None, None)
