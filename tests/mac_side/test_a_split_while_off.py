"""The risk: shares are split or a dividend is paid while the dashboard is off, and the gap is bought."""

from __future__ import annotations

from dataclasses import replace

import orjson
import pytest

from mac_side.books import Books, Lot
from mac_side.engine_core import EngineCore
from mac_side.engine_events import OperatorSaid
from mac_side.ex_date import DayClose, ExDate
from mac_side.screen_commands import Command
from mac_side.state_file import decode_state, encode_state, new_state
from shared_schema.clock import Moment
from shared_schema.ids import AccountAlias, StrategyName
from shared_schema.integrity import checksum
from tests.mac_side.world import EXECUTOR, account, at, beats, core, moment, quote

FRESH = new_state(moment("09:30:00"), "simulate", AccountAlias("main"), StrategyName("grid"), "dashboard@mac")
SPLIT = Books(lots=(Lot(10_000, 21_200.0, 2.12, "a"),), anchor=2.12, fixed_volume=80_000)


def away(books: Books, close: float, day: str = "2026-11-10", shares: int | None = 90_000) -> EngineCore:
    """A core whose last close is of ``day``; today is Friday, 2026-11-20."""
    return core(state=replace(FRESH, executor=EXECUTOR, books=books, day_close=DayClose(day, close, shares)))


def minute(made: EngineCore, number: int, price: float, volume: int, pre_close: float) -> Moment:
    """One more minute of the day: link, account, quote."""
    now = Moment(at("10:00:30") + 60 * number, at("10:00:30") + 60 * number)
    made.handle(beats(now), now)
    made.handle(account(now, volume, volume, seq=number + 1), now)
    made.handle(quote(now, price, number + 1, pre_close=pre_close), now)
    return now


def test_a_split_while_the_dashboard_was_off_buys_nothing() -> None:
    """Back after ten days: half the price, far below any anchor; said with the age of the close."""
    made = away(SPLIT, 2.12)
    for number in range(12):
        minute(made, number, 1.06 - 0.006 * number, 180_000, 1.06)
    assert made.state.outbox.open == ()
    alarm = made.alarms["ex_date"]
    assert "10" in alarm.text and "2.12" in alarm.text and alarm.what_to_do
    assert made.state.ex_date is not None and made.state.ex_date.days == 10


def test_the_accounts_count_splits_what_a_drifted_price_cannot_tell() -> None:
    """2.12 became 1.043 by a split and a drift: shares double as the account's did, prices halve exactly."""
    made = away(SPLIT, 2.12)
    minute(made, 0, 1.043, 180_000, 1.043)
    now = minute(made, 1, 1.043, 180_000, 1.043)
    made.state = decode_state(encode_state(made.state, now, "2026-11-20"), made.state)
    made.handle(OperatorSaid(Command(kind="adjust", argument="split", at=now.wall)), now)
    books = made.state.books
    assert (books.shares, books.fixed_volume, books.anchor, books.cost) == (20_000, 160_000, 1.06, 21_200.0)
    assert made.state.ex_date is None and made.state.day_close == DayClose("2026-11-19", 1.043)
    minute(made, 2, 1.043, 180_000, 1.043)
    assert made.state.ex_date is None and "ex_date" not in made.alarms


@pytest.mark.parametrize(
    ("said", "taken"), [("split", False), ("cash", False), ("split 0.5", True), ("keep", True)]
)
def test_without_a_count_the_person_gives_the_factor(said: str, taken: bool) -> None:
    """Neither a drifted price nor an unchanged account tells it: nothing is guessed."""
    made = away(SPLIT, 2.12, shares=None)
    now = minute(made, 0, 1.043, 180_000, 1.043)
    made.handle(OperatorSaid(Command(kind="adjust", argument=said, at=now.wall)), now)
    assert (made.state.ex_date is None) is taken
    assert made.state.books.shares == (20_000 if said == "split 0.5" else 10_000)


@pytest.mark.parametrize("argument", ["split 0", "split x", "split nan", "split 0.5 0.5", "splits"])
def test_an_answer_that_is_none_changes_nothing(argument: str) -> None:
    """A factor out of bounds or no number."""
    made = away(SPLIT, 2.12)
    now = minute(made, 0, 1.043, 180_000, 1.043)
    before = made.state
    made.handle(OperatorSaid(Command(kind="adjust", argument=argument, at=now.wall)), now)
    assert made.state == before


@pytest.mark.parametrize(
    ("close", "held"), [(1.06, False), (1.10, False), (1.15, False), (1.16, True), (0.97, True)]
)
def test_small_drifts_while_away_hold_nothing(close: float, held: bool) -> None:
    """Eight percent either way are the market's; beyond it a person is asked."""
    made = away(Books(lots=(Lot(10_000, 10_600.0, 1.06, "a"),), anchor=1.06), close)
    minute(made, 0, 1.06, 90_000, 1.06)
    assert (made.state.ex_date is not None) is held


def test_drifts_of_several_absences_do_not_add_up() -> None:
    """Once the morning fits, its previous close is the last one known, even if no close is ever seen."""
    made = away(Books(anchor=1.06), 1.12)
    minute(made, 0, 1.06, 90_000, 1.06)
    assert made.state.day_close == DayClose("2026-11-19", 1.06)


def test_yesterdays_bars_do_not_hide_what_came_before_them() -> None:
    """The split was a week ago; yesterday's close, told by bars, fits today's previous close."""
    made = away(SPLIT, 2.12, "2026-11-18")
    now = moment("10:00:30")
    made.handle(beats(now), now)
    made.handle(quote(now, 1.05, pre_close=1.06), now)
    assert made.state.ex_date is not None and made.state.ex_date.days == 2


def test_sells_go_on_where_both_reckonings_sell_while_it_waits() -> None:
    """A gap of ten percent that is a dividend or a fall: a lot above both targets is sold."""
    made = away(Books(lots=(Lot(10_000, 9_000.0, 0.90, "a"),), anchor=0.90), 1.18)
    minute(made, 0, 1.06, 90_000, 1.06)
    assert made.state.ex_date is not None
    (entry,) = made.state.outbox.open
    assert entry.direction == "SELL"


def test_books_with_an_ex_date_waiting_go_back_to_the_code_of_before() -> None:
    """It takes day and both prices, no name more, and keeps keys it does not know: nothing looks damaged."""
    waits = ExDate("2026-11-20", 2.12, 1.06, days=10, shares_before=90_000, shares=180_000)
    raw = encode_state(replace(FRESH, ex_date=waits), moment("10:00:00"), "2026-11-20")
    told = orjson.loads(raw)
    assert told["ex_date"] == {"day": "2026-11-20", "close": 2.12, "pre_close": 1.06}
    assert decode_state(raw, FRESH).ex_date == waits
    later = told | {"ex_date": told["ex_date"] | {"day": "2026-11-23"}}  # another one, found by that code
    later["checksum"] = checksum({name: value for name, value in later.items() if name != "checksum"})
    assert decode_state(orjson.dumps(later), FRESH).ex_date == ExDate("2026-11-23", 2.12, 1.06)
