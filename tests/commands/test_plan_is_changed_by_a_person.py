"""The plan of a position moves only after the close, without an engine, by a typed word, with a copy kept."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from pathlib import Path
from types import SimpleNamespace

import orjson
import pytest

from commands.place import OperateError
from mac_side import plan as plans
from mac_side.books import Books, Intention, Lot
from mac_side.bridge_client.entry import OutboxEntry
from mac_side.bridge_client.outbox import Outbox
from mac_side.bridge_client.signal_ids import FIRST_STRATEGY
from mac_side.dashboard_processes import commands_path
from mac_side.ex_date import ExDate
from mac_side.screen_commands import waiting_commands
from mac_side.single_engine import hold_engine
from mac_side.state_file import LAST_GOOD, decode_state, new_state
from shared_schema.clock import Moment
from shared_schema.drop_folder.names import ACCOUNT_SIMULATE, POOL, QUOTE
from shared_schema.errors import StateError
from shared_schema.ids import Code, SignalId
from shared_schema.messages import Account, AccountSnapshot, Position, Quote, QuoteSnapshot, SharedPool
from shared_schema.sessions import SHANGHAI
from shared_schema.trading_calendar import load_calendar
from tests.commands.hosts import MAIN, Host

FUND = Code("159201.SZ")
LOTS = (Lot(2200, 2310.0, 1.05, "B1"),)


def at(clock: str, day: int = 20) -> float:
    """A moment of November 2026 in Shanghai; the 20th is a Friday that trades."""
    hour, minute = (int(part) for part in clock.split(":"))
    return datetime(2026, 11, day, hour, minute, tzinfo=SHANGHAI).timestamp()


@pytest.fixture
def evening(host: Host, monkeypatch: pytest.MonkeyPatch) -> Host:
    """After the close: 100,050 shares held, bought at 1.031, last price 1.047."""
    clock(host, monkeypatch, "16:00")
    held = Account(positions={FUND: Position(volume=100_050, can_use_volume=100_050, open_price=1.031)})
    host.publish(ACCOUNT_SIMULATE, "executor@win", AccountSnapshot(accounts={MAIN: held}))
    quote = QuoteSnapshot(code=FUND, price=1.047, quotes={FUND: Quote(price=1.047)})
    host.publish(QUOTE, "producer@win", quote)
    return host


def clock(host: Host, monkeypatch: pytest.MonkeyPatch, text: str, day: int = 20) -> None:
    """Set the command's clock."""
    host.now = at(text, day)
    monkeypatch.setattr("commands.plan.time", SimpleNamespace(time=lambda: at(text, day)))


def refused(host: Host, *typed: str) -> str:
    """The key of the error a command ends with."""
    problem = host.run("plan", *typed, "--yes").exception
    assert isinstance(problem, OperateError), problem
    return problem.key


def books_at(path: Path) -> Books:
    """The books on disk."""
    fresh = new_state(Moment(0.0, 0.0), "simulate", MAIN, FIRST_STRATEGY, "dashboard@mac")
    return decode_state(path.read_bytes(), fresh).books


def test_split_keeps_four_fifths_fixed_and_whole_hundreds_flow(evening: Host) -> None:
    """20 % by hundreds is one lot at the account's cost, the rest is fixed; asked, copied, nothing lost."""
    path, _ = evening.books(counter=41)
    raw = path.read_bytes()
    assert evening.run("plan", "split", text="no\n").exit_code == 1 and path.read_bytes() == raw
    ended = evening.run("plan", "split", text="SPLIT\n")
    assert ended.exit_code == 0, ended.output
    books = books_at(path)
    assert (books.fixed_volume, books.anchor) == (80_050, 1.047)
    assert books.lots == (Lot(20_000, 20_000 * 1.031, 1.031),)
    assert books.totals.bought_shares - books.totals.sold_shares == books.shares
    seed = orjson.loads(path.read_bytes())
    assert (seed["fixed_volume"], seed["hold_t0_volume"], seed["counter"]) == (80_050, 20_000, 41)
    (copy,) = path.parent.glob(f"{path.name}.before-split-*")
    assert copy.read_bytes() == raw


@pytest.mark.parametrize(("held", "fixed", "flow"), [(100, 100, 0), (500, 400, 100), (999, 899, 100)])
def test_small_positions_keep_the_odd_part_fixed(held: int, fixed: int, flow: int) -> None:
    """Only whole hundreds can be bought again, so only those flow."""
    books = plans.split(Books(), held, 1.0, 1.0)
    assert (books.fixed_volume, books.shares) == (fixed, flow)


def test_reset_makes_everything_fixed(evening: Host) -> None:
    """Lots, anchor and cooling go; no share the account holds is for sale, and the sums still agree."""
    bought = plans.split(Books(), 11_000, 1.05, 1.05)
    path, _ = evening.books(books=bought)
    assert evening.run("plan", "reset", "--yes").exit_code == 0
    books = books_at(path)
    assert (books.lots, books.anchor, books.fixed_volume) == ((), None, 100_050)
    assert books.totals.bought_shares == books.totals.sold_shares


def test_a_seed_file_keeps_its_words_and_its_other_keys(evening: Host) -> None:
    """The seed's own file is taken over with everything in it that is not ours."""
    path = evening.runtime / "dashboard_state.simulate.json"
    path.write_bytes(orjson.dumps({"last_buy_price": None, "positions": [], "fixed_volume": 0, "my_note": 7}))
    ended = evening.run("plan", "split", "--yes")
    assert ended.exit_code == 0, ended.exception
    after = orjson.loads(path.read_bytes())
    assert (after["fixed_volume"], after["positions"][0]["shares"], after["my_note"]) == (80_050, 20_000, 7)


@pytest.mark.parametrize(
    ("text", "day", "key"),
    [
        ("09:15", 20, "plan.in_session"), ("10:00", 20, "plan.in_session"),
        ("12:00", 20, "plan.in_session"), ("14:59", 20, "plan.in_session"),
        ("15:00", 20, ""), ("09:14", 20, ""), ("10:00", 21, ""),
    ],
)  # fmt: skip
def test_nothing_changes_during_the_session(
    evening: Host, monkeypatch: pytest.MonkeyPatch, text: str, day: int, key: str
) -> None:
    """From the opening call to 15:00, lunch included; a weekend is free."""
    path, _ = evening.books()
    clock(evening, monkeypatch, text, day)
    raw = path.read_bytes()
    if key:
        assert refused(evening, "split") == key and path.read_bytes() == raw
        assert refused(evening, "reset") == key and path.read_bytes() == raw
        assert evening.run("plan", "show").exit_code == 0
    else:
        assert evening.run("plan", "split", "--yes").exit_code == 0


def test_a_copy_beside_the_books_is_no_second_set_of_books(evening: Host) -> None:
    """Whole, cut or of a strategy's name nobody has: the books alone are shown and changed."""
    path, _ = evening.books()
    (path.parent / "dashboard_state_backup.simulate.json").write_bytes(path.read_bytes())
    (path.parent / "dashboard_state.json").write_bytes(path.read_bytes())
    (path.parent / "dashboard_state_old.json").write_text("{half", encoding="utf-8")
    (path.parent / "dashboard_state_seed.json").write_text('{"positions": []}', encoding="utf-8")
    assert str(path) in evening.run("plan", "show").output
    assert evening.run("plan", "split", "--yes").exit_code == 0


@pytest.mark.parametrize("name", ["dashboard_state.json", "dashboard_state_script.json"])
def test_damaged_books_are_never_taken_for_a_copy(evening: Host, name: str) -> None:
    """A strategy's own name, or a last good copy beside it as a save leaves: no command passes it over."""
    evening.books()
    damaged = evening.runtime / name
    damaged.write_text("{half", encoding="utf-8")
    damaged.with_name(name + LAST_GOOD).write_text("{}", encoding="utf-8")
    problem = evening.run("plan", "show").exception
    assert isinstance(problem, StateError) and name in str(problem)


def test_a_date_nobody_knows_is_a_session() -> None:
    """An unknown date may trade."""
    year = datetime(2049, 11, 18, 20, 0, tzinfo=SHANGHAI).timestamp()
    assert not plans.may_change(year, load_calendar())


def test_a_running_engine_and_open_signals_keep_the_books(evening: Host) -> None:
    """The engine owns them; what is under way would change the lots."""
    path, _ = evening.books()
    raw = path.read_bytes()
    lock = hold_engine(evening.runtime, FIRST_STRATEGY)
    try:
        assert refused(evening, "split") == "plan.engine_running"
    finally:
        lock.release()
    assert path.read_bytes() == raw
    entry = OutboxEntry(
        SignalId("BUY_159201.SZ_L1_00000001"), FUND, "BUY", 1, 1, "2026-11-20", 0.0, "", b"{}",
        Intention("buy", 100, 1.0),
    )  # fmt: skip
    evening.books(outbox=Outbox((entry,)))
    assert refused(evening, "reset") == "plan.signals_open"
    evening.books(outbox=Outbox((replace(entry, intention=Intention("cancel", 0, 0.0)),)))
    assert refused(evening, "reset") == "plan.signals_open"


def test_a_seeds_last_signal_does_not_keep_the_plan(evening: Host) -> None:
    """Nobody answers it any more; after the reset nothing waits for it, and nothing is counted twice."""
    path = evening.runtime / "dashboard_state.simulate.json"
    lot = {"shares": 25_000, "cost": 26_250.0, "buy_price": 1.05}
    path.write_bytes(
        orjson.dumps(
            {
                "last_buy_price": 1.05,
                "positions": [lot],
                "fixed_volume": 75_050,
                "last_sent_signal_id": "BUY_159201.SZ_L1_old",
                "last_sent_signal_direction": "BUY",
                "last_sent_signal_shares": 25_000,
                "last_sent_signal_price": 1.05,
            }
        )
    )
    ended = evening.run("plan", "reset", "--yes")
    assert ended.exit_code == 0, ended.exception
    books = books_at(path)
    assert (books.lots, books.fixed_volume) == ((), 100_050)
    assert orjson.loads(path.read_bytes())["outbox"] == []


def test_what_is_not_known_is_asked_for_not_guessed(evening: Host) -> None:
    """Lots held, no snapshot, an incomplete one, no quote: each says what it needs."""
    evening.books(books=Books(lots=LOTS))
    assert refused(evening, "split") == "plan.has_lots"
    evening.books()
    partial = Account(positions={FUND: Position(volume=5)}, complete=False)
    evening.publish(ACCOUNT_SIMULATE, "executor@win", AccountSnapshot(accounts={MAIN: partial}))
    assert refused(evening, "split") == "plan.position_unknown"
    assert refused(evening, "reset") == "plan.position_unknown"
    assert refused(evening, "split", "--held", "1000") == "plan.no_price"
    (evening.folder.path / QUOTE).unlink()
    assert refused(evening, "split", "--held", "1000", "--cost", "1.2") == "plan.no_price"
    ended = evening.run("plan", "split", "--yes", "--held", "1000", "--cost", "1.2", "--anchor", "1.1")
    assert ended.exit_code == 0
    assert refused(evening, "reset", "--mode", "live") == "plan.which_books"


def test_books_that_moved_meanwhile_are_not_overwritten(evening: Host) -> None:
    """What the person agreed to was another state."""
    path, state = evening.books()
    evening.books(books=Books(fixed_volume=5))
    raw = path.read_bytes()
    with pytest.raises(StateError):
        plans.change_books(path, state, lambda books: books, "before-test", Moment(1.0, 1.0))
    assert path.read_bytes() == raw


def test_an_ex_date_nobody_saw_is_adjusted_by_its_factor(evening: Host) -> None:
    """Shares split one to two: anchor and prices halve, shares double, the cost stays."""
    path, _ = evening.books(books=Books(lots=LOTS, anchor=1.05, fixed_volume=8000))
    ended = evening.run("plan", "adjust", "split", "--factor", "0.5", text="ADJUST\n")
    assert ended.exit_code == 0, ended.output
    books = books_at(path)
    assert (books.anchor, books.fixed_volume) == (0.525, 16_000)
    assert [(lot.shares, lot.cost, lot.buy_price) for lot in books.lots] == [(4400, 2310.0, 0.525)]
    assert refused(evening, "adjust", "sideways", "--factor", "0.5") == "plan.which_answer"
    assert "除权" in evening.run("plan", "adjust").output  # none waits


def test_a_factor_may_be_given_while_an_ex_date_waits(evening: Host) -> None:
    """The dashboard asked; its question tells no factor, the person's does and goes to it as the answer."""
    waits = ExDate("2026-11-20", 2.12, 1.043, days=10)
    books = Books(lots=(Lot(10_000, 21_200.0, 2.12, "a"),), anchor=2.12, fixed_volume=80_000)
    _, state = evening.books(books=books, ex_date=waits)
    shown = evening.run("adjust")
    assert shown.exit_code == 1 and "10 天前" in shown.output and shown.output.count("--factor") == 2
    for answer in ("split", "cash"):
        assert refused(evening, "adjust", answer) == "operate.adjust_needs_factor"
    folder = commands_path(evening.runtime, state.strategy)
    ended = evening.run("plan", "adjust", "split", "--factor", "0.5", "--yes", "--wait", "0")
    assert isinstance(ended.exception, OperateError) and ended.exception.key == "operate.adjust_not_taken"
    assert "20000@1.0600" in ended.output and "160000" in ended.output
    assert waiting_commands(folder) == []


def test_show_tells_account_and_pool(evening: Host) -> None:
    """Fixed, flow, what the account holds, and the pool's use, in one look."""
    evening.books(books=Books(lots=LOTS, anchor=1.05, fixed_volume=200_000))
    pool = SharedPool.model_validate(
        {"updated_at": 1.0, "pool_total": 300_000.0, "used_159201": 2310.0, "frozen_159201": 690.0}
    )
    evening.publish(POOL, "executor@win", pool)
    shown = evening.run("plan", "show").output
    for part in ("200,000", "2,200", "100,050", "3,000.00", "1%", "202,200"):
        assert part in shown, part
