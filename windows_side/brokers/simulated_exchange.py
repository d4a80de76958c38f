"""The exchange inside the simulated broker: takes orders, matches them, values what is held.

It knows the newest quotes and each code's rules, and nothing of files or threads: the books
and the changes of the running transaction come in with each call (see simulated.py).
"""

from __future__ import annotations

from collections.abc import Callable

from shared_schema.clock import Moment
from shared_schema.ids import Code, OrderId
from shared_schema.instruments import (
    Instrument,
    InstrumentError,
    from_ticks,
    instrument,
    is_on_tick,
    to_ticks,
)
from shared_schema.messages import Quote
from shared_schema.sessions import date_of
from windows_side.brokers.market import Fill, Market, RestingOrder
from windows_side.brokers.money import Fees, Money, amount_of, in_yuan
from windows_side.brokers.port import AccountState, BrokerAsset, OrderRequest
from windows_side.brokers.simulated_books import BookOrder, SimulatedBooks
from windows_side.brokers.simulated_counter import objection
from windows_side.brokers.simulated_telling import Changes


class SimulatedExchange:
    """Market, fees and the newest prices; every order meets its code's rules here."""

    def __init__(self, fees: Fees, participation: float, instant_fill: Callable[[Code], bool]) -> None:
        """``participation`` is the share of traded volume that may fill us; see SimulatedBroker."""
        self._fees = fees
        self._instant_fill = instant_fill
        self._market = Market(participation)
        self._prices: dict[Code, float] = {}

    def show(self, code: Code, quote: Quote, now: Moment) -> None:
        """The newest quote of a code."""
        try:
            rules = _rules(code, now)
        except InstrumentError:
            return  # an index: nothing of it can be ordered
        self._market.show(code, quote, rules)
        if quote.price > 0:
            self._prices[code] = quote.price

    def forget_volumes(self) -> None:
        """A new trading day: traded volume counts from zero."""
        self._market.forget_volumes()

    def account(self, books: SimulatedBooks) -> AccountState:
        """Money and positions, valued at the newest quotes."""
        positions = tuple(books.positions(self._prices))
        cash, frozen = books.cash(), books.frozen()
        value = sum(amount_of(held.market_value, 1) for held in positions)
        asset = BrokerAsset(in_yuan(cash - frozen), in_yuan(frozen), in_yuan(value), in_yuan(cash + value))
        return AccountState(asset, positions)

    def take(self, books: SimulatedBooks, request: OrderRequest, changes: Changes) -> BookOrder:
        """Enter the order, as junk where the counter objects, and match it at once."""
        order = changes.note(self._enter(books, request, changes.now))
        if not order.message:
            self._match_new(books, order, changes)
        return order

    def matched(self, resting: list[BookOrder]) -> list[Fill]:
        """What the newest quotes fill of the orders that rest; nothing is booked yet."""
        return self._market.sweep(_resting(order) for order in resting)

    def fill(
        self, books: SimulatedBooks, order: BookOrder, price: float, shares: int, changes: Changes
    ) -> None:
        """Book one fill (yuan, shares) with its fee, and hold what the rest still needs."""
        rules = _rules(order.code, changes.now)
        traded = order.amount + amount_of(price, shares)
        charged = self._fees.of_order(traded, order.direction, rules)
        left = order.open_shares - shares
        frozen = 0
        if order.direction == "BUY" and left:
            rest = amount_of(order.price, left)
            frozen = rest + self._fees.of_order(traded + rest, "BUY", rules) - charged
        filled, trade = books.fill(
            order,
            price,
            shares,
            changes.now.market,
            fee=Money(charged - order.fee),
            frozen=frozen,
            same_day_sell=rules.same_day_sell,
        )
        changes.note(filled)
        changes.trades.append(trade)

    def _enter(self, books: SimulatedBooks, request: OrderRequest, now: Moment) -> BookOrder:
        rules = _rules(request.code, now)
        quote = None if self._instant_fill(request.code) else self._market.quote(request.code)
        price = request.price
        if is_on_tick(price, rules.tick_size):
            price = from_ticks(to_ticks(price, rules.tick_size), rules.tick_size)
        frozen = 0
        if request.direction == "BUY":
            amount = amount_of(price, request.shares)
            frozen = amount + self._fees.of_order(amount, "BUY", rules)
        has_cash = books.cash() - books.frozen() >= frozen
        message = objection(request, rules, quote, books.can_use(request.code), has_cash)
        if message is not None:
            return books.add(request, price, now.market, 0, message)
        return books.add(request, price, now.market, frozen)

    def _match_new(self, books: SimulatedBooks, order: BookOrder, changes: Changes) -> None:
        if self._instant_fill(order.code):
            self.fill(books, order, order.price, order.shares, changes)
            return
        found = self._market.match(_resting(order))
        if found is not None:
            self.fill(books, order, found.price, found.shares, changes)


def _rules(code: Code, now: Moment) -> Instrument:
    return instrument(code, on=date_of(now.market))


def _resting(order: BookOrder) -> RestingOrder:
    return RestingOrder(
        OrderId(str(order.order_id)), order.code, order.direction, order.price, order.open_shares
    )
