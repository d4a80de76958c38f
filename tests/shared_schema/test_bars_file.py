"""The risk: a bad row that becomes a trade."""

from __future__ import annotations

import gzip
from datetime import datetime
from pathlib import Path

import pytest

from shared_schema.bars_file import Bar, TickPrint, bars_of_prints, file_kind, one_day, read_bars, read_prints
from shared_schema.errors import DataError
from shared_schema.shanghai import day_of, minute_of_day, shanghai, unix_seconds

MARKET = Path(__file__).resolve().parents[3] / "shared" / "data" / "market"
HEADER = "time,open,high,low,close\n"
GOOD = "2024-01-02 09:31:00,1,1.1,0.9,1\n"


def written(folder: Path, text: str) -> Path:
    path = folder / "bars.csv"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("rows", "reason", "line"),
    [
        ("2024-01-02 09:31:00,1,1.1,0.9,1\n2024-01-02 09:31:00,1,1.1,0.9,1\n", "duplicate_time", 3),
        ("2024-01-02 09:32:00,1,1.1,0.9,1\n2024-01-02 09:31:00,1,1.1,0.9,1\n", "unsorted", 3),
        (GOOD + "2024-01-02 09:32:00,1,1.1,0.9,nan\n", "not_a_number", 3),
        (GOOD + "2024-01-02 09:32:00,1,1.1,0.9,inf\n", "not_a_number", 3),
        (GOOD + "2024-01-02 09:32:00,1,1.1,0.9,\n", "not_a_number", 3),
        (GOOD + "2024-01-02 09:32:00,1,1.1,0.9,1_0\n", "not_a_number", 3),
        (GOOD + "2024-01-02 09:32:00,1,1.1,0,1\n", "not_a_price", 3),
        (GOOD + "2024-01-02 09:32:00,1,1.1,-1,1\n", "not_a_price", 3),
        (GOOD + "2024-01-02 09:32:00,1,1.1,1.05,1\n", "high_low", 3),
        (GOOD + "2024-01-02 09:32:00,1,1.1\n", "cell_count", 3),
        ("2024-01-02 01:31:00,1,1.1,0.9,1\n", "utc_time", 2),
        ("1704159060,1,1.1,0.9,1\n1704130260,1,1,1,1\n", "outside_session", 3),
        ("2024-01-02 20:31:00,1,1.1,0.9,1\n", "outside_session", 2),
        ("2024-01-02 12:31:00,1,1.1,0.9,1\n", "outside_session", 2),
        ("2024-01-02,1,1.1,0.9,1\n", "not_a_time", 2),
        ("2024-13-02 09:31:00,1,1.1,0.9,1\n", "not_a_time", 2),
        ("2024-01-02 09:61:00,1,1.1,0.9,1\n", "not_a_time", 2),
        ("soon,1,1.1,0.9,1\n", "not_a_time", 2),
    ],
)
def test_a_bad_row_is_named_with_its_line(tmp_path: Path, rows: str, reason: str, line: int) -> None:
    """Every kind of bad row is a DataError that says file, line and reason; exit code 2."""
    with pytest.raises(DataError) as wrong:
        read_bars(written(tmp_path, HEADER + rows))
    assert wrong.value.key == f"bars_file.{reason}" or reason == "outside_session"
    assert wrong.value.values["line"] == line
    assert "bars.csv" in str(wrong.value)
    assert wrong.value.exit_code == 2


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "empty"),
        ("# only a comment\n", "empty"),
        (HEADER, "empty"),
        ("time,open,high,close\n" + GOOD, "missing_columns"),
        ("time,price\n2024-01-02 09:31:00,1\n", "missing_columns"),
    ],
)
def test_a_file_without_bars_is_refused(tmp_path: Path, text: str, reason: str) -> None:
    """Empty files and missing columns are named as such."""
    with pytest.raises(DataError) as wrong:
        read_bars(written(tmp_path, text))
    assert wrong.value.key == f"bars_file.{reason}"


def test_what_is_no_text_is_refused(tmp_path: Path) -> None:
    """A missing file, a folder, another encoding and a torn gzip are DataErrors, not tracebacks."""
    gbk, torn = tmp_path / "gbk.csv", tmp_path / "torn.csv.gz"
    gbk.write_bytes("时间,开".encode("gbk"))
    torn.write_bytes(gzip.compress((HEADER + GOOD * 50).encode())[:-9])
    for path in (tmp_path / "none.csv", tmp_path, gbk, torn):
        with pytest.raises(DataError):
            read_bars(path)


@pytest.mark.parametrize(
    "time",
    [
        "2024-01-02 09:31:00",
        "2024-01-02T09:31:00",
        "2024-01-02 09:31",
        "2024-01-02T09:31:00+08:00",
        "2024-01-02T01:31:00+00:00",
        "20240102093100",
        "202401020931",
        "1704159060",
        "1704159060000",
        "1704159060.0",
    ],
)
def test_every_form_of_time_means_the_same_minute(tmp_path: Path, time: str) -> None:
    """ISO, compact, epoch seconds and milliseconds all are 09:31 in Shanghai; a stated zone is honoured."""
    (bar,) = read_bars(written(tmp_path, HEADER + f"{time},1,1.1,0.9,1\n"))
    assert shanghai(bar.end) == datetime(2024, 1, 2, 9, 31)
    assert unix_seconds(shanghai(bar.end)) == bar.end == 1704159060.0
    assert (minute_of_day(bar.end), day_of(bar.end)) == (571, "2024-01-02")


def test_columns_come_in_any_order_with_comments_and_bom(tmp_path: Path) -> None:
    """Comment lines, a BOM, upper case, other columns and empty volume are accepted; gzip by its content."""
    text = (
        "\ufeff# generated\nwhen,Volume,CLOSE,low,high,open,note\n2024-01-02 09:31:00,,1.0,0.9,1.1,1.05,x\n"
    )
    path = tmp_path / "bars.csv"
    path.write_bytes(gzip.compress(text.encode("utf-8")))
    assert read_bars(path) == (Bar(1704159060.0, 1.05, 1.1, 0.9, 1.0, 0.0, 0.0),)


def test_prints_become_minute_bars_by_the_minutes_end(tmp_path: Path) -> None:
    """09:25 goes into 09:31, 11:30 and 15:00 into their own bars, lots become shares, a second may repeat."""
    rows = ["09:25:02,10.0,1", "09:30:05,10.2,2", "09:30:05,9.9,3", "09:31:00,10.1,1", "11:29:59,10.3,1"]
    rows += ["11:30:00,10.4,1", "13:00:01,10.5,1", "14:59:59,10.6,1", "15:00:01,10.7,5"]
    text = "datetime,price,volume_lots\n" + "".join(f"2024-01-02T{row}\n" for row in rows)
    path = written(tmp_path, text)
    assert file_kind(path) == "prints"
    prints = read_prints(path)
    assert prints[0] == TickPrint(unix_seconds(datetime(2024, 1, 2, 9, 25, 2)), 10.0, 100.0)
    bars = read_bars(path)
    assert bars == bars_of_prints(prints)
    assert [shanghai(bar.end).strftime("%H:%M") for bar in bars] == [
        "09:31", "09:32", "11:30", "13:01", "15:00"
    ]  # fmt: skip
    assert bars[0][1:6] == (10.0, 10.2, 9.9, 9.9, 600.0)
    assert bars[2][1:6] == (10.3, 10.4, 10.3, 10.4, 200.0)
    assert bars[4][1:6] == (10.6, 10.7, 10.6, 10.7, 600.0)


def test_prints_that_go_back_in_time_are_refused(tmp_path: Path) -> None:
    """Several prints may share a second; none may come before another."""
    text = "datetime,price,volume_lots\n2024-01-02 09:31:05,1,1\n2024-01-02 09:31:04,1,1\n"
    with pytest.raises(DataError) as wrong:
        read_prints(written(tmp_path, text))
    assert wrong.value.key == "bars_file.unsorted"
    with pytest.raises(DataError):
        read_prints(written(tmp_path, HEADER + GOOD))


def test_one_day_is_the_last_unless_named(tmp_path: Path) -> None:
    """A day is picked by its Shanghai date; one that is not there is said with the range."""
    path = written(tmp_path, HEADER + GOOD + "2024-01-03 09:31:00,2,2,2,2\n")
    bars = read_bars(path)
    assert one_day(bars) == bars[1:]
    assert one_day(bars, "2024-01-02") == bars[:1]
    with pytest.raises(DataError, match="2024-01-03"):
        one_day(bars, "2024-01-04")


@pytest.mark.skipif(not MARKET.is_dir(), reason="../shared/data/market is not here")
@pytest.mark.slow
def test_real_prints_give_the_bars_derived_elsewhere() -> None:
    """On four real codes the bars made here equal those derived elsewhere, but for the amount."""
    for code in ("SH600000", "SH600004", "SZ000001", "SZ000002"):
        made = read_bars(MARKET / f"{code}_trans_20190201_20190211.csv.gz")
        derived = read_bars(MARKET / f"{code}_1min_from_trans_20190201_20190211.csv.gz")
        assert [bar[:6] for bar in made] == [bar[:6] for bar in derived]
