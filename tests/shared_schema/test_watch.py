"""Waiting for a change: what is whole wakes at once, what is not or does not concern lets sleep."""

from __future__ import annotations

import os
import time
from pathlib import Path

from shared_schema.watch import FolderWatch

LONG = 5.0
SHORT = 0.02


def test_a_renamed_file_wakes_and_a_temp_name_of_ours_does_not(tmp_path: Path) -> None:
    """The rename is what publishes (rule 2); the writing before it is nobody's news."""
    watch = FolderWatch(tmp_path, LONG, concerns=lambda path: not path.startswith("."))
    (tmp_path / ".a.tmp").write_bytes(b"{}")
    assert not watch.wait(SHORT)
    os.replace(tmp_path / ".a.tmp", tmp_path / "a.json")
    assert watch.wait()
    watch.stop()


def test_a_move_out_of_the_folder_holds_nothing_back(tmp_path: Path) -> None:
    """Half a move is all the kernel tells of a file that leaves; the next signal wakes at once."""
    (tmp_path / "exchange").mkdir()
    (tmp_path / "exchange" / "consumed.json").write_bytes(b"{}")
    took = []
    for number in range(3):  # what holds it back does so each time, a busy machine hardly thrice
        watch = FolderWatch(tmp_path / "exchange", LONG)
        os.replace(tmp_path / "exchange" / "consumed.json", tmp_path / "consumed.done")
        (tmp_path / "exchange" / f"next{number}.json").write_bytes(b"{}")
        begin = time.monotonic()
        assert watch.wait()
        took.append(time.monotonic() - begin)
        watch.stop()
        os.replace(tmp_path / "consumed.done", tmp_path / "exchange" / "consumed.json")
    assert min(took) < 0.4


def test_a_folder_made_later_is_watched_and_one_of_no_concern_is_not(tmp_path: Path) -> None:
    """A halt may be the first file in ``control/``; our own results wake nobody."""
    (tmp_path / "order_results").mkdir()
    watch = FolderWatch(tmp_path, LONG, concerns=lambda path: path.startswith("control/"))
    (tmp_path / "order_results" / "a.json").write_bytes(b"{}")
    assert not watch.wait(SHORT)
    (tmp_path / "control").mkdir()
    watch.wait(SHORT)  # inotify wakes for the folder itself, Windows for what comes into it
    (tmp_path / "control" / "halt.json").write_bytes(b"{}")
    assert watch.wait()
    watch.stop()


def test_a_wake_from_outside_ends_the_wait_and_is_harmless_after_the_stop(tmp_path: Path) -> None:
    """The broker's thread may ring when the loop has gone; a ring before the wait is not lost."""
    watch = FolderWatch(tmp_path, LONG)
    watch.wake()
    assert watch.wait()
    assert not watch.wait(SHORT), "a ring counts once"
    watch.stop()
    watch.wake()
