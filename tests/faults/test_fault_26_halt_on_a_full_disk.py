"""Fault 26: with not a byte left on the disk a halt still halts: an empty file is one."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from commands.halt_writing import write_halt
from mac_side.engine_halts import latch_seen, own_halts, resume_by_hand
from mac_side.screen_commands import Command, write_command
from mac_side.state_file import new_state
from shared_schema.clock import Moment
from shared_schema.drop_folder import DropFolder
from shared_schema.drop_folder.names import halt_name, is_halt_of, other_halt_name
from shared_schema.errors import FolderError, StateError
from shared_schema.ids import AccountAlias, StrategyName
from shared_schema.messages import reads_as_halt
from tests.execution.shell import Shell
from tests.mac_side.test_engine_over_a_folder import Desk
from tests.shared_schema.faulty_disk import FaultyDisk


class Full(FaultyDisk):
    """Takes names, and not one byte; without ``names`` not even those (no inodes left)."""

    full = False
    names = True

    def create(self, path: Path, data: bytes) -> None:
        """An entry needs no block, its content does."""
        if self.full and (data or not self.names):
            if self.names:
                path.write_bytes(b"")
            raise OSError(28, "no space left on device", str(path))
        super().create(path, data)


def full_folder(place: Path) -> tuple[DropFolder, Full]:
    """An exchange folder on a disk that fills up after it was made."""
    disk = Full()
    folder = DropFolder(place, disk)
    folder.disk.make_folder(place)
    folder.prepare()
    disk.full = True
    return folder, disk


def test_the_command_leaves_an_empty_file_that_halts(tmp_path: Path) -> None:
    """Also where a lifted halt of before lies under the usual name; nothing else is left behind."""
    folder, disk = full_folder(tmp_path)
    disk.full = False
    folder.publish("control/halt.operator@mac.json", b'{"halt": false}')
    disk.full = True
    name = write_halt(folder, "operator@mac", "now", "simulate", 1_795_140_000.0)
    halts = folder.halts()
    assert reads_as_halt(halts[name])[0] and halts[name] == b"" and len(halts) == 2
    assert not [path for path in (tmp_path / "control").iterdir() if path.name.endswith(".tmp")]


def test_without_a_single_name_left_it_is_said(tmp_path: Path) -> None:
    """No inodes: the command says so and ends as an error; nobody believes in a halt that is not there."""
    folder, disk = full_folder(tmp_path)
    disk.names = False
    with pytest.raises(FolderError):
        write_halt(folder, "operator@mac", "now", "simulate", 1_795_140_000.0)
    assert folder.halts() == {}


def test_the_executor_takes_the_empty_file_for_a_halt(tmp_path: Path) -> None:
    """And nothing more is placed."""
    shell = Shell(tmp_path).ready()
    (shell.folder.path / "control" / "halt.operator@mac.ab12.json").write_bytes(b"")
    shell.until(lambda: shell.core.halt_since is not None)
    shell.drop(shell.signal("s1"))
    assert shell.settled("s1").error_code == "halted" and shell.orders == 0
    shell.kill()


def test_a_halt_by_key_reaches_the_others_though_the_books_cannot_be_saved(tmp_path: Path) -> None:
    """The engine must end; before it does, the halt that was pressed lies in the folder."""
    desk = Desk(tmp_path)
    engine = desk.engine()
    desk.executor.beat()
    assert engine.attempt() and engine.core is not None
    disk = Full()
    engine.place.folder.disk = disk
    engine._books.folder.disk = disk
    disk.full = True
    command = Command(kind="halt", argument="stop", at=desk.clock, by="screen@mac")
    write_command(engine.place.commands, command)
    with pytest.raises(StateError):
        engine.attempt()
    ((name, raw),) = DropFolder(desk.path).halts().items()
    assert name.startswith("halt.dashboard@mac") and reads_as_halt(raw)[0]


def test_resume_also_lifts_the_halt_that_got_another_name() -> None:
    """Found by the simulated world (seed 7017164): such a halt of our own was nobody's to lift."""
    writer = "dashboard@mac"
    fresh = new_state(Moment(1.0, 1.0), "simulate", AccountAlias("main"), StrategyName("grid"), writer)
    fresh = replace(fresh, writer=writer)
    other = other_halt_name(writer, "ab12cd34")
    state = latch_seen(fresh, {other: b"", "halt.person@win.json": b""}, 1.0)
    assert own_halts(state) == [halt_name(writer), other]
    assert [halt.name for halt in resume_by_hand(state).halts] == ["halt.person@win.json"]
    assert not is_halt_of("halt.dashboard@mac.local.json", writer)
