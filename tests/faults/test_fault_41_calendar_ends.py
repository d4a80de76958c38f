"""Fault 41: executor and dashboard say at their start that the known calendar ends within 30 days."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest

from mac_side.engine_events import Say
from shared_schema.clock import Moment
from shared_schema.logs import Log
from shared_schema.sessions import SHANGHAI
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
    say_calendar(Log("order_executor", [lines]), CALENDAR, days_before_the_end(WARNING_DAYS + before))
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
