"""Fault 25: the exchange folder is a share of a machine that sleeps; the executor waits at every step."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest

from shared_schema.clock import Moment
from shared_schema.disk import FileEntry, LocalDisk
from shared_schema.drop_folder import DropFolder
from shared_schema.drop_folder.names import OFFLINE_MARKER
from shared_schema.errors import FolderError
from shared_schema.sessions import SHANGHAI
from tests.execution.bench import CALENDAR
from tests.execution.shell import Shell
from tests.shared_schema.faulty_disk import FaultyDisk
from windows_side.aged_results import LOOK_EVERY, AgedResults
from windows_side.execution.ledger import new_meta
from windows_side.execution.memory_ledger import MemoryLedger
from windows_side.executor import KEYBOARD_INTERVAL
from windows_side.keyboard import Keyboard, Typed, type_order
from windows_side.pruning import PRUNE_EVERY, Pruner

NIGHT = datetime(2026, 11, 18, 22, 0, tzinfo=SHANGHAI).timestamp()


class Away(LocalDisk):
    """A share whose machine sleeps: Windows answers each question with an error of the network."""

    def __init__(self) -> None:
        self.is_away = False

    def stat(self, path: Path) -> FileEntry | None:
        if self.is_away and path.name == OFFLINE_MARKER:
            raise OSError(errno.EINVAL, "WinError 64: the specified network name is no longer available")
        return super().stat(path)

    def make_folder(self, path: Path) -> None:
        if self.is_away:
            raise FileNotFoundError(errno.ENOENT, "WinError 53: the network path was not found", str(path))
        super().make_folder(path)


@pytest.fixture
def shell(tmp_path: Path) -> Iterator[Shell]:
    shell = Shell(tmp_path)
    yield shell
    shell.kill()


def test_putting_away_waits_for_a_folder_that_cannot_be_asked(tmp_path: Path) -> None:
    """The look for OFFLINE runs in the executor's loop: raised there it ends the process every night."""
    disk, passed = Away(), [0.0]
    folder = DropFolder(tmp_path, disk)
    folder.prepare()
    pruner = Pruner(folder, CALENDAR, lambda: passed[0], lambda count: None)
    disk.is_away, passed[0] = True, PRUNE_EVERY + 1
    assert pruner.due(Moment(NIGHT, NIGHT), frozenset()) is None
    disk.is_away, passed[0] = False, 2 * PRUNE_EVERY + 2
    assert pruner.due(Moment(NIGHT, NIGHT), frozenset()) is not None


def test_old_results_wait_for_a_folder_that_cannot_be_asked(tmp_path: Path) -> None:
    """The same look for OFFLINE, by the room that puts month-old results away."""
    disk, passed = Away(), [0.0]
    folder = DropFolder(tmp_path, disk)
    folder.prepare()
    ledger = MemoryLedger(new_meta("simulate", "main", "test", "x"))
    aged = AgedResults(folder, ledger, CALENDAR, lambda: passed[0], lambda count: None)
    disk.is_away, passed[0] = True, LOOK_EVERY + 1
    assert aged.due(Moment(NIGHT, NIGHT)) is None
    disk.is_away, passed[0] = False, 2 * LOOK_EVERY + 2
    assert aged.due(Moment(NIGHT, NIGHT)) is not None


def test_a_copy_into_quarantine_fails_as_the_folder_does(tmp_path: Path) -> None:
    """The folder's thread takes a FolderError for a failure like others, any other error for its death."""
    disk = Away()
    folder = DropFolder(tmp_path, disk)
    folder.prepare()
    disk.is_away = True
    with pytest.raises(FolderError):
        folder.quarantine_copy("order_signal.json", b"half", {"reason": "not_json"})


def test_what_was_typed_and_cannot_be_removed_is_followed_once_and_ends_nothing(shell: Shell) -> None:
    """A virus scanner holds the new file for longer than the patience of a removal."""
    disk = FaultyDisk(lambda step, path: step == "remove")
    keyboard = shell.executor._keyboard = Keyboard(shell.place, shell.folder, shell.executor._log, disk)
    type_order(shell.place, Typed(kind="resume", reason="ok", by="me", at=datetime.now().timestamp()))
    shell.skip += KEYBOARD_INTERVAL
    assert len(keyboard.take()) == 1
    assert keyboard.take() == []
    assert disk.steps.count(("remove", next((shell.place / "executor_commands").glob("*.json")).name)) == 1
