"""Windows: a scanner or a backup holds a halt file for a moment: what was lifted must not halt again."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from shared_schema.drop_folder import DropFolder
from shared_schema.drop_folder.names import halt_name
from tests.execution.shell import Shell
from tests.shared_schema.faulty_disk import FaultyDisk
from windows_side.executor import KEYBOARD_INTERVAL
from windows_side.keyboard import Typed, type_order

HALT = b'{"halt": true, "reason": "look", "at": 100.0}'
RESUMED = b'{"halt": false, "reason": "fine", "at": 101.0}'


@pytest.fixture
def shell(tmp_path: Path) -> Iterator[Shell]:
    shell = Shell(tmp_path).ready()
    yield shell
    shell.kill()


def lies_there(shell: Shell, raw: bytes) -> None:
    (shell.folder.path / "control" / halt_name("dashboard@mac")).write_bytes(raw)
    shell.executor.turn()


def held_for(shell: Shell, readings: int) -> None:
    """The next ``readings`` of a halt file fail as Windows lets them."""
    left = [readings]

    def fails(step: str, path: Path) -> bool:
        if step != "read" or not path.name.startswith("halt") or left[0] == 0:
            return False
        left[0] -= 1
        return True

    shell.disk.fails = fails


def test_a_file_lifted_at_the_keyboard_does_not_halt_again_for_being_held_a_moment(shell: Shell) -> None:
    """It stays in ``control/`` for months, read at every turn; held once it halts until a person comes."""
    lies_there(shell, HALT)
    type_order(shell.place, Typed(kind="resume", reason="ok", by="me", at=time.time()))
    shell.skip += KEYBOARD_INTERVAL
    shell.executor.turn()
    assert shell.core.halt_since is None
    held_for(shell, 1)
    shell.executor.turn()
    shell.executor.turn()
    assert shell.core.halt_since is None


def test_a_lift_held_for_a_moment_refuses_no_order(shell: Shell) -> None:
    """The writer's own lift stays there as well: an order of that very moment would be answered "halted"."""
    lies_there(shell, HALT)
    lies_there(shell, RESUMED)
    assert shell.core.halt_since is None
    shell.drop(shell.signal())
    held_for(shell, 1)
    assert shell.settled().status == "success"


def test_what_stays_unreadable_halts(shell: Shell) -> None:
    """Patience has an end: what nobody can read is a halt (fault 68)."""
    lies_there(shell, RESUMED)
    held_for(shell, 1000)
    shell.executor.turn()
    assert shell.core.halt_since is not None


def test_however_many_are_held_a_look_rests_once(tmp_path: Path) -> None:
    """A halt that comes while the look rests is not seen by it: all its rests stay far below a second.

    Those that nobody could read rest no later look, and one that can be read again counts at once."""
    rested: list[float] = []
    disk = FaultyDisk(lambda step, path: step == "read" and path.name.startswith("halt"))
    folder = DropFolder(tmp_path, disk, rest=rested.append)
    folder.prepare()
    for number in range(12):
        (tmp_path / "control" / f"halt.dashboard@host{number}.json").write_bytes(RESUMED)
    assert list(folder.halts().values()) == [None] * 12
    assert sum(rested) <= 0.2
    rested.clear()
    assert list(folder.halts().values()) == [None] * 12
    assert rested == []
    disk.fails = lambda step, path: False
    assert list(folder.halts().values()) == [RESUMED] * 12
