"""Risks: trading on a holiday, standing still on a trading day, a calendar that ends unnoticed."""

from __future__ import annotations

import csv
import gzip
import warnings
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest
import typer
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

import commands.calendar as command
from shared_schema import holiday_file
from shared_schema.disk import LocalDisk
from shared_schema.holiday_file import add_closed_days, add_known_year
from shared_schema.sessions import SHANGHAI
from shared_schema.trading_calendar import (
    CalendarError,
    TradingCalendar,
    YearDays,
    calendar_of_this_host,
    load_calendar,
)

MARKET = Path(__file__).parents[3] / "shared" / "data" / "market"
CLOSED_2027 = [
    date(2027, 1, 1), *(date(2027, 2, day) for day in (5, 8, 9, 10, 11, 12)), date(2027, 4, 5),
    date(2027, 5, 3), date(2027, 6, 9), date(2027, 9, 15), date(2027, 10, 1), date(2027, 10, 4),
]  # fmt: skip


def every_day(first: date, last: date) -> list[date]:
    return [first + timedelta(days=number) for number in range((last - first).days + 1)]


def test_the_shipped_years_are_whole_and_plausible() -> None:
    """2007 to 2026 without a gap: 16 to 23 closed weekdays each, no weekend listed, the fixed days in."""
    calendar = load_calendar()
    assert (calendar.known_from, calendar.known_until) == (date(2007, 1, 1), date(2026, 12, 31))
    for year in range(2007, 2027):
        closed = calendar.closed_days(year)
        assert 16 <= len(closed) <= 23
        assert all(day.weekday() < 5 and day.year == year for day in closed)
        for month, day in holiday_file.FIXED_HOLIDAYS:
            assert calendar.is_trading_day(date(year, month, day)) is False


def test_2026_as_announced() -> None:
    """The 19 closed weekdays of 2026; the worked weekends of the State Council do not trade."""
    closed = " ".join(f"{day:%m-%d}" for day in load_calendar().closed_days(2026))
    assert closed == (
        "01-01 01-02 02-16 02-17 02-18 02-19 02-20 02-23 04-06 05-01 05-04 05-05 06-19 09-25 "
        "10-01 10-02 10-05 10-06 10-07"
    )
    for worked in ((1, 4), (2, 14), (2, 28), (5, 9), (9, 20), (10, 10)):
        assert load_calendar().is_trading_day(date(2026, *worked)) is False


def test_the_shipped_file_agrees_with_the_librarys_calendar() -> None:
    """Day for day with exchange_calendars, where that is installed."""
    try:
        import exchange_calendars
    except ImportError:
        not_checked = "exchange_calendars is not installed: holidays.toml was NOT cross-checked"
        warnings.warn(not_checked, stacklevel=1)
        pytest.skip(not_checked)
    calendar = load_calendar()
    theirs = exchange_calendars.get_calendar("XSHG", start="2007-01-01", end=str(calendar.known_until))
    sessions = {session.date() for session in theirs.sessions}
    days = every_day(calendar.known_from, calendar.known_until)
    assert [day for day in days if calendar.is_trading_day(day) != (day in sessions)] == []


@pytest.mark.skipif(not MARKET.is_dir(), reason="the folder of real market data is not here")
def test_the_shipped_file_agrees_with_real_bars() -> None:
    """Every day of the SSE index from 2007 to 2011 traded exactly when the file says so."""
    with gzip.open(MARKET / "SH000001_day_19901219_20111206.csv.gz", "rt", encoding="utf-8") as file:
        traded = {date.fromisoformat(row["datetime"][:10]) for row in csv.DictReader(file)}
    calendar = load_calendar()
    days = every_day(date(2007, 1, 1), max(traded))
    assert [day for day in days if calendar.is_trading_day(day) != (day in traded)] == []


@given(st.dates(date(2027, 1, 1), date(2100, 12, 31)))
def test_no_later_date_is_known(day: date) -> None:
    """Not even a Sunday of an unlisted year is answered with yes or no."""
    assert load_calendar().is_trading_day(day) is None


def test_a_datetime_is_refused() -> None:
    """A datetime equals no date, so a holiday would pass as a trading day: it raises instead."""
    with pytest.raises(TypeError):
        load_calendar().is_trading_day(datetime(2026, 10, 1, 10, tzinfo=SHANGHAI))


@pytest.mark.parametrize(
    ("today", "left", "soon"),
    [
        (date(2026, 11, 30), 31, False),
        (date(2026, 12, 1), 30, True),
        (date(2026, 12, 31), 0, True),
        (date(2027, 1, 1), 0, True),
        (date(2025, 12, 31), 365, False),
        (date(1999, 1, 1), 0, True),
    ],
)
def test_the_end_is_announced_thirty_days_ahead(today: date, left: int, soon: bool) -> None:
    """Days left count to the end of the last year known without a gap."""
    assert load_calendar().days_left(today) == left
    assert load_calendar().ends_soon(today) is soon


def test_a_gap_ends_the_known_range() -> None:
    """A year known beyond an unknown one does not count as days left."""
    gap = TradingCalendar({2026: YearDays(True), 2028: YearDays(True)})
    assert gap.days_left(date(2026, 12, 1)) == 30
    assert gap.is_trading_day(date(2027, 3, 1)) is None


def test_the_users_file_adds_and_takes_back(tmp_path: Path) -> None:
    """Without ``complete`` a year is the shipped one with closed days added and open ones taken back."""
    own = tmp_path / "holidays.toml"
    own.write_text('[years.2026]\nclosed = [2026-09-18]\nopen = ["2026-09-25"]\n', encoding="utf-8")
    calendar = load_calendar(own)
    assert calendar.is_trading_day(date(2026, 9, 18)) is False
    assert calendar.is_trading_day(date(2026, 9, 25)) is True
    assert calendar.is_trading_day(date(2026, 10, 1)) is False
    assert load_calendar().is_trading_day(date(2026, 9, 18)) is True


def test_a_complete_year_of_the_users_replaces_ours(tmp_path: Path) -> None:
    """``complete = true`` makes the user's list the whole truth of that year, and of no other."""
    own = tmp_path / "holidays.toml"
    own.write_text("\ufeff[years.2026]\ncomplete = true\nclosed = [2026-01-01]\n", encoding="utf-8")
    calendar = load_calendar(own)
    assert calendar.closed_days(2026) == (date(2026, 1, 1),)
    assert calendar.closed_days(2025) == load_calendar().closed_days(2025)


def test_an_incomplete_year_stays_unknown(tmp_path: Path) -> None:
    """Some closed days do not make a year known: its other days still send nothing."""
    own = tmp_path / "holidays.toml"
    add_closed_days(own, [date(2027, 1, 1)])
    calendar = load_calendar(own)
    assert calendar.is_trading_day(date(2027, 1, 1)) is False
    assert calendar.is_trading_day(date(2027, 1, 4)) is None
    assert calendar.known_until == date(2026, 12, 31)


@pytest.mark.parametrize(
    "text",
    [
        "years = 3",
        "[years]\n2027 = 5",
        "[years.27]\n",
        "[years.２０２７]\n",
        "[years.2027]\ncomplete = 1",
        "[years.2027]\ncomplete = true\nclosed = 2027-01-01",
        '[years.2027]\nclosed = ["2027-13-01"]',
        '[years.2027]\nclosed = ["20270101"]',
        "[years.2027]\nclosed = [2027-01-01T00:00:00]",
        "[years.2027]\nclosed = [20270101]",
        "[years.2027]\nclosed = [true]",
        "[years.2027]\nclosed = [2026-01-01]",
        "[years.2027]\nclosd = [2027-01-01]",
        "[years.2027]\nopen = [2027-01-02]",
        "[years.2027]\nclosed = [2027-01-01]\nopen = [2027-01-01]",
        "[year.2027]\n",
        "[years.2027\n",
        "[years.2027]\n[years.2027]\n",
    ],
)
def test_a_wrong_holiday_file_is_an_error_never_half_a_calendar(tmp_path: Path, text: str) -> None:
    """Every mistake names the file, ends a command with 2, and yields no calendar."""
    own = tmp_path / "holidays.toml"
    own.write_text(text, encoding="utf-8")
    with pytest.raises(CalendarError) as caught:
        load_calendar(own)
    assert str(own) in str(caught.value)
    assert caught.value.exit_code == 2


def test_unreadable_holiday_files_are_errors(tmp_path: Path) -> None:
    """GBK bytes, a folder and a missing file are errors, not "no holidays"."""
    gbk = tmp_path / "gbk.toml"
    gbk.write_bytes("source = '休市'".encode("gbk"))
    for path in (gbk, tmp_path, tmp_path / "missing.toml"):
        with pytest.raises(CalendarError):
            load_calendar(path)


def test_adding_keeps_comments_and_what_was_there(tmp_path: Path) -> None:
    """A second addition joins the first; the user's comment stays; weekends and repeats are told."""
    own = tmp_path / "config" / "holidays.toml"
    assert add_closed_days(own, [date(2027, 1, 1)]).added == (date(2027, 1, 1),)
    own.write_text("# mine\n" + own.read_text(encoding="utf-8"), encoding="utf-8")
    done = add_closed_days(own, [date(2027, 1, 1), date(2027, 1, 2), date(2027, 2, 8)])
    assert (done.added, done.already) == ((date(2027, 2, 8),), (date(2027, 1, 1),))
    assert done.weekends == (date(2027, 1, 2),)
    assert own.read_text(encoding="utf-8").startswith("# mine\n")
    assert load_calendar(own).closed_days(2027) == (date(2027, 1, 1), date(2027, 2, 8))
    assert [path.name for path in own.parent.iterdir()] == ["holidays.toml"]


def test_a_year_becomes_known_by_a_plausible_list_only(tmp_path: Path) -> None:
    """Few days, or 1 October missing: refused and nothing written; a whole list makes the year known."""
    own = tmp_path / "holidays.toml"
    for days in ([date(2027, 1, 1)], [day for day in CLOSED_2027 if day != date(2027, 10, 1)]):
        with pytest.raises(CalendarError):
            add_known_year(own, 2027, days)
        assert not own.exists()
    add_closed_days(own, CLOSED_2027[:4])
    add_known_year(own, 2027, CLOSED_2027[4:])
    calendar = load_calendar(own)
    assert calendar.closed_days(2027) == tuple(CLOSED_2027)
    assert calendar.is_trading_day(date(2027, 1, 4)) is True
    assert calendar.days_left(date(2026, 12, 1)) == 395
    with pytest.raises(CalendarError):
        add_known_year(own, 2027, [date(2028, 1, 3)])


def test_a_damaged_user_file_is_not_overwritten(tmp_path: Path) -> None:
    """Adding to a file that does not parse changes no byte of it."""
    own = tmp_path / "holidays.toml"
    own.write_text("[years.2027\n", encoding="utf-8")
    with pytest.raises(CalendarError):
        add_closed_days(own, [date(2027, 1, 1)])
    assert own.read_text(encoding="utf-8") == "[years.2027\n"


def test_closing_a_day_undoes_its_opening(tmp_path: Path) -> None:
    """A day taken back earlier and now added as closed is closed."""
    own = tmp_path / "holidays.toml"
    own.write_text("[years.2026]\nopen = [2026-09-25]\n", encoding="utf-8")
    add_closed_days(own, [date(2026, 9, 25)])
    assert load_calendar(own).is_trading_day(date(2026, 9, 25)) is False


def test_the_write_is_one_step(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A rename that fails leaves the old file and no litter, and says so."""
    own = tmp_path / "holidays.toml"
    add_closed_days(own, [date(2027, 1, 1)])
    before = own.read_bytes()

    def refuse(*_: object) -> None:
        raise PermissionError(13, "held open")

    monkeypatch.setattr(LocalDisk, "replace", refuse)
    with pytest.raises(CalendarError):
        add_closed_days(own, [date(2027, 2, 8)])
    assert own.read_bytes() == before
    assert list(tmp_path.iterdir()) == [own]


def run(*words: str) -> tuple[int, str]:
    app = typer.Typer()
    command.register(app)
    result = CliRunner().invoke(app, ["calendar", *words])
    return result.exit_code, result.output


def test_the_command_adds_ranges_and_says_what_is_still_unknown(tmp_path: Path) -> None:
    """miniqmt calendar add: ranges, the year still unknown, then complete; wrong dates end with 2."""
    own = str(tmp_path / "holidays.toml")
    code, said = run("add", "2027-01-01", "2027-02-05..2027-02-12", "--file", own)
    assert code == 0 and "--complete" in said and "2027-02-12" in said
    rest = [str(day) for day in CLOSED_2027[7:]]
    code, said = run("add", *rest, "--complete", "--file", own)
    assert code == 0 and "--complete" not in said
    assert load_calendar(Path(own)).closed_days(2027) == tuple(CLOSED_2027)
    code, said = run("show", "2027", "--file", own)
    assert code == 0 and "02-05" in said
    for wrong in ("2027-13-01", "20270101", "2027-02-12..2027-02-05", "2027-01-01..2027-12-31", "休市", ""):
        assert run("add", wrong, "--file", own)[0] == 2
    assert run("add", "2027-01-01", "2028-01-03", "--complete", "--file", own)[0] == 2


def test_this_hosts_own_file_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What ``add`` wrote to the config folder is what both sides load."""
    own = tmp_path / "holidays.toml"
    monkeypatch.setattr("shared_schema.trading_calendar.user_file", lambda: own)
    assert calendar_of_this_host().is_trading_day(date(2026, 9, 18)) is True
    add_closed_days(own, [date(2026, 9, 18)])
    assert calendar_of_this_host().is_trading_day(date(2026, 9, 18)) is False
