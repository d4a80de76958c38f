"""Puts a run's report together and writes it: the page, and its numbers as CSV beside it."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mac_side.backtest.metrics import metrics_of
from mac_side.backtest.result import BacktestResult
from mac_side.backtest.result_files import write_whole
from mac_side.backtest.series import BarSeries
from mac_side.report import tables
from mac_side.report.lot_results import lot_results
from mac_side.report.page import Part, Tile, page
from mac_side.report.pictures import equity_picture, layers_picture, lots_picture, price_picture
from mac_side.report.tables import Benchmark, Shown, Table
from shared_schema.errors import DataError
from shared_schema.shanghai import shanghai
from shared_schema.words import say, say_both

_FINDINGS_SHOWN = 30


@dataclass(frozen=True)
class Told:
    """What the report is about besides the run: its name, the file, what was found in it, the known traps.

    ``other`` is the same run under the other rules; ``tick`` the price step in yuan.
    """

    name: str
    source: str
    other: BacktestResult
    tick: float
    findings: Sequence[str]
    traps: Sequence[str]
    benchmark: Benchmark | None = None


def benchmark_of(name: str, series: BarSeries, end: np.ndarray) -> Benchmark:
    """The closes of ``series`` as last known at each ``end``; DataError where it begins after the run."""
    place = np.searchsorted(series.end, end, side="right") - 1
    if not len(series) or int(place[0]) < 0:
        raise DataError("report.benchmark_too_late", name)
    return Benchmark(name, series.close[place])


def write_report(path: Path, result: BacktestResult, told: Told) -> Path:
    """Write the page to ``path`` and the numbers to the CSV beside it, whose path it gives. FolderError."""
    sold = lot_results(result)
    metrics, monthly = tables.headline(result, told.other), tables.monthly(result)
    cycles, lots = tables.cycles(result), tables.lots(sold)
    costs, compared = tables.costs(result, told.tick), tables.compared(result, told.benchmark)
    parameters = tables.parameters(result)
    parts = [
        Part("part_equity", [equity_picture(result, told.benchmark)]),
        Part("part_price", [price_picture(result)]),
        Part("part_metrics", tables=[metrics], sentences=[say("report.live_explained")]),
        Part("part_compared", tables=[compared, costs], sentences=[say("report.costs_explained")]),
        Part("part_monthly", tables=[monthly]),
        Part("part_cycles", tables=[cycles]),
        Part("part_lots", [lots_picture(sold)] if sold else (), [lots], beside=[layers_picture(result)]),
        Part("part_data", sentences=_data(result, told)),
        Part("part_parameters", tables=[parameters]),
    ]
    first, last = (shanghai(float(result.end[row])).strftime("%Y-%m-%d %H:%M") for row in (0, -1))
    subtitle = f"{told.source} · {first} – {last} · {len(result.end):,} bars"
    traps = [*told.traps, say_both("report.trap_in_sample")]
    text = page(say("report.title", name=told.name), subtitle, _tiles(result), traps, parts)
    write_whole(path, text.encode())
    numbers = path.with_suffix(".csv")
    write_numbers(
        numbers, [metrics, compared, costs, monthly, cycles, lots, parameters, tables.trades(result)]
    )
    return numbers


def _tiles(result: BacktestResult) -> list[Tile]:
    metrics = metrics_of(result)
    return [
        Tile("alpha", f"{metrics.alpha:,.2f}", metrics.alpha >= 0),
        Tile("beta_profit", f"{metrics.beta_profit:,.2f}", metrics.beta_profit >= 0),
        Tile("total_profit", f"{metrics.total_profit:,.2f}", metrics.total_profit >= 0),
        Tile("flow_ann", f"{metrics.flow_ann:.2%}"),
        Tile("max_dd", f"{metrics.max_dd:.2%}"),
        Tile("trades", f"{metrics.trades:,}"),
        Tile("exhaust_count", f"{metrics.exhaust_count:,}"),
    ]


def _data(result: BacktestResult, told: Told) -> list[str]:
    """The range of the data and what is missing or odd in it."""
    days = 1 + int(np.count_nonzero(np.diff(result.day)))
    sentences = [say("report.data_range", bars=f"{result.bars_in_file:,}", days=days)]
    if not told.findings:
        return [*sentences, say("report.data_clean")]
    sentences.append(say("report.data_odd", count=len(told.findings)))
    shown = list(told.findings[:_FINDINGS_SHOWN])
    if len(told.findings) > len(shown):
        shown.append(say("report.data_more", count=len(told.findings) - len(shown)))
    return sentences + shown


def write_numbers(path: Path, all_tables: Sequence[Table]) -> None:
    """Every table in one CSV, unrounded: table, row, column, value."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(("table", "row", "column", "value"))
    for table in all_tables:
        for number, row in enumerate(table.rows, 1):
            for value, (column, _) in zip(row, table.columns, strict=True):
                plain = value.value if isinstance(value, Shown) else value
                writer.writerow(
                    (table.name, number, column, repr(plain) if isinstance(plain, float) else plain)
                )
    write_whole(path, text.getvalue().encode("utf-8-sig"))
