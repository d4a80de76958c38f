"""Fault 25: a folder that can be read and not written takes no new signal, and says so once."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.execution.shell import Shell
from windows_side.folder_work import CALM


@pytest.fixture
def shell(tmp_path: Path) -> Iterator[Shell]:
    """A ready executor whose orders rest until they are cancelled."""
    shell = Shell(tmp_path, instant=False).ready()
    yield shell
    shell.kill()


def read_only(shell: Shell) -> None:
    """Nothing can be created in the exchange folder; until the heartbeat that is due has found out."""
    shell.disk.fails = lambda step, path: step in ("create", "replace")
    shell.skip += 1.1
    shell.executor.turn()


def count(shell: Shell, action: str) -> int:
    """How often it was said."""
    return shell.lines.actions.count(action)


def test_nothing_new_is_taken_until_a_writing_succeeds(shell: Shell) -> None:
    """The signal waits where it lies; the first heartbeat that can be written lets it be taken."""
    read_only(shell)
    shell.drop(shell.signal())
    for _ in range(8):
        shell.skip += 1.1
        shell.executor.turn()
    assert shell.ledger.order(shell.signal().signal_id) is None and shell.orders == 0
    assert "order_signal_s1.json" in shell.names()
    shell.disk.fails = lambda step, path: False
    shell.skip += 1.1
    shell.until(lambda: shell.orders == 1)


def test_failed_and_working_again_are_each_said_once(shell: Shell) -> None:
    """Every listing works meanwhile: that is no recovery of a folder that can't be written."""
    read_only(shell)
    for _ in range(20):
        shell.skip += 1.1
        shell.executor.turn()
    assert (count(shell, "folder_failed"), count(shell, "folder_works_again")) == (1, 0)
    shell.disk.fails = lambda step, path: False
    for _ in range(3):
        shell.skip += CALM
        shell.executor.turn()
    assert (count(shell, "folder_failed"), count(shell, "folder_works_again")) == (1, 1)


def test_the_heartbeat_ages_and_cancels_by_time_go_on(tmp_path: Path) -> None:
    """The other side sees red; an order whose time is over is taken back all the same."""
    shell = Shell(tmp_path, instant=False).ready()
    shell.drop(shell.signal(cancel_after_seconds=0.0))
    heartbeats = shell.folder.path / "heartbeat"
    before = [path.read_bytes() for path in heartbeats.iterdir()]
    shell.disk.fails = lambda step, path: step in ("create", "replace")
    shell.executor.turn()
    shell.until(lambda: shell.core.book.get(shell.signal().signal_id) is not None)
    shell.until(lambda: shell.core.book.get(shell.signal().signal_id).is_terminal)  # type: ignore[union-attr]
    assert [path.read_bytes() for path in heartbeats.iterdir()] == before
    assert shell.ledger.order(shell.signal().signal_id).state == "cancelled"  # type: ignore[union-attr]
    shell.kill()


def test_one_name_that_stays_held_stops_nobody_else(shell: Shell) -> None:
    """A result that can't be written: others are taken and answered, and the log stays quiet."""
    shell.disk.fails = lambda step, path: step == "replace" and "order_result_bad" in path.name
    shell.instant = True
    shell.drop(shell.signal("bad"))
    shell.until(lambda: "folder_failed" in shell.lines.actions)
    for number in range(3):
        shell.drop(shell.signal(f"good{number}", shares=200 + 100 * number))
        shell.skip += 1.1
        assert shell.settled(f"good{number}").filled_shares
    assert (count(shell, "folder_failed"), count(shell, "folder_works_again")) == (1, 0)
