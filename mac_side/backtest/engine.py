"""The backtest: the grid's own step over bars, each decision filled at once at the bar's close."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from mac_side.strategy.grid_step import (
    NOTHING,
    Buy,
    GridState,
    Market,
    Sell,
    after_buy,
    after_sell,
    decide,
    start_state,
)
from mac_side.strategy.indicators import Series, bars_needed, indicators_of
from mac_side.strategy.parameters import GridParameters
from shared_schema.bars_file import SHANGHAI_OFFSET, Bar
from shared_schema.errors import DataError

LIVE_CAP = 200_000.0
LIVE_MIN_COMMISSION = 5.0
_NOON, _LAST_CALL = 11 * 60 + 30, 14 * 60 + 57


@dataclass(frozen=True, slots=True)
class Trade:
    """One fill: ``time`` in Unix seconds, ``price`` and ``fee`` in yuan, ``layers`` held after it.

    ``reason`` is empty for a buy. Lots sold for their own profit are one trade each; a sale of the whole
    position is one trade.
    """

    time: float
    type: Literal["BUY", "SELL"]
    price: float
    shares: int
    reason: str
    fee: float
    layers: int
    row: int
    order: int
    """Trades of one signal share this number: the orders a broker would have seen."""


@dataclass(frozen=True, slots=True)
class Cycle:
    """From the first lot of a flat book to flat again; rows count simulated bars.

    ``profit`` in yuan after fees; ``worst_equity`` is the least equity between, in yuan. ``end_row`` is
    None while it is still open at the end of the series (``profit`` is then the value at its last close).
    """

    start_row: int
    end_row: int | None
    full: bool
    profit: float
    worst_equity: float


@dataclass(frozen=True)
class BacktestResult:
    """All a run gives: simulated bars only (rows with every indicator), money in yuan."""

    parameters: GridParameters
    bars_in_file: int
    end: Series
    close: Series
    equity: Series
    shares: NDArray[np.int64]
    layers: NDArray[np.int64]
    trades: tuple[Trade, ...]
    cycles: tuple[Cycle, ...]
    state: GridState
    cash: float
    full_bars: int
    paused_bars: int

    @property
    def orders(self) -> int:
        """Signals a live run would have sent: lots sold at one moment count once."""
        return self.trades[-1].order + 1 if self.trades else 0

    @property
    def sell_orders(self) -> int:
        """Of ``orders`` the sells."""
        return len({trade.order for trade in self.trades if trade.type == "SELL"})


def run_backtest(
    bars: Sequence[Bar],
    parameters: GridParameters,
    start: float | None = None,
    anchor: float | None = None,
) -> BacktestResult:
    """Run the grid over ``bars`` (oldest first) from the first complete row, or from ``start`` (Unix s).

    Bars before ``start`` feed the indicators only. ``anchor`` in yuan replaces the first simulated close.
    Raises DataError where the bars are too few or none is left to simulate.
    """
    needed = bars_needed(parameters)
    if len(bars) < needed:
        raise DataError("strategy.too_few_bars", count=len(bars), needed=needed, missing=needed - len(bars))
    end, high, low, close = _columns(bars)
    first = needed - 1
    if start is not None:
        first = max(first, int(np.searchsorted(end, start)))
        if first >= len(bars):
            raise DataError("backtest.nothing_after_start", count=len(bars))
    found = indicators_of(end, high, low, close, parameters)
    minutes = ((end + SHANGHAI_OFFSET) % 86400 // 60).astype(np.int64)
    markets: Iterator[Market] = map(
        Market,
        close[first:].tolist(),
        found.atr[first:].tolist(),
        found.atr_mean[first:].tolist(),
        np.sign(found.slope[first:]).astype(np.int64).tolist(),
        found.rsi[first:].tolist(),
        range(len(bars) - first),
        minutes[first:].tolist(),
        found.higher_trend[first:].tolist(),
    )
    anchor = float(close[first]) if anchor is None else anchor
    book = _Book(_with_live_rules(parameters), start_state(anchor))
    if parameters.live_rules:
        markets = _live_markets(markets, ((end[first:] + SHANGHAI_OFFSET) // 86400).tolist(), book)
    for market in markets:
        book.step(market)
    return book.result(parameters, len(bars), end[first:], close[first:])


def _columns(bars: Sequence[Bar]) -> tuple[Series, Series, Series, Series]:
    table = np.array([(bar.end, bar.high, bar.low, bar.close) for bar in bars], dtype=np.float64)
    end, high, low, close = np.ascontiguousarray(table.T)
    return end, high, low, close


def _with_live_rules(parameters: GridParameters) -> GridParameters:
    """The cap and the least commission that live trading adds."""
    if not parameters.live_rules:
        return parameters
    return replace(
        parameters,
        nominal_cap=parameters.nominal_cap or LIVE_CAP,
        min_commission=max(parameters.min_commission, LIVE_MIN_COMMISSION),
    )


def _live_markets(markets: Iterator[Market], days: list[float], book: _Book) -> Iterator[Market]:
    """Markets as live trading meets them: T+1 bounds the sells; none at 11:30 and from 14:57.

    Without a base position the shares that may be sold are those held before the day, less those sold in it.
    """
    today, held_before, sold_before = None, 0, 0
    for market, day in zip(markets, days, strict=True):
        if day != today:
            today, held_before, sold_before = day, book.shares, book.sold
        if market.minute == _NOON or market.minute >= _LAST_CALL:
            continue
        yield market._replace(sellable=held_before - (book.sold - sold_before))


class _Book:
    """Cash, shares and counts of one run; equity is worked out once at the end from what changed."""

    def __init__(self, parameters: GridParameters, state: GridState) -> None:
        self.parameters = parameters
        self.state = state
        self.cash = 0.0
        self.shares = 0
        self.sold = 0
        self.orders = 0
        self.full_bars = 0
        self.paused_bars = 0
        self.trades: list[Trade] = []
        self.changes: list[tuple[int, float, int, int]] = [(0, 0.0, 0, 0)]

    def step(self, market: Market) -> None:
        """Decide at one bar and fill at its close."""
        decision = decide(self.state, market, self.parameters)
        if decision is NOTHING:
            return
        self.full_bars += decision.full
        self.paused_bars += decision.paused
        for intent in decision.intents:
            if isinstance(intent, Sell):
                self._sell(intent, market)
            else:
                self._buy(intent, market)
            self.orders += 1
        if decision.intents:
            self.changes.append((market.bar, self.cash, self.shares, self.state.layers))

    def _buy(self, buy: Buy, market: Market) -> None:
        self.state = after_buy(self.state, buy)
        amount = buy.shares * buy.price
        fee = self.parameters.fee(amount)
        self.cash -= amount + fee
        self.shares += buy.shares
        self._note(market, "BUY", buy.price, buy.shares, "", fee, self.state.layers)

    def _sell(self, sell: Sell, market: Market) -> None:
        layers = self.state.layers
        self.state = after_sell(self.state, sell, market.bar)
        if sell.reason == "lot_profit":
            portions = [(lot.shares, 1) for lot in sell.lots]
        else:
            portions = [(sell.shares, len(sell.lots))]
        for shares, lots in portions:
            layers -= lots
            amount = shares * sell.price
            fee = self.parameters.fee(amount)
            self.cash += amount - fee
            self.shares -= shares
            self.sold += shares
            self._note(market, "SELL", sell.price, shares, sell.reason, fee, layers)

    def _note(
        self,
        market: Market,
        side: Literal["BUY", "SELL"],
        price: float,
        shares: int,
        reason: str,
        fee: float,
        layers: int,
    ) -> None:
        # The time is filled in by `result`, which knows the series.
        self.trades.append(Trade(0.0, side, price, shares, reason, fee, layers, market.bar, self.orders))

    def result(
        self, parameters: GridParameters, bars_in_file: int, end: Series, close: Series
    ) -> BacktestResult:
        """The finished run: the curves filled in between the bars where something changed."""
        rows, cashes, holdings, layers = zip(*self.changes, strict=True)
        spans = np.diff(np.append(rows, len(close)))
        shares = np.repeat(np.array(holdings, dtype=np.int64), spans)
        equity = np.repeat(np.array(cashes), spans) + shares * close
        times = end.tolist()
        return BacktestResult(
            parameters=parameters,
            bars_in_file=bars_in_file,
            end=end,
            close=close,
            equity=equity,
            shares=shares,
            layers=np.repeat(np.array(layers, dtype=np.int64), spans),
            trades=tuple(replace(trade, time=times[trade.row]) for trade in self.trades),
            cycles=_cycles(self.trades, equity, self.parameters.layers),
            state=self.state,
            cash=self.cash,
            full_bars=self.full_bars,
            paused_bars=self.paused_bars,
        )


def _cycles(trades: Sequence[Trade], equity: Series, most_layers: int) -> tuple[Cycle, ...]:
    """The cycles of a run, the open one last; a flat book's equity is its cash, so profit includes fees."""
    cycles: list[Cycle] = []
    cash = cash_before = 0.0
    start: int | None = None
    full = False
    for trade in trades:
        if start is None:
            start, full, cash_before = trade.row, False, cash
        amount = trade.shares * trade.price
        cash += amount - trade.fee if trade.type == "SELL" else -(amount + trade.fee)
        full = full or trade.layers >= most_layers
        if trade.layers == 0:
            worst = float(equity[start : trade.row + 1].min())
            cycles.append(Cycle(start, trade.row, full, cash - cash_before, worst))
            start = None
    if start is not None:
        profit = float(equity[-1]) - cash_before
        cycles.append(Cycle(start, None, full, profit, float(equity[start:].min())))
    return tuple(cycles)
