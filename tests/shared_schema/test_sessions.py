"""Risks: an order or a cancel outside the session, a day or a zone counted wrongly."""

from __future__ import annotations

import math
from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared_schema.sessions import (
    SHANGHAI,
    TRADING_SECONDS_A_DAY,
    ClockError,
    SessionState,
    after_trading_seconds,
    date_of,
    final_list_at,
    hms,
    last_cancel_at,
    may_cancel,
    may_place,
    next_opening,
    screen_words,
    shanghai,
    state_at,
    trading_day_of,
    trading_seconds_between,
    unix,
)
from shared_schema.trading_calendar import TradingCalendar, load_calendar
from shared_schema.words import pair

CALENDAR = load_calendar()
FRIDAY, MONDAY = "2026-09-18", "2026-09-21"


def at(day: str, clock: str) -> float:
    """Unix seconds of a Shanghai date and clock."""
    return datetime.fromisoformat(f"{day}T{clock}+08:00").timestamp()


@pytest.mark.parametrize(
    ("clock", "before", "from_here"),
    [
        ("09:15:00", SessionState.CLOSED, SessionState.OPENING_CALL),
        ("09:20:00", SessionState.OPENING_CALL, SessionState.OPENING_CALL_NO_CANCEL),
        ("09:25:00", SessionState.OPENING_CALL_NO_CANCEL, SessionState.SILENT),
        ("09:30:00", SessionState.SILENT, SessionState.CONTINUOUS),
        ("11:30:00", SessionState.CONTINUOUS, SessionState.LUNCH),
        ("13:00:00", SessionState.LUNCH, SessionState.CONTINUOUS),
        ("14:57:00", SessionState.CONTINUOUS, SessionState.CLOSING_CALL),
        ("15:00:00", SessionState.CLOSING_CALL, SessionState.CLOSED),
        ("15:05:00", SessionState.CLOSED, SessionState.AFTER_HOURS),
        ("15:30:00", SessionState.AFTER_HOURS, SessionState.CLOSED),
    ],
)
def test_every_boundary_to_the_second(clock: str, before: SessionState, from_here: SessionState) -> None:
    """The new state begins at the second itself; a millisecond before it is still the old one."""
    moment = at(FRIDAY, clock)
    assert state_at(moment - 1, CALENDAR) is before
    assert state_at(moment - 0.001, CALENDAR) is before
    assert state_at(moment, CALENDAR) is from_here
    assert state_at(shanghai(moment), CALENDAR) is from_here


def test_the_whole_day_has_237_minutes_to_place_in() -> None:
    """Over every second of a day: placing for 14,220 of them, in 9:30-11:30 and 13:00-14:57."""
    midnight = at(FRIDAY, "00:00:00")
    placing = [n for n in range(86_400) if may_place(state_at(midnight + n, CALENDAR))]
    assert len(placing) == TRADING_SECONDS_A_DAY == 14_220
    assert (hms(midnight + placing[0]), hms(midnight + placing[-1])) == ("09:30:00", "14:56:59")


def test_cancels_never_go_where_the_exchange_takes_none() -> None:
    """None from 9:20 to 9:30, at lunch, 14:57 to 15:00, on closed or unknown days."""
    assert {state for state in SessionState if may_cancel(state)} == {
        SessionState.OPENING_CALL,
        SessionState.CONTINUOUS,
        SessionState.AFTER_HOURS,
    }
    assert {state for state in SessionState if may_place(state)} == {SessionState.CONTINUOUS}


@pytest.mark.parametrize("day", ["2026-09-19", "2026-09-20", "2026-10-01", "2026-02-28", "2020-01-31"])
def test_closed_days_are_closed_all_day(day: str) -> None:
    """Weekends, worked weekends (调休) and holidays: no moment of them trades."""
    for clock in ("00:00:00", "09:15:00", "10:00:00", "14:00:00", "23:59:59"):
        assert state_at(at(day, clock), CALENDAR) is SessionState.HOLIDAY


@pytest.mark.parametrize("day", ["2027-01-04", "2006-06-01", "2099-05-05", "1970-01-02"])
def test_an_unknown_date_fails_closed(day: str) -> None:
    """A date the calendar does not know sends nothing, on no clock, and promises no opening."""
    moment = at(day, "10:00:00")
    assert state_at(moment, CALENDAR) is SessionState.UNKNOWN_DATE
    assert not may_place(state_at(moment, CALENDAR))
    assert next_opening(moment, CALENDAR) is None
    assert trading_seconds_between(moment, moment + 600, CALENDAR) == 0
    assert state_at(at(FRIDAY, "10:00:00"), TradingCalendar({})) is SessionState.UNKNOWN_DATE


def test_the_calendars_last_evening() -> None:
    """After the last known session there is no next opening, and counting stops there."""
    last = at("2026-12-31", "14:50:00")
    assert state_at(last, CALENDAR) is SessionState.CONTINUOUS
    assert next_opening(last, CALENDAR) is None
    assert after_trading_seconds(last, 421, CALENDAR) is None
    assert after_trading_seconds(last, 420, CALENDAR) == at("2026-12-31", "14:57:00")
    assert trading_seconds_between(last, at("2031-01-01", "12:00:00"), CALENDAR) == 420


@pytest.mark.parametrize(
    ("day", "clock", "opening"),
    [
        (FRIDAY, "00:00:00", f"{FRIDAY} 09:30:00"),
        (FRIDAY, "09:29:59", f"{FRIDAY} 09:30:00"),
        (FRIDAY, "09:30:00", f"{FRIDAY} 13:00:00"),
        (FRIDAY, "12:00:00", f"{FRIDAY} 13:00:00"),
        (FRIDAY, "13:00:00", f"{MONDAY} 09:30:00"),
        ("2026-09-30", "15:00:00", "2026-10-08 09:30:00"),
        ("2026-02-13", "16:00:00", "2026-02-24 09:30:00"),
    ],
)
def test_the_next_opening(day: str, clock: str, opening: str) -> None:
    """The next start of continuous trading strictly later, over lunch, weekends and holidays."""
    found = next_opening(at(day, clock), CALENDAR)
    assert found is not None
    assert shanghai(found).strftime("%Y-%m-%d %H:%M:%S") == opening


@pytest.mark.parametrize(
    ("begin", "end", "seconds"),
    [
        ((FRIDAY, "10:00:00"), (FRIDAY, "10:02:00"), 120),
        ((FRIDAY, "11:29:00"), (FRIDAY, "13:01:00"), 120),
        ((FRIDAY, "14:56:00"), (MONDAY, "09:31:00"), 120),
        ((FRIDAY, "11:30:00"), (FRIDAY, "13:00:00"), 0),
        ((FRIDAY, "15:00:00"), (MONDAY, "09:30:00"), 0),
        ((FRIDAY, "00:00:00"), (FRIDAY, "23:59:59"), 14_220),
        (("2026-09-30", "14:56:00"), ("2026-10-08", "09:31:00"), 120),
        ((FRIDAY, "10:02:00"), (FRIDAY, "10:00:00"), 0),
        ((MONDAY, "10:00:00"), (FRIDAY, "10:00:00"), 0),
    ],
)
def test_only_continuous_trading_counts(begin: tuple[str, str], end: tuple[str, str], seconds: float) -> None:
    """cancel_after_seconds stands still over lunch, auctions, nights and holidays; never negative."""
    assert trading_seconds_between(at(*begin), at(*end), CALENDAR) == seconds


moments = st.integers(int(at("2026-09-10", "00:00:00")), int(at("2026-10-20", "00:00:00")))


@given(moments, moments, moments)
def test_trading_time_adds_up(one: int, two: int, three: int) -> None:
    """From a to c is from a to b and from b to c, and never more than the wall clock."""
    first, middle, last = sorted((one, two, three))
    whole = trading_seconds_between(first, last, CALENDAR)
    parts = trading_seconds_between(first, middle, CALENDAR), trading_seconds_between(middle, last, CALENDAR)
    assert whole == sum(parts)
    assert 0 <= whole <= last - first


@given(moments, st.integers(1, 30_000))
def test_the_end_of_a_stretch_is_the_first_moment_that_long(begin: int, seconds: int) -> None:
    """after_trading_seconds is exact: that long at it, shorter a second before."""
    end = after_trading_seconds(begin, seconds, CALENDAR)
    assert end is not None
    assert trading_seconds_between(begin, end, CALENDAR) == seconds
    assert trading_seconds_between(begin, end - 1, CALENDAR) == seconds - 1


@given(st.floats(at("2007-01-01", "00:00:00"), at("2026-12-31", "23:59:59")))
def test_the_clock_agrees_with_the_standard_library(time: float) -> None:
    """Day and clock equal datetime's own arithmetic at UTC+8, and go back to the same moment."""
    expected = datetime.fromtimestamp(time, timezone(timedelta(hours=8)))
    assert abs(unix(shanghai(time)) - time) < 1e-5
    assert trading_day_of(time) == expected.date().isoformat() or expected.microsecond > 999_990
    assert abs((shanghai(time) - expected).total_seconds()) < 1e-5
    assert date_of(time).isoformat() == trading_day_of(time)


def test_the_trading_day_turns_at_midnight_in_shanghai_in_any_zone() -> None:
    """The same moment told in UTC or New York is the same trading day and state."""
    moment = at(FRIDAY, "00:00:00")
    assert trading_day_of(moment - 1) == "2026-09-17"
    assert trading_day_of(moment) == FRIDAY
    in_utc = datetime(2026, 9, 18, 1, 30, tzinfo=UTC)
    in_new_york = in_utc.astimezone(timezone(timedelta(hours=-4)))
    assert trading_day_of(in_new_york) == FRIDAY
    assert state_at(in_new_york, CALENDAR) is state_at(in_utc, CALENDAR) is SessionState.CONTINUOUS
    assert shanghai(in_utc).tzinfo is SHANGHAI
    assert hms(in_utc) == "09:30:00"


def test_the_host_zone_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """A Windows host set to another zone sees the same session."""
    import time

    if not hasattr(time, "tzset"):
        pytest.skip("this system can't change its zone inside a process")
    try:
        for zone in ("America/New_York", "Asia/Shanghai", "Pacific/Kiritimati"):
            monkeypatch.setenv("TZ", zone)
            time.tzset()
            assert state_at(1789695000.0, CALENDAR) is SessionState.CONTINUOUS
            assert trading_day_of(1789695000.0) == FRIDAY
    finally:
        monkeypatch.undo()
        time.tzset()


def test_the_days_fixed_moments() -> None:
    """14:56:30 and 15:05 of the day, asked at any moment of it."""
    for clock in ("00:00:00", "14:59:00", "23:59:59"):
        assert last_cancel_at(at(FRIDAY, clock), CALENDAR) == at(FRIDAY, "14:56:30")
        assert final_list_at(at(FRIDAY, clock)) == at(FRIDAY, "15:05:00")


@pytest.mark.parametrize(
    "broken",
    [math.nan, math.inf, -math.inf, -1e12, 1_789_695_000_000, True, None,
     "1789695000", datetime(2026, 9, 18)],
)  # fmt: skip
def test_what_is_no_moment_is_an_error(broken: float) -> None:
    """NaN, milliseconds, text and zoneless datetimes stop with a sentence; no state is guessed."""
    for ask in (lambda: state_at(broken, CALENDAR), lambda: trading_day_of(broken), lambda: hms(broken)):
        with pytest.raises(ClockError) as caught:
            ask()
        assert str(caught.value)
    with pytest.raises(ClockError):
        after_trading_seconds(at(FRIDAY, "10:00:00"), math.nan, CALENDAR)


def test_every_state_has_words() -> None:
    """Each state says something in both languages; lunch, close and holiday as users know them."""
    for state in SessionState:
        assert all(pair(screen_words(state)))
    assert pair(screen_words(SessionState.LUNCH))[0] == "午间休市"
    assert pair(screen_words(SessionState.HOLIDAY))[0] == "休市"
    assert pair(screen_words(SessionState.CLOSED, at(FRIDAY, "16:00:00")))[0] == "已收盘"
    assert pair(screen_words(SessionState.CLOSED, at(FRIDAY, "08:00:00")))[0] == "未开盘"


def test_a_day_closed_at_short_notice_stops_trading() -> None:
    """A day the user adds (a typhoon) is a holiday from then on."""
    years = dict(CALENDAR.years)
    days = years[2026]
    years[2026] = type(days)(True, days.closed | {date(2026, 9, 18)}, days.open)
    assert state_at(at(FRIDAY, "10:00:00"), TradingCalendar(years)) is SessionState.HOLIDAY
