"""Several codes over one cash pool: each with the grid's own step, on one timeline.

At equal times the codes decide in the order given, as they would draw on the pool one after the other.
The rules are those of the executor's gate and of the dashboards (``shared_schema.cash_pool``): a buy the
pool does not give is not made, and while the pool is nearly used up all buy steps are wider by half.
"""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np

from mac_side.backtest.dividends import AdjustedBook, AdjustedResult, Dividend, result_of
from mac_side.backtest.prepared import Prepared, with_live_rules
from mac_side.backtest.series import Floats
from mac_side.shared_pool import widened
from mac_side.strategy.grid_step import Buy, Decision, GridState, Market, Sell, decide
from mac_side.strategy.parameters import GridParameters
from shared_schema.cash_pool import PoolTerms, PoolUse, pool_objection, steps_widened
from shared_schema.ids import Code


@dataclass(frozen=True)
class Member:
    """One code of the pool: its rows, its parameters, its ex-dates."""

    code: Code
    prepared: Prepared
    parameters: GridParameters
    dividends: tuple[Dividend, ...] = ()


@dataclass(frozen=True, eq=False)
class PooledResult:
    """What each code did, and what the pool did to them. Yuan."""

    terms: PoolTerms
    results: Mapping[Code, AdjustedResult]
    refused: Mapping[str, int]
    """Buys the pool did not give, by reason."""
    most_used: float
    widened_steps: int
    """Decisions made with wider steps."""

    @property
    def alpha(self) -> float:
        """Of all codes together."""
        return sum(float(result.equity[-1]) for result in self.results.values())

    def equity(self) -> tuple[Floats, Floats]:
        """The moments at which any code has a bar, and the equity of all together."""
        times = np.unique(np.concatenate([result.end for result in self.results.values()]))
        total = np.zeros(len(times))
        for result in self.results.values():
            place = np.searchsorted(result.end, times, side="right") - 1
            total += np.where(place >= 0, result.equity[np.maximum(place, 0)], 0.0)
        return times, total

    def drawdown(self, base: float) -> float:
        """The deepest fall of the common equity on ``base`` yuan, a fraction at most 0."""
        curve = self.equity()[1] + base
        return float((curve / np.maximum.accumulate(curve) - 1).min())


@dataclass
class _Pool:
    """The pool as the run moves on."""

    terms: PoolTerms
    books: dict[Code, _Book] = field(default_factory=dict)
    wide: bool = False
    refused: Counter[str] = field(default_factory=Counter)
    most_used: float = 0.0
    widened_steps: int = 0

    def use(self, code: Code, own: GridState) -> PoolUse:
        """What is used while ``code`` decides on ``own``."""
        used = {other: book.state.cost for other, book in self.books.items()}
        return PoolUse({**used, code: own.cost}, {})

    def settle(self) -> None:
        """After a decision: how much is used, and whether steps are wide from here on."""
        used = sum(book.state.cost for book in self.books.values())
        self.most_used = max(self.most_used, used)
        self.wide = steps_widened(self.wide, self.terms, used)


class _Book(AdjustedBook):
    def __init__(self, member: Member, pool: _Pool) -> None:
        anchor = float(member.prepared.close[0])
        super().__init__(with_live_rules(member.parameters), anchor, member.dividends)
        self._code, self._pool = member.code, pool
        self._decide = self._within_pool

    def _within_pool(self, state: GridState, market: Market, parameters: GridParameters) -> Decision:
        pool = self._pool
        if pool.wide:
            pool.widened_steps += 1
            parameters = widened(parameters)
        decision = decide(state, market, parameters)
        buy = next((intent for intent in decision.intents if isinstance(intent, Buy)), None)
        if buy is None:
            return decision
        sold = {place for i in decision.intents if isinstance(i, Sell) for place in i.positions}
        kept = tuple(lot for place, lot in enumerate(state.lots) if place not in sold)
        own = GridState(kept, state.anchor)
        objection = pool_objection(
            pool.terms,
            pool.use(self._code, own),
            self._code,
            buy.shares * buy.price,
            opens_first_layer=buy.layer == 0,
        )
        if objection is None:
            return decision
        pool.refused[objection.word] += 1
        return decision._replace(intents=tuple(i for i in decision.intents if i is not buy))


def run_pooled(members: list[Member], terms: PoolTerms) -> PooledResult:
    """Run all members over their merged timeline; equal times in the order of ``members``."""
    pool = _Pool(terms)
    pool.books = {member.code: _Book(member, pool) for member in members}
    streams = []
    for number, member in enumerate(members):
        book, end = pool.books[member.code], member.prepared.end.tolist()
        streams.append(_stream(number, book, member.prepared, end))
    # A stream is asked for its next row only once the last one was decided: T+1 and ex-dates follow books.
    for _, _, book, market in heapq.merge(*streams, key=lambda item: item[:2]):
        orders = book.orders
        book.step(market)
        if book.orders != orders:
            pool.settle()
    results = {m.code: result_of(m.prepared, m.parameters, pool.books[m.code]) for m in members}
    return PooledResult(terms, results, dict(pool.refused), pool.most_used, pool.widened_steps)


def _stream(
    number: int, book: _Book, prepared: Prepared, end: list[float]
) -> Iterator[tuple[float, int, _Book, Market]]:
    for market in book.markets(prepared):
        yield end[market.bar], number, book, market
