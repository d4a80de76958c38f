"""What is worked out once for a series, and once for each set of parameters, before the loop runs."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mac_side.backtest.compiled import Engine, compiled, plain_ema
from mac_side.backtest.grid_loop import Rules
from mac_side.backtest.series import BarSeries, Floats, Whole
from mac_side.strategy.indicators import bars_needed, exponential_mean, indicators_of
from mac_side.strategy.parameters import GridParameters
from shared_schema.errors import DataError

LIVE_CAP = 200_000.0
LIVE_MIN_COMMISSION = 5.0
_OPEN, _QUIET_OPEN_ENDS, _QUIET_CLOSE_BEGINS = 9 * 60 + 30, 9 * 60 + 45, 14 * 60 + 45
_NOON, _LAST_CALL = 11 * 60 + 30, 14 * 60 + 57
INDICATOR_NAMES = (
    "atr_period",
    "atr_mean_period",
    "trend_ma_period",
    "trend_slope_span",
    "trend_ema_span",
    "rsi_period",
    "mtf_enabled",
    "mtf_lookahead",
    "mtf_minutes",
    "mtf_ma_period",
    "mtf_diff",
)
"""The parameters that indicators depend on: sets that share them share one ``Prepared``."""


@dataclass(frozen=True, eq=False)
class Prepared:
    """The simulated bars with their indicators; ``atr_ratio`` is ATR over price, ``trend`` a sign."""

    bars_in_file: int
    end: Floats
    close: Floats
    day: Whole
    minute: Whole
    atr: Floats
    atr_mean: Floats
    atr_ratio: Floats
    rsi: Floats
    own_trend: Whole
    higher_trend: Whole
    trend: Whole
    """The trend the step uses: neutral where the higher one must agree and does not."""
    quiet: Whole
    """0: buys allowed; 1: no first layer; 2: no buy (where the time filter is on)."""
    closed: np.ndarray
    """Minutes in which live trading decides nothing."""
    no_price: np.ndarray
    closes_before: Floats
    """The closes that feed the indicators only."""

    def __len__(self) -> int:
        return len(self.close)


def prepare(
    series: BarSeries, parameters: GridParameters, start: float | None = None, engine: Engine = "python"
) -> Prepared:
    """Indicators of ``series``, simulated from the first complete row or from ``start`` (Unix seconds) on.

    ``engine`` changes the speed only. Raises DataError where the bars are too few or none is
    left to simulate.
    """
    needed, count = bars_needed(parameters), len(series)
    if count < needed:
        raise DataError("strategy.too_few_bars", count=count, needed=needed, missing=needed - count)
    first = needed - 1
    if start is not None:
        first = max(first, int(np.searchsorted(series.end, start)))
        if first >= count:
            raise DataError("backtest.nothing_after_start", count=count)
    ema = compiled(plain_ema) if engine == "numba" else exponential_mean
    found = indicators_of(series.end, series.high, series.low, series.close, parameters, ema)
    close, atr, minute = series.close[first:], found.atr[first:], series.minute[first:]
    own, higher = np.sign(found.slope[first:]).astype(np.int64), found.higher_trend[first:]
    quiet = np.where(minute >= _QUIET_CLOSE_BEGINS, 2, (minute >= _OPEN) & (minute < _QUIET_OPEN_ENDS))
    no_price = ~((close > 0) & (close < np.inf))
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = atr / close
    return Prepared(
        bars_in_file=count,
        end=series.end[first:],
        close=close,
        day=series.day[first:],
        minute=minute,
        atr=atr,
        atr_mean=found.atr_mean[first:],
        atr_ratio=ratio,
        rsi=found.rsi[first:],
        own_trend=own,
        higher_trend=higher,
        trend=np.where(own == higher, own, 0) if parameters.mtf_enabled else own,
        quiet=quiet.astype(np.int64),
        closed=(minute == _NOON) | (minute >= _LAST_CALL),
        no_price=no_price,
        closes_before=series.close[:first],
    )


class Columns(NamedTuple):
    """The loop's columns for one set of parameters, in the order it takes them."""

    close: Floats
    base: Floats
    trend: Whole
    paused: np.ndarray
    rsi: Floats
    quiet: Whole
    day: Whole
    skip: np.ndarray


def fill_widths(
    ratio: Any,
    trend: Any,
    atr: Any,
    atr_mean: Any,
    by_trend: Any,
    factor: float,
    floor: float,
    breaker: bool,
    limit: float,
    base: Any,
    paused: Any,
) -> None:
    """The same as below in one pass, to be compiled: a sweep does it for each of its sets."""
    for i in range(len(ratio)):
        base[i] = max(floor, ratio[i] * factor) * by_trend[trend[i]]
        paused[i] = breaker and atr[i] > limit * atr_mean[i]


def columns_for(prepared: Prepared, parameters: GridParameters, engine: Engine = "python") -> Columns:
    """The step's width before its layer bonus, and the breaker, at every row."""
    base, paused = _widths(prepared, parameters, engine == "numba")
    skip = prepared.no_price | prepared.closed if parameters.live_rules else prepared.no_price
    return Columns(
        prepared.close, base, prepared.trend, paused, prepared.rsi, prepared.quiet, prepared.day, skip
    )


def _widths(
    prepared: Prepared, parameters: GridParameters, is_compiled: bool
) -> tuple[Floats, NDArray[np.bool_]]:
    by_trend = np.array([factors.grid for factors in parameters.trend_factors])
    factor, floor = float(parameters.atr_grid_factor), float(parameters.grid_step_floor)
    breaker, limit = parameters.atr_circuit_breaker_enabled, float(parameters.atr_circuit_breaker_ratio)
    if is_compiled:
        base, paused = np.empty(len(prepared)), np.empty(len(prepared), dtype=bool)
        series = (prepared.atr_ratio, prepared.trend, prepared.atr, prepared.atr_mean)
        compiled(fill_widths)(*series, by_trend, factor, floor, breaker, limit, base, paused)
        return base, paused
    base = np.maximum(floor, prepared.atr_ratio * factor)
    base *= by_trend[prepared.trend]
    return base, (
        prepared.atr > limit * prepared.atr_mean if breaker else np.zeros(len(prepared), dtype=bool)
    )


def with_live_rules(parameters: GridParameters) -> GridParameters:
    """The cap and the least commission that live trading adds."""
    if not parameters.live_rules:
        return parameters
    return replace(
        parameters,
        nominal_cap=parameters.nominal_cap or LIVE_CAP,
        min_commission=max(parameters.min_commission, LIVE_MIN_COMMISSION),
    )


def rules_of(parameters: GridParameters) -> Rules:
    """The loop's numbers; ``parameters`` with the live rules already in them.

    Always of the same types: numba compiles anew for any other.
    """
    return Rules(
        most_layers=int(parameters.layers),
        bonus=float(parameters.layer_step_bonus),
        buy_factor=float(parameters.buy_step_factor),
        by_lot=parameters.sell_by_lot,
        whole_exit=parameters.whole_exit,
        stop_on=parameters.enable_float_loss_stop,
        stop_loss=float(parameters.max_cycle_float_loss),
        cooling=parameters.cooling_enabled,
        cooling_rsi=parameters.cooling_rsi_enabled,
        cooling_threshold=float(parameters.rsi_cooling_threshold),
        wait_short=int(parameters.cooling_bars_short),
        wait_long=int(parameters.cooling_bars),
        gate_on=parameters.rsi_gate_enabled,
        gate=float(parameters.rsi_gate),
        quiet_on=parameters.time_filter_enabled,
        cap=float(parameters.nominal_cap),
        rate=float(parameters.fee_rate),
        least_fee=float(parameters.min_commission),
        live=parameters.live_rules,
    )
