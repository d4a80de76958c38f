"""The risk: a run whose money, cycles or live rules do not add up."""

from __future__ import annotations

from dataclasses import replace
from itertools import groupby

import pytest

from mac_side.backtest.engine import run_backtest
from mac_side.backtest.metrics import metrics_of
from mac_side.strategy.parameters import GridParameters
from shared_schema.errors import DataError
from shared_schema.shanghai import day_of, minute_of_day
from tests.strategy.series import random_bars

BUSY = GridParameters(max_layers=4)


@pytest.mark.parametrize("seed", range(5))
def test_alpha_is_the_sum_of_its_trades(seed: int) -> None:
    """Cash from the trade list plus the shares left at the last close is alpha; cycles add up to it too."""
    result = run_backtest(random_bars(seed, days=4, ticks=2.5), BUSY)
    cash = sum(
        (trade.shares * trade.price) * (1 if trade.type == "SELL" else -1) - trade.fee
        for trade in result.trades
    )
    left = result.state.shares * float(result.close[-1])
    assert metrics_of(result).alpha == pytest.approx(cash + left, abs=1e-6)
    assert sum(cycle.profit for cycle in result.cycles) == pytest.approx(cash + left, abs=1e-6)
    assert all(cycle.worst_equity <= float(result.equity.max()) for cycle in result.cycles)


@pytest.mark.parametrize("seed", range(5))
def test_live_rules_sell_only_what_was_held_before_the_day(seed: int) -> None:
    """Under live_rules a day's sells never exceed the shares held at its start, nothing happens at 11:30 or
    from 14:57, every fee is at least 5 yuan and the lots never cost more than 200,000."""
    result = run_backtest(random_bars(seed, days=6, ticks=2.5), replace(BUSY, live_rules=True))
    held = 0
    assert any(trade.type == "SELL" for trade in result.trades)
    for _day, trades in groupby(result.trades, key=lambda trade: day_of(trade.time)):
        start, sold = held, 0
        for trade in trades:
            sold += trade.shares if trade.type == "SELL" else 0
            held += trade.shares if trade.type == "BUY" else -trade.shares
            assert trade.fee >= 5.0
            assert minute_of_day(trade.time) != 11 * 60 + 30
            assert minute_of_day(trade.time) < 14 * 60 + 57
        assert sold <= start
    assert result.state.cost <= 200_000


def test_lots_sold_together_are_one_order() -> None:
    """Trades are one a lot, orders one a moment and side: what a live run would send."""
    result = run_backtest(random_bars(2, days=4, ticks=2.5), GridParameters(max_layers=9))
    moments = {(trade.row, trade.type) for trade in result.trades}
    assert result.orders == len(moments) < len(result.trades)
    assert result.sell_orders == len({trade.row for trade in result.trades if trade.type == "SELL"})


def test_full_and_losing_cycles_are_counted() -> None:
    """Each filling of the last layer counts; of the full cycles closed, losing ones are those below 0."""
    stop = GridParameters(max_layers=2, enable_float_loss_stop=True, max_cycle_float_loss=600.0)
    results = [run_backtest(random_bars(seed, days=4, ticks=2.5), stop) for seed in range(6)]
    for result in results:
        metrics = metrics_of(result)
        closed = [cycle for cycle in result.cycles if cycle.full and cycle.end_row is not None]
        assert metrics.exhaust_cycles == len(closed) <= metrics.exhaust_count
        assert metrics.losing_cycles == sum(cycle.profit < 0 for cycle in closed)
        assert metrics.n_force_stops == sum(trade.reason == "max_float_loss" for trade in result.trades)
    assert sum(metrics_of(result).losing_cycles for result in results) > 0


def test_74_bars_are_too_few_and_75_enough() -> None:
    """The first simulated bar is the 75th; one less is refused with the count."""
    bars = random_bars(1, days=1)
    assert len(run_backtest(bars[:75], BUSY).close) == 1
    with pytest.raises(DataError, match="74"):
        run_backtest(bars[:74], BUSY)


def test_a_later_start_uses_earlier_bars_for_indicators_only() -> None:
    """From ``start`` on the closes are the same and the books begin flat at the first close of the start."""
    bars = random_bars(1, days=3)
    start = bars[480].end
    result = run_backtest(bars, BUSY, start=start)
    assert float(result.end[0]) == start
    assert len(result.close) == 240
    assert all(trade.time >= start for trade in result.trades)
    with pytest.raises(DataError):
        run_backtest(bars, BUSY, start=bars[-1].end + 60)


def test_no_trade_at_all_gives_zeros_not_errors() -> None:
    """A price that stands still trades nothing; every figure is 0."""
    bars = [bar._replace(open=1.0, close=1.0, high=1.0, low=1.0) for bar in random_bars(1, days=1)]
    metrics = metrics_of(run_backtest(bars, BUSY))
    assert (metrics.alpha, metrics.trades, metrics.max_dd, metrics.flow_ann_util) == (0.0, 0, 0.0, 0.0)
