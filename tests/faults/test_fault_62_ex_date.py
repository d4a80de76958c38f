"""Fault 62: a previous close that is not yesterday's close holds buys until a person answers."""

from __future__ import annotations

import threading
import time
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from mac_side.books import Books, Lot, Totals
from mac_side.dashboard_processes import commands_path
from mac_side.engine_core import EngineCore
from mac_side.engine_events import KeepBooks, OperatorSaid, PublishSignal, SaveState
from mac_side.ex_date import DayClose, ExDate, adjusted, day_before
from mac_side.screen_commands import Command, forget, waiting_commands
from mac_side.state_file import StateFile, decode_state, encode_state
from shared_schema.clock import Moment
from shared_schema.messages import MinuteBars
from shared_schema.sessions import trading_day_of
from shared_schema.trading_calendar import load_calendar
from tests.commands.conftest import host  # noqa: F401
from tests.commands.hosts import Host
from tests.mac_side.world import CODE, account, at, beats, core, moment, quote

THURSDAY, FRIDAY = "2026-11-19", "2026-11-20"
NOW = moment("10:00:30")
LOT = Lot(10_000, 10_600.0, 1.06, "BUY_1")


def ready(*, close: float | None = 1.06, lots: tuple[Lot, ...] = (LOT,), **state: object) -> EngineCore:
    """A core that holds a lot and remembers Thursday's close."""
    made = core()
    made.state = replace(
        made.state,
        books=Books(lots=lots, anchor=1.06, totals=Totals(bought_shares=sum(lot.shares for lot in lots))),
        day_close=DayClose(THURSDAY, close, 10_000) if close else None,
        **state,  # type: ignore[arg-type]
    )
    made.handle(beats(NOW), NOW)
    made.handle(account(NOW, 10_000, 10_000), NOW)
    return made


def sent(commands: list) -> int:  # type: ignore[type-arg]
    """How many signals went out."""
    return sum(isinstance(command, PublishSignal) for command in commands)


def test_the_gap_of_an_ex_date_buys_nothing() -> None:
    """1.06 yesterday, previous close 1.052 today: said, held, saved; the same price without it buys."""
    made = ready(lots=())
    commands = made.handle(quote(NOW, 1.052, pre_close=1.052), NOW)
    assert sent(commands) == 0 and any(isinstance(command, SaveState) for command in commands)
    assert made.state.ex_date == ExDate(FRIDAY, 1.06, 1.052)
    assert "1.052" in made.alarms["ex_date"].text and made.alarms["ex_date"].what_to_do
    assert sent(ready(lots=()).handle(quote(NOW, 1.052, pre_close=1.06), NOW)) == 1


@pytest.mark.parametrize(
    ("pre_close", "held"), [(1.059, False), (1.061, False), (1.058, True), (1.062, True)]
)
def test_one_tick_is_rounding_two_are_not(pre_close: float, held: bool) -> None:
    """Off by more than a tick, up or down."""
    made = ready()
    made.handle(quote(NOW, 1.06, pre_close=pre_close), NOW)
    assert (made.state.ex_date is not None) is held


def test_the_last_bar_of_yesterday_tells_where_nothing_is_remembered() -> None:
    """A dashboard that did not run yesterday; without bars either nothing is guessed."""
    seen = quote(NOW, 1.03, pre_close=1.03)
    body = seen.received.body
    columns = body.bars[CODE]
    last = at("15:00:00", THURSDAY)
    times = tuple(last - 60 * (len(columns.time) - 2 - place) for place in range(len(columns.time) - 1))
    moved = MinuteBars.model_validate(columns.model_dump() | {"time": (*times, columns.time[-1])})
    bars = body.model_copy(update={"bars": {CODE: moved}})
    with_bars = replace(seen, received=replace(seen.received, body=bars))
    made, blind = ready(close=None), ready(close=None)
    made.handle(with_bars, NOW)
    blind.handle(seen, NOW)
    assert made.state.ex_date is not None and made.state.ex_date.close == 1.06
    assert blind.state.ex_date is None


def test_a_close_of_an_earlier_day_is_not_yesterdays() -> None:
    """Remembered from Wednesday: Thursday may have been the fall."""
    made = ready()
    made.state = replace(made.state, day_close=DayClose("2026-11-18", 1.10))
    made.handle(quote(NOW, 1.03, pre_close=1.03), NOW)
    assert made.state.ex_date is None


def test_the_close_is_remembered_after_the_close_only() -> None:
    """14:59 is not the close; 15:00 is, and is saved once, with what the account held."""
    made = ready(close=None)
    for clock, known in (("14:59:57", None), ("15:00:03", DayClose(FRIDAY, 1.07, 10_000))):
        now = moment(clock)
        made.handle(quote(now, 1.07, int(now.wall)), now)
        assert made.state.day_close == known
    again = moment("15:00:06")
    commands = made.handle(quote(again, 1.07, int(again.wall)), again)
    assert not any(isinstance(command, SaveState) for command in commands)


def test_it_holds_over_a_restart_and_over_the_night() -> None:
    """It stands in the books; the next morning's fitting close does not lift it; a start says it."""
    waits = ExDate("2026-11-19", 1.06, 1.03)
    made = ready(ex_date=waits)
    made.state = decode_state(encode_state(made.state, NOW, FRIDAY), made.state)
    assert made.state.ex_date == waits and made.state.day_close is not None
    fresh = EngineCore(made.config, made.state)
    fresh.begin(NOW)
    assert "ex_date" in fresh.alarms
    fresh.handle(beats(NOW), NOW)
    fresh.handle(account(NOW, 10_000, 10_000), NOW)
    assert sent(fresh.handle(quote(NOW, 1.03, pre_close=1.06), NOW)) == 0


@pytest.mark.parametrize("held", [False, True])
def test_sells_go_on_where_both_reckonings_sell(held: bool) -> None:
    """A lot far above its old target is sold although the ex-date waits."""
    made = ready(ex_date=ExDate(FRIDAY, 1.06, 1.03) if held else None)
    commands = made.handle(quote(NOW, 1.12, pre_close=1.06), NOW)
    assert sent(commands) == 1 and made.state.outbox.entries[-1].direction == "SELL"


def test_a_merger_of_shares_sells_nothing_by_itself() -> None:
    """Two shares become one, the price doubles: by the old reckoning every lot would be sold."""
    made = ready()
    commands = made.handle(quote(NOW, 2.12, pre_close=2.12), NOW)
    assert made.state.ex_date is not None and sent(commands) == 0


def test_a_difference_of_the_position_is_said() -> None:
    """20,000 shares this morning, 10,000 last night: an alarm, and nothing is traded."""
    made = ready()
    made.handle(quote(NOW, 0.53, pre_close=0.53), NOW)
    commands = made.handle(account(NOW, 20_000, 20_000, 2), NOW)
    assert "20000" in made.alarms["ex_date_shares"].text and sent(commands) == 0


def test_cash_and_split_adjust_the_books_exactly() -> None:
    """Cash: prices and cost follow. Split: shares follow, cost stays; totals and lots still agree."""
    books = Books(lots=(LOT,), anchor=1.06, fixed_volume=3_000, totals=Totals(bought_shares=10_000))
    cash = adjusted(books, ExDate(FRIDAY, 1.06, 0.53), "cash", CODE)
    split = adjusted(books, ExDate(FRIDAY, 1.06, 0.53), "split", CODE)
    assert (cash.lots[0].shares, cash.lots[0].buy_price, cash.cost) == (10_000, 0.53, 5_300)
    assert cash.anchor == split.anchor == 0.53
    assert (split.lots[0].shares, split.lots[0].buy_price, split.cost) == (20_000, 0.53, 10_600)
    assert (split.fixed_volume, split.shares, split.totals.bought_shares) == (6_000, 20_000, 20_000)
    assert adjusted(books, ExDate(FRIDAY, 1.06, 0.53), "keep", CODE) == books


def test_a_person_adjusts_and_buys_go_on() -> None:
    """A copy first; then a real fall below the adjusted anchor buys, and the ex-date is not found again."""
    made = ready(lots=())
    made.handle(quote(NOW, 1.055, pre_close=1.055), NOW)
    assert made.state.ex_date is not None
    commands = made.handle(OperatorSaid(Command(kind="adjust", argument="cash", at=NOW.wall)), NOW)
    kinds = [type(command) for command in commands]
    assert kinds.index(KeepBooks) < kinds.index(SaveState)
    assert made.state.books.anchor == 1.055 and made.state.ex_date is None and "ex_date" not in made.alarms
    assert sent(made.handle(quote(NOW, 1.055, 2, pre_close=1.055), NOW)) == 0
    later = Moment(NOW.wall + 60, NOW.market + 60)
    made.handle(beats(later), later)
    assert sent(made.handle(quote(later, 1.046, 3, pre_close=1.055), later)) == 1
    assert made.state.ex_date is None


@pytest.mark.parametrize("answer", ["", "sell", "cash"])
def test_what_is_not_understood_or_comes_unasked_changes_nothing(answer: str) -> None:
    """No ex-date waits, or the word is none of the three."""
    made = ready(ex_date=None if answer == "cash" else ExDate(FRIDAY, 1.06, 1.03))
    before = made.state
    made.handle(OperatorSaid(Command(kind="adjust", argument=answer, at=NOW.wall)), NOW)
    assert made.state == before


def test_the_command_shows_asks_and_waits_for_the_dashboard(host: Host) -> None:  # noqa: F811
    """Shown with all three outcomes; typed; taken by the engine, or given up and withdrawn."""
    path, state = host.books(books=Books(lots=(LOT,), anchor=1.06), ex_date=ExDate(FRIDAY, 1.06, 1.03))
    shown = host.run("adjust")
    assert shown.exit_code == 1 and all(word in shown.output for word in ("cash", "split", "keep", "1.030"))
    assert host.run("adjust", "sell").exit_code == 2
    assert host.run("adjust", "cash", text="no\n").exit_code == 1
    status = host.run("status")
    assert status.exit_code == 1 and "miniqmt adjust" in status.output
    folder = commands_path(host.runtime, state.strategy)
    failed = host.run("adjust", "cash", "--yes", "--wait", "0.1")
    assert failed.exit_code == 1 and waiting_commands(folder) == []

    engine = threading.Thread(target=_take, args=(folder, path, state), daemon=True)
    engine.start()
    done = host.run("adjust", "cash", "--yes", "--wait", "60")
    engine.join()
    assert done.exit_code == 0, done.output
    assert host.run("adjust").exit_code == 0


def _take(folder: Path, path: Path, state) -> None:  # type: ignore[no-untyped-def]
    """The engine's part: the real core takes the command from the folder and the books are saved."""
    made = core(state=state)
    until = time.monotonic() + 60
    while not (found := waiting_commands(folder)) and time.monotonic() < until:
        time.sleep(0.01)
    (waiting,) = found
    assert waiting.command is not None
    now = Moment(waiting.command.at, waiting.command.at)
    made.handle(OperatorSaid(waiting.command), now)
    StateFile(path).save(made.state, now, trading_day_of(now.market))
    forget(waiting)


def test_half_days_and_unknown_years_end_the_search() -> None:
    """Yesterday of 2027-01-04 is not known while 2027 is; of the first day of the calendar neither."""
    calendar = load_calendar()
    assert day_before(date(2026, 10, 8), calendar) == "2026-09-30"
    assert day_before(date(2007, 1, 1), calendar) is None
