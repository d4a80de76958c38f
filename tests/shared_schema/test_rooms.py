"""The room of an account: a folder in itself, under the halts and the OFFLINE of the folder above it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from commands.halt_writing import lift_halt, write_halt
from shared_schema.drop_folder import DropFolder
from shared_schema.drop_folder.names import ABOVE, room_name
from shared_schema.errors import FolderError
from shared_schema.exchange_folder import is_offline_folder
from shared_schema.ids import AccountAlias
from shared_schema.integrity import Key
from shared_schema.messages import reads_as_halt
from shared_schema.words import say

KEY = Key(b"k" * 32)


@pytest.fixture
def top(tmp_path: Path) -> DropFolder:
    folder = DropFolder(tmp_path / "share")
    folder.prepare()
    return folder


def room_of(top: DropFolder, alias: str) -> DropFolder:
    room = DropFolder(top.path / room_name(AccountAlias(alias)), key=top.key)
    room.prepare()
    return room


def test_a_halt_of_the_folder_holds_every_room(top: DropFolder) -> None:
    """Whoever halts means everything; in the room its name tells that it lies above."""
    one, other = room_of(top, "b"), room_of(top, "c")
    name = write_halt(top, "operator@mac", "stop", "live", 1.0)
    for room in (one, other):
        assert list(room.halts()) == [ABOVE + name]
    assert list(top.halts()) == [name]


def test_a_halt_of_a_room_holds_that_account_alone(top: DropFolder) -> None:
    """Neither the folder above nor another room sees it."""
    one, other = room_of(top, "b"), room_of(top, "c")
    name = write_halt(one, "operator@mac", "only b", "live", 1.0)
    assert list(one.halts()) == [name] and not other.halts() and not top.halts()


def test_both_halts_are_kept_apart(top: DropFolder) -> None:
    """One writer halts the folder and the room: lifting the one does not lift the other."""
    room = room_of(top, "b")
    for folder in (top, room):
        write_halt(folder, "operator@mac", "stop", "live", 1.0)
    lift_halt(top, "halt.operator@mac.json", "operator@mac", "go", "live", 2.0)
    found = {name: reads_as_halt(raw, None, name)[0] for name, raw in room.halts().items()}
    assert found == {ABOVE + "halt.operator@mac.json": False, "halt.operator@mac.json": True}


def test_a_signed_lift_counts_in_the_room_as_in_the_folder(tmp_path: Path) -> None:
    """With a key only its writer's own signed file lifts, seen from the room too; a copied one does not."""
    top = DropFolder(tmp_path, key=KEY)
    top.prepare()
    room = room_of(top, "b")
    name = "halt.operator@mac.json"
    lift_halt(top, name, "operator@mac", "go", "live", 2.0)
    raw = room.halts()[ABOVE + name]
    assert reads_as_halt(raw, KEY, ABOVE + name) == (False, "go")
    assert reads_as_halt(raw, KEY, ABOVE + "halt.other@mac.json") == (True, say("refusals.halt_other_writer"))


def test_a_folder_above_that_cant_be_listed_is_no_folder_without_halts(top: DropFolder) -> None:
    """Whether a halt lies there can't be known: said, never taken for none."""
    room = room_of(top, "b")
    control = top.path / "control"
    control.rmdir()
    control.write_text("a file where the folder belongs")
    with pytest.raises(FolderError):
        room.halts()


def test_the_place_tells_however_the_room_is_named(
    top: DropFolder, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A relative path and a link lead to a room as well as its full path."""
    room = room_of(top, "b")
    write_halt(top, "operator@mac", "stop", "live", 1.0)
    monkeypatch.chdir(room.path.parent)
    assert DropFolder(Path("b")).halts()
    if os.name == "posix":  # elsewhere a link needs a right of its own
        link = tmp_path / "link"
        link.symlink_to(room.path, target_is_directory=True)
        assert DropFolder(link).halts()


def test_offline_above_is_offline_in_the_room(top: DropFolder) -> None:
    """No live process may use a room of an OFFLINE folder."""
    room = room_of(top, "b")
    assert not room.is_offline() and not is_offline_folder(room.path)
    (top.path / "OFFLINE").touch()
    assert room.is_offline() and is_offline_folder(room.path)
