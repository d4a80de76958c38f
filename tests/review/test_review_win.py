"""Proofs of the review: each fails on main of 2026-11-21 07:36."""

from __future__ import annotations

import errno
import time
from datetime import datetime
from pathlib import Path

import pytest

import shared_schema.disk as disk_module
from shared_schema.clock import Moment
from shared_schema.disk import FileEntry, LocalDisk
from shared_schema.drop_folder import DropFolder
from shared_schema.drop_folder.names import OFFLINE_MARKER, signal_name
from shared_schema.ids import SignalId
from shared_schema.logs import Log
from shared_schema.sessions import SHANGHAI
from tests.execution.bench import CALENDAR
from tests.execution.shell import Lines
from tests.producer.test_producer_survives import replay
from tests.producer.world import World
from tests.shared_schema.faulty_disk import FaultyDisk
from windows_side.aged_results import LOOK_EVERY, AgedResults
from windows_side.execution.ledger import new_meta
from windows_side.execution.memory_ledger import MemoryLedger
from windows_side.keyboard import Keyboard, Typed, type_order
from windows_side.producer import Pace
from windows_side.quotes.gate import Hold

NIGHT = datetime(2026, 11, 18, 22, 0, tzinfo=SHANGHAI).timestamp()


class Away(LocalDisk):
    is_away = False

    def stat(self, path: Path) -> FileEntry | None:
        if self.is_away and path.name == OFFLINE_MARKER:
            raise OSError(errno.EINVAL, "WinError 64")
        return super().stat(path)


def test_aged_results_wait_for_a_folder_that_cannot_be_asked(tmp_path: Path) -> None:
    """The look for OFFLINE runs in the executor's loop: raised there it ends the process at night."""
    disk, passed = Away(), [0.0]
    folder = DropFolder(tmp_path, disk)
    folder.prepare()
    ledger = MemoryLedger(new_meta("simulate", "main", "test", "x"))
    aged = AgedResults(folder, ledger, CALENDAR, lambda: passed[0], lambda count: None)
    disk.is_away, passed[0] = True, LOOK_EVERY + 1
    assert aged.due(Moment(NIGHT, NIGHT)) is None


def test_a_typed_order_that_stays_held_does_not_stop_the_loop_for_two_seconds_again_and_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On Windows a removal is retried for 2 s: each look at the keyboard (4 a second) would take so long."""
    monkeypatch.setattr(disk_module, "_is_busy", lambda problem: True)  # as on Windows
    monkeypatch.setattr(disk_module, "REPLACE_BUDGET", 0.2)  # 2 s in production
    folder = DropFolder(tmp_path / "exchange")
    folder.disk.make_folder(folder.path)
    folder.prepare()
    keyboard = Keyboard(tmp_path, folder, Log("order_executor", [Lines()]))
    type_order(tmp_path, Typed(kind="resume", reason="ok", by="me", at=time.time()))

    def held(self: Path, missing_ok: bool = False) -> None:
        raise PermissionError(13, "held")

    monkeypatch.setattr(Path, "unlink", held)
    assert len(keyboard.take()) == 1
    begin = time.monotonic()
    for _ in range(5):
        assert keyboard.take() == []
    assert time.monotonic() - begin < 0.05


def test_a_signal_nobody_here_takes_costs_the_lockstep_its_patience_once(tmp_path: Path) -> None:
    """One addressed to another executor lies there for ever: lockstep with the dashboard goes on."""
    hold = Hold(lockstep=True)
    world = World(tmp_path / "x", replay(tmp_path), hold=hold, pace=Pace(quote_interval=1.0))
    world.folder.publish(signal_name(SignalId("elsewhere")), b"{}")
    world.producer.round()

    def seen(seq: int) -> None:
        shown = world.quote().envelope
        assert shown is not None
        world.beat("executor", seq=seq)
        world.beat("dashboard", seen_seq=shown.seq, seq=seq)

    seen(1)
    world.clock.now += 10.0
    seen(2)
    world.producer.round()
    assert world.told.actions.count("lockstep_lost") == 1
    assert world.quote().body.time == "09:30:03"
    world.producer.round()
    assert world.quote().body.time == "09:30:03", "the dashboard lives and has not seen this step"
    seen(3)
    world.producer.round()
    assert world.quote().body.time == "09:30:20"


def test_many_held_halt_files_make_no_look_longer_than_one(tmp_path: Path) -> None:
    """A halt that comes while the look rests is not seen by it: all its rests stay far below a second."""
    rested: list[float] = []
    disk = FaultyDisk(lambda step, path: step == "read" and path.name.startswith("halt"))
    folder = DropFolder(tmp_path, disk, rest=rested.append)
    folder.prepare()
    for number in range(12):
        (tmp_path / "control" / f"halt.dashboard@host{number}.json").write_bytes(b'{"halt": false}')
    assert len(folder.halts()) == 12
    assert sum(rested) <= 0.2


def test_a_typed_order_held_for_one_look_is_followed_at_the_next(tmp_path: Path) -> None:
    """A scanner opens every new file: what a person typed must not be lost for that."""
    left = [1]

    def fails(step: str, path: Path) -> bool:
        if step != "read" or left[0] == 0:
            return False
        left[0] -= 1
        return True

    folder = DropFolder(tmp_path / "exchange")
    folder.disk.make_folder(folder.path)
    folder.prepare()
    keyboard = Keyboard(tmp_path, folder, Log("order_executor", [Lines()]), FaultyDisk(fails))
    type_order(tmp_path, Typed(kind="resume", reason="ok", by="me", at=time.time()))
    assert len([*keyboard.take(), *keyboard.take()]) == 1
