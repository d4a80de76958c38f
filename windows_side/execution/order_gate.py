"""The gate before the broker: what is known now, held against an order; the first refusal wins."""

from __future__ import annotations

from shared_schema.words import say
from windows_side.brokers.port import AccountState
from windows_side.execution.desk import Desk
from windows_side.execution.order import Order
from windows_side.execution.order_book import sellable
from windows_side.execution.quote_board import QuoteBoard
from windows_side.execution.risk_gate import Facts, Refusal, refusal_of
from windows_side.execution.runaway import RoundTrips
from windows_side.execution.writers_link import WritersLink


class OrderGate:
    """Looks at an order when it comes and again when its turn comes."""

    def __init__(self, desk: Desk, quotes: QuoteBoard, links: WritersLink) -> None:
        self._desk = desk
        self._quotes = quotes
        self._links = links
        self._round_trips = RoundTrips(desk.rules.limits)
        for order in sorted(desk.book.everything(), key=lambda order: order.calling_market):
            if order.calling_at:
                self.passed(order, order.calling_market)

    def passed(self, order: Order, market: float) -> None:
        """The order is handed to the broker at ``market``, Unix seconds of the market clock."""
        if order.signal is not None:
            self._round_trips.note(order.signal.code, order.signal.direction, market)

    def refusal(self, order: Order, account: AccountState | None, asked_at: float) -> Refusal | None:
        """Why the order may not be handed in now, None where it may. ``asked_at``: when the account was
        asked, wall Unix seconds. Halts the account where the order would run away."""
        return self._of_the_facts(order, account, asked_at) or self._runs_away(order)

    def _runs_away(self, order: Order) -> Refusal | None:
        """Halt the account where this order would complete one round trip too many (fault 64)."""
        signal, limits = order.signal, self._desk.rules.limits
        if signal is None or not self._round_trips.too_many(
            signal.code, signal.direction, self._desk.now.market
        ):
            return None
        reason = say(
            "recovery.runaway", code=signal.code, count=limits.round_trips, minutes=limits.round_trip_minutes
        )
        self._desk.halt_trading(reason)
        return Refusal("halted", {"reason": reason})

    def _of_the_facts(self, order: Order, account: AccountState | None, asked_at: float) -> Refusal | None:
        signal, book, now = order.signal, self._desk.book, self._desk.now
        foreign, today = self._desk.foreign, self._desk.trading_day
        if signal is None or account is None:
            return Refusal("not_ready", {})
        link = self._links.refusal(order.writer)
        if link is not None:
            return link
        window = self._desk.rules.limits.duplicate_window_seconds
        is_first_look = not order.intent_at
        duplicate = book.tally.duplicate_of(signal, now, window) if is_first_look else None
        counted = 0 if is_first_look else 1
        already = 0.0 if is_first_look else signal.notional
        facts = Facts(
            now=now,
            ahead=self._links.ahead(order.writer),
            quote=self._quotes.quote(signal.code),
            quote_age=self._quotes.age(signal.code, now),
            cash=account.asset.cash - book.committed.cash(asked_at, order.signal_id),
            sellable=sellable(account, signal.code)
            - book.committed.shares(asked_at, signal.code, order.signal_id),
            orders_today=book.tally.orders_on(today) - counted + foreign.count_on(today),
            turnover_today=book.tally.turnover_on(today, signal.code)
            - already
            + foreign.turnover_on(today, signal.code),
            duplicate_of=duplicate or "",
            unknown_of=book.unknown_of(signal.code) or "",
            pool=self._desk.pool.use(but=order.signal_id),
        )
        return refusal_of(signal, facts, self._desk.rules)
