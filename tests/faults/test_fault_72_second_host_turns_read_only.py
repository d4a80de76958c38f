"""Fault 72: a host whose strategy name is bound to another writer stops sending until it is restarted."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from mac_side.bridge_client import Bridge
from mac_side.bridge_client.bridge import BridgeError
from mac_side.engine_core import EngineCore
from mac_side.engine_events import OperatorSaid, PublishSignal, Republish, Tick
from mac_side.screen_commands import Command
from shared_schema.words import use_language
from tests.mac_side.scripted_executor import ScriptedExecutor
from tests.mac_side.test_engine_decides import NOW, newest, published, ready
from tests.mac_side.world import answer, at, beats, moment, quote

BOUND = "strategy grid is bound to dashboard@first"
WALL = at("10:00:30")


def refused(made: EngineCore) -> None:
    """The newest signal comes back refused for its writer."""
    entry = newest(made)
    result = answer(entry, NOW, 0, state="rejected")
    body = result.received.body.model_copy(update={"error_code": "other_writer", "message": BOUND})
    made.handle(replace(result, received=replace(result.received, body=body)), NOW)


def test_a_dashboard_refused_as_the_second_writer_sends_nothing_more() -> None:
    """Held with the bound writer's name and the command to type; no order, no cancel, nothing again."""
    use_language("en")
    made = ready()
    made.handle(quote(NOW, 1.052), NOW)
    refused(made)
    later = moment("10:02:30")
    made.handle(beats(later), later)
    assert published(made.handle(quote(later, 1.04, seq=2), later)) == []
    assert made.held is not None and made.held.word == "other_writer"
    assert BOUND in made.held.sentence and "miniqmt rebind --strategy grid" in made.held.sentence
    assert "other_writer" in made.alarms
    cancel = OperatorSaid(Command(kind="cancel", argument=newest(made).signal_id, at=later.wall))
    assert not any(isinstance(c, PublishSignal) for c in made.handle(cancel, later))
    assert not any(isinstance(c, Republish) for c in made.handle(Tick(), later))
    use_language("zh")


def test_a_refusal_of_an_earlier_run_holds_nothing() -> None:
    """Restarted after the rebind, the old refusal is settled and the next signal goes out."""
    made = ready()
    made.handle(quote(NOW, 1.052), NOW)
    again = EngineCore(made.config, made.state)
    again.handle(beats(NOW), NOW)
    refused(again)
    assert again.read_only is None and newest(again).settled
    assert len(published(again.handle(quote(NOW, 1.04, seq=2), NOW))) == 1


def test_a_script_refused_as_the_second_writer_gets_an_error(
    tmp_path: Path,
) -> None:
    """The first order is refused, the next one raises and writes no file."""
    (tmp_path / "folder").mkdir()
    executor = ScriptedExecutor(tmp_path / "folder", WALL)
    executor.beat()
    with Bridge(
        tmp_path / "folder",
        "myscript",
        runtime_dir=tmp_path / "runtime",
        wait_for_executor=0,
        wall_clock=lambda: WALL,
        pause=lambda _: executor.answer_all("rejected", error_code="other_writer"),
    ) as bridge:
        assert bridge.buy("159201.SZ", 1.05, 1000).wait(30).answer == "refused"
        with pytest.raises(BridgeError, match="rebind --strategy myscript"):
            bridge.buy("159201.SZ", 1.05, 1000)
        assert executor.folder.signals() == []
