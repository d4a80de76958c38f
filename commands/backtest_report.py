"""What ``miniqmt backtest --report`` tells the report besides the run itself."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from mac_side.backtest.compiled import Engine
from mac_side.backtest.metrics import FEW_DAYS, count_days
from mac_side.backtest.read_series import read_series
from mac_side.backtest.result import BacktestResult
from mac_side.report.report import Told, benchmark_of, write_report
from shared_schema.bars_check import check_bars
from shared_schema.bars_file import file_kind
from shared_schema.instruments import instrument, parse_code
from shared_schema.trading_calendar import calendar_of_this_host
from shared_schema.words import say_both


class ReportAbout(NamedTuple):
    """The run's name, its file and code, another file to compare with, and the traps its parameters hold."""

    name: str
    path: Path
    code: str
    engine: Engine
    benchmark: Path | None
    traps: Sequence[str]


def write_report_of(report: Path, result: BacktestResult, other: BacktestResult, about: ReportAbout) -> Path:
    """Write the report and the CSV beside it, whose path it gives. Raises DataError or FolderError."""
    against = None
    if about.benchmark is not None:
        series = read_series(about.benchmark, about.engine)
        against = benchmark_of(about.benchmark.name, series, result.end)
    findings: list[str] = []
    if file_kind(about.path) == "bars":
        findings = [each.text for each in check_bars(about.path, calendar_of_this_host()).findings]
    traps = list(about.traps)
    if not result.parameters.live_rules:
        traps.append(say_both("report.trap_same_day"))
        if result.parameters.min_commission == 0:
            traps.append(say_both("report.trap_no_minimum"))
    tick = float(instrument(parse_code(about.code)).tick_size)
    if (days := count_days(result.day)) < FEW_DAYS:
        traps.append(say_both("backtest.extrapolated", days=days))
    told = Told(about.name, about.path.name, other, tick, findings, traps, against)
    return write_report(report, result, told)
