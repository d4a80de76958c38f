"""A signal whose executor was lost before it answered is settled by a person, at the books' host."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from commands.place import OperateError
from mac_side.books import Books, Intention, Lot, intend_buy, intend_sell
from mac_side.bridge_client.entry import entry_of
from mac_side.bridge_client.outbox import Outbox
from mac_side.bridge_client.signal_ids import FIRST_STRATEGY
from mac_side.settling import settle
from mac_side.single_engine import hold_engine
from mac_side.state_file import DashboardState, decode_state, new_state
from shared_schema.clock import Moment
from shared_schema.drop_folder.names import RESULTS_FOLDER, result_name
from shared_schema.ids import SignalId, TradeId
from shared_schema.messages import OrderResult, OrderSignal, Received, Trade, decode_result, encode
from tests.commands.hosts import IDENTITY, MAIN, Host, signal

TYPED = ("resolve", IDENTITY, "--not-placed", "--reason", "not in QMT's list")
SELL = SignalId("SELL_159201.SZ_L1_1a2b3c4d")


def stuck(host: Host, *, age: float = 600.0, bound: str = "simulate-2", **changes: Any) -> Path:
    """Books with a second layer bought ``age`` seconds ago from simulate-1, now bound to another executor."""
    first = Books(lots=(Lot(1000, 1300.0, 1.3, "B0"),), anchor=1.3)
    books, intention = intend_buy(first, IDENTITY, 2200, 1.2)
    return written(host, signal(host.now - age), books, intention, bound, age, **changes)


def written(
    host: Host, sent: OrderSignal, books: Books, intention: Intention, bound: str, age: float, **changes: Any
) -> Path:
    """The books with ``sent`` in their outbox, ``changes`` of its entry."""
    raw = encode(host.envelope("dashboard@mac", age=age), sent)
    day = host.envelope("dashboard@mac", age=age).trading_day
    entry = replace(entry_of(raw, intention, 2, 7, day), **changes)
    return host.books(bound, books=books, outbox=Outbox((entry,)), counter=7)[0]


def state_at(path: Path) -> DashboardState:
    """The state on disk."""
    fresh = new_state(Moment(0.0, 0.0), "simulate", MAIN, FIRST_STRATEGY, "dashboard@mac")
    return decode_state(path.read_bytes(), fresh)


def refused(host: Host, *typed: str) -> str:
    """Why it is refused: the sentence, after the error's key."""
    problem = host.run(*typed, "--yes").exception
    assert isinstance(problem, OperateError), problem
    return f"{problem.key} {problem.why}"


def answer(host: Host, state: DashboardState, filled: int, *, revision: int = 0) -> Received[OrderResult]:
    """What the lost executor says when it comes back after all."""
    (entry,) = state.outbox.entries
    trades = (Trade(trade_id=TradeId("7"), price=1.19, shares=filled, time=host.now),) if filled else ()
    body = OrderResult(
        signal_id=entry.signal_id,
        status="success" if filled else "failed",
        state="filled" if filled else "expired",
        filled_shares=filled,
        requested_shares=entry.intention.shares,
        signal_digest=entry.digest,
        trades=trades,
        revision=revision,
        timestamp=host.now,
    )
    head = host.envelope("executor@win").model_copy(update={"trading_day": entry.trading_day})
    return decode_result(encode(head, body))


def test_a_person_settles_what_a_lost_executor_never_took(host: Host) -> None:
    """Asked for with a word; the lot goes, the anchor returns, a copy is kept, the log says who and why."""
    path = stuck(host)
    raw = path.read_bytes()
    shown = host.run("resolve", IDENTITY)
    assert shown.exit_code == 0 and "--not-placed --reason" in shown.output and "simulate-1" in shown.output
    assert host.run(*TYPED, text="no\n").exit_code == 1 and path.read_bytes() == raw
    ended = host.run(*TYPED, text="RESOLVE\n")
    assert ended.exit_code == 0, ended.output
    state = state_at(path)
    assert not state.outbox.open and [lot.client_order_id for lot in state.books.lots] == ["B0"]
    assert (state.books.anchor, state.books.totals.bought_shares) == (1.3, 0)
    entry = state.outbox.get(IDENTITY)
    assert entry is not None and entry.state == "not_placed" and "not in QMT's list" in entry.message
    (copy,) = path.parent.glob(f"{path.name}.before-resolve-*")
    assert copy.read_bytes() == raw
    logged = (host.logs / "mac_dashboard.log").read_text(encoding="utf-8")
    assert "resolved_by_hand" in logged and IDENTITY in logged and "not in QMT's list" in logged
    assert "它已了结" in refused(host, *TYPED)


@pytest.mark.parametrize(
    ("how", "said"),
    [
        ({"bound": "simulate-1"}, "simulate-1"),
        ({"age": 0.0}, "之后才可认定"),
        ({"answered_at": 1.0, "state": "unknown"}, "unknown"),
    ],
)
def test_what_can_still_be_placed_or_answered_is_left_alone(
    host: Host, how: dict[str, Any], said: str
) -> None:
    """Bound to its executor, not expired, or answered: refused with the reason, and nothing is written."""
    path = stuck(host, **how)
    raw = path.read_bytes()
    text = refused(host, *TYPED)
    assert text.startswith("recovery.resolve_refused_here ") and said in text
    assert path.read_bytes() == raw


def test_an_expired_one_of_an_hour_ago_still_needs_the_rebind(host: Host) -> None:
    """Age alone settles nothing; after the rebind the same signal is settled."""
    stuck(host, age=3600.0, bound="simulate-1")
    assert "recovery.resolve_refused_here" in refused(host, *TYPED)
    host.heartbeat("simulate-2")
    assert host.run("rebind", "--yes").exit_code == 0
    assert host.run(*TYPED, "--yes").exit_code == 0


def test_a_living_executor_and_a_waiting_answer_come_first(host: Host) -> None:
    """The one it names runs, or its result lies in the folder unread: that tells, not the person."""
    path = stuck(host)
    raw = path.read_bytes()
    host.heartbeat("simulate-1")
    assert "simulate-1" in refused(host, *TYPED)
    host.heartbeat("simulate-1", state="stopped")
    (host.folder.path / RESULTS_FOLDER / result_name(IDENTITY)).write_text("{half", encoding="utf-8")
    assert "recovery.resolve_refused_here" in refused(host, *TYPED)
    assert path.read_bytes() == raw


def test_reason_books_and_a_resting_engine_are_needed(host: Host) -> None:
    """No reason, an id nobody knows, a broker's id, a running dashboard: each is refused."""
    path = stuck(host)
    raw = path.read_bytes()
    assert "recovery.resolve_how" in refused(host, "resolve", IDENTITY, "--not-placed")
    assert "recovery.resolve_refused_here" in refused(host, "resolve", IDENTITY, "--placed", "o1")
    filled = ("--filled", "600", "--price", "1.2", "-r", "history")
    assert "recovery.resolve_refused_here" in refused(host, "resolve", IDENTITY, *filled)
    assert "recovery.resolve_no_executor" in refused(host, "resolve", SELL, "--not-placed", "-r", "x")
    lock = hold_engine(host.runtime, FIRST_STRATEGY)
    try:
        assert "recovery.resolve_engine_running" in refused(host, *TYPED)
    finally:
        lock.release()
    assert path.read_bytes() == raw


def test_a_lost_executor_that_says_filled_after_all_is_believed(host: Host) -> None:
    """Its first revision counts as a late fill: the lot comes back at what it cost, totals agree."""
    path = stuck(host)
    assert host.run(*TYPED, "--yes").exit_code == 0
    state = state_at(path)
    now = Moment(host.now, host.now)
    late = settle(state, answer(host, state, 2200), now, version_1_allowed=False)
    assert late.outcome == "late" and late.must_save
    lots = [(lot.client_order_id, lot.shares) for lot in late.state.books.lots]
    assert lots == [("B0", 1000), (IDENTITY, 2200)]
    assert late.state.books.lots[1].cost == pytest.approx(2200 * 1.19)
    assert late.state.books.totals.bought_shares == 2200
    nothing = settle(state, answer(host, state, 0), now, version_1_allowed=False)
    assert nothing.state.books == state.books


def test_a_sell_comes_back_and_its_late_fill_takes_it_again(host: Host) -> None:
    """The lots of a sell never placed stand again; sold after all they go, and nothing of another lot."""
    held = Books(lots=(Lot(1000, 1300.0, 1.3, "B0"), Lot(2200, 2640.0, 1.2, "B1")), anchor=1.2)
    books, intention = intend_sell(held, [1], 1.25, host.now)
    sent = signal(host.now - 600.0, SELL).model_copy(update={"direction": "SELL"})
    path = written(host, sent, books, intention, "simulate-2", 600.0)
    assert host.run("resolve", SELL, "--not-placed", "-r", "checked", "--yes").exit_code == 0
    state = state_at(path)
    assert state.books.lots == held.lots
    late = settle(state, answer(host, state, 2200), Moment(host.now, host.now), version_1_allowed=False)
    assert late.outcome == "late" and late.state.books.lots == held.lots[:1]


def test_rebind_and_plan_name_the_way_out(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever is stopped by such a signal reads the very command."""
    stuck(host, bound="simulate-old")
    host.heartbeat("simulate-new")
    assert "miniqmt resolve" in (output := host.run("rebind", "--yes").output) and "--not-placed" in output
    monkeypatch.setattr("mac_side.plan.may_change", lambda *_: True)
    problem = host.run("plan", "reset", "--held", "0", "--yes").exception
    assert isinstance(problem, OperateError) and problem.key == "plan.signals_open"
    assert "miniqmt resolve" in problem.next_step and "--not-placed" in problem.next_step
