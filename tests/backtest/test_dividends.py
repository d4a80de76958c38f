"""Ex-dates in the backtest: a gap that is no fall trades nothing, and its money is not lost."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from commands.main import app_for
from mac_side.backtest.dividends import Dividend, read_dividends, run_with_dividends
from mac_side.backtest.engine import run_backtest
from mac_side.backtest.prepared import prepare
from mac_side.backtest.read_series import read_series
from mac_side.backtest.series import BarSeries
from mac_side.strategy.presets import preset
from shared_schema.errors import DataError

SAMPLE = Path(__file__).resolve().parents[2] / "shared_schema" / "sample" / "sample_159201.csv"
EX_DAY = date(2025, 6, 10)
GRID = preset("demo")


def after_split(series: BarSeries, factor: float) -> BarSeries:
    """The same market with prices of the ex-day and later times ``factor``."""
    days = np.array([date.fromordinal(int(day) + date(1970, 1, 1).toordinal()) for day in series.day])
    scale = np.where(days >= EX_DAY, factor, 1.0)
    parts = [getattr(series, name) * scale for name in ("open", "high", "low", "close")]
    return BarSeries(series.end, *parts, series.volume, series.amount)


def test_without_an_ex_date_it_is_the_plain_backtest() -> None:
    """To the bit."""
    series = read_series(SAMPLE)
    plain = run_backtest(series, GRID)
    same = run_with_dividends(prepare(series, GRID), GRID, ())
    assert same.trades == plain.trades and same.equity.tolist() == plain.equity.tolist()
    assert len(plain.table) > 20


def test_a_split_that_is_followed_sells_and_loses_nothing() -> None:
    """Shares one to two: on the ex-day nothing is bought or sold for the gap, the equity goes on."""
    series = after_split(read_series(SAMPLE), 0.5)
    prepared = prepare(series, GRID)
    done = run_with_dividends(prepared, GRID, (Dividend(EX_DAY, 0.5, "split"),))
    (change,) = done.adjusted
    assert change.shares > 0 and change.cash == 0.0 and not change.without_gap
    assert abs(done.equity[change.row] - done.equity[change.row - 1]) < 300.0
    held = done.shares[change.row - 1]
    assert change.shares == held
    ignored = run_backtest(series, GRID)
    assert abs(ignored.equity[change.row] - ignored.equity[change.row - 1]) > 10_000.0


def test_cash_that_is_paid_out_arrives() -> None:
    """Two percent paid out: shares stay, their money comes, cost and prices follow, the base is told."""
    series = after_split(read_series(SAMPLE), 0.98)
    done = run_with_dividends(prepare(series, GRID), GRID, (Dividend(EX_DAY, 0.98),))
    (change,) = done.adjusted
    held, close = int(done.shares[change.row - 1]), float(done.close[change.row - 1])
    assert held > 0 and change.shares == 0
    assert change.cash == pytest.approx(held * close * 0.02)
    assert done.base_dividends == pytest.approx(300_000.0 / float(done.close[0]) * close * 0.02)
    step = done.equity[change.row] - done.equity[change.row - 1]
    assert abs(step) < 300.0, "the gap is paid for"


def test_adjusted_bars_with_a_table_are_noticed() -> None:
    """Without the gap the table would be followed twice: said."""
    done = run_with_dividends(prepare(read_series(SAMPLE), GRID), GRID, (Dividend(EX_DAY, 0.98),))
    assert done.adjusted[0].without_gap


def test_ex_dates_outside_the_series_do_nothing() -> None:
    """Before the first simulated day nothing was held, after the last nothing is."""
    table = (Dividend(date(2020, 1, 2), 0.5), Dividend(date(2030, 1, 2), 0.5))
    done = run_with_dividends(prepare(read_series(SAMPLE), GRID), GRID, table)
    assert done.adjusted == ()


@pytest.mark.parametrize(
    ("text", "key", "line"),
    [
        ("day,factor\n", "no_header", None),
        ("date,factor\n2025-06-10,abc\n", "bad_row", 2),
        ("date,factor\n2025-06-10\n", "bad_row", 2),
        ("date,factor\n10.6.2025,0.5\n", "bad_row", 2),
        ("date,factor\n2025-06-10,0\n", "bad_row", 2),
        ("date,factor\n2025-06-10,nan\n", "bad_row", 2),
        ("date,factor,kind\n2025-06-10,0.5,gift\n", "bad_row", 2),
        ("# x\ndate,factor\n2025-06-10,0.5\n\n2025-06-10,0.9\n", "unsorted", 5),
    ],
)
def test_a_wrong_table_is_named_with_its_line(tmp_path: Path, text: str, key: str, line: int | None) -> None:
    """A factor that is guessed would scale real money."""
    path = tmp_path / "d.csv"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(DataError) as problem:
        read_dividends(path)
    assert problem.value.key == f"dividends.{key}" and problem.value.values.get("line") == line


def test_the_command_follows_a_table(tmp_path: Path) -> None:
    """``--dividends FILE`` says what was paid, and that the bars show no gap."""
    path = tmp_path / "d.csv"
    path.write_text("date,factor,kind\n2025-06-10,0.98,cash\n", encoding="utf-8")
    words = ["backtest", "--preset", "159201", "--dividends", str(path)]
    ended = CliRunner().invoke(app_for(words), words)
    assert ended.exit_code == 0, ended.exception
    assert "除权除息 1 次" in ended.output and "可能已复权" in ended.output
