"""Fault 72: a whole install is copied to a second host, and two dashboards trade as one writer."""

from __future__ import annotations

import copy
import shutil
from pathlib import Path

import pytest

from mac_side.engine import Engine
from mac_side.engine_events import OperatorSaid, PublishSignal, Republish, Tick, TwinSeen
from mac_side.screen_commands import Command
from shared_schema.messages import decode_heartbeat, encode
from shared_schema.words import has, say, use_language
from tests.mac_side.test_engine_decides import NOW, newest, published, ready
from tests.mac_side.test_engine_over_a_folder import Desk, anchored
from tests.mac_side.world import beats, moment, quote

OWN = "heartbeat/dashboard-dash.json"
BEAT = 1.7


def word(engine: Engine) -> str:
    """Why this engine is read-only; "" where it is not."""
    assert engine.core is not None
    return engine.core.read_only.word if engine.core.read_only is not None else ""


def copied(desk: Desk) -> Desk:
    """A second host over the same folder, with a copy of the books."""
    second = copy.copy(desk)
    second.runtime = desk.runtime.with_name("copy")
    shutil.copytree(desk.runtime, second.runtime)
    return second


@pytest.mark.slow
@pytest.mark.parametrize("instance", ["dash", "other"])
def test_of_two_that_write_as_one_the_earlier_turns_read_only(tmp_path: Path, instance: str) -> None:
    """Whether the copy bears the same instance or another: one goes on trading, and only that one."""
    desk = Desk(tmp_path)
    first = anchored(desk)
    second = copied(desk)
    later = second.engine(instance=instance)
    for _ in range(6):
        for host, engine in ((desk, first), (second, later)):
            desk.clock += BEAT
            host.clock = desk.clock
            host.turn(engine)
    assert (word(first), word(later)) == ("twin", "")
    desk.clock += 60
    desk.quote(1.05)
    desk.turn(first)
    assert desk.signals() == []
    second.clock = desk.clock
    second.turn(later)
    assert len(desk.signals()) == 1


def put_back(desk: Desk, engine: Engine, version: bytes) -> None:
    """The sync tool lays an old version of our own heartbeat there again and again."""
    for _ in range(8):
        desk.turn(engine, BEAT)
        (desk.path / OWN).write_bytes(version)
        desk.turn(engine, 1.2)


@pytest.mark.slow
def test_old_versions_of_our_own_heartbeat_are_no_twin(tmp_path: Path) -> None:
    """Of this process, or of the one before it, whose clock may have been ahead: it stands still."""
    desk = Desk(tmp_path)
    engine = anchored(desk)
    put_back(desk, engine, (desk.path / OWN).read_bytes())
    assert word(engine) == ""
    killed = (desk.path / OWN).read_bytes()
    desk.clock -= 3600
    restarted = desk.engine()
    put_back(desk, restarted, killed)
    assert word(restarted) == ""


@pytest.mark.slow
def test_another_strategy_and_another_writer_are_no_twin(tmp_path: Path) -> None:
    """The second writer is refused by the executor, and the first one goes on."""
    desk = Desk(tmp_path)
    engine = anchored(desk)
    other = Desk.__new__(Desk)
    other.__dict__.update(desk.__dict__, runtime=tmp_path / "other")
    beside = other.engine(writer="dashboard@elsewhere", instance="other")
    for _ in range(6):
        desk.turn(engine, BEAT)
        other.clock = desk.clock
        other.turn(beside)
    assert word(engine) == word(beside) == ""
    raw = (desk.path / OWN).read_bytes()
    for number in range(6):
        received = decode_heartbeat(raw)
        assert received.envelope is not None
        envelope = received.envelope.model_copy(update={"epoch": "f" * 12, "seq": number})
        body = received.body.model_copy(update={"strategy": "dividend", "instance": "dividend"})
        (desk.path / "heartbeat" / "dashboard-dividend.json").write_bytes(encode(envelope, body))
        desk.turn(engine, BEAT)
    assert word(engine) == ""


@pytest.mark.parametrize("language", ["zh", "en"])
def test_a_read_only_engine_sends_nothing_and_says_what_to_do(language: str) -> None:
    """No order, no cancel, nothing again; the alarm names the copy and the way out."""
    use_language(language)
    made = ready()
    made.handle(quote(NOW, 1.052), NOW)
    made.handle(TwinSeen(NOW.wall), NOW)
    later = moment("10:02:30")
    made.handle(beats(later), later)
    assert published(made.handle(quote(later, 1.04, seq=2), later)) == []
    assert made.held is not None and made.held.word == "twin" and has("heartbeat.twin")
    assert made.alarms["twin"].text == made.held.sentence and "10:00:30" in made.held.sentence
    assert made.alarms["twin"].what_to_do == say("dashboard.todo.twin")
    cancel = OperatorSaid(Command(kind="cancel", argument=newest(made).signal_id, at=later.wall))
    assert not any(isinstance(c, PublishSignal) for c in made.handle(cancel, later))
    assert not any(isinstance(c, Republish) for c in made.handle(Tick(), later))
    use_language("zh")
