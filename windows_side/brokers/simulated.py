"""The simulated broker: a market that fills, and books that remember.

Orders match against the quotes it is fed (market.py), its books are a database of their own
(simulated_books.py), and it says no as a real counter does (simulated_counter.py). A place
that returned is durable: an executor killed right after it finds its order again under its
remark. ``place`` runs in the worker's thread, ``feed`` in the executor's; one lock and one
commit around each. Events leave after the commit, outside the lock, in the order of the
commits, the trades of an order before the status they lead to.

Not simulated: the session clock (the executor's gate holds it), call auctions, the counter's
delays. Once there are orders the trading day only goes forward: a clock set back, or an older
day replayed over used books, stays in the later day. While closed, the market stands still.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from shared_schema.clock import Moment
from shared_schema.errors import BrokerError
from shared_schema.ids import AccountAlias, Code, OrderId, TradeId
from shared_schema.messages import Account, Quote
from shared_schema.sessions import final_list_at, trading_day_of
from shared_schema.words import say
from windows_side.brokers.account_message import AccountMessages
from windows_side.brokers.money import Fees
from windows_side.brokers.port import (
    AccountState,
    BrokerAsset,
    BrokerOrder,
    BrokerPosition,
    BrokerTrade,
    CancelReturned,
    Day,
    OrderRequest,
    PlaceAnswer,
    Placed,
    Readiness,
    Sink,
)
from windows_side.brokers.simulated_books import BookOrder, SimulatedBooks
from windows_side.brokers.simulated_counter import refusal
from windows_side.brokers.simulated_exchange import SimulatedExchange
from windows_side.brokers.simulated_lists import SimulatedLists
from windows_side.brokers.simulated_telling import Changes, Telling

Answer = TypeVar("Answer")


class SimulatedBroker:
    """BrokerCalls over a simulated market; ``feed`` is its only view of the world."""

    absence_is_proof = True
    answers_complete = True

    def __init__(
        self,
        path: Path,
        *,
        account: AccountAlias,
        now: Callable[[], Moment],
        start: AccountState | None = None,
        cash: float = 1_000_000.0,
        commission_rate: float = 0.0001,
        min_commission: float = 0.0,
        stamp_duty_rate: float = 0.0,
        participation: float = 0.25,
        instant_fill: Callable[[Code], bool] = lambda code: False,
    ) -> None:
        """Open the books at ``path``, or make them with ``start`` or ``cash`` (yuan).

        Rates are fractions of the amount, ``min_commission`` yuan an order. ``instant_fill``
        says for which codes there is no market to match against (no fresh quote, or an
        OFFLINE folder): they fill in full at once at the order's price. Errors: StateError.
        """
        self._path, self._account = path, account
        self._now = now
        self._start, self._cash = start, cash
        fees = Fees(commission_rate, min_commission, stamp_duty_rate)
        self._exchange = SimulatedExchange(fees, participation, instant_fill)
        self._lock = threading.RLock()
        self._telling = Telling()
        self._messages = AccountMessages()
        self._books: SimulatedBooks | None
        self._lists: SimulatedLists
        self._open_books()

    # BrokerCalls

    def open(self, sink: Sink) -> None:
        """Open the books where they are closed; tell ``sink`` from now on. Errors: StateError."""
        with self._lock:
            if self._books is None:
                self._open_books()
            self._telling.sink = sink

    def close(self) -> None:
        """Close the books; open orders wait in them."""
        with self._lock:
            self._telling.sink = None
            if self._books is not None:
                self._books.close()
                self._books = None

    def probe(self) -> Readiness:
        """Ready once the books can be read."""
        self.asset()
        return Readiness(True, say("broker.ready"))

    def place(self, request: OrderRequest) -> PlaceAnswer:
        """Take the order, match it at once; durable when this returns. Errors: BrokerError."""
        refused = refusal(request)
        if refused is not None:
            return refused
        now = self._now()
        with self._changing(now) as (books, changes):
            order = self._exchange.take(books, request, changes)
        self._telling.tell()
        return Placed(OrderId(str(order.order_id)))

    def cancel(self, order_id: OrderId) -> CancelReturned:
        """End an open order; one that has ended, or was never there, is not taken."""
        with self._changing(self._now()) as (books, changes):
            order = books.order(order_id)
            if order is None:
                answer = CancelReturned(order_id, False, say("broker.cancel_unknown", order_id=order_id))
            elif order.as_broker_order().is_final:
                answer = CancelReturned(order_id, False, say("broker.cancel_final", status=order.status))
            else:
                changes.note(books.end(order))
                answer = CancelReturned(order_id, True)
        self._telling.tell()
        return answer

    def orders(self) -> tuple[BrokerOrder, ...]:
        """Orders of this trading day and of the books' last one before it (see SimulatedBooks.orders)."""
        return self._read(lambda books: self._lists.orders(books.day_before))

    def trades(self) -> tuple[BrokerTrade, ...]:
        """Trades of the same days."""
        return self._read(lambda books: self._lists.trades(books.day_before))

    def positions(self) -> tuple[BrokerPosition, ...]:
        """All positions, valued at the newest quotes."""
        return self._read(self._exchange.account).positions

    def asset(self) -> BrokerAsset:
        """The account's money."""
        return self._read(self._exchange.account).asset

    # Beyond the port

    def feed(self, quotes: Mapping[Code, Quote], now: Moment) -> None:
        """The newest quotes: what rests is matched against them, one commit where something filled.

        Does nothing while closed. Errors: BrokerError where the books can't be written; then
        nothing of it happened, and the next quote matches again.
        """
        with self._lock:
            if self._books is None:
                return
            self._keep_time(now)
            for code, quote in quotes.items():
                self._exchange.show(code, quote, now)
            resting = [order for order in self._books.open_orders() if order.code in quotes]
            if resting:
                self._match_resting(resting, now)
        self._telling.tell()

    def _keep_time(self, now: Moment) -> None:
        """Begin a new trading day; after the close end what was not filled, as the exchange does."""
        books = self._opened()
        over = now.market >= final_list_at(now.market) and bool(books.open_orders())
        if books.day != trading_day_of(now.market) or over:
            with self._changing(now) as (rolled, changes):
                if now.market >= final_list_at(now.market):
                    for order in rolled.open_orders():
                        changes.note(rolled.end(order))

    def _match_resting(self, resting: list[BookOrder], now: Moment) -> None:
        fills = self._exchange.matched(resting)
        if not fills:
            return
        by_id = {str(order.order_id): order for order in resting}
        with self._changing(now) as (books, changes):
            for fill in fills:
                self._exchange.fill(books, by_id[fill.order_id], fill.price, fill.shares, changes)

    def trade_fees(self) -> dict[TradeId, float]:
        """The fee (yuan) of every trade in the books, of all days."""
        return {trade.trade_id: fee for trade, fee in self._read(SimulatedBooks.trades_with_fees)}

    def account_snapshot(self) -> Account:
        """The account for ``account_snapshot.simulate.json``; the orders and trades of this trading day."""
        now = self._now()
        with self._reading(now) as books:
            account = self._exchange.account(books)
            day = Day(self._lists.orders(books.day), self._lists.trades(books.day))
        self._telling.tell()
        return self._messages.of(account, day, queried_at=now.wall)

    # Books

    def _open_books(self) -> None:
        day = trading_day_of(self._now().market)
        books = SimulatedBooks(
            self._path, account=self._account, day=day, cash=self._cash, start=self._start
        )
        self._books, self._lists = books, SimulatedLists(books)

    @contextmanager
    def _changing(self, now: Moment) -> Iterator[tuple[SimulatedBooks, Changes]]:
        """One durable commit, in the right trading day; what changed is queued to be told after it."""
        with self._lock:
            books = self._opened()
            changes = Changes(now)
            try:
                with books.transaction():
                    self._roll(books, changes)
                    yield books, changes
            except sqlite3.Error as problem:
                raise BrokerError("broker.books_failed", self._path, detail=problem) from problem
            if changes.orders:
                self._telling.queue(changes, self._exchange.account(books))

    @contextmanager
    def _reading(self, now: Moment) -> Iterator[SimulatedBooks]:
        with self._lock:
            if self._opened().day != trading_day_of(now.market):
                with self._changing(now):
                    pass
            yield self._opened()

    def _read(self, question: Callable[[SimulatedBooks], Answer]) -> Answer:
        with self._reading(self._now()) as books:
            answer = question(books)
        self._telling.tell()
        return answer

    def _opened(self) -> SimulatedBooks:
        if self._books is None:
            raise BrokerError("broker.not_open", self._path)
        return self._books

    def _roll(self, books: SimulatedBooks, changes: Changes) -> None:
        day = trading_day_of(changes.now.market)
        if books.day < day:
            for order in books.roll_to(day):
                changes.note(order)
            self._exchange.forget_volumes()
        elif books.day > day and books.begin_on(day):
            self._exchange.forget_volumes()
