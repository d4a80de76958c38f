"""Fault 41: on a day that trades in the morning only nothing is sent, taken or cancelled after it."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

import commands.calendar as command
from mac_side.books import Books
from mac_side.market_view import TradingMinutes
from shared_schema.clock import Moment
from shared_schema.holiday_file import add_closed_days, add_half_days
from shared_schema.sessions import (
    SHANGHAI,
    SessionState,
    after_trading_seconds,
    last_cancel_at,
    next_opening,
    state_at,
    trading_seconds_between,
)
from shared_schema.trading_calendar import CalendarError, TradingCalendar, load_calendar
from tests.execution.bench import Bench, envelope_of, of_kind, rules_of, signal_of
from tests.mac_side.world import beats, core, quote
from windows_side.execution.actions import CancelAtBroker

HALF = date(2026, 11, 18)
"""A Wednesday."""


@pytest.fixture
def calendar(tmp_path: Path) -> TradingCalendar:
    """The shipped calendar with one half day of the user's."""
    own = tmp_path / "holidays.toml"
    add_half_days(own, [HALF])
    return load_calendar(own)


def at(clock: str, day: date = HALF) -> float:
    """Unix seconds of a Shanghai clock."""
    return datetime.fromisoformat(f"{day}T{clock}").replace(tzinfo=SHANGHAI).timestamp()


def test_the_clock_of_a_half_day(calendar: TradingCalendar) -> None:
    """Continuous until 11:27, closed from 11:30; its neighbours are whole days."""
    clocks = ("09:30:00", "11:26:59", "11:27:00", "11:30:00")
    states = [state_at(at(clock), calendar).value for clock in clocks]
    assert states == ["continuous", "continuous", "closing_call", "closed"]
    assert {state_at(at(clock), calendar) for clock in ("13:00:00", "14:56:59", "15:10:00")} == {
        SessionState.CLOSED
    }
    thursday = date(2026, 11, 19)
    assert state_at(at("13:00:00", thursday), calendar) is SessionState.CONTINUOUS
    assert next_opening(at("11:30:00"), calendar) == at("09:30:00", thursday)
    assert trading_seconds_between(at("09:30:00"), at("15:00:00"), calendar) == 117 * 60
    assert after_trading_seconds(at("11:26:00"), 120, calendar) == at("09:31:00", thursday)
    assert last_cancel_at(at("10:00:00"), calendar) == at("11:26:30")


def test_the_executor_refuses_in_the_closed_afternoon(calendar: TradingCalendar) -> None:
    """As outside any session."""
    bench = Bench(rules_of(calendar=calendar))
    bench.now = Moment(at("13:30:00"), at("13:30:00"))
    bench.quote()
    bench.drop(signal_of("s1", timestamp=bench.now.wall), envelope_of(written_at=bench.now.wall))
    assert bench.result("s1").error_code == "outside_session" and not bench.submits


def test_the_newest_tick_ends_the_half_day_too(calendar: TradingCalendar) -> None:
    """Our clock 50 s behind: its closing call has begun by the exchange's time."""
    bench = Bench(rules_of(calendar=calendar))
    bench.now = Moment(at("11:26:20"), at("11:26:20"))
    for name, tick in (("s1", "11:26:59"), ("s2", "11:27:10")):
        bench.quote(tick_time=at(tick))
        signal = signal_of(name, timestamp=bench.now.wall, shares=1000 if name == "s1" else 1100)
        bench.drop(signal, envelope_of(written_at=bench.now.wall))
    assert bench.row("s1").state == "submitted"
    assert bench.result("s2").error_code == "outside_session"


def test_an_open_order_is_cancelled_before_the_early_close(calendar: TradingCalendar) -> None:
    """At 11:26:30, while the exchange still takes it; not at 14:56:30."""
    bench = Bench(rules_of(calendar=calendar))
    bench.now = Moment(at("11:25:00"), at("11:25:00"))
    bench.quote()
    bench.drop(signal_of("s1", timestamp=bench.now.wall, cancel_after_seconds=3600.0))
    bench.placed("s1")
    assert not of_kind(bench.pass_time(80), CancelAtBroker)
    assert of_kind(bench.pass_time(10), CancelAtBroker)


def test_the_dashboard_sends_nothing_in_the_closed_afternoon(calendar: TradingCalendar) -> None:
    """A fall below the anchor at 13:30 of the half day holds; on the next day it buys."""
    for day, sent in ((HALF, 0), (date(2026, 11, 19), 1)):
        engine = core()
        engine.config = replace(engine.config, calendar=calendar)
        engine.state = replace(engine.state, books=Books(anchor=1.06))
        now = Moment(at("13:31:05", day), at("13:31:05", day))
        engine.handle(beats(now), now)
        engine.handle(quote(now, 1.052), now)
        assert len(engine.state.outbox.open_orders) == sent, day


def test_the_minutes_of_the_strategy_count_half_a_day(calendar: TradingCalendar) -> None:
    """The cooling clock goes on from 11:30 to the next morning's open without a gap."""
    minutes = TradingMinutes(calendar)
    assert minutes.number(at("09:31:00", date(2026, 11, 19))) - minutes.number(at("11:30:00")) == 1


def test_the_command_adds_shows_and_refuses(tmp_path: Path) -> None:
    """``miniqmt calendar add --half``; a day already listed as closed is for a person to decide."""
    own = tmp_path / "holidays.toml"
    app = typer.Typer()
    command.register(app)
    done = CliRunner().invoke(app, ["calendar", "add", str(HALF), "--half", "--file", str(own)])
    assert done.exit_code == 0 and load_calendar(own).half_days(2026) == (HALF,)
    assert "11-18" in CliRunner().invoke(app, ["calendar", "show", "2026", "--file", str(own)]).output
    add_closed_days(own, [HALF])
    assert load_calendar(own).is_trading_day(HALF) is False and not load_calendar(own).half_days(2026)
    before = own.read_bytes()
    with pytest.raises(CalendarError):
        add_half_days(own, [HALF])
    assert own.read_bytes() == before
