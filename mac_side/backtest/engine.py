"""The backtest: the grid over a series of bars, each decision filled at once at the bar's close."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from mac_side.backtest.compiled import Engine, chosen_engine, compiled
from mac_side.backtest.grid_loop import End, walk
from mac_side.backtest.prepared import Prepared, columns_for, prepare, rules_of, with_live_rules
from mac_side.backtest.result import BacktestResult, Cycle, Trade, TradeTable
from mac_side.backtest.series import BarSeries, series_of
from mac_side.backtest.step_loop import Decide, walk_by_step
from mac_side.strategy.grid_step import GridState, decide
from mac_side.strategy.lots import Lot
from mac_side.strategy.parameters import GridParameters
from shared_schema.bars_file import Bar

__all__ = ["BacktestResult", "Cycle", "Trade", "run_backtest", "run_prepared"]


def run_backtest(
    bars: Sequence[Bar] | BarSeries,
    parameters: GridParameters,
    start: float | None = None,
    anchor: float | None = None,
    engine: Engine = "auto",
    step: Decide = decide,
) -> BacktestResult:
    """Run the grid over ``bars`` (oldest first) from the first complete row, or from ``start`` (Unix s).

    Bars before ``start`` feed the indicators only. ``anchor`` in yuan replaces the first simulated close.
    ``engine`` changes the speed and nothing else; another ``step`` than the grid's own always runs by itself.
    Raises DataError where the bars are too few or none is left to simulate.
    """
    chosen = chosen_engine("step" if step is not decide else engine)
    return run_prepared(prepare(series_of(bars), parameters, start, chosen), parameters, anchor, chosen, step)


def run_prepared(
    prepared: Prepared,
    parameters: GridParameters,
    anchor: float | None = None,
    engine: Engine = "auto",
    step: Decide = decide,
) -> BacktestResult:
    """The same over rows prepared for parameters with the same indicators."""
    chosen = chosen_engine(engine)
    if anchor is None:
        anchor = float(prepared.close[0])
    live = with_live_rules(parameters)
    if chosen == "step":
        book = walk_by_step(prepared, live, anchor, step)
        table, state, counts = book.table(), book.state, (book.full_bars, book.paused_bars)
    else:
        table, state, counts = _walk(prepared, live, anchor, chosen)
    return BacktestResult(
        parameters=parameters,
        most_layers=live.layers,
        bars_in_file=prepared.bars_in_file,
        end=prepared.end,
        close=prepared.close,
        day=prepared.day,
        table=table,
        state=state,
        full_bars=counts[0],
        paused_bars=counts[1],
    )


def _walk(
    prepared: Prepared, parameters: GridParameters, anchor: float, engine: Engine
) -> tuple[TradeTable, GridState, tuple[int, int]]:
    """Run the loop over all rows and put together what it wrote."""
    walked = walk_rows(prepared, parameters, anchor, engine, 0, len(prepared))
    end = walked.end
    lots = tuple(
        Lot(int(shares), int(shares) * float(price), float(price))
        for shares, price in zip(walked.lot_shares[: end.layers], walked.lot_price[: end.layers], strict=True)
    )
    state = GridState(lots, float(end.anchor), None if end.flat_row < 0 else int(end.flat_row))
    return walked.table, state, (int(end.full_rows), int(end.paused_rows))


class Walked(NamedTuple):
    """What one walk of the loop left: its end, its trades, the places of its lots."""

    end: End
    table: TradeTable
    lot_shares: list[int]
    lot_price: list[float]


def walk_rows(
    prepared: Prepared, parameters: GridParameters, anchor: float, engine: Engine, first: int, last: int
) -> Walked:
    """The loop over the rows ``first`` to before ``last``, from a flat book; live rules already in."""
    columns = columns_for(prepared, parameters)
    # A row buys once at most and no lot is sold twice; pages never written to take no memory.
    whole = np.empty((2 * (last - first), 5), dtype=np.int64)
    money = np.empty((2 * (last - first), 2), dtype=np.float64)
    factors = parameters.trend_factors
    by_trend = (
        [1 + parameters.sell_profit_threshold * f.sell * parameters.sell_threshold_factor for f in factors],
        list(parameters.layer_money),
        [f.money for f in factors],
    )
    lots = ([0] * parameters.layers, [0.0] * parameters.layers)
    rules = rules_of(parameters)
    if engine == "numba":
        arrays = tuple(
            np.array(values, dtype=np.int64 if values is lots[0] else np.float64)
            for values in (*by_trend, *lots)
        )
        end = compiled(walk)(*columns, *arrays[:3], rules, first, last, anchor, *arrays[3:], whole, money)
        lots = (arrays[3].tolist(), arrays[4].tolist())
    else:
        lists: list[Any] = [column.tolist() for column in columns]
        loop: Callable[..., End] = walk
        end = loop(*lists, *by_trend, rules, first, last, anchor, *lots, whole, money)
    count = end.trades
    return Walked(end, TradeTable(whole[:count].copy(), money[:count].copy()), *lots)
