"""The simulated broker's books: one SQLite file of its own, as a broker elsewhere would keep.

WAL with ``synchronous=FULL``: a transaction that returned survives a kill and a power loss.
Money is exact (money.py). Nothing here decides a trade; it books what it is told and keeps
the sums right. Not thread-safe: the broker's lock is around every call.

Opening and making the file: simulated_file.py.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from shared_schema.ids import AccountAlias, Code, Direction, OrderId, TradeId
from windows_side.brokers.money import Money, amount_of, in_yuan
from windows_side.brokers.port import (
    AccountState,
    BrokerOrder,
    BrokerPosition,
    BrokerStatus,
    BrokerTrade,
    OrderRequest,
)
from windows_side.brokers.simulated_file import OPEN, make_file, open_file

_ORDER_COLUMNS = (
    "order_id, code, direction, price, shares, filled, amount, fee, frozen, status, remark, message, time"
)


@dataclass(frozen=True)
class BookOrder:
    """One row of the orders; ``amount``, ``fee`` and ``frozen`` are exact money."""

    order_id: int
    code: Code
    direction: Direction
    price: float
    shares: int
    filled: int
    amount: Money
    """Traded so far, without fees."""
    fee: Money
    """Charged so far."""
    frozen: Money
    """Cash held for what is still open of a buy, its fees included."""
    status: int
    remark: str
    message: str
    time: float

    @property
    def open_shares(self) -> int:
        """Shares that may still trade."""
        return self.shares - self.filled

    def as_broker_order(self) -> BrokerOrder:
        """The order as the port shows it."""
        return BrokerOrder(
            OrderId(str(self.order_id)),
            self.code,
            self.direction,
            self.price,
            self.shares,
            self.filled,
            self.status,
            self.remark,
            self.message,
            self.time,
        )


class SimulatedBooks:
    """The open books. Writing methods belong inside ``with books.transaction():``."""

    def __init__(
        self, path: Path, *, account: AccountAlias, day: str, cash: float, start: AccountState | None = None
    ) -> None:
        """Open ``path``, or make it with ``cash`` (yuan) or ``start`` where there is none.

        ``start`` counts only for a new file: its frozen cash is free here, for the orders it
        was held for are not. Errors: StateError for a file that is unreadable, not ours, of
        another version, account or mode.
        """
        if not path.exists():
            make_file(path, account, day, cash, start)
        self._connection = open_file(path, account)

    @classmethod
    def existing(cls, path: Path) -> SimulatedBooks:
        """The books at ``path``, whosever they are, for a reader that compares. Errors: StateError."""
        books = cls.__new__(cls)
        books._connection = open_file(path, None)
        return books

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """One durable commit around the block; whatever is raised inside undoes all of it."""
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._connection.execute("COMMIT")
        except BaseException:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            raise

    @property
    def day(self) -> str:
        """The trading day the books stand at, ``YYYY-MM-DD``."""
        return self._about("day")

    @property
    def day_before(self) -> str:
        """The trading day the books stood at before it; the same one in new books."""
        return self._about("day_before")

    # Writing

    def roll_to(self, day: str) -> list[BookOrder]:
        """Begin the trading day ``day``: open orders end, all shares may be sold. The ended orders."""
        ended = [self.end(order) for order in self.open_orders()]
        self._connection.execute("UPDATE positions SET can_use = volume")
        self._connection.execute("DELETE FROM positions WHERE volume = 0")
        self._connection.executemany(
            "INSERT OR REPLACE INTO about VALUES (?, ?)", [("day_before", self.day), ("day", day)]
        )
        return ended

    def begin_on(self, day: str) -> bool:
        """Let books that never saw an order begin on ``day``, an earlier one too; False for used ones.

        They are made before the first quote tells that the market is a replay of the past.
        """
        if self._connection.execute("SELECT EXISTS (SELECT 1 FROM orders)").fetchone()[0]:
            return False
        self._connection.execute("UPDATE about SET value = ? WHERE key IN ('day', 'day_before')", (day,))
        return True

    def add(
        self, request: OrderRequest, price: float, time: float, frozen: int, message: str = ""
    ) -> BookOrder:
        """A new order: reported, or 废单 where ``message`` says why. Holds ``frozen`` or its shares."""
        status = BrokerStatus.JUNK if message else BrokerStatus.REPORTED
        row = (self.day, request.code, request.direction, price, request.shares, frozen)
        cursor = self._connection.execute(
            "INSERT INTO orders (day, code, direction, price, shares, frozen, status, remark, message, time)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (*row, int(status), request.tag, message, time),
        )
        if request.direction == "SELL" and not message:
            self._connection.execute(
                "UPDATE positions SET can_use = can_use - ? WHERE code = ?", (request.shares, request.code)
            )
        return self._known(cursor.lastrowid or 0)

    def fill(
        self,
        order: BookOrder,
        price: float,
        shares: int,
        time: float,
        *,
        fee: int,
        frozen: int,
        same_day_sell: bool,
    ) -> tuple[BookOrder, BrokerTrade]:
        """Book a trade: ``fee`` is charged for it, ``frozen`` is what the order holds afterwards."""
        amount = amount_of(price, shares)
        status = BrokerStatus.FILLED if shares == order.open_shares else BrokerStatus.PART_FILLED
        cursor = self._connection.execute(
            "INSERT INTO trades (order_id, day, price, shares, fee, time) VALUES (?, ?, ?, ?, ?, ?)",
            (order.order_id, self.day, price, shares, fee, time),
        )
        self._connection.execute(
            "UPDATE orders SET filled = filled + ?, amount = amount + ?, fee = fee + ?,"
            " frozen = ?, status = ? WHERE order_id = ?",
            (shares, amount, fee, frozen, int(status), order.order_id),
        )
        received = -amount - fee if order.direction == "BUY" else amount - fee
        self._connection.execute("UPDATE purse SET cash = cash + ?", (received,))
        if order.direction == "BUY":
            self._bought(order.code, shares, amount, price, same_day_sell)
        else:
            self._sold(order.code, shares, price)
        trade = BrokerTrade(
            TradeId(str(cursor.lastrowid)),
            OrderId(str(order.order_id)),
            order.code,
            order.direction,
            price,
            shares,
            time,
            order.remark,
        )
        return self._known(order.order_id), trade

    def end(self, order: BookOrder) -> BookOrder:
        """Cancel what is open of ``order`` and free what it held."""
        status = BrokerStatus.PART_CANCELLED if order.filled else BrokerStatus.CANCELLED
        self._connection.execute(
            "UPDATE orders SET status = ?, frozen = 0 WHERE order_id = ?", (int(status), order.order_id)
        )
        if order.direction == "SELL":
            self._connection.execute(
                "UPDATE positions SET can_use = can_use + ? WHERE code = ?", (order.open_shares, order.code)
            )
        return self._known(order.order_id)

    # Reading

    def order(self, order_id: str) -> BookOrder | None:
        """The order of that id, of whatever day."""
        if not (order_id.isascii() and order_id.isdigit() and len(order_id) <= 18):
            return None
        rows = self._orders("order_id = ?", int(order_id))
        return rows[0] if rows else None

    def open_orders(self) -> list[BookOrder]:
        """Orders that may still trade, oldest first."""
        return self._orders(OPEN)

    def orders(self, since: str = "", after: int = 0) -> list[BookOrder]:
        """The orders since the day ``since``; else of this trading day and the one before it in the books.

        Of these only the ones numbered above ``after``. The day before is listed too because absence is
        proof here: an order placed before midnight must not seem never placed to an executor that comes
        back after it.
        """
        return self._orders("day >= ? AND order_id > ?", since or self.day_before, after)

    def trades(self, since: str = "", after: int = 0) -> list[BrokerTrade]:
        """The trades of the same days, oldest first."""
        return [trade for trade, _ in self.trades_with_fees(since or self.day_before, after)]

    def trades_with_fees(self, since: str = "", after: int = 0) -> list[tuple[BrokerTrade, float]]:
        """Every trade since the day ``since`` ("" for all) numbered above ``after``, with its fee in yuan."""
        rows = self._connection.execute(
            "SELECT trade_id, t.order_id, code, direction, t.price, t.shares, t.time, remark, t.fee"
            " FROM trades t JOIN orders USING (order_id) WHERE t.day >= ? AND trade_id > ?"
            " ORDER BY trade_id",
            (since, after),
        )
        return [
            (BrokerTrade(TradeId(str(row[0])), OrderId(str(row[1])), *row[2:8]), in_yuan(row[8]))
            for row in rows
        ]

    def cash(self) -> Money:
        """All cash, what is frozen included."""
        return Money(self._connection.execute("SELECT cash FROM purse").fetchone()[0])

    def frozen(self) -> Money:
        """Cash held for open buys."""
        held = self._connection.execute(f"SELECT SUM(frozen) FROM orders WHERE {OPEN}").fetchone()[0]
        return Money(held or 0)

    def can_use(self, code: Code) -> int:
        """Shares of ``code`` that may be sold now."""
        row = self._connection.execute("SELECT can_use FROM positions WHERE code = ?", (code,)).fetchone()
        return 0 if row is None else int(row[0])

    def positions(self, prices: dict[Code, float]) -> list[BrokerPosition]:
        """All positions, valued at ``prices`` (yuan), else at the last price the books saw."""
        rows = self._connection.execute(
            "SELECT code, volume, can_use, cost, last_price FROM positions ORDER BY code"
        )
        return [
            BrokerPosition(
                code,
                volume,
                can_use,
                in_yuan(cost) / volume if volume else 0.0,
                in_yuan(amount_of(prices.get(code, last_price), volume)),
            )
            for code, volume, can_use, cost, last_price in rows
        ]

    # Inside

    def _about(self, key: str) -> str:
        row = self._connection.execute("SELECT value FROM about WHERE key = ?", (key,)).fetchone()
        return str(row[0])

    def _orders(self, where: str, *values: object) -> list[BookOrder]:
        rows = self._connection.execute(
            f"SELECT {_ORDER_COLUMNS} FROM orders WHERE {where} ORDER BY order_id", values
        )
        return [BookOrder(*row) for row in rows]

    def _known(self, order_id: int) -> BookOrder:
        return self._orders("order_id = ?", order_id)[0]

    def _bought(self, code: Code, shares: int, amount: int, price: float, same_day_sell: bool) -> None:
        self._connection.execute(
            "INSERT INTO positions VALUES (:code, :shares, :free, :amount, :price)"
            " ON CONFLICT (code) DO UPDATE SET volume = volume + :shares, can_use = can_use + :free,"
            " cost = cost + :amount, last_price = :price",
            {
                "code": code,
                "shares": shares,
                "free": shares if same_day_sell else 0,
                "amount": amount,
                "price": price,
            },
        )

    def _sold(self, code: Code, shares: int, price: float) -> None:
        # can_use fell when the order was added; the cost leaves at the average.
        self._connection.execute(
            "UPDATE positions SET cost = cost - cost / volume * ? - cost % volume * ? / volume,"
            " volume = volume - ?, last_price = ? WHERE code = ?",
            (shares, shares, shares, price, code),
        )
