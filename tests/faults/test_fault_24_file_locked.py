"""Fault 24: a file held by antivirus or indexer is tried again for two seconds, then said."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from types import SimpleNamespace

import pytest

from shared_schema import disk as disk_room
from shared_schema.disk import REPLACE_BUDGET, LocalDisk
from shared_schema.drop_folder import DropFolder
from shared_schema.errors import FolderError
from tests.execution.shell import Shell


class Windows:
    """What ``disk.py`` asks of the system, as Windows answers it while a file is held."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, number: int, held_for: float) -> None:
        self.now = 0.0
        self.tries = 0
        self._number = number
        self._held_for = held_for
        self._real = os
        system = SimpleNamespace(**{name: getattr(self._real, name) for name in dir(self._real)})
        system.name, system.replace = "nt", self.replace
        monkeypatch.setattr(disk_room, "os", system)
        clock = SimpleNamespace(monotonic=lambda: self.now, sleep=self.sleep)
        monkeypatch.setattr(disk_room, "time", clock)

    def sleep(self, seconds: float) -> None:
        """Time goes on without waiting."""
        self.now += seconds

    def replace(self, source: Path, target: Path) -> None:
        """A rename onto a name somebody holds."""
        self.tries += 1
        if self.now < self._held_for:
            problem = PermissionError(errno.EACCES, "held by another program", str(target))
            problem.winerror = self._number  # type: ignore[attr-defined]
            raise problem
        self._real.replace(source, target)


@pytest.mark.parametrize("number", [5, 32, 33])
def test_a_name_held_for_a_moment_is_published_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    """WinError 5, 32 and 33 for a second: tried again with growing pauses, then the whole file stands."""
    windows = Windows(monkeypatch, number, held_for=1.0)
    DropFolder(tmp_path, LocalDisk()).publish("order_signal.json", b"whole")
    assert (tmp_path / "order_signal.json").read_bytes() == b"whole"
    assert windows.tries > 5 and windows.now < REPLACE_BUDGET


def test_a_name_held_for_ever_fails_loudly_after_two_seconds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Bounded: the caller hears of it, the old file stands, and no temp file is left."""
    (tmp_path / "order_result.json").write_bytes(b"old")
    windows = Windows(monkeypatch, 32, held_for=1e9)
    with pytest.raises(FolderError):
        DropFolder(tmp_path, LocalDisk()).publish("order_result.json", b"new")
    assert REPLACE_BUDGET <= windows.now < REPLACE_BUDGET + 0.1
    assert [path.name for path in tmp_path.iterdir()] == ["order_result.json"]
    assert (tmp_path / "order_result.json").read_bytes() == b"old"


def test_a_signal_that_stays_held_is_one_warning_and_one_alarm(tmp_path: Path) -> None:
    """Said at once, an alarm after ten seconds, silent after that; when it can be read it is executed."""
    shell = Shell(tmp_path).ready()
    shell.disk.fails = lambda step, path: step == "read" and path.name == "order_signal_s1.json"
    shell.drop(shell.signal())

    def said() -> tuple[int, ...]:
        words = ("file_unreadable", "file_held", "file_readable_again")
        return tuple(shell.lines.actions.count(word) for word in words)

    shell.executor.turn()
    assert said() == (1, 0, 0)
    for _ in range(30):
        shell.skip += 1.0
        shell.executor.turn()
    assert said() == (1, 1, 0)
    shell.disk.fails = lambda step, path: False
    shell.skip += 1.0
    assert shell.settled().filled_shares == 1000 and said() == (1, 1, 1)
    shell.kill()
