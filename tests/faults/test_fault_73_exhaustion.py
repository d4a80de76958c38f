"""Fault 73: no descriptors, a dead thread: said, and either gone on with or ended, never half alive."""

from __future__ import annotations

import errno
import time
from pathlib import Path

import pytest

from shared_schema.disk import FileEntry
from shared_schema.logs import Log
from shared_schema.points import pass_by
from tests.execution.shell import Lines, Shell
from tests.shared_schema.faulty_disk import FaultyDisk
from windows_side.execution.points import Point
from windows_side.folder_work import FolderWork


class NoDescriptors(FaultyDisk):
    """Nothing can be opened while ``out``."""

    out = False

    def _refuse(self, path: Path) -> None:
        if self.out:
            raise OSError(errno.EMFILE, "too many open files", str(path))

    def list(self, path: Path) -> list[FileEntry]:
        self._refuse(path)
        return super().list(path)

    def read(self, path: Path, limit: int) -> bytes | None:
        self._refuse(path)
        return super().read(path, limit)

    def create(self, path: Path, data: bytes) -> None:
        self._refuse(path)
        super().create(path, data)


@pytest.mark.slow
def test_without_descriptors_nothing_is_placed_and_nothing_is_lost(tmp_path: Path) -> None:
    """The folder can't be read: said once, no order; with descriptors again each signal is one order."""
    shell = Shell(tmp_path).ready()
    disk = NoDescriptors()
    shell.folder.disk = disk
    disk.out = True
    shell.drop(shell.signal("s1"))
    for _ in range(20):
        shell.executor.turn()
    assert shell.orders == 0 and shell.lines.actions.count("folder_failed") == 1
    disk.out = False
    assert shell.settled("s1").filled_shares == 1000
    assert shell.orders == 1
    shell.kill()


def test_a_dead_folder_thread_ends_the_executor() -> None:
    """What killed the thread is raised in the loop: a supervisor sees a dead process, not a mute one."""

    def die() -> None:
        raise MemoryError("no memory")

    log = Log("order_executor", [Lines()])
    nobody: object = None
    work = FolderWork(nobody, nobody, log, time.monotonic, lambda *_: None, threaded=True)  # type: ignore[arg-type]
    work.do(die)
    deadline = time.monotonic() + 120
    with pytest.raises(MemoryError):
        while time.monotonic() < deadline:
            work.go_on()
            time.sleep(0.001)


def test_a_dead_folder_thread_is_not_silent_at_the_clean_end() -> None:
    """The end neither waits for it nor passes it over: what was not written is told by the exit."""

    def die() -> None:
        raise MemoryError("no memory")

    log = Log("order_executor", [Lines()])
    nobody: object = None
    work = FolderWork(nobody, nobody, log, time.monotonic, lambda *_: None, threaded=True)  # type: ignore[arg-type]
    work.do(die)
    work.do(lambda: None)
    with pytest.raises(MemoryError):
        work.finish(at_most=60.0)


class NoMemory:
    """Raises MemoryError when a named point of the executor is reached for the nth time."""

    def __init__(self, point: Point, nth: int) -> None:
        self.point, self.left = point, nth

    def __call__(self, point: object) -> None:
        """Pass by, or be out of memory here."""
        if point is self.point:
            self.left -= 1
            if self.left == 0:
                raise MemoryError("no memory")


@pytest.mark.slow
@pytest.mark.parametrize(
    "point",
    [Point.BEFORE_COMMIT, Point.AFTER_COMMIT, Point.COUNTED, Point.BEFORE_RESULT, Point.BEFORE_EXECUTED],
)
def test_out_of_memory_ends_the_process_and_loses_nothing(tmp_path: Path, point: Point) -> None:
    """Raised out of the loop, never swallowed; the next run has placed each signal at most once."""
    shell = Shell(tmp_path).ready()
    shell.kill()
    shell.reach = NoMemory(point, 1 if point is Point.BEFORE_EXECUTED else 3)
    shell._begin()
    with pytest.raises(MemoryError):
        shell.ready()
        for number in range(3):
            shell.drop(shell.signal(f"s{number}", price=1.2 - number * 0.001))
            shell.settled(f"s{number}")
    shell.reach = pass_by
    shell.restart()
    shell.ready()
    for number in range(3):
        if shell.result(f"s{number}") is None:
            shell.drop(shell.signal(f"s{number}", price=1.2 - number * 0.001))
    ends = [shell.settled(f"s{number}").state for number in range(3)]
    assert set(ends) <= {"filled", "not_placed"} and shell.orders == ends.count("filled")
    shell.kill()


def test_out_of_memory_in_the_last_look_places_nothing(tmp_path: Path) -> None:
    """The look directly before the call failed: taken as a halt, the order is not placed."""
    shell = Shell(tmp_path)
    shell.kill()
    shell.reach = NoMemory(Point.BEFORE_NATIVE_CALL, 1)
    shell._begin()
    shell.ready()
    shell.drop(shell.signal("s0"))
    assert shell.settled("s0").state == "rejected" and shell.orders == 0
    shell.kill()
