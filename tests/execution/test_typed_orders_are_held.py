"""Windows: a scanner or a backup holds what a person typed; it is followed once, and nobody waits for it."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

import shared_schema.disk as disk_module
from shared_schema.drop_folder import DropFolder
from shared_schema.logs import Log
from tests.execution.shell import Lines
from tests.shared_schema.faulty_disk import FaultyDisk
from windows_side.keyboard import Keyboard, Typed, type_order


@pytest.fixture
def folder(tmp_path: Path) -> DropFolder:
    """An exchange folder beside the place of what is typed."""
    folder = DropFolder(tmp_path / "exchange")
    folder.disk.make_folder(folder.path)
    folder.prepare()
    return folder


def typed(place: Path) -> None:
    """A person resumes."""
    type_order(place, Typed(kind="resume", reason="ok", by="me", at=time.time()))


def test_one_that_stays_held_stops_the_loop_once(
    tmp_path: Path, folder: DropFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A removal is retried for 2 s on Windows: tried again at each look it would hold every signal up."""
    tries: list[Path] = []

    def held(self: Path, missing_ok: bool = False) -> None:
        tries.append(self)
        raise PermissionError(13, "held")

    monkeypatch.setattr(disk_module, "REPLACE_BUDGET", 0.0)
    keyboard = Keyboard(tmp_path, folder, Log("order_executor", [Lines()]))
    typed(tmp_path)
    monkeypatch.setattr(Path, "unlink", held)
    assert len(keyboard.take()) == 1
    assert len(tries) == 1
    assert [keyboard.take() for _ in range(5)] == [[]] * 5
    assert len(tries) == 1


def test_one_held_for_a_look_is_followed_at_the_next(tmp_path: Path, folder: DropFolder) -> None:
    """A scanner opens every new file: what a person typed must not be lost for that."""
    left = [1]

    def fails(step: str, path: Path) -> bool:
        if step != "read" or left[0] == 0:
            return False
        left[0] -= 1
        return True

    keyboard = Keyboard(tmp_path, folder, Log("order_executor", [Lines()]), FaultyDisk(fails))
    typed(tmp_path)
    assert keyboard.take() == []
    assert len(keyboard.take()) == 1
