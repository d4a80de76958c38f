"""The risk: a host gets another name (macOS by DHCP), and half of what it writes bears the old one."""

from __future__ import annotations

from pathlib import Path

import pytest

from mac_side.engine import Engine
from mac_side.engine_view import make_view
from mac_side.screen_commands import Command, write_command
from shared_schema.errors import StateError
from shared_schema.integrity import Key
from shared_schema.messages import decode_heartbeat, decode_signal, reads_as_halt
from tests.faults.test_fault_26_halt_on_a_full_disk import Full
from tests.mac_side.test_engine_over_a_folder import Desk, anchored

RENAMED = "dashboard@mac-2"
KEY = Key(b"k" * 32)


def lifted(desk: Desk, key: Key | None = None) -> dict[str, bool]:
    """Of each halt file whether it lifts."""
    files = desk.executor.folder.halts()
    return {name: not reads_as_halt(raw, key, name)[0] for name, raw in files.items()}


def say(desk: Desk, engine: Engine, kind: str) -> None:
    """What a key at the screen of this host asks for."""
    desk.clock += 1
    command = Command.model_validate({"kind": kind, "argument": "r", "at": desk.clock, "by": "me"})
    write_command(engine.place.commands, command)


def test_heartbeats_and_signals_bear_one_name(tmp_path: Path) -> None:
    """That of the books: the executor has heard it, and refuses a writer whose heartbeats have ended."""
    desk = Desk(tmp_path)
    anchored(desk).end()
    engine = desk.engine(RENAMED)
    desk.clock += 60
    desk.quote(1.05)
    desk.turn(engine, 2)
    raw = (desk.path / "order_signal.json").read_bytes()
    signal = decode_signal(raw).envelope
    beat = decode_heartbeat((desk.path / "heartbeat" / "dashboard-dash.json").read_bytes()).envelope
    assert signal is not None and beat is not None
    assert signal.writer == beat.writer == "dashboard@mac"


@pytest.mark.parametrize("key", [None, KEY])
def test_a_halt_under_either_name_is_lifted_here(tmp_path: Path, key: Key | None) -> None:
    """One under the books' name, one written while waiting under today's: r lifts both, also with a key."""
    desk = Desk(tmp_path)
    desk.executor.folder.key = key
    first = desk.engine(key=key)
    desk.turn(first)
    say(desk, first, "halt")
    desk.turn(first, 1)
    first.end()
    (desk.path / "heartbeat" / "executor-scripted.json").unlink()
    engine = desk.engine(RENAMED, key)
    say(desk, engine, "halt")
    engine._begin()
    assert set(lifted(desk, key)) == {"halt.dashboard@mac.json", "halt.dashboard@mac-2.json"}
    desk.turn(engine, 1)
    assert engine.core is not None and len(engine.core.state.halts) == 2
    assert make_view(engine.core, engine.follower.now()).halt.own
    say(desk, engine, "resume")
    desk.turn(engine, 1)
    assert not engine.core.state.halted and all(lifted(desk, key).values())
    desk.turn(engine, 1)
    assert not engine.core.state.halted


def test_a_halt_before_the_end_bears_the_books_name(tmp_path: Path) -> None:
    """Books that can't be saved end the engine: its last halt is one that r lifts after the restart."""
    desk = Desk(tmp_path)
    anchored(desk).end()
    engine = desk.engine(RENAMED)
    desk.turn(engine, 1)
    say(desk, engine, "halt")
    disk = Full()
    disk.full = True
    engine._books.folder.disk = disk
    with pytest.raises(StateError):
        desk.turn(engine, 1)
    assert list(lifted(desk)) == ["halt.dashboard@mac.json"]
