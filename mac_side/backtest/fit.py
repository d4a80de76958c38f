"""A grid fitted to somebody's own bars, so that a demo day on them trades often. Not made to earn."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from mac_side.backtest.engine import run_backtest
from mac_side.strategy.indicators import bars_needed
from mac_side.strategy.parameters import GridParameters
from shared_schema.bars_file import Bar, one_day
from shared_schema.errors import DataError
from shared_schema.shanghai import day_of

WANTED_ORDERS, WANTED_SELLS = 24, 8
"""A little above the 20 orders and 5 sells a demo must show: some end unfilled or refused there."""
LEAST_STEP_TICKS = 2
_DAYS_LOOKED_AT = 10
_SELL_RATIOS = (1.0, 2.0, 4.0, 0.5)
_BUY_FACTORS = (1.0, 0.5)
_LEAST_LAYER_MONEY, _MOST_LAYER_MONEY = 10_000.0, 50_000.0
_LAYER_LOTS = 3


@dataclass(frozen=True, slots=True)
class Fit:
    """Fitted parameters and what a backtest of ``day`` from a flat book at ``anchor`` (yuan) gives.

    ``step_ticks`` is the grid's width; ``orders`` counts signals, ``sells`` those of them that sell.
    """

    parameters: GridParameters
    day: str
    anchor: float
    step_ticks: int
    orders: int
    sells: int

    @property
    def lively(self) -> bool:
        """Whether it reaches what a demo should show."""
        return self.orders >= WANTED_ORDERS and self.sells >= WANTED_SELLS


def fit_to(
    bars: Sequence[Bar], parameters: GridParameters, tick: float = 0.01, day: str | None = None
) -> Fit:
    """``parameters`` with a step fitted to one day of ``bars``: ``day`` (YYYY-MM-DD), or a recent lively one.

    ``tick`` in yuan. Step, sell threshold and layer money follow the day's own range, the step from an
    eighth of it down to two ticks; the widest that trades often enough is taken. Without ``day`` the
    newest of the last ten days that allows it is taken. The book starts flat with an anchor that lets it
    buy at once. A day that only rises trades little whatever the step: then the best found is returned and
    ``lively`` is False. It looks at the day it will trade: for a demonstration that is the point, for
    anything else it would be cheating. Raises DataError where the bars are too few.
    """
    if not bars:
        raise DataError("strategy.too_few_bars", count=0, needed=75, missing=75)
    days = [day] if day else list(dict.fromkeys(day_of(bar.end) for bar in bars))[-_DAYS_LOOKED_AT:]
    best: Fit | None = None
    for chosen in reversed(days):
        for fit in _fits(bars, parameters, tick, chosen):
            if fit.lively:
                return fit
            if best is None or (fit.sells, fit.orders) > (best.sells, best.orders):
                best = fit
    if best is None:
        needed = bars_needed(parameters)
        raise DataError("strategy.too_few_bars", count=len(bars), needed=needed, missing=needed - len(bars))
    return best


def _fits(bars: Sequence[Bar], parameters: GridParameters, tick: float, day: str) -> Iterator[Fit]:
    """Every candidate for one day, the widest step first; none where the bars up to it are too few."""
    chosen = one_day(bars, day)
    upto = [bar for bar in bars if bar.end <= chosen[-1].end]
    # The fitted grid uses no indicator, so history beyond their first complete row changes nothing.
    upto = upto[-(len(chosen) + bars_needed(parameters)) :]
    first = max(len(upto) - len(chosen), bars_needed(parameters) - 1)
    if first >= len(upto):
        return
    high = max(bar.high for bar in chosen)
    price = upto[first].close
    widest = max(LEAST_STEP_TICKS, round((high - min(bar.low for bar in chosen)) / tick / 8))
    for buy_factor in _BUY_FACTORS:
        for ticks in _candidates(widest):
            for ratio in _SELL_RATIOS:
                sell_ticks = max(1, round(ticks * ratio))
                fitted = _with_step(parameters, ticks, sell_ticks, tick / price, buy_factor, price)
                anchor = high * (1 + 2 * fitted.grid_step_floor)
                result = run_backtest(upto, fitted, start=chosen[0].end, anchor=anchor, engine="python")
                yield Fit(fitted, day, anchor, ticks, result.orders, result.sell_orders)


def _candidates(widest: int) -> list[int]:
    """Step widths in ticks from the widest down to two, at most about sixteen of them."""
    stride = max(1, widest // 16)
    return [*range(widest, LEAST_STEP_TICKS, -stride), LEAST_STEP_TICKS]


def _with_step(
    parameters: GridParameters, ticks: int, sell_ticks: int, tick: float, buy_factor: float, price: float
) -> GridParameters:
    """A constant step: no ATR part, no bonus, no trend, no cooling. ``tick`` as a fraction of ``price``.

    Half a tick is taken off, so that a move of exactly so many ticks counts at prices a little above and
    below ``price`` too, and float rounding decides nothing.
    """
    money = _layer_money(price)
    return replace(
        parameters,
        atr_grid_factor=0.0,
        grid_step_floor=(ticks - 0.5) * tick,
        layer_step_bonus=0.0,
        sell_profit_threshold=(sell_ticks - 0.5) * tick,
        sell_threshold_factor=1.0,
        buy_step_factor=buy_factor,
        trend_up_grid_factor=1.0,
        trend_down_grid_factor=1.0,
        trend_up_sell_factor=1.0,
        trend_down_sell_factor=1.0,
        trend_up_money_factor=1.0,
        trend_down_money_factor=1.0,
        cooling_enabled=False,
        atr_circuit_breaker_enabled=False,
        batch_money=money * parameters.max_layers,
        layer_weights=(),
    )


def _layer_money(price: float) -> float:
    """Yuan a layer: a few lots, within the executor's default limits, but never less than one lot."""
    few_lots = max(price * 100 * _LAYER_LOTS * 1.1, _LEAST_LAYER_MONEY)
    return max(min(few_lots, _MOST_LAYER_MONEY), price * 100 * 1.1)
