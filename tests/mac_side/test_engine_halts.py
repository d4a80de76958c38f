"""The risk: a halt that somebody lifted comes back, or one that nobody lifted is forgotten."""

from __future__ import annotations

import hashlib
from dataclasses import replace

import orjson
import pytest

from mac_side.engine_core import EngineCore
from mac_side.engine_events import HaltsSeen, OperatorSaid, Tick, WriteHalt
from mac_side.engine_view import make_view
from mac_side.screen_commands import Command
from shared_schema.clock import Moment
from shared_schema.messages import decode_signal
from shared_schema.words import say
from tests.mac_side.test_engine_decides import NOW, newest, published, ready
from tests.mac_side.world import beats, core, quote

LEFT = {"halt.a@b.json": b'{"halt": true, "reason": "r", "by": "a", "at": 1.0}'}


def test_a_halt_is_latched_when_its_file_disappears() -> None:
    """Seen once, it holds until its writer lifts it; a missing file resumes nothing; half a file halts."""
    made = ready()
    made.handle(HaltsSeen({"halt.a@b.json": b'{"halt": tr'}), NOW)
    made.handle(HaltsSeen({}), NOW)
    assert published(made.handle(quote(NOW, 1.04), NOW)) == []
    assert made.held is not None and made.held.word == "halted"
    made.handle(HaltsSeen({"halt.a@b.json": b'{"halt": false, "reason": "", "by": "a", "at": 1.0}'}), NOW)
    assert not made.state.halted


def test_the_executors_keyboard_lifts_a_halt_for_good() -> None:
    """Confirmed by its heartbeat, then gone there: lifted here too, and the old file does not halt again."""
    made = ready()
    file = {"halt.a@b.json": b'{"halt": true, "reason": "r", "by": "a", "at": 1.0}'}
    made.handle(HaltsSeen(file), NOW)
    made.handle(beats(NOW, halt_since=NOW.wall), NOW)
    made.handle(beats(NOW), NOW)
    made.handle(HaltsSeen(file), NOW)
    assert not made.state.halted


@pytest.mark.parametrize("raw", [b"", b"x"])
def test_the_keyboard_lifts_a_halt_of_hardly_a_byte(raw: bytes) -> None:
    """``touch control/halt``, or a halt on a full disk: it had no digest, and halted for good."""
    made = ready()
    made.handle(HaltsSeen({"halt": raw}), NOW)
    made.handle(beats(NOW, halt_since=NOW.wall), NOW)
    made.handle(beats(NOW), NOW)
    made.handle(HaltsSeen({"halt": raw}), NOW)
    assert not made.state.halted


def test_an_empty_halt_that_was_lifted_covers_no_other() -> None:
    """All empty files are alike: another name is another halt, and so is one made again."""
    made = ready()
    made.handle(HaltsSeen({"halt": b""}), NOW)
    made.handle(beats(NOW, halt_since=NOW.wall), NOW)
    made.handle(beats(NOW), NOW)
    lifted = made.state
    made.handle(HaltsSeen({"halt": b"", "halt.b@c.json": b""}), NOW)
    assert [halt.name for halt in made.state.halts] == ["halt.b@c.json"]
    again = core(state=lifted)
    again.handle(HaltsSeen({}), NOW)
    again.handle(HaltsSeen({"halt": b""}), NOW)
    assert again.state.halted


@pytest.mark.parametrize("raw", [b"stop\n", b'{"halt": true}'])
def test_a_halt_made_by_hand_once_more_is_a_new_one(raw: bytes) -> None:
    """Its bytes are those of the one that was lifted, which holds nothing while it lies there."""
    made = ready()
    made.handle(HaltsSeen({"halt": raw}), NOW)
    made.handle(beats(NOW, halt_since=NOW.wall), NOW)
    made.handle(beats(NOW), NOW)
    made.handle(HaltsSeen({"halt": raw, "halt.sync-conflict": raw}), NOW)
    assert not made.state.halted
    made.handle(HaltsSeen({}), NOW)
    made.handle(HaltsSeen({"halt": raw}), NOW)
    assert made.state.halted


def test_books_of_before_know_what_they_lifted() -> None:
    """Undated files had no mark before their digest: what lies there lifted halts no upgraded host."""
    made = core(state=replace(ready().state, lifted=(hashlib.sha256(b"stop\n").hexdigest(),)))
    made.handle(HaltsSeen({"halt": b"stop\n"}), NOW)
    assert not made.state.halted


def left_behind(**after: object) -> tuple[EngineCore, Moment]:
    """A halt of a third host, first seen at NOW; 6.5 s later the executor's heartbeat shows none."""
    made, later = ready(), Moment(NOW.wall + 6.5, NOW.market + 6.5)
    made.handle(HaltsSeen(LEFT), NOW)
    made.handle(beats(later, **after), later)
    return made, later


@pytest.mark.parametrize("is_ready", [True, False])
def test_a_halt_the_executor_does_not_hold_is_lifted_where_the_dashboard_runs(is_ready: bool) -> None:
    """Resumed at the executor while the dashboard was off: no heartbeat shows it, and it held for good.

    In the evening the terminal is closed, and the executor is not ready.
    """
    made, later = left_behind(ready=is_ready)
    assert make_view(made, later).halt.own and make_view(made, later).halt.only_here
    made.handle(OperatorSaid(Command(kind="resume", argument="r", at=later.wall)), later)
    made.handle(HaltsSeen(LEFT), later)
    assert not made.state.halted
    made.handle(HaltsSeen({"halt.a@b.json": LEFT["halt.a@b.json"].replace(b"1.0", b"2.0")}), later)
    assert made.state.halted


@pytest.mark.parametrize("after", [{"halt_since": 1.0}, {"mode": "live"}])
def test_what_the_executor_may_hold_is_not_lifted_here(after: dict[str, object]) -> None:
    """Halted or another's: then only the writer or the executor's keyboard lifts it."""
    made, later = left_behind(**after)
    made.handle(OperatorSaid(Command(kind="resume", argument="r", at=later.wall)), later)
    assert made.state.halted and not make_view(made, later).halt.own


@pytest.mark.parametrize(("written", "asked"), [(5.9, 6.0), (6.5, 20.0)])
def test_a_heartbeat_that_tells_nothing_lifts_nothing(written: float, asked: float) -> None:
    """Written before a green link would have brought the halt there, or old: it shows no more than that."""
    made, later = ready(), Moment(NOW.wall + asked, NOW.market + asked)
    made.handle(HaltsSeen(LEFT), NOW)
    made.handle(beats(Moment(NOW.wall + written, NOW.market + written)), later)
    made.handle(OperatorSaid(Command(kind="resume", argument="r", at=later.wall)), later)
    assert made.state.halted


def test_halt_and_pause_by_hand() -> None:
    """The screen's halt is latched and written; its pause survives in the state; its cancel is a signal."""
    made = ready()
    made.handle(quote(NOW, 1.052), NOW)
    target = newest(made)
    cancel = Command(kind="cancel", argument=target.signal_id, at=NOW.wall)
    made.handle(OperatorSaid(cancel), NOW)
    signal = decode_signal(newest(made).raw).body
    assert (signal.action, signal.target_signal_id) == ("cancel", target.signal_id)
    assert published(made.handle(OperatorSaid(cancel), NOW)) == []
    commands = made.handle(OperatorSaid(Command(kind="halt", argument="r", at=NOW.wall)), NOW)
    assert any(isinstance(command, WriteHalt) and command.body.halt for command in commands)
    made.handle(OperatorSaid(Command(kind="pause", at=NOW.wall)), NOW)
    assert made.state.halted and made.state.paused


def test_what_was_lifted_by_hand_does_not_come_back_as_a_conflict_copy() -> None:
    """The sync tool keeps the halt's bytes under a name of its own, and no r could ever lift that one."""
    made = ready()
    commands = made.handle(OperatorSaid(Command(kind="halt", argument="r", at=NOW.wall)), NOW)
    (written,) = (command for command in commands if isinstance(command, WriteHalt))
    raw = orjson.dumps({"halt": True, "reason": "r", "by": written.body.by, "at": NOW.wall})
    made.handle(HaltsSeen({written.name: raw}), NOW)
    made.handle(OperatorSaid(Command(kind="resume", at=NOW.wall)), NOW)
    copy = written.name.removesuffix(".json") + ".sync-conflict-20261118-100001-QFUOC7P.json"
    made.handle(HaltsSeen({copy: raw}), NOW)
    assert not made.state.halted
    made.handle(HaltsSeen({copy: raw.replace(b'"r"', b'"another"')}), NOW)
    assert made.state.halted


@pytest.mark.parametrize("held", [False, True])
def test_a_pause_is_told_once(held: bool) -> None:
    """One press of p is one event, also where nothing was sent anyway; a restart tells it as a reason."""
    made = ready() if held else core()
    before = len(made.events)
    made.handle(OperatorSaid(Command(kind="pause", at=NOW.wall)), NOW)
    made.handle(Tick(), NOW)
    assert [event.text for event in made.events][before:] == [say("dashboard.event_pause")]
    again = core(state=made.state)
    again.handle(Tick(), NOW)
    assert say("dashboard.paused") in [event.text for event in again.events]


def test_a_halt_without_a_reason_ends_with_no_colon() -> None:
    """A file that only says "halt" shows who, and nothing dangling behind it."""
    made = ready()
    made.handle(HaltsSeen({"halt.a@b.json": b'{"halt": true, "by": "a", "at": 1.0}'}), NOW)
    made.judge(NOW)
    assert made.held is not None and made.held.sentence == "交易已停止（a）"
