"""The backtest by the live engine's own step, bar by bar: the reference, and the way of own strategies."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from mac_side.backtest.grid_loop import BUY, LOT_PROFIT, WIDTH
from mac_side.backtest.prepared import Prepared
from mac_side.backtest.result import REASONS, TradeTable
from mac_side.strategy.grid_step import (
    CLOSES_SEEN,
    Buy,
    Decide,
    GridState,
    Market,
    Sell,
    after_buy,
    after_sell,
    decide,
    start_state,
)
from mac_side.strategy.parameters import GridParameters


class StepBook:
    """The books of one run: every decision is filled at once, at its price, with its fee."""

    def __init__(self, parameters: GridParameters, anchor: float, step: Decide = decide) -> None:
        self.parameters = parameters
        self.state: GridState = start_state(anchor)
        self.cash = 0.0
        self.sold = 0
        self.orders = 0
        self.full_bars = 0
        self.paused_bars = 0
        self._decide = step
        self.is_own = step is not decide
        self._whole: list[tuple[int, ...]] = []
        self._opened: list[int] = []  # beside the state's lots: the trade that bought each
        self._money: list[tuple[float, float]] = []

    def step(self, market: Market) -> None:
        """Decide at one bar and fill at its close."""
        decision = self._decide(self.state, market, self.parameters)
        self.full_bars += decision.full
        self.paused_bars += decision.paused
        for intent in decision.intents:
            if isinstance(intent, Sell):
                self._sell(intent, market)
            else:
                self._buy(intent, market)
            self.orders += 1

    def table(self) -> TradeTable:
        """The trades so far."""
        whole = np.array(self._whole, dtype=np.int64).reshape(-1, WIDTH)
        return TradeTable(whole, np.array(self._money, dtype=np.float64).reshape(-1, 2))

    def _buy(self, buy: Buy, market: Market) -> None:
        self.state = after_buy(self.state, buy)
        amount = buy.shares * buy.price
        fee = self.parameters.fee(amount)
        self.cash -= amount + fee
        self._opened.append(len(self._whole))
        self._note(market, BUY, buy.shares, fee, self.state.layers, len(self._whole))

    def _sell(self, sell: Sell, market: Market) -> None:
        layers, opened = self.state.layers, self._opened
        self.state = after_sell(self.state, sell, market.bar)
        self._opened = [trade for place, trade in enumerate(opened) if place not in sell.positions]
        reason = REASONS.index(sell.reason)
        if reason == LOT_PROFIT:
            portions = [
                (lot.shares, 1, opened[place]) for lot, place in zip(sell.lots, sell.positions, strict=True)
            ]
        else:
            portions = [(sell.shares, len(sell.lots), -1)]
        for shares, lots, bought in portions:
            layers -= lots
            amount = shares * sell.price
            fee = self.parameters.fee(amount)
            self.cash += amount - fee
            self.sold += shares
            self._note(market, reason, shares, fee, layers, bought)

    def _note(self, market: Market, reason: int, shares: int, fee: float, layers: int, opened: int) -> None:
        self._whole.append((market.bar, reason, shares, layers, self.orders, opened))
        self._money.append((fee, self.cash))


def walk_by_step(prepared: Prepared, parameters: GridParameters, anchor: float, step: Decide) -> StepBook:
    """Run ``step`` over all rows; ``parameters`` with the live rules already in them."""
    book = StepBook(parameters, anchor, step)
    for market in markets_for(prepared, book):
        book.step(market)
    return book


def markets_for(prepared: Prepared, book: StepBook) -> Iterator[Market]:
    """What ``book`` sees row by row; under live rules less, and bounded. Asked for as the book moves on."""
    markets = markets_of(prepared)
    if book.is_own:
        markets = _with_closes(markets, prepared)
    return _live_markets(markets, prepared, book) if book.parameters.live_rules else markets


def markets_of(prepared: Prepared) -> Iterator[Market]:
    """What the step sees at each row."""
    return map(
        Market,
        prepared.close.tolist(),
        prepared.atr.tolist(),
        prepared.atr_mean.tolist(),
        prepared.own_trend.tolist(),
        prepared.rsi.tolist(),
        range(len(prepared)),
        prepared.minute.tolist(),
        prepared.higher_trend.tolist(),
    )


def _with_closes(markets: Iterator[Market], prepared: Prepared) -> Iterator[Market]:
    """Each with the closes up to its bar, those before the first simulated one among them."""
    closes = [*prepared.closes_before.tolist(), *prepared.close.tolist()]
    first = len(prepared.closes_before)
    for market in markets:
        stop = first + market.bar + 1
        yield market._replace(closes=tuple(closes[max(0, stop - CLOSES_SEEN) : stop]))


def _live_markets(markets: Iterator[Market], prepared: Prepared, book: StepBook) -> Iterator[Market]:
    """Markets as live trading meets them: T+1 bounds the sells; none at 11:30 and from 14:57.

    Without a base position the shares that may be sold are those held before the day, less those sold in it.
    """
    today, held_before, sold_before = None, 0, 0
    for market, day, closed in zip(markets, prepared.day.tolist(), prepared.closed.tolist(), strict=True):
        if day != today:
            today, held_before, sold_before = day, book.state.shares, book.sold
        if not closed:
            yield market._replace(sellable=held_before - (book.sold - sold_before))
