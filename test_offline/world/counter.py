"""The broker's own books: what really happened. They outlive every process and every connection."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from shared_schema.ids import Code, Direction, OrderId, TradeId
from windows_side.brokers.port import (
    FINAL_STATUSES,
    AccountState,
    BrokerAsset,
    BrokerOrder,
    BrokerPosition,
    BrokerStatus,
    BrokerTrade,
    Day,
    OrderRequest,
)

CODE = Code("159201.SZ")
TICK = 0.001
START_CASH = 400_000.0
START_SHARES = 60_000
START_TICKS = 1050
ODD = 0.25
"""How many of the partial fills are of no whole hundreds."""


@dataclass
class Counter:
    """Orders, trades, cash and shares; a price that walks by ticks of 0.001 yuan."""

    chance: random.Random
    told: Callable[[BrokerOrder, BrokerTrade | None], None] = lambda order, trade: None
    """Hears of every change of an order, and the trade that caused it."""
    ticks: int = START_TICKS
    orders: dict[OrderId, BrokerOrder] = field(default_factory=dict)
    trades: list[BrokerTrade] = field(default_factory=list)
    cash: float = START_CASH
    shares: int = START_SHARES
    sellable: int = START_SHARES
    true_tags: dict[OrderId, str] = field(default_factory=dict)
    """The tag each order was placed with, whatever remark the broker shows."""
    bad_trades: set[str] = field(default_factory=set)
    """Ids of trades that can't be, made by a fault."""
    may_trade: bool = True
    past: set[OrderId] = field(default_factory=set)
    """Orders of earlier days: they happened, and no list shows them any more."""
    _numbers: int = 1000

    @property
    def price(self) -> float:
        """The last price, yuan."""
        return self.ticks / 1000

    # What others do

    def place(self, request: OrderRequest, *, remark: str | None = None) -> BrokerOrder:
        """Take an order; shown with ``remark`` where that differs from its tag."""
        order = self._book(request.code, request.direction, request.price, request.shares,
                           request.tag if remark is None else remark)  # fmt: skip
        self.true_tags[order.order_id] = request.tag
        return order

    def place_foreign(self, direction: Direction, price: float, shares: int, remark: str = "") -> BrokerOrder:
        """An order of another program or of a hand."""
        return self._book(CODE, direction, price, shares, remark)

    def cancel(self, order_id: OrderId) -> bool:
        """Take back what is open of an order; whether there was anything."""
        order = self.orders.get(order_id)
        if order is None or order.is_final:
            return False
        part = order.filled_shares > 0
        self._change(replace(order, status=BrokerStatus.PART_CANCELLED if part else BrokerStatus.CANCELLED))
        return True

    def close(self) -> None:
        """The day is over: what still rests is ended by the exchange."""
        for order in self.live():
            self.cancel(order.order_id)

    def new_day(self) -> None:
        """A new day's list begins empty, and what was bought yesterday may be sold."""
        self.close()
        self.past.update(self.orders)
        self.sellable = self.shares

    def reject(self, order: BrokerOrder, message: str) -> None:
        """The counter turns an order down after it was taken."""
        if not self.orders[order.order_id].is_final:
            self._change(replace(self.orders[order.order_id], status=BrokerStatus.JUNK, message=message))

    def step(self) -> None:
        """The price moves, and resting orders that it crosses are filled, in part or whole."""
        self.ticks = min(
            START_TICKS + 30,
            max(START_TICKS - 30, self.ticks + self.chance.choice((-2, -1, -1, 0, 0, 1, 1, 2))),
        )
        for order in self.live():
            self.match(order.order_id)

    def match(self, order_id: OrderId) -> None:
        """Fill some of an order where the price allows."""
        order = self.orders[order_id]
        if order.is_final or not self.may_trade:
            return
        limit = round(order.price * 1000)
        crossed = limit >= self.ticks if order.direction == "BUY" else limit <= self.ticks
        if not crossed:
            return
        open_shares = order.shares - order.filled_shares
        part = self.chance.random() < 0.5 and open_shares > 100
        shares = 100 * self.chance.randrange(1, open_shares // 100 + 1) if part else open_shares
        if part and self.chance.random() < ODD:
            shares -= self.chance.randrange(1, 100)  # the other side sold its odd remainder
        self.fill(order_id, shares)

    def fill(self, order_id: OrderId, shares: int, price: float | None = None) -> BrokerTrade:
        """One trade of an order; more than was ordered only where a fault asks for it."""
        order = self.orders[order_id]
        paid = order.price if price is None else price
        trade = BrokerTrade(
            TradeId(f"t{len(self.trades) + 1}"), order_id, order.code, order.direction, paid, shares,
            remark=order.remark,
        )  # fmt: skip
        self.trades.append(trade)
        filled = order.filled_shares + shares
        status = BrokerStatus.FILLED if filled >= order.shares else BrokerStatus.PART_FILLED
        if order.direction == "BUY":
            self.cash -= paid * shares
            self.shares += shares
        else:
            self.cash += paid * shares
            self.shares -= shares
        self._change(replace(order, filled_shares=filled, status=status), trade)
        return trade

    # What can be seen

    def live(self) -> list[BrokerOrder]:
        """Orders that have not ended."""
        return [order for order in self.orders.values() if order.status not in FINAL_STATUSES]

    def of_tag(self, tag: str) -> list[BrokerOrder]:
        """Orders that were placed with a tag, whatever they show."""
        return [self.orders[order_id] for order_id, true in self.true_tags.items() if true == tag]

    def trades_of(self, order_id: OrderId) -> list[BrokerTrade]:
        """All trades of an order."""
        return [trade for trade in self.trades if trade.order_id == order_id]

    def day(self) -> Day:
        """The day's list, whole."""
        past = self.past
        if not past:
            return Day(tuple(self.orders.values()), tuple(self.trades))
        orders = (order for order in self.orders.values() if order.order_id not in past)
        return Day(tuple(orders), tuple(trade for trade in self.trades if trade.order_id not in past))

    def account(self) -> AccountState:
        """Money and shares."""
        live = self.live()
        frozen = sum(o.price * (o.shares - o.filled_shares) for o in live if o.direction == "BUY")
        selling = sum(o.shares - o.filled_shares for o in live if o.direction == "SELL")
        value = self.shares * self.price
        held = BrokerPosition(CODE, self.shares, self.sellable - selling, 1.0, value)
        return AccountState(BrokerAsset(self.cash - frozen, frozen, value, self.cash + value), (held,))

    # Inside

    def _book(self, code: Code, direction: Direction, price: float, shares: int, remark: str) -> BrokerOrder:
        self._numbers += 1
        order_id = OrderId(str(self._numbers))
        order = BrokerOrder(order_id, code, direction, price, shares, 0, BrokerStatus.REPORTED, remark)
        self._change(order)
        return order

    def _change(self, order: BrokerOrder, trade: BrokerTrade | None = None) -> None:
        if trade is not None and order.direction == "SELL":
            self.sellable -= trade.shares
        self.orders[order.order_id] = order
        self.told(order, trade)
