"""An executor with nothing to do still scans; it only spares itself the whole turn."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from shared_schema.drop_folder.names import CONTROL_FOLDER
from tests.execution.shell import Shell
from windows_side.executor import STILL

INTERVAL = 0.05


class CountedWaits:
    """A watch nothing ever wakes: each wait passes the interval, and may see something happen in it."""

    interval = INTERVAL

    def __init__(self, shell: Shell) -> None:
        self._shell = shell
        self.count = 0
        self.during: Callable[[], object] | None = None

    def wait(self, at_most: float | None = None) -> bool:
        self.count += 1
        self._shell.skip += INTERVAL if at_most is None else min(at_most, INTERVAL)
        if self.during is not None and self.count == 2:
            self.during()
        return False


@pytest.fixture
def shell(tmp_path: Path) -> Iterator[Shell]:
    shell = Shell(tmp_path, instant=False).ready()
    shell.executor._threaded = True
    yield shell
    shell.kill()


def rest(shell: Shell, during: Callable[[], object] | None = None) -> CountedWaits:
    """One rest of the loop after a turn in a folder that has been looked at."""
    shell.executor.turn()
    shell.executor._is_still()
    watch = CountedWaits(shell)
    watch.during = during
    shell.executor._watch = watch  # type: ignore[assignment]
    shell.executor._rest(threading.Event())
    return watch


def test_a_still_folder_is_scanned_at_the_interval_and_a_whole_turn_comes_in_time(shell: Shell) -> None:
    """Nothing open, nothing new: several scans share a turn, but no longer than STILL and one interval."""
    began = shell.skip
    watch = rest(shell)
    assert watch.count >= 3
    assert shell.skip - began <= STILL + INTERVAL


@pytest.mark.parametrize("what", ["signal", "slot written in place", "halt", "quote"])
def test_whatever_comes_unannounced_ends_the_rest_at_the_next_scan(shell: Shell, what: str) -> None:
    """No watcher told of it: the scan behind it does, and the turn comes at once."""
    if what == "slot written in place":
        (shell.folder.path / "order_signal.json").write_bytes(b"{")
    name = {
        "signal": "order_signal_s1.json",
        "slot written in place": "order_signal.json",
        "halt": f"{CONTROL_FOLDER}/halt.json",
        "quote": "shared_quote.json",
    }[what]
    watch = rest(shell, lambda: (shell.folder.path / name).write_bytes(b"{}"))
    assert watch.count == 2


def test_an_open_order_keeps_every_scan_a_whole_turn(shell: Shell) -> None:
    """Whatever is open has its times (cancel after, expiry, unknown): none of them is looked at later."""
    shell.drop(shell.signal())
    shell.until(lambda: shell.orders)
    assert rest(shell).count == 1


def test_a_folder_that_can_not_be_listed_is_no_still_folder(shell: Shell) -> None:
    """It is said by the turn, and at once."""
    watch = rest(shell, lambda: shell.folder.path.rename(shell.place / "gone"))
    assert watch.count == 2
    (shell.place / "gone").rename(shell.folder.path)
