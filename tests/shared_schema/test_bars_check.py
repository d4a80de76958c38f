"""The risk: history with holes and slips is believed, and a strategy is tuned on it."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import pytest

from shared_schema.bars_check import check_bars
from shared_schema.errors import DataError
from shared_schema.trading_calendar import load_calendar

SAMPLE = Path(__file__).resolve().parents[2] / "shared_schema" / "sample" / "sample_159201.csv"
CALENDAR = load_calendar()


def minutes(day: str, *, shift: int = 0) -> list[str]:
    """The 240 labels of a day, ``shift`` minutes off."""
    morning = [datetime.fromisoformat(f"{day} 09:31") + timedelta(minutes=n) for n in range(120)]
    afternoon = [datetime.fromisoformat(f"{day} 13:01") + timedelta(minutes=n) for n in range(120)]
    return [
        (moment + timedelta(minutes=shift)).strftime("%Y-%m-%d %H:%M:%S") for moment in morning + afternoon
    ]


def file_of(folder: Path, labels: list[str], rows: dict[str, str] | None = None) -> Path:
    """A file with a flat price of 1.05 at each label; ``rows`` replaces what follows some of them."""
    text = "time,open,high,low,close\n"
    for label in labels:
        text += f"{label},{(rows or {}).get(label, '1.050,1.051,1.049,1.050')}\n"
    path = folder / "bars.csv"
    path.write_text(text, encoding="utf-8")
    return path


def found(path: Path) -> list[tuple[str, int]]:
    """Kind and line of every finding."""
    return [(finding.kind, finding.line) for finding in check_bars(path, CALENDAR).findings]


def test_a_clean_file_has_no_finding() -> None:
    """Or every finding below would prove nothing."""
    checked = check_bars(SAMPLE, CALENDAR)
    assert (checked.findings, checked.bars, checked.days, checked.counts) == ((), 1920, 8, {})


def test_every_wrong_row_is_named_with_its_line(tmp_path: Path) -> None:
    """All of them, not the first: duplicate, backwards, zero, not a number, outside, UTC, cut short."""
    day = minutes("2025-06-04")
    labels = [*day[:10], day[9], day[3], *day[10:]]
    path = file_of(
        tmp_path, labels, {day[20]: "0,1.051,1.049,1.050", day[21]: "1.05,nan,1.04,1.05", day[22]: "1.05"}
    )
    text = path.read_text("utf-8")
    path.write_text(text + "2025-06-04 20:00:00,1,1,1,1\n2025-06-04 01:31:00,1,1,1,1\n", encoding="utf-8")
    checked = check_bars(path, CALENDAR)
    wrong = [(finding.kind, finding.line) for finding in checked.findings if finding.wrong]
    assert wrong == [
        ("duplicate_time", 12), ("unsorted", 13), ("not_a_price", 24), ("not_a_number", 25),
        ("cell_count", 26), ("outside_session", 244), ("utc_time", 245),
    ]  # fmt: skip
    assert checked.has_wrong_rows and checked.counts["gap"] == 1  # the three wrong rows are no bars either


def test_missing_minutes_are_one_finding_a_run(tmp_path: Path) -> None:
    """At the line after the hole; the silent minutes of the closing call are none; a cut end is one."""
    first, second = minutes("2025-06-04"), minutes("2025-06-05")
    labels = [*first[:5], *first[8:117], *first[125:237], first[239], *second[:200]]
    assert found(file_of(tmp_path, labels)) == [("gap", 7), ("gap", 116), ("gap", 428)]
    texts = [finding.text for finding in check_bars(tmp_path / "bars.csv", CALENDAR).findings]
    assert "09:36–09:38" in texts[0] and "11:28–13:05" in texts[1] and "14:21–15:00" in texts[2]


def test_days_are_held_against_the_calendar(tmp_path: Path) -> None:
    """A trading day left out, a Saturday with bars; the national holidays are no gap."""
    labels = minutes("2025-06-04") + minutes("2025-06-06") + minutes("2025-06-07")
    assert found(file_of(tmp_path, labels)) == [("missing_days", 242), ("closed_day", 482)]
    holidays = minutes("2025-09-30") + minutes("2025-10-09")
    assert found(file_of(tmp_path, holidays)) == []


def test_a_price_that_jumps_and_an_ex_date_are_told_apart(tmp_path: Path) -> None:
    """Ten times off for a minute (out and back), and an opening far below the last close."""
    day, after = minutes("2025-06-04"), minutes("2025-06-05")
    lower = {label: "0.500,0.501,0.499,0.500" for label in after}
    path = file_of(tmp_path, day + after, {day[50]: "10.50,10.51,10.49,10.50", **lower})
    assert found(path) == [("outlier", 52), ("outlier", 53), ("night_jump", 242)]


def test_a_lively_fund_is_no_outlier(tmp_path: Path) -> None:
    """Moves of one percent a minute all day are the usual of that file."""
    day = minutes("2025-06-04")
    rows = {
        label: "1.060,1.062,1.058,1.060" if n % 2 else "1.050,1.052,1.048,1.050"
        for n, label in enumerate(day)
    }
    assert found(file_of(tmp_path, day, rows)) == []


def test_labels_at_the_beginning_of_the_minute_are_said(tmp_path: Path) -> None:
    """09:30 to 14:59 is another convention, not a hole a day."""
    labels = minutes("2025-06-04", shift=-1) + minutes("2025-06-05", shift=-1)
    assert found(file_of(tmp_path, labels)) == [("start_labels", 0)]


def test_prints_are_not_checked_as_bars(tmp_path: Path) -> None:
    """A minute without a print is no hole."""
    path = tmp_path / "prints.csv"
    path.write_text("datetime,price,volume_lots\n2025-06-04 09:31:00,1.0,5\n", encoding="utf-8")
    with pytest.raises(DataError) as problem:
        check_bars(path, CALENDAR)
    assert problem.value.key == "bars_file.not_bars"
