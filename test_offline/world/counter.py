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
FIRST_NUMBER = 1000


@dataclass
class DayBook:
    """One day of the broker's. Its order ids are its own: another day may give them again."""

    orders: dict[OrderId, BrokerOrder] = field(default_factory=dict)
    trades: list[BrokerTrade] = field(default_factory=list)
    true_tags: dict[OrderId, str] = field(default_factory=dict)
    """The tag each order was placed with, whatever remark the broker shows."""


@dataclass
class Counter:
    """Orders, trades, cash and shares; a price that walks by ticks of 0.001 yuan."""

    chance: random.Random
    told: Callable[[BrokerOrder, BrokerTrade | None], None] = lambda order, trade: None
    """Hears of every change of an order, and the trade that caused it."""
    ticks: int = START_TICKS
    today: DayBook = field(default_factory=DayBook)
    """What the lists show."""
    days: dict[str, DayBook] = field(default_factory=dict)
    """Every day that was begun, by its date; today is the last of them."""
    market_time: Callable[[], float] = lambda: 0.0
    """Unix seconds of what happens now; 0 where the broker does not say when."""
    ids_repeat: bool = False
    """Whether each day's order ids are counted from the same number again."""
    cash: float = START_CASH
    shares: int = START_SHARES
    sellable: int = START_SHARES
    may_trade: bool = True
    _numbers: int = FIRST_NUMBER
    _traded: int = 0

    @property
    def price(self) -> float:
        """The last price, yuan."""
        return self.ticks / 1000

    @property
    def orders(self) -> dict[OrderId, BrokerOrder]:
        """Today's."""
        return self.today.orders

    @property
    def true_tags(self) -> dict[OrderId, str]:
        """Today's."""
        return self.today.true_tags

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

    def new_day(self, day: str) -> None:
        """``day``'s list begins empty, and what was bought before may be sold."""
        self.close()
        self.today = self.days[day] = DayBook()
        self.sellable = self.shares
        if self.ids_repeat:
            self._numbers = FIRST_NUMBER

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
        self._traded += 1
        trade = BrokerTrade(
            TradeId(f"t{self._traded}"), order_id, order.code, order.direction, paid, shares,
            self.market_time(), order.remark,
        )  # fmt: skip
        self.today.trades.append(trade)
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

    def books(self) -> list[DayBook]:
        """What happened on every day: no list shows the earlier ones any more."""
        return list(self.days.values()) or [self.today]

    def book_of(self, day: str) -> DayBook:
        """A day's; today's where the days have no dates."""
        return self.days.get(day, self.today)

    def of_tag(self, tag: str) -> list[BrokerOrder]:
        """Orders of any day that were placed with a tag, whatever they show."""
        return [
            book.orders[order_id]
            for book in self.books()
            for order_id, true in book.true_tags.items()
            if true == tag
        ]

    def trades_of_tag(self, tag: str) -> list[BrokerTrade]:
        """All trades of the orders of ``of_tag``."""
        return [
            trade
            for book in self.books()
            for trade in book.trades
            if book.true_tags.get(trade.order_id) == tag
        ]

    def day(self) -> Day:
        """The lists as they are shown, whole: of today, which ends when the next day is begun."""
        return Day(tuple(self.orders.values()), tuple(self.today.trades))

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
        reported, now = BrokerStatus.REPORTED, self.market_time()
        order = BrokerOrder(order_id, code, direction, price, shares, 0, reported, remark, time=now)
        self._change(order)
        return order

    def _change(self, order: BrokerOrder, trade: BrokerTrade | None = None) -> None:
        if trade is not None and order.direction == "SELL":
            self.sellable -= trade.shares
        self.orders[order.order_id] = order
        self.told(order, trade)
