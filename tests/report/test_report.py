"""The risk: a report that looks careful and whose numbers do not add up, or that needs the network."""

from __future__ import annotations

import csv
import re
from dataclasses import replace
from pathlib import Path

import pytest

from commands.backtest import SAMPLES, backtest
from mac_side.backtest.engine import run_backtest
from mac_side.backtest.metrics import metrics_of
from mac_side.backtest.result import BacktestResult
from mac_side.backtest.series import series_of
from mac_side.report import tables
from mac_side.report.lot_results import lot_results
from mac_side.report.page import Part, Tile, page
from mac_side.report.report import benchmark_of
from mac_side.strategy.parameters import GridParameters, with_settings
from mac_side.strategy.presets import preset
from shared_schema.errors import DataError
from tests.backtest.engines_agree import case
from tests.strategy.series import random_bars

SETTINGS: list[dict[str, object]] = [
    {},
    {"sell_by_lot": False},
    {"enable_float_loss_stop": True, "max_cycle_float_loss": 300, "live_rules": True},
]


def result_of(settings: dict[str, object], days: int = 45) -> BacktestResult:
    bars = random_bars(3, days=days, ticks=1.5)
    return run_backtest(bars, with_settings(preset("159201"), settings), engine="python")


@pytest.mark.parametrize("settings", SETTINGS)
def test_the_parts_add_up_to_the_whole(settings: dict[str, object]) -> None:
    """Months, cycles and lots (sold ones, and those still held at the last close) each add up to alpha."""
    result = result_of(settings)
    metrics = metrics_of(result)
    months = tables.monthly(result).rows
    assert len(months) == 2
    assert sum(row[1] for row in months) == pytest.approx(metrics.alpha)
    assert sum(row[2] for row in months) == pytest.approx(metrics.beta_profit)
    assert sum(row[4] for row in months) == metrics.trades
    assert sum(row[6] for row in tables.cycles(result).rows) == pytest.approx(metrics.alpha)
    held = sum(lot.shares * float(result.close[-1]) - lot.cost for lot in result.state.lots)
    fees_of_held = sum(result.parameters.fee(lot.cost) for lot in result.state.lots)
    if settings.get("live_rules"):
        fees_of_held = max(fees_of_held, 5.0 * len(result.state.lots))
    sold = sum(each.profit for each in lot_results(result))
    assert sold + held - fees_of_held == pytest.approx(metrics.alpha, abs=1e-6)


@pytest.mark.parametrize("seed", range(12))
def test_every_lot_is_sold_once_and_after_it_was_bought(seed: int) -> None:
    """Under any settings each sale names lots that were held, and buys less sales are the lots left."""
    bars, parameters = case(2_000 + seed)
    result = run_backtest(bars, parameters, engine="python")
    found = lot_results(result)
    assert all(each.bars >= 0 for each in found)
    assert metrics_of(result).buys - len(found) == len(result.state.lots)


def test_costs_are_what_a_run_at_those_costs_gives() -> None:
    """The 5 yuan line equals a run with ``min_commission=5``; ticks cost a tick a share and side."""
    result = result_of({}, days=12)
    rows = {row[0]: row for row in tables.costs(result, 0.001).rows}
    real = run_backtest(
        random_bars(3, days=12, ticks=1.5), replace(preset("159201"), min_commission=5.0), engine="python"
    )
    assert rows["five_yuan"][2] == pytest.approx(float(real.equity[-1]))
    shares = sum(trade.shares for trade in result.trades)
    assert rows["as_run"][2] - rows["two_ticks"][2] == pytest.approx(shares * 0.002)
    assert rows["no_costs"][2] == pytest.approx(rows["as_run"][2] + sum(trade.fee for trade in result.trades))


def test_holding_is_the_whole_capital_in_the_fund() -> None:
    """Buy-and-hold earns the fund's own change on the same capital, with the fund's own deepest fall."""
    result = result_of({}, days=12)
    rows = {row[0]: row for row in tables.compared(result, None).rows}
    change = float(result.close[-1] / result.close[0]) - 1
    assert rows["held"][1:3] == pytest.approx((change * 500_000, change))
    assert rows["grid_and_base"][1] == pytest.approx(metrics_of(result).total_profit)


def test_a_benchmark_is_its_last_known_close() -> None:
    """A coarser series is carried forward, never read ahead; one that begins later is refused."""
    result = result_of({}, days=2)
    hourly = random_bars(9, days=2)[::60]
    benchmark = benchmark_of("b", series_of(hourly), result.end)
    for row in (0, 100, len(result.end) - 1):
        known = [bar.close for bar in hourly if bar.end <= result.end[row]]
        assert benchmark.close[row] == known[-1]
    with pytest.raises(DataError):
        benchmark_of("b", series_of(hourly[3:]), result.end)


@pytest.mark.slow
def test_the_report_is_one_file_that_opens_offline(tmp_path: Path) -> None:
    """No script, no link, no picture from elsewhere; every part is there, and its numbers are in the CSV."""
    target = tmp_path / "R.html"
    sample = SAMPLES / "sample_159201.csv"
    assert backtest(csv=sample, report=target, benchmark=SAMPLES / "sample_512890.csv", engine="python") == 0
    text = target.read_text(encoding="utf-8")
    assert not re.search(r"https?://|<script|<link|src=\"(?!data:)", text)
    assert text.count("data:image/png;base64,") == 4
    for words in (
        "权益与回撤",
        "逐月",
        "逐周期",
        "实盘规则",
        "成本敏感性",
        "基准",
        "全部参数",
        "数据范围",
        "240,000",
    ):
        assert words in text
    with (tmp_path / "R.csv").open(encoding="utf-8-sig") as file:
        rows = list(csv.DictReader(file))
    names = {row["table"] for row in rows}
    wanted = {"metrics", "compared", "costs", "monthly", "cycles", "lots", "parameters", "trades"}
    assert names == wanted
    alpha = float(
        next(row["value"] for row in rows if row["table"] == "metrics" and row["column"] == "plain_rules")
    )
    assert f"{alpha:,.2f}" in text


def test_what_the_user_gave_is_escaped() -> None:
    """A file name with markup in it stays text."""
    text = page(
        "<b>x</b>", "a&b", [Tile("alpha", "<i>")], ["<script>"], [Part("part_data", sentences=["<p>"])]
    )
    assert "<b>x</b>" not in text and "<script>" not in text and "&lt;p&gt;" in text


@pytest.mark.slow
def test_a_run_without_trades_has_a_report(tmp_path: Path) -> None:
    """Nothing traded: zeros, not errors."""
    bars = [bar._replace(open=1.0, close=1.0, high=1.0, low=1.0) for bar in random_bars(1, days=1)]
    path = tmp_path / "flat.csv"
    lines = [f"{bar.end:.0f},1,1,1,1" for bar in bars]
    path.write_text("\n".join(["time,open,high,low,close", *lines]), encoding="utf-8")
    assert backtest(csv=path, report=tmp_path / "R.html", engine="python") == 0
    assert GridParameters().curve_base == 500_000
    assert "0.00" in (tmp_path / "R.html").read_text(encoding="utf-8")
