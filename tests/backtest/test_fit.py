"""The risk: a demo on the user's own bars that shows nothing."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest

from mac_side.backtest.engine import run_backtest
from mac_side.backtest.fit import fit_to
from mac_side.strategy.presets import preset
from shared_schema.bars_file import Bar, one_day, read_bars
from shared_schema.errors import DataError
from shared_schema.sample.make_sample_bars import SEED
from shared_schema.shanghai import day_of, unix_seconds
from tests.strategy.series import random_bars

MARKET = Path(__file__).resolve().parents[3] / "shared" / "data" / "market"
SAMPLES = Path(__file__).resolve().parents[2] / "shared_schema" / "sample"
needs_market = pytest.mark.skipif(not MARKET.is_dir(), reason="../shared/data/market is not here")


@pytest.mark.parametrize(
    ("start", "tick", "ticks"),
    [(1.05, 0.001, 1.0), (10.8, 0.01, 1.5), (70.0, 0.01, 8.0), (400.0, 0.01, 30.0)],
)
def test_a_fitted_day_trades_often(start: float, tick: float, ticks: float) -> None:
    """At any price level: 20 orders, 5 sells, steps of two ticks or more, whole lots affordable."""
    bars = random_bars(5, days=2, ticks=ticks, start=start, tick=tick)
    fit = fit_to(bars, preset("159201"), tick)
    assert fit.orders >= 20
    assert fit.sells >= 5
    assert fit.step_ticks >= 2
    assert min(fit.parameters.layer_money) >= 100 * start


def test_the_fit_is_what_a_run_from_its_anchor_gives() -> None:
    """Orders and sells are those of a backtest of that day alone, so the demo can be held to them."""
    bars = read_bars(SAMPLES / "sample_159201.csv")
    fit = fit_to(bars, preset("159201"), 0.001)
    day = one_day(bars, fit.day)
    result = run_backtest(bars, fit.parameters, start=day[0].end, anchor=fit.anchor)
    assert (result.orders, result.sell_orders) == (fit.orders, fit.sells)
    assert fit.lively


def test_a_given_day_is_kept_and_a_dull_one_is_owned_up_to() -> None:
    """A day that only rises can't be made lively: it is returned as it is, not exchanged."""
    bars = random_bars(3, days=2)
    first = unix_seconds(datetime(2025, 3, 4, 9, 30))
    rising = [
        Bar(bar.end, *([round(1 + number * 0.001, 3)] * 4))
        for number, bar in enumerate(bar for bar in bars if bar.end > first)
    ]
    fit = fit_to([*bars[:240], *rising], preset("159201"), 0.001, day="2025-03-04")
    assert fit.day == "2025-03-04"
    assert not fit.lively


def test_too_few_bars_are_refused() -> None:
    """No bars, or not enough for the indicators, is a DataError with the count."""
    for bars in ([], random_bars(1, days=1)[:60]):
        with pytest.raises(DataError):
            fit_to(bars, preset("159201"), 0.001)
    with pytest.raises(DataError):
        fit_to(random_bars(1, days=1), preset("159201"), 0.001, day="1999-01-01")


@pytest.mark.parametrize("name", ["159201", "512890", "demo"])
def test_the_shipped_demo_day_is_lively(name: str) -> None:
    """The sample's last day gives 20 orders with 5 sells under the presets as they are."""
    bars = read_bars(SAMPLES / f"sample_{'512890' if name == '512890' else '159201'}.csv")
    result = run_backtest(bars, preset(name), start=one_day(bars)[0].end)
    assert result.orders >= 20
    assert result.sell_orders >= 5
    assert SEED == 20250613


@needs_market
@pytest.mark.slow
def test_real_bars_and_prints_can_be_fitted() -> None:
    """600009 minute bars and the 2-day tick prints give a lively day without --day; nine in ten full days
    of 600009 do when named."""
    bars = read_bars(MARKET / "SH600009_1min_20200102_20200410_wondertrader.csv.gz")
    assert fit_to(bars, preset("159201"), 0.01).lively
    days = list(dict.fromkeys(day_of(bar.end) for bar in bars))[:-1]
    good = [fit for day in days if (fit := fit_to(bars, preset("159201"), 0.01, day)).orders >= 20]
    assert len(good) >= 0.9 * len(days)
    for code in ("SH600000", "SH600004", "SZ000001", "SZ000002"):
        prints = read_bars(MARKET / f"{code}_trans_20190201_20190211.csv.gz")
        assert fit_to(prints, preset("159201"), 0.01).lively
