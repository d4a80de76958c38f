"""The report's numbers. Every table stands on the page and in the CSV beside it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, NamedTuple

import numpy as np

from mac_side.backtest.grid_loop import CASH, FEE, REASON, SHARES
from mac_side.backtest.metrics import metrics_of
from mac_side.backtest.result import REASONS, BacktestResult
from mac_side.report.lot_results import LotResult
from shared_schema.shanghai import shanghai

Kind = Literal["text", "yuan", "percent", "count", "plain"]


class Table(NamedTuple):
    """Columns as (key of the catalogue's report area, kind), and rows of plain values."""

    name: str
    columns: tuple[tuple[str, Kind], ...]
    rows: list[tuple[Any, ...]]


@dataclass(frozen=True)
class Benchmark:
    """A series to compare with: its closes at the run's bars, yuan."""

    name: str
    close: np.ndarray


def headline(result: BacktestResult, other: BacktestResult) -> Table:
    """The metrics of the run, and of the same run under the other rules (live or plain)."""
    first, second = metrics_of(result), metrics_of(other)
    kinds: dict[str, Kind] = {
        "alpha": "yuan",
        "beta_profit": "yuan",
        "total_profit": "yuan",
        "max_dd": "percent",
        "flow_ann": "percent",
        "flow_ann_util": "percent",
    }
    rows = [
        (
            name,
            _shown(getattr(first, name), kinds.get(name, "count")),
            _shown(getattr(second, name), kinds.get(name, "count")),
        )
        for name in first.__dataclass_fields__
    ]
    left, right = ("live", "plain_rules") if result.parameters.live_rules else ("plain_rules", "live")
    return Table("metrics", (("metric", "text"), (left, "plain"), (right, "plain")), rows)


class Shown(NamedTuple):
    """A value with its own kind, where a column holds several."""

    value: Any
    kind: Kind


def _shown(value: Any, kind: Kind) -> Shown:
    return Shown(value, kind)


def monthly(result: BacktestResult) -> Table:
    """By month: alpha, beta, both, trades, the deepest fall within the month."""
    months = np.array([shanghai(float(end)).strftime("%Y-%m") for end in _month_marks(result)])
    edges = _month_edges(result)
    equity, close = result.equity, result.close
    share = result.parameters.beta_capital / float(close[0])
    rows: list[tuple[Any, ...]] = []
    before_equity, before_close = 0.0, float(close[0])
    for month, (start, stop) in zip(months.tolist(), edges, strict=True):
        alpha = float(equity[stop - 1]) - before_equity
        beta = (float(close[stop - 1]) - before_close) * share
        within = equity[start:stop] + result.parameters.curve_base
        fall = float((within / np.maximum.accumulate(within) - 1).min())
        trades = int(np.count_nonzero((result.table.row >= start) & (result.table.row < stop)))
        rows.append((month, alpha, beta, alpha + beta, trades, fall))
        before_equity, before_close = float(equity[stop - 1]), float(close[stop - 1])
    columns: tuple[tuple[str, Kind], ...] = (
        ("month", "text"),
        ("alpha", "yuan"),
        ("beta_profit", "yuan"),
        ("total_profit", "yuan"),
        ("trades", "count"),
        ("max_dd", "percent"),
    )
    return Table("monthly", columns, rows)


def _month_edges(result: BacktestResult) -> list[tuple[int, int]]:
    starts = [0]
    days = np.concatenate(([0], np.flatnonzero(np.diff(result.day)) + 1))
    before = shanghai(float(result.end[0])).strftime("%Y-%m")
    for row in days.tolist():
        month = shanghai(float(result.end[row])).strftime("%Y-%m")
        if month != before:
            starts.append(row)
            before = month
    return list(zip(starts, [*starts[1:], len(result.end)], strict=True))


def _month_marks(result: BacktestResult) -> list[float]:
    return [float(result.end[start]) for start, _ in _month_edges(result)]


def cycles(result: BacktestResult) -> Table:
    """Every cycle: from the first lot to flat again, the open one last."""
    rows: list[tuple[Any, ...]] = []
    for number, cycle in enumerate(result.cycles, 1):
        last = len(result.end) - 1 if cycle.end_row is None else cycle.end_row
        rows.append(
            (
                number,
                _moment(result, cycle.start_row),
                "" if cycle.end_row is None else _moment(result, cycle.end_row),
                int(result.layers[cycle.start_row : last + 1].max()),
                "✓" if cycle.full else "",
                last - cycle.start_row,
                cycle.profit,
                cycle.worst_equity,
            )
        )
    columns: tuple[tuple[str, Kind], ...] = (
        ("number", "count"),
        ("begin", "text"),
        ("end", "text"),
        ("most_layers", "count"),
        ("full", "text"),
        ("bars_held", "count"),
        ("profit", "yuan"),
        ("worst_equity", "yuan"),
    )
    return Table("cycles", columns, rows)


def lots(results: Sequence[LotResult]) -> Table:
    """How the lots sold did: quarters of their results and of how long they were held."""
    if not results:
        return Table("lots", (("metric", "text"), ("value", "plain")), [("lots_sold", Shown(0, "count"))])
    profit = np.array([each.profit for each in results])
    held = np.array([each.bars for each in results], dtype=float)
    rows: list[tuple[Any, ...]] = [
        ("lots_sold", Shown(len(results), "count")),
        ("lots_lost", Shown(int(np.count_nonzero(profit < 0)), "count")),
    ]
    for name, values, kind in (("lot_profit", profit, "yuan"), ("lot_bars", held, "count")):
        for word, part in (
            ("least", 0),
            ("quarter", 25),
            ("median", 50),
            ("three_quarters", 75),
            ("most", 100),
        ):
            rows.append((f"{name}_{word}", Shown(float(np.percentile(values, part)), kind)))  # type: ignore[arg-type]
    return Table("lots", (("metric", "text"), ("value", "plain")), rows)


def costs(result: BacktestResult, tick: float) -> Table:
    """Alpha at other costs for the same trades: fees never change what is decided. ``tick`` in yuan."""
    table, parameters = result.table, result.parameters
    shares, fees = table.whole[:, SHARES], table.money[:, FEE]
    amounts = shares * result.close[table.row]
    alpha = float(result.equity[-1])
    at_least_five = float((np.maximum(amounts * parameters.fee_rate, 5.0) - fees).sum())
    no_fees, moved = float(fees.sum()), float(shares.sum()) * tick
    rows: list[tuple[Any, ...]] = [
        ("as_run", no_fees, alpha),
        ("no_costs", 0.0, alpha + no_fees),
        ("five_yuan", no_fees + at_least_five, alpha - at_least_five),
        ("one_tick", no_fees + moved, alpha - moved),
        ("two_ticks", no_fees + 2 * moved, alpha - 2 * moved),
        ("five_and_tick", no_fees + at_least_five + moved, alpha - at_least_five - moved),
    ]
    return Table("costs", (("costs_case", "text"), ("costs_all", "yuan"), ("alpha", "yuan")), rows)


def compared(result: BacktestResult, benchmark: Benchmark | None) -> Table:
    """The strategy beside simply holding: the same capital in the same fund all the time, and a benchmark."""
    base, metrics = result.parameters.curve_base, metrics_of(result)
    share = result.parameters.beta_capital / float(result.close[0])
    whole = result.equity + (result.close - result.close[0]) * share
    rows = [
        ("grid_alone", metrics.alpha, metrics.alpha / base, _fall(result.equity + base)),
        ("grid_and_base", metrics.total_profit, metrics.total_profit / base, _fall(whole + base)),
        _held("held", result.close, base),
    ]
    if benchmark is not None:
        rows.append(_held("benchmark", benchmark.close, base))
    columns: tuple[tuple[str, Kind], ...] = (
        ("way", "text"),
        ("profit", "yuan"),
        ("on_capital", "percent"),
        ("max_dd", "percent"),
    )
    return Table("compared", columns, rows)


def _held(name: str, close: np.ndarray, base: float) -> tuple[str, float, float, float]:
    gain = float(close[-1] / close[0] - 1)
    return (name, gain * base, gain, _fall(close))


def _fall(curve: np.ndarray) -> float:
    return float((curve / np.maximum.accumulate(curve) - 1).min())


def parameters(result: BacktestResult) -> Table:
    """Every parameter."""
    values = result.parameters.as_dict().items()
    rows = [
        (name, ", ".join(map(str, value)) if isinstance(value, list) else str(value))
        for name, value in values
    ]
    return Table("parameters", (("parameter", "text"), ("value", "text")), rows)


def trades(result: BacktestResult) -> Table:
    """Every trade (in the CSV only)."""
    rows = [
        (
            shanghai(float(result.end[row])).isoformat(" "),
            REASONS[int(whole[REASON])] or "buy",
            float(result.close[row]),
            int(whole[SHARES]),
            float(money[FEE]),
            float(money[CASH]),
        )
        for row, whole, money in zip(result.table.row, result.table.whole, result.table.money, strict=True)
    ]
    columns: tuple[tuple[str, Kind], ...] = (
        ("time", "text"),
        ("reason", "text"),
        ("price", "plain"),
        ("shares", "count"),
        ("fee", "yuan"),
        ("cash", "yuan"),
    )
    return Table("trades", columns, rows)


def _moment(result: BacktestResult, row: int) -> str:
    return shanghai(float(result.end[row])).strftime("%Y-%m-%d %H:%M")


def other_rules(result: BacktestResult) -> Any:
    """The run's parameters with live rules turned the other way."""
    return replace(result.parameters, live_rules=not result.parameters.live_rules)
