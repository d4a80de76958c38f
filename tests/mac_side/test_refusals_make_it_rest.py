"""The risk: what is refused is sent again every second, until the day's orders of the account are used up."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from mac_side.books import Books, Lot, TopUp
from mac_side.engine_core import EngineCore
from mac_side.engine_events import HaltsSeen, OperatorSaid, Say, Tick
from mac_side.engine_rest import REST
from mac_side.order_sizes import SellLimits
from mac_side.screen_commands import Command
from mac_side.state_file import DashboardState, new_state
from shared_schema.clock import Moment
from shared_schema.ids import AccountAlias, Direction, StrategyName
from shared_schema.words import say
from tests.mac_side.world import EXECUTOR, account, answer, at, beats, core, moment, quote

NOW = moment("10:00:30")
LOT = Lot(1000, 1000.0, 1.0, "a")
BUYS = 1.05
"""A price at which flat books buy."""
SELLS = 1.062
"""A price at which ``LOT`` is sold."""


def ready(books: Books, state: DashboardState | None = None) -> EngineCore:
    """A core that decides at every quote, bound to its executor, with these books."""
    fresh = new_state(NOW, "simulate", AccountAlias("main"), StrategyName("grid"), "dashboard@mac")
    made = core(state=state or replace(fresh, executor=EXECUTOR, books=books))
    made.config = replace(made.config, decide_on="tick")
    return made


def after(seconds: float) -> Moment:
    """So long after NOW."""
    return Moment(NOW.wall + seconds, NOW.market + seconds)


def run(
    made: EngineCore,
    price: float,
    begin: int,
    end: int,
    states: Callable[[int], str] = lambda _: "rejected",
    step: int = 1,
) -> list[tuple[int, Direction]]:
    """A quote a ``step`` from ``begin`` to ``end`` (seconds after NOW), each signal answered at once."""
    sent: list[tuple[int, Direction]] = []
    for passed in range(begin, end, step):
        now, soon = after(passed), after(passed + 0.1)
        made.handle(beats(now), now)
        made.handle(account(now, 1000, 1000, passed + 1), now)
        made.handle(quote(now, price, passed + 1), now)
        for entry in made.state.outbox.open:
            state = states(len(sent))
            sent.append((passed, entry.direction))
            fills = entry.intention.shares if state == "filled" else 0
            made.handle(answer(entry, soon, fills, state=state), soon)
        made.handle(Tick(), soon)
    return sent


@pytest.mark.parametrize("state", ["rejected", "refused_by_broker", "not_placed"])
@pytest.mark.parametrize(
    ("price", "books"), [(BUYS, Books(anchor=1.06)), (SELLS, Books(lots=(LOT,), anchor=1.0))]
)
def test_three_refusals_in_a_row_rest_a_quarter_of_an_hour(price: float, books: Books, state: str) -> None:
    """Then one is tried, and refused again it rests again: no 120 signals in 120 s."""
    made = ready(books)
    sent = run(made, price, 0, 120, lambda _: state)
    sent += run(made, price, 120, 1920, lambda _: state, step=3)
    assert [passed for passed, _ in sent] == [0, 1, 2, 903, 1803]


def test_by_bars_it_rests_as_well() -> None:
    """One a minute was 57 in the hour before lunch."""
    made = ready(Books(anchor=1.06))
    made.config = replace(made.config, decide_on="bar")
    assert len(run(made, BUYS, 0, 3600, step=60)) == 3 + 3


def test_the_parts_of_one_sell_are_one_refusal() -> None:
    """What is above the limits of one order goes as several: refused together they are no row of refusals."""
    made = ready(Books(lots=tuple(replace(LOT, client_order_id=name) for name in "abc"), anchor=1.0))
    made.config = replace(made.config, sell_limits=SellLimits(shares=1000))
    made.handle(beats(NOW), NOW)
    made.handle(account(NOW, 3000, 3000), NOW)
    sent = []
    for passed in range(6):
        now = after(passed)
        made.handle(quote(now, SELLS, passed + 1), now)
        for entry in made.state.outbox.open:
            sent.append(passed)
            made.handle(answer(entry, now, 0, state="rejected"), now)
    assert sent == [0, 0, 0, 1, 1, 1, 2, 2, 2]


def test_a_top_up_rests_with_the_buys() -> None:
    """It is a buy at the same broker."""
    waiting = TopUp(500, 1.05, NOW.market, "a")
    books = Books(lots=(Lot(500, 525.0, 1.05, "a"),), anchor=1.05, top_ups=(waiting,))
    assert len(run(ready(books), 1.049, 0, 120)) == 3


def test_the_other_side_goes_on() -> None:
    """Buys that are refused hold no sale."""
    made = ready(Books(anchor=1.06))
    run(made, BUYS, 0, 10)
    made.state = replace(made.state, books=Books(lots=(LOT,), anchor=1.0))
    assert run(made, SELLS, 10, 12, lambda _: "filled") == [(10, "SELL")]


def test_the_float_loss_stop_goes_on_every_two_minutes() -> None:
    """It limits a loss; from the fourth on it waits, so that a day of refusals leaves orders to others."""
    made = ready(Books(lots=(Lot(1000, 9000.0, 9.0, "a"),), anchor=1.0))
    limits = replace(made.config.parameters, enable_float_loss_stop=True, max_cycle_float_loss=100.0)
    made.config = replace(made.config, parameters=limits)
    sent = run(made, SELLS, 0, 400)
    assert [passed for passed, _ in sent] == [0, 1, 2, 122, 242, 362]
    assert made.state.outbox.entries[-1].reason == "max_float_loss"


@pytest.mark.parametrize("taken", ["filled", "cancelled"])
def test_one_that_is_taken_begins_the_count_anew(taken: str) -> None:
    """Two refusals, one at the broker, two refusals: no rest."""
    made = ready(Books(anchor=1.06))
    run(made, BUYS, 0, 2)
    run(made, BUYS, 2, 3, lambda _: taken)
    made.state = replace(made.state, books=Books(anchor=1.06))
    assert len(run(made, BUYS, 3, 5)) == 2
    assert "rest:BUY" not in made.alarms


def test_a_refused_cancel_is_no_refusal_of_a_buy() -> None:
    """It bears the side of its order and tells nothing of the next one, neither for nor against."""
    made = ready(Books(anchor=1.06))
    run(made, BUYS, 0, 2)
    made.handle(beats(after(2)), after(2))
    made.handle(quote(after(2), BUYS, 3), after(2))
    (buy,) = made.state.outbox.open
    made.handle(OperatorSaid(Command(kind="cancel", argument=buy.signal_id, at=after(2).wall)), after(2))
    for entry, state in zip(made.state.outbox.open, ("expired", "rejected"), strict=True):
        made.handle(answer(entry, after(2), 0, state=state), after(2))
    assert "rest:BUY" not in made.alarms
    assert len(run(made, BUYS, 3, 30)) == 1


def test_what_expired_is_no_refusal() -> None:
    """Nobody refused it, the link was slow; nor does it end a row of refusals."""
    made = ready(Books(anchor=1.06))
    assert len(run(made, BUYS, 0, 6, lambda _: "expired")) == 6
    assert len(run(made, BUYS, 6, 20, lambda place: "expired" if place == 1 else "rejected")) == 4


def test_it_says_what_was_refused_why_until_when_and_what_to_do() -> None:
    """Once for each rest, and it goes when the rest is over."""
    made = ready(Books(anchor=1.06))
    run(made, BUYS, 0, 3)
    alarm = made.alarms["rest:BUY"]
    newest = made.state.outbox.entries[-1]
    assert newest.signal_id in alarm.text and "10:15:32" in alarm.text
    assert alarm.what_to_do == say("dashboard.todo.rest")
    told = [c for c in made.handle(Tick(), after(4)) if isinstance(c, Say) and c.action == "alarm"]
    assert not told
    made.handle(Tick(), after(2 + REST + 1))
    assert "rest:BUY" not in made.alarms


def test_a_person_ends_it_by_pausing_and_going_on() -> None:
    """Whoever has put right what was refused waits for nothing."""
    made = ready(Books(anchor=1.06))
    run(made, BUYS, 0, 10)
    for kind in ("pause", "unpause"):
        made.handle(OperatorSaid(Command(kind=kind, at=after(11).wall)), after(11))  # type: ignore[arg-type]
    assert "rest:BUY" not in made.alarms
    assert [passed for passed, _ in run(made, BUYS, 12, 30)] == [12, 13, 14]


def test_a_halt_that_is_lifted_ends_it() -> None:
    """Some were refused because of the halt; whoever lifts it, on whatever host, goes on at once."""
    made = ready(Books(anchor=1.06))
    lifted = b'{"halt": false, "reason": "", "by": "a", "at": 1.0}'
    run(made, BUYS, 0, 4)
    made.handle(HaltsSeen({"halt.a@b.json": b"x"}), after(5))
    assert "rest:BUY" in made.alarms
    made.handle(HaltsSeen({"halt.a@b.json": lifted}), after(6))
    assert "rest:BUY" not in made.alarms
    assert len(run(made, BUYS, 7, 8)) == 1


def test_a_restart_keeps_it() -> None:
    """It is read from the outbox."""
    made = ready(Books(anchor=1.06))
    run(made, BUYS, 0, 3)
    again = ready(Books(), state=made.state)
    again.begin(after(4))
    assert "rest:BUY" in again.alarms
    assert run(again, BUYS, 5, 60) == []


def test_a_new_day_begins_without_one() -> None:
    """Yesterday's refusals say nothing of today."""
    made = ready(Books(anchor=1.06))
    run(made, BUYS, 0, 3)
    monday = at("09:31:30", "2026-11-23") - NOW.wall
    assert len(run(made, BUYS, int(monday), int(monday) + 2)) == 2
