"""The risk: live sees another indicator than the backtest did."""

from __future__ import annotations

import numpy as np
import pytest

from mac_side.strategy.indicators import bars_needed, indicators_of, last_reading
from mac_side.strategy.parameters import GridParameters
from shared_schema.errors import DataError
from tests.strategy.series import random_bars

WINDOW = 80


@pytest.mark.parametrize("seed", range(3))
def test_a_window_of_80_gives_the_bits_of_the_whole_series(seed: int) -> None:
    """On every row the value from the last 80 bars equals the whole series' row exactly, the slope's EMA
    when the one of the bar before is carried along."""
    bars, parameters = random_bars(seed, days=2), GridParameters()
    end, high, low, close = np.array([(bar.end, bar.high, bar.low, bar.close) for bar in bars]).T
    whole = indicators_of(end, high, low, close, parameters)
    slope: float | None = None
    for row in range(bars_needed(parameters) - 1, len(bars)):
        window = bars[max(0, row + 1 - WINDOW) : row + 1]
        reading = last_reading(window, parameters, slope)
        slope = reading.slope
        assert reading.atr == whole.atr[row]
        assert reading.atr_mean == whole.atr_mean[row]
        assert reading.rsi == whole.rsi[row]
        assert reading.slope == whole.slope[row]


def test_a_window_without_the_carried_slope_is_off_by_little() -> None:
    """Seeded inside the window the EMA differs by at most 2^-14 of the largest raw slope."""
    bars, parameters = random_bars(7, days=2), GridParameters()
    end, high, low, close = np.array([(bar.end, bar.high, bar.low, bar.close) for bar in bars]).T
    slopes = indicators_of(end, high, low, close, parameters).slope
    raw = 2 * slopes[65:] - slopes[64:-1]
    bound = 2**-14 * max(float(np.max(np.abs(raw))), abs(float(slopes[64])))
    for row in range(WINDOW, len(bars)):
        alone = last_reading(bars[row + 1 - WINDOW : row + 1], parameters).slope
        assert abs(alone - slopes[row]) <= bound


def test_the_first_complete_row_is_74() -> None:
    """Rows with a missing value are dropped: the first complete one is row 74, counting from 0."""
    bars, parameters = random_bars(1, days=1), GridParameters()
    end, high, low, close = np.array([(bar.end, bar.high, bar.low, bar.close) for bar in bars]).T
    found = indicators_of(end, high, low, close, parameters)
    complete = ~np.isnan(found.atr + found.atr_mean + found.slope + found.rsi)
    assert int(np.argmax(complete)) == 74 == bars_needed(parameters) - 1
    assert complete[74:].all()


def test_too_few_bars_says_how_many_are_missing() -> None:
    """74 bars are one too few, and the sentence says so."""
    with pytest.raises(DataError, match="1"):
        last_reading(random_bars(1, days=1)[:74], GridParameters())


def test_equal_gains_and_losses_are_exactly_50() -> None:
    """A price that moves up and down by the same ticks has RSI 50, not 50 and a float's rounding."""
    bars = [
        bar._replace(close=1.001 if number % 2 else 1.0, high=1.001, low=1.0)
        for number, bar in enumerate(random_bars(1, days=1))
    ]
    assert last_reading(bars, GridParameters()).rsi == 50.0


def test_a_price_that_stands_still_has_no_trend() -> None:
    """An exactly constant price gives slope 0 (neutral) and RSI 100 (no losses)."""
    bars = [bar._replace(close=1.0, high=1.0, low=1.0) for bar in random_bars(1, days=1)]
    reading = last_reading(bars, GridParameters())
    assert (reading.trend, reading.rsi, reading.atr) == (0, 100.0, 0.0)


def test_the_finished_quarter_never_reads_a_later_close() -> None:
    """Without look-ahead a minute's 15-minute sign does not depend on later bars; with it, it does."""
    bars = random_bars(3, days=3)
    honest = GridParameters(mtf_enabled=True)
    peeking = GridParameters(mtf_enabled=True, mtf_lookahead=True)
    end, high, low, close = np.array([(bar.end, bar.high, bar.low, bar.close) for bar in bars]).T
    differs = False
    for parameters in (honest, peeking):
        whole = indicators_of(end, high, low, close, parameters).higher_trend
        cut = [last_reading(bars[: row + 1], parameters).higher_trend for row in range(400, len(bars), 7)]
        if parameters is honest:
            assert cut == whole[400::7].tolist()
        else:
            differs = cut != whole[400::7].tolist()
    assert differs
