"""The backtest: the grid over a series of bars, each decision filled at once at the bar's close."""

from __future__ import annotations

from collections.abc import Sequence

from mac_side.backtest.compiled import Engine, chosen_engine
from mac_side.backtest.prepared import Prepared, prepare, with_live_rules
from mac_side.backtest.result import BacktestResult, Cycle, Trade, TradeTable
from mac_side.backtest.series import BarSeries, series_of
from mac_side.backtest.step_loop import walk_by_step
from mac_side.backtest.walk_rows import Walker
from mac_side.strategy.grid_step import Decide, GridState, decide
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
    """Run the loop over all rows: trades, the state at the end, rows full and rows paused."""
    walked = Walker(prepared, parameters, engine).walk(0, len(prepared), anchor)
    end = walked.end
    lots = tuple(
        Lot(shares, shares * price, price)
        for shares, price in zip(walked.lot_shares, walked.lot_price, strict=True)
    )
    state = GridState(lots, float(end.anchor), None if end.flat_row < 0 else int(end.flat_row))
    return walked.table, state, (int(end.full_rows), int(end.paused_rows))
