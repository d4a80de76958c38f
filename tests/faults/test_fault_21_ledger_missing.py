"""Fault 21: where anything tells of an earlier ledger, a missing one stops the executor."""

from __future__ import annotations

from pathlib import Path

import pytest

from shared_schema.drop_folder import DropFolder
from shared_schema.errors import StateError
from shared_schema.ids import AccountAlias
from tests.execution.shell import Shell
from windows_side.execution.second_counter import SecondCounter
from windows_side.ledger_opening import OpenedLedger, open_guarded

ACCOUNT = AccountAlias("main")


def opened(place: Path, folder: DropFolder) -> OpenedLedger:
    """Open as the executor's start does."""
    counter = SecondCounter(place / "counter" / "ledger.count")
    try:
        return open_guarded(place / "ledger.sqlite3", "simulate", ACCOUNT, folder, counter)
    finally:
        counter.close()


@pytest.mark.slow
@pytest.mark.parametrize("left", ["order_results", "order_signal_done"])
def test_a_missing_ledger_beside_results_or_archives_stops(tmp_path: Path, left: str) -> None:
    """Either trace alone is enough; the sentence names the file and ``miniqmt recover``."""
    shell = Shell(tmp_path).ready()
    shell.drop(shell.signal())
    shell.settled()
    shell.until(lambda: shell.names("order_signal_done"))
    shell.kill()
    for path in tmp_path.glob("ledger.sqlite3*"):
        path.unlink()
    other = "order_signal_done" if left == "order_results" else "order_results"
    for path in (shell.folder.path / other).iterdir():
        path.unlink()
    with pytest.raises(StateError) as refused:
        opened(tmp_path, shell.folder)
    assert left in str(refused.value) and "miniqmt recover" in str(refused.value)
    assert not (tmp_path / "ledger.sqlite3").exists(), "an empty ledger was made"


def test_a_missing_ledger_beside_its_second_counter_stops(tmp_path: Path) -> None:
    """The folder may have been emptied as well: the counter elsewhere remembers."""
    folder = DropFolder(tmp_path / "exchange")
    folder.disk.make_folder(folder.path)
    folder.prepare()
    opened(tmp_path, folder).ledger.close()
    for path in tmp_path.glob("ledger.sqlite3*"):
        path.unlink()
    with pytest.raises(StateError):
        opened(tmp_path, folder)


def test_a_first_start_makes_a_ledger(tmp_path: Path) -> None:
    """Or the refusals above would prove nothing."""
    folder = DropFolder(tmp_path / "exchange")
    folder.disk.make_folder(folder.path)
    folder.prepare()
    found = opened(tmp_path, folder)
    found.ledger.close()
    assert found.put_back == ""
