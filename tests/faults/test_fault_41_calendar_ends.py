"""Fault 41: executor and dashboard say, at their start and each trading day, that the calendar ends soon."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest

from mac_side.engine_events import Say, Tick
from shared_schema.calendar_end import CalendarEnd
from shared_schema.clock import Moment
from shared_schema.logs import Log
from shared_schema.sessions import SHANGHAI, date_of
from shared_schema.trading_calendar import WARNING_DAYS, load_calendar
from tests.execution.shell import Lines
from tests.mac_side.world import core
from windows_side.account_executor import say_calendar

CALENDAR = load_calendar()
TODAY = date(2026, 11, 20)
LAST = TODAY + timedelta(days=CALENDAR.days_left(TODAY))


def days_before_the_end(days: int) -> float:
    """Noon in Shanghai, ``days`` before the last day known."""
    day = LAST - timedelta(days=days)
    return datetime(day.year, day.month, day.day, 12, tzinfo=SHANGHAI).timestamp()


@pytest.mark.parametrize("before", [0, 1])
def test_the_executor_says_it(before: int) -> None:
    """From 30 days ahead, not a day earlier."""
    lines = Lines()
    say_calendar(
        Log("order_executor", [lines]),
        CalendarEnd(CALENDAR),
        days_before_the_end(WARNING_DAYS + before),
    )
    assert lines.actions == ([] if before else ["calendar_ends_soon"])


@pytest.mark.parametrize("before", [0, 1])
def test_the_dashboard_shows_it_as_an_alarm(before: int) -> None:
    """On its view and in the log; by the host's date, so that a replay of an old day is quiet."""
    wall = days_before_the_end(WARNING_DAYS + before)
    made = core()
    commands = made.begin(Moment(wall, days_before_the_end(3000)))
    said = [command for command in commands if isinstance(command, Say) and command.action == "alarm"]
    assert len(said) == 1 - before and ("calendar" in made.alarms) == (not before)
    if not before:
        assert str(WARNING_DAYS) in made.alarms["calendar"].text


def running_days() -> list[float]:
    """Each half hour of the last 40 days and of the three after them, Unix seconds."""
    return [days_before_the_end(days) + half * 1800 for days in range(40, -4, -1) for half in range(-2, 3)]


def trading_days_of_the_warning() -> int:
    """How many days are to be announced: those that trade, and those after the end, of which nobody knows."""
    days = [date_of(days_before_the_end(days)) for days in range(WARNING_DAYS, -4, -1)]
    return sum(1 for day in days if CALENDAR.is_trading_day(day) is not False)


def test_a_running_executor_says_it_once_each_trading_day() -> None:
    """One that was started months ago announces the end like one started today, and after the end as well."""
    lines, memory = Lines(), CalendarEnd(CALENDAR)
    for wall in running_days():
        say_calendar(Log("order_executor", [lines]), memory, wall)
    assert lines.actions == ["calendar_ends_soon"] * trading_days_of_the_warning()


def test_a_running_dashboard_says_it_once_each_trading_day() -> None:
    """As an alarm that stands, and a line of the log for each day, with the days that are left then."""
    made = core()
    start, *later = running_days()
    said = list(made.begin(Moment(start, start)))
    assert "calendar" not in made.alarms
    for wall in later:
        said += made.handle(Tick(), Moment(wall, wall))
    alarms = [command for command in said if isinstance(command, Say) and command.action == "alarm"]
    assert len(alarms) == trading_days_of_the_warning() and " 0 " in made.alarms["calendar"].text
