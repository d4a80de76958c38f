"""The indicators of the grid, over a whole series; the live value is the last row of the same code.

Every mean adds its window's values from the oldest to the newest, row by row, so a row depends on its
own window alone: the value for the last bar of any window that is long enough has the very bits of
the whole series' row. (A running or pairwise sum would not: it carries rounding from earlier bars.)

The one exception is the slope's EMA, which remembers its whole past. With alpha 0.5 (span 3) a window
of 80 bars holds 16 raw slopes, so leaving out the rest moves the EMA by at most 2^-14 of the largest raw
slope (15 halvings of a difference of at most twice that); only its sign is used, but near zero that may
differ. Live therefore carries the EMA of the bar before (``previous_slope``), which makes it equal to the
last bit.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import accumulate
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from mac_side.strategy.parameters import GridParameters
from shared_schema.bars_file import Bar
from shared_schema.errors import DataError
from shared_schema.shanghai import SHANGHAI_OFFSET

Series = NDArray[np.float64]
_EQUAL_MEANS = 1e-12
"""Yuan: two means nearer to each other are equal."""
_BLOCK = 8192
"""Rows summed at a time: what fits the processor's cache."""


class Indicators(NamedTuple):
    """Columns of equal length, NaN where missing. ATR in yuan, RSI 0 to 100, slope a fraction a span.

    ``higher_trend`` is the sign on 15-minute bars, 0 where missing (it never drops a row).
    """

    atr: Series
    atr_mean: Series
    slope: Series
    rsi: Series
    higher_trend: NDArray[np.int64]


class Reading(NamedTuple):
    """The indicators of one bar, as plain numbers."""

    atr: float
    atr_mean: float
    slope: float
    rsi: float
    higher_trend: int

    @property
    def trend(self) -> int:
        """The sign of the slope: 1 up, -1 down, 0 neutral."""
        return (self.slope > 0) - (self.slope < 0)


def bars_needed(parameters: GridParameters) -> int:
    """How many bars give the first complete row (75 with the usual periods)."""
    return 1 + max(
        parameters.atr_period + parameters.atr_mean_period,
        parameters.trend_ma_period - 1 + parameters.trend_slope_span,
        parameters.rsi_period,
    )


def exponential_mean(values: Series, alpha: float) -> Series:
    """The EMA of ``values``, seeded by the first of them."""
    rest = 1 - alpha
    smooth = accumulate(values.tolist(), lambda before, value: alpha * value + rest * before)
    return np.fromiter(smooth, np.float64, len(values))


def indicators_of(
    end: Series,
    high: Series,
    low: Series,
    close: Series,
    parameters: GridParameters,
    ema: Callable[[Series, float], Series] = exponential_mean,
) -> Indicators:
    """All indicators of the series: ``end`` in Unix seconds, prices in yuan.

    ``ema`` may be a quicker one with the same bits.

    Row ``bars_needed(parameters) - 1`` is the first without a missing value. Formulas: strategy.md,
    Indicators. True range uses the previous close across lunch and nights and is missing in row 0.
    """
    missing = np.full(len(close), np.nan)
    change, true_range = missing.copy(), missing.copy()
    change[1:] = close[1:] - close[:-1]
    true_range[1:] = np.maximum(
        high[1:] - low[1:],
        np.maximum(np.abs(high[1:] - close[:-1]), np.abs(low[1:] - close[:-1])),
    )
    atr = _mean(true_range, parameters.atr_period)
    atr_mean = missing.copy()
    atr_mean[1:] = _mean(atr, parameters.atr_mean_period)[:-1]
    gains = _mean(np.where(np.isnan(change), np.nan, np.maximum(change, 0.0)), parameters.rsi_period)
    losses = _mean(np.where(np.isnan(change), np.nan, np.maximum(-change, 0.0)), parameters.rsi_period)
    higher = (
        higher_trend(end, close, parameters)
        if parameters.mtf_enabled
        else np.zeros(len(close), dtype=np.int64)
    )
    return Indicators(atr, atr_mean, _slope(close, parameters, ema), _rsi(gains, losses), higher)


def last_reading(
    bars: Sequence[Bar], parameters: GridParameters, previous_slope: float | None = None
) -> Reading:
    """The indicators of the last of ``bars``, for live use.

    ``previous_slope`` is the slope of the bar before, from the last reading; without it the EMA starts
    within ``bars`` (see the module's note). Raises DataError saying how many bars are missing.
    """
    needed = bars_needed(parameters)
    if len(bars) < needed:
        raise DataError("strategy.too_few_bars", count=len(bars), needed=needed, missing=needed - len(bars))
    columns = np.array([(bar.end, bar.high, bar.low, bar.close) for bar in bars], dtype=np.float64).T
    found = indicators_of(columns[0], columns[1], columns[2], columns[3], parameters)
    slope = float(found.slope[-1])
    if previous_slope is not None:
        raw = float(_raw_slope(columns[3], parameters)[-1])
        slope = _ema_step(previous_slope, raw, _alpha(parameters))
    return Reading(
        float(found.atr[-1]),
        float(found.atr_mean[-1]),
        slope,
        float(found.rsi[-1]),
        int(found.higher_trend[-1]),
    )


def higher_trend(end: Series, close: Series, parameters: GridParameters) -> NDArray[np.int64]:
    """The sign of MA20[j] - MA20[j-2] of 15-minute closes at each minute, 0 where missing.

    Minute labels are cut at each quarter of an hour (09:45 to 09:59 is one bar; 11:30 and 15:00 stand
    alone), as the published tool cut them. At each minute j is the last finished bar; with
    ``mtf_lookahead`` it is the unfinished one with the close it will have: the published look-ahead.
    """
    number = np.floor((end + SHANGHAI_OFFSET) / (parameters.mtf_minutes * 60))
    last_minute = np.append(number[1:] != number[:-1], True)
    mean = _mean(close[last_minute], parameters.mtf_ma_period)
    sign = np.zeros(len(mean), dtype=np.int64)
    difference = mean[parameters.mtf_diff :] - mean[: -parameters.mtf_diff]
    # Prices lie on ticks: below this, two equal means differ by the rounding of their sums only.
    difference = np.where(np.abs(difference) < _EQUAL_MEANS, 0.0, np.nan_to_num(difference))
    sign[parameters.mtf_diff :] = np.sign(difference).astype(np.int64)
    j = np.cumsum(last_minute) - last_minute  # the higher bar each minute lies in
    if parameters.mtf_lookahead:
        return sign[j]
    return np.where(j > 0, sign[np.maximum(j - 1, 0)], 0)


def _mean(values: Series, period: int) -> Series:
    """Simple mean of ``period`` values ending at each row, added oldest first; NaN where incomplete."""
    result = np.full(len(values), np.nan)
    rows = len(values) - period + 1
    if rows <= 0:
        return result
    for start in range(0, rows, _BLOCK):
        stop = min(start + _BLOCK, rows)
        total = values[start:stop].copy()
        for place in range(1, period):
            total += values[start + place : stop + place]
        result[start + period - 1 : stop + period - 1] = total / period
    return result


def _raw_slope(close: Series, parameters: GridParameters) -> Series:
    mean, span = _mean(close, parameters.trend_ma_period), parameters.trend_slope_span
    raw = np.full(len(close), np.nan)
    raw[span:] = (mean[span:] - mean[:-span]) / mean[:-span]
    return raw


def _slope(close: Series, parameters: GridParameters, ema: Callable[[Series, float], Series]) -> Series:
    """The EMA of the raw slope, seeded by its first value."""
    raw = _raw_slope(close, parameters)
    first = parameters.trend_ma_period - 1 + parameters.trend_slope_span
    smooth = np.full(len(close), np.nan)
    if first >= len(close):
        return smooth
    smooth[first:] = ema(raw[first:], _alpha(parameters))
    return smooth


def _alpha(parameters: GridParameters) -> float:
    return 2 / (parameters.trend_ema_span + 1)


def _ema_step(before: float, value: float, alpha: float) -> float:
    return alpha * value + (1 - alpha) * before


def _rsi(gains: Series, losses: Series) -> Series:
    """RSI of simple means; 100 where there are no losses.

    Rounded to nine decimals: prices lie on ticks, so equal gains and losses are common and must give
    exactly 50, not 50 plus the rounding of a float sum.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        rsi = 100 - 100 / (1 + gains / losses)
    rsi = np.rint(np.where(losses == 0, 100.0, rsi) * 1e9) / 1e9
    return np.where(np.isnan(losses), np.nan, rsi)
