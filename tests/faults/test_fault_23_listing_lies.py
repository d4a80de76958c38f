"""Fault 23: a listing that misses a file or shows it twice has no effect."""

from __future__ import annotations

from pathlib import Path

import pytest

from shared_schema.disk import FileEntry
from shared_schema.drop_folder import DropFolder
from tests.execution.shell import Shell
from tests.shared_schema.faulty_disk import FaultyDisk


class LyingDisk(FaultyDisk):
    """Shows every file twice, or nothing at all every other time."""

    def __init__(self, *, twice: bool) -> None:
        super().__init__()
        self._twice = twice
        self._looks = 0

    def list(self, path: Path) -> list[FileEntry]:
        found = super().list(path)
        self._looks += 1
        if self._twice:
            return found * 2
        return found if self._looks % 2 else []


@pytest.mark.slow
@pytest.mark.parametrize("twice", [True, False])
def test_a_signal_listed_twice_or_now_and_then_is_one_order(tmp_path: Path, twice: bool) -> None:
    """The ledger tells a doubled entry, the next scan a missed one."""
    shell = Shell(tmp_path).ready()
    shell.folder.disk = LyingDisk(twice=twice)
    assert isinstance(shell.folder, DropFolder)
    shell.drop(shell.signal("s1"))
    shell.drop(shell.signal("s2", price=1.19))
    assert shell.settled("s1").filled_shares == shell.settled("s2").filled_shares == 1000
    shell.until(lambda: len(shell.names("order_signal_done")) == 2)
    assert shell.orders == 2
    shell.kill()
