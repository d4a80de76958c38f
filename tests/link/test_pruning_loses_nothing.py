"""After the close what is done with is put away: by renames alone, the same after a crash anywhere."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from shared_schema.clock import Moment
from shared_schema.drop_folder import DropFolder
from shared_schema.drop_folder.archive import (
    archive_days,
    archive_place,
    put_away_as,
    result_files,
    signal_archives,
)
from shared_schema.errors import FolderError
from shared_schema.ids import SignalId
from tests.execution.bench import CALENDAR
from tests.mac_side.world import at
from tests.shared_schema.faulty_disk import FaultyDisk
from windows_side.execution.order import Order
from windows_side.pruning import LEFT_ALONE_FOR, PRUNE_EVERY, Pruner, moves_due, perform

CLOSED = at("17:30:00")
APPLIED = (SignalId("s1"), SignalId("s2"))


def put(folder: DropFolder, name: str, when: float = CLOSED - 7200) -> None:
    """A file of this time."""
    path = folder.path / name
    path.write_bytes(name.encode())
    os.utime(path, (when, when))


@pytest.fixture
def folder(tmp_path: Path) -> DropFolder:
    """A day's folder after the close."""
    found = DropFolder(tmp_path / "exchange", FaultyDisk())
    found.path.mkdir()
    found.prepare()
    for number in (1, 2, 3):
        put(found, f"order_signal_done/order_signal_s{number}.done")
        put(found, f"order_results/order_result_s{number}.json")
    put(found, "quarantine/1a2b3c4d.order_signal_x.json")
    put(found, "quarantine/1a2b3c4d.order_signal_x.json.reason.json")
    return found


def everything(folder: DropFolder) -> dict[str, bytes]:
    """Every file by its name from the top, with its bytes."""
    return {
        path.relative_to(folder.path).as_posix(): path.read_bytes()
        for path in folder.path.rglob("*")
        if path.is_file()
    }


def test_done_quarantine_and_applied_results_go_and_nothing_else(folder: DropFolder) -> None:
    """A result that no dashboard has applied stays; what is of the last hour stays."""
    put(folder, "order_signal_done/order_signal_new.done", CLOSED - 60)
    put(folder, "order_signal_done/.order_signal_s9.tmp")
    before = everything(folder)
    assert perform(folder, moves_due(folder, APPLIED, CLOSED)) == 7
    assert sorted(everything(folder).values()) == sorted(before.values()), "moves only"
    left = {name for name in everything(folder) if not name.startswith("archive/")}
    assert left == {
        "order_results/order_result_s3.json",
        "order_signal_done/order_signal_new.done",
        "order_signal_done/.order_signal_s9.tmp",
    }
    assert archive_days(folder) == ["20261120"]


def test_a_second_run_finds_nothing(folder: DropFolder) -> None:
    """Idempotent."""
    perform(folder, moves_due(folder, APPLIED, CLOSED))
    assert moves_due(folder, APPLIED, CLOSED) == []


@pytest.mark.parametrize("survived", range(7))
def test_a_crash_after_any_step_is_finished_by_the_next_run(folder: DropFolder, survived: int) -> None:
    """Every file is in exactly one place after the crash, and the end is that of a run without one."""
    before = everything(folder)
    moves = moves_due(folder, APPLIED, CLOSED)
    perform(folder, moves[:survived])  # then the process is gone
    assert sorted(everything(folder).values()) == sorted(before.values())
    perform(folder, moves)  # a run that still holds the old list
    perform(folder, moves_due(folder, APPLIED, CLOSED))
    assert len([name for name in everything(folder) if name.startswith("archive/")]) == 7
    assert sorted(everything(folder).values()) == sorted(before.values())


def test_a_file_that_came_back_from_the_dead_is_put_away_again(folder: DropFolder) -> None:
    """Consumed again, it lies in done again; the archive keeps one of them."""
    perform(folder, moves_due(folder, APPLIED, CLOSED))
    put(folder, "order_signal_done/order_signal_s1.done")
    assert perform(folder, moves_due(folder, APPLIED, CLOSED)) == 1
    assert put_away_as(folder, "order_signal_s1.done") == ["archive/20261120/order_signal_s1.done"]


def test_a_folder_that_can_not_be_listed_is_not_empty(folder: DropFolder) -> None:
    """It says so and moves nothing."""
    (folder.path / "order_signal_done").rename(folder.path / "elsewhere")
    (folder.path / "order_signal_done").write_bytes(b"")
    with pytest.raises(FolderError):
        moves_due(folder, APPLIED, CLOSED)


def test_who_looks_back_finds_what_was_put_away(folder: DropFolder) -> None:
    """A missing ledger beside archives stops the executor, also when all of them were put away."""
    signals = {name.rpartition("/")[2] for name in signal_archives(folder)}
    results = {name.rpartition("/")[2] for name in result_files(folder)}
    perform(folder, moves_due(folder, APPLIED, CLOSED))
    assert {name.rpartition("/")[2] for name in signal_archives(folder)} == signals
    assert {name.rpartition("/")[2] for name in result_files(folder)} == results
    assert signal_archives(folder, 0) == []


class Clock:
    """A monotonic clock for a test."""

    seconds = 0.0

    def __call__(self) -> float:
        """Seconds."""
        return self.seconds


def pruner(folder: DropFolder, clock: Clock) -> Pruner:
    """As the executor makes it."""
    return Pruner(folder, CALENDAR, clock, lambda count: None)


def run(found: Pruner, clock: Clock, wall: float, applied: tuple[SignalId, ...] = APPLIED) -> bool:
    """The next run: whether there was one."""
    clock.seconds += PRUNE_EVERY
    step = found.due(Moment(wall, wall), frozenset(applied))
    if step is not None:
        step()
    return step is not None


@pytest.mark.parametrize("when", ["09:16:00", "10:00:00", "12:00:00", "14:58:00", "15:10:00"])
def test_nothing_is_moved_while_the_market_works(folder: DropFolder, when: str) -> None:
    """Only once the session has closed."""
    clock = Clock()
    assert not run(pruner(folder, clock), clock, at(when) + 86_400 * 3)


def test_a_result_goes_only_when_it_was_applied_at_two_runs(folder: DropFolder) -> None:
    """A dashboard that only just came back must find the revisions it has missed."""
    clock = Clock()
    found = pruner(folder, clock)
    assert run(found, clock, CLOSED)
    assert (folder.path / "order_results" / "order_result_s1.json").exists()
    assert not (folder.path / "order_signal_done" / "order_signal_s1.done").exists()
    run(found, clock, CLOSED, ())
    run(found, clock, CLOSED)
    assert (folder.path / "order_results" / "order_result_s1.json").exists()
    run(found, clock, CLOSED)
    assert not (folder.path / "order_results" / "order_result_s1.json").exists()


def test_between_two_runs_the_folder_is_not_looked_at(folder: DropFolder) -> None:
    """Asked every turn, it answers without touching the disk."""
    clock = Clock()
    found = pruner(folder, clock)
    run(found, clock, CLOSED)
    assert found.due(Moment(CLOSED, CLOSED), frozenset()) is None


def test_an_offline_folder_keeps_everything(folder: DropFolder) -> None:
    """What a dry run left is to be looked at."""
    put(folder, "OFFLINE")
    clock = Clock()
    assert not run(pruner(folder, clock), clock, CLOSED)


def test_a_result_put_away_is_not_shown_again_at_start(folder: DropFolder) -> None:
    """Its row is known by where it lies; one that never went is shown."""
    changed = CLOSED - LEFT_ALONE_FOR * 2
    perform(folder, moves_due(folder, APPLIED, CLOSED))
    found = pruner(folder, Clock())
    rows = {
        name: Order(SignalId(name), "d", None, "rejected", changed, changed, "2026-11-20", changed_at=changed)
        for name in ("s1", "s3")
    }
    assert found.has_put_away(rows["s1"]) and not found.has_put_away(rows["s3"])
    assert archive_place("a", changed) == "archive/20261120/a"
