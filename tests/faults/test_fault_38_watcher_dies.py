"""Fault 38: without a watcher the file is found by the scan, within its interval."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest

from shared_schema.logs import Log
from shared_schema.watch import FolderWatch
from tests.execution.shell import Lines, Shell


def _put_another_in_its_place(folder: Path, watch: FolderWatch) -> None:
    """Deleted and made again, a folder's watch hears nothing of the new one."""
    folder.rmdir()
    watch.wait()
    folder.mkdir()


@pytest.mark.slow
def test_a_dead_watcher_is_seen_and_the_interval_still_wakes(tmp_path: Path) -> None:
    """``healthy`` tells of the death; a wait lasts no longer than the interval."""
    (tmp_path / "exchange").mkdir()
    watch = FolderWatch(tmp_path / "exchange", 0.05)
    assert watch.healthy
    _put_another_in_its_place(tmp_path / "exchange", watch)
    assert not watch.healthy
    begin = time.monotonic()
    assert not watch.wait()
    assert time.monotonic() - begin < 30.0
    watch.stop()


def test_a_folder_that_cannot_be_watched_is_scanned(tmp_path: Path) -> None:
    """No events over a share: the watch says why and the interval alone wakes."""
    watch = FolderWatch(tmp_path / "not there", 0.01)
    assert not watch.healthy and watch.problem
    assert not watch.wait()
    watch.stop()


@pytest.mark.slow
def test_a_signal_is_executed_without_any_watcher(tmp_path: Path) -> None:
    """The shell's bench has none: the scan is the truth (rule 4)."""
    shell = Shell(tmp_path).ready()
    assert not shell.watch.healthy
    shell.drop(shell.signal())
    assert shell.settled().filled_shares == 1000
    shell.kill()


@pytest.mark.slow
def test_a_dead_watcher_is_one_alarm(tmp_path: Path) -> None:
    """Asked for and gone, or never started: said once. Not asked for: nothing to say."""
    lines = Lines()
    log = Log("order_executor", [lines])
    (tmp_path / "exchange").mkdir()
    watch = FolderWatch(tmp_path / "exchange", 0.05)
    watch.look_after(log)
    assert lines.actions == []
    _put_another_in_its_place(tmp_path / "exchange", watch)
    for _ in range(3):
        watch.look_after(log)
    assert lines.actions == ["watcher_dead"]
    watch.stop()
    for asked_for in (True, False):
        other = FolderWatch(tmp_path / "not there", 0.01, use_watcher=asked_for)
        other.look_after(log)
        other.look_after(log)
    assert lines.actions == ["watcher_dead"] * 2


def test_the_executors_loop_looks_after_its_watcher(tmp_path: Path) -> None:
    """The alarm comes from the running loop, which goes on scanning."""
    shell = Shell(tmp_path).ready()
    stop = threading.Event()
    shell.executor._watch = FolderWatch(tmp_path / "not there", 0.01)
    turn = shell.executor.turn

    def third() -> None:
        turn()
        if len(turns) == 3:
            stop.set()
        turns.append(1)

    turns: list[int] = []
    shell.executor.turn = third  # type: ignore[method-assign]
    shell.executor.run(stop)
    assert shell.lines.actions.count("watcher_dead") == 1
    shell.kill()
