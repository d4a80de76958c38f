"""What a run is judged by. Definitions: strategy.md, Metrics."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

import numpy as np

from mac_side.backtest.grid_loop import STOP
from mac_side.backtest.result import BacktestResult, TradeTable
from mac_side.backtest.series import Floats, Whole
from mac_side.strategy.parameters import GridParameters
from shared_schema.shanghai import shanghai

_DAY = 86400.0


@dataclass(frozen=True, slots=True)
class Metrics:
    """Money in yuan; ``max_dd`` and the annualised returns are fractions.

    ``exhaust_count`` counts how often a buy filled the last layer; ``exhaust_cycles`` the cycles that were
    full at some time and closed, ``losing_cycles`` those of them that closed below where they began.
    """

    alpha: float
    beta_profit: float
    total_profit: float
    trades: int
    buys: int
    sells: int
    max_dd: float
    exhaust_count: int
    exhaust_cycles: int
    losing_cycles: int
    days_util: int
    flow_ann: float
    flow_ann_util: float
    bars_would_buy_but_full: int
    n_atr_pause_bars: int
    n_force_stops: int


def metrics_of(result: BacktestResult) -> Metrics:
    """The metrics of a run. An annualised figure without a span of time or a day in use is 0."""
    span = Span(result.close, result.end)
    figures = CurveFigures(
        float(result.equity[-1]), max_drawdown(result), count_days(result.day[result.shares > 0])
    )
    return metrics_from(result.table, result.parameters, span, figures, result.full_bars, result.paused_bars)


class Span(NamedTuple):
    """Closes (yuan) and ends (Unix seconds) of the bars a run went over."""

    close: Floats
    end: Floats


class CurveFigures(NamedTuple):
    """What is read off the equity curve: last value in yuan, drawdown as a fraction, days with shares."""

    alpha: float
    max_dd: float
    days_util: int


def metrics_from(
    table: TradeTable,
    parameters: GridParameters,
    span: Span,
    figures: CurveFigures,
    full_bars: int,
    paused_bars: int,
) -> Metrics:
    """The metrics from what a run left; ``parameters`` as the user set them."""
    alpha, max_dd, days = figures
    first, last = float(span.close[0]), float(span.close[-1])
    beta = (last - first) * parameters.beta_capital / first
    years = (float(span.end[-1]) - float(span.end[0])) / _DAY / 365
    earned = alpha / parameters.batch_money
    full, profits = closed_cycles(table, parameters.layers)
    is_buy = table.is_buy
    buys = int(np.count_nonzero(is_buy))
    return Metrics(
        alpha=alpha,
        beta_profit=beta,
        total_profit=alpha + beta,
        trades=len(table),
        buys=buys,
        sells=len(table) - buys,
        max_dd=max_dd,
        exhaust_count=int(np.count_nonzero(is_buy & (table.layers == parameters.layers))),
        exhaust_cycles=int(np.count_nonzero(full)),
        losing_cycles=int(np.count_nonzero(full & (profits < 0))),
        days_util=days,
        flow_ann=earned / years if years > 0 else 0.0,
        flow_ann_util=earned * 365 / days if days else 0.0,
        bars_would_buy_but_full=full_bars,
        n_atr_pause_bars=paused_bars,
        n_force_stops=table.sells_for(STOP),
    )


def closed_cycles(table: TradeTable, most_layers: int) -> tuple[np.ndarray, Floats]:
    """Of each closed cycle whether it was full at some time, and its profit in yuan after fees."""
    closed = np.flatnonzero(table.layers == 0)
    if not len(closed):
        return np.zeros(0, dtype=bool), np.zeros(0)
    starts = np.concatenate(([0], closed[:-1] + 1))
    most = np.maximum.reduceat(table.layers[: closed[-1] + 1], starts)
    return most >= most_layers, np.diff(table.cash[closed], prepend=0.0)


FEW_DAYS = 60
"""Trading days below which a figure a year is an extrapolation, to be marked as one."""


def count_days(days: Whole) -> int:
    """How many different days are in ``days``, which rise."""
    return 1 + int(np.count_nonzero(np.diff(days))) if len(days) else 0


def max_drawdown(result: BacktestResult) -> float:
    """The deepest fall of the equity curve on its base, a fraction at most 0."""
    curve = result.equity - result.equity[0] + result.parameters.curve_base
    return float((curve / np.maximum.accumulate(curve) - 1).min())


def metrics_document(result: BacktestResult, source: str) -> dict[str, Any]:
    """What goes into the metrics file: metrics flat, then data, cycles and the parameters used."""
    metrics = metrics_of(result)
    return {
        **asdict(metrics),
        "orders": result.orders,
        "data": {
            "source": source,
            "bars_in_file": result.bars_in_file,
            "bars_simulated": len(result.close),
            "first_bar": shanghai(float(result.end[0])).isoformat(" "),
            "last_bar": shanghai(float(result.end[-1])).isoformat(" "),
            "start_price": float(result.close[0]),
            "end_price": float(result.close[-1]),
        },
        "exhausted_cycles": [
            {
                "start": shanghai(float(result.end[cycle.start_row])).isoformat(" "),
                "end": None if cycle.end_row is None else _moment(result, cycle.end_row),
                "profit": cycle.profit,
                "worst_equity": cycle.worst_equity,
            }
            for cycle in result.cycles
            if cycle.full
        ],
        "state_at_end": {
            "cash": result.cash,
            "shares": result.state.shares,
            "cost": result.state.cost,
            "anchor": result.state.anchor,
            "lots": [
                {"shares": lot.shares, "cost": lot.cost, "buy_price": lot.buy_price}
                for lot in result.state.lots
            ],
        },
        "parameters": result.parameters.as_dict(),
    }


def _moment(result: BacktestResult, row: int) -> str:
    return shanghai(float(result.end[row])).isoformat(" ")
