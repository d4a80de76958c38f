"""Fault 13: a supervisor starts the executor again ever more slowly, locks trading, and gives up loudly."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from commands.folder_wait import FolderWait
from commands.supervise import Process, lock_trading
from shared_schema.drop_folder import DropFolder
from shared_schema.drop_folder.names import RESULTS_FOLDER, result_name
from shared_schema.ids import InstanceId, SignalId
from shared_schema.logs import Log
from shared_schema.messages import decode_heartbeat, decode_result, encode, reads_as_halt
from shared_schema.settings import load_settings
from shared_schema.sign_of_life import SignOfLife
from tests.execution.bench import envelope_of, signal_of
from tests.execution.shell import Lines
from windows_side.supervisor import (
    ENDS_WITHIN,
    GIVE_UP_AFTER,
    GIVEN_UP,
    HUNG_AFTER,
    LOCK_AFTER,
    LONGEST_WAIT,
    QUICK,
    SLEPT,
    Supervisor,
)

ROOT = Path(__file__).resolve().parents[2]


@dataclass
class Scripted:
    """A process whose life is written down: how long it lives, its code, and how it takes being ended."""

    world: World
    lives: float
    code: int = 1
    hangs_after: float = float("inf")
    stubborn: bool = False
    began: float = 0.0
    ended: int | None = None
    pid: int = 1

    def poll(self) -> int | None:
        """Ends by itself when its time has come."""
        if self.ended is None and self.world.now - self.began >= self.lives:
            self.ended = self.code
        return self.ended

    def ask_to_end(self) -> None:
        """Ends at once, unless it is stubborn."""
        self.world.asked += 1
        if not self.stubborn:
            self.ended = 0

    def kill(self) -> None:
        """Nothing survives this."""
        self.world.killed += 1
        self.ended = -9

    def signs(self) -> object:
        """Its loop turns until it hangs."""
        return min(self.world.now - self.began, self.hangs_after)


@dataclass
class World:
    """A clock, the processes to come, and what the supervisor did."""

    scripts: list[dict[str, object]]
    now: float = 0.0
    stop_at: float = float("inf")
    started: list[float] = field(default_factory=list)
    locked: list[int] = field(default_factory=list)
    asked: int = 0
    killed: int = 0
    running: Scripted | None = None
    jump_at: float = float("inf")

    def start(self) -> Scripted:
        """The next process; never while another runs."""
        assert self.running is None or self.running.poll() is not None, "two at once"
        self.started.append(self.now)
        script = self.scripts[min(len(self.started), len(self.scripts)) - 1]
        self.running = Scripted(self, **{"began": self.now, **script})  # type: ignore[arg-type]
        return self.running

    def wait(self, seconds: float) -> bool:
        """Time passes; whether a person asked to stop meanwhile."""
        self.now += seconds
        if self.now >= self.jump_at:
            self.now, self.jump_at = self.now + 8 * 3600, float("inf")
        return self.now >= self.stop_at

    def run(self) -> tuple[int, list[str]]:
        """The supervisor's exit code and what it said."""
        lines = Lines()
        supervisor = Supervisor(
            self.start, self.locked.append, Log("t", [lines]), lambda: self.now, self.wait, self.wait
        )
        return supervisor.run(), lines.actions


def test_it_backs_off_locks_trading_and_gives_up() -> None:
    """Dead at once each time: 1, 2, 4 ... 60 s, a halt after the third, no start after the tenth."""
    world = World([{"lives": 0.5, "code": 3}])
    code, said = world.run()
    pauses = [
        round(after - before - 0.5) for before, after in zip(world.started, world.started[1:], strict=False)
    ]
    assert pauses == [1, 2, 4, 8, 16, 32, LONGEST_WAIT, LONGEST_WAIT, LONGEST_WAIT]
    assert code == GIVEN_UP and len(world.started) == GIVE_UP_AFTER and world.locked == [LOCK_AFTER]
    assert said[-1] == "supervised_given_up" and said.count("supervised_died") == GIVE_UP_AFTER - 1


def test_one_that_never_began_to_trade_locks_nothing() -> None:
    """Wrong settings or a folder that is not there yet: tried again, given up, no halt to lift afterwards."""
    world = World([{"lives": 0.5, "code": 2}])
    assert world.run()[0] == GIVEN_UP and world.locked == []


def _away_until(folder: Path, there_at: float, dies: bool = False) -> tuple[World, int, list[str]]:
    """A world in which ``folder`` is mounted at ``there_at``; ``dies``: the process is there to see it go."""
    world = World([{"lives": 0.5, "code": 2}, {"lives": 9e9}] if dies else [{"lives": 9e9}], stop_at=20_000.0)
    lines = Lines()

    def wait(seconds: float) -> bool:
        stopped = world.wait(seconds)
        if world.now >= there_at:
            folder.mkdir(exist_ok=True)
        return stopped

    waiting = FolderWait(folder, Log("t", [lines]), world.start, wait)
    if not dies and waiting.until_there():
        return world, 0, lines.actions
    code = Supervisor(
        waiting.start, world.locked.append, Log("t", [lines]), lambda: world.now, waiting.wait, wait
    ).run()
    return world, code, lines.actions


def test_a_share_mounted_late_is_waited_for(tmp_path: Path) -> None:
    """An hour after boot the folder comes: told when the waiting begins and ends; nobody is given up."""
    world, code, said = _away_until(tmp_path / "share", there_at=3600.0)
    assert code == 0 and len(world.started) == 1
    assert 3600.0 <= world.started[0] <= 3600.0 + LONGEST_WAIT
    assert said == ["folder_failed", "folder_works_again", "supervised_started"]


def test_a_share_that_goes_away_is_waited_for(tmp_path: Path) -> None:
    """The process dies for want of its folder: the next one starts when the folder is back, however late."""
    world, code, said = _away_until(tmp_path / "share", there_at=3600.0, dies=True)
    assert code == 0 and len(world.started) == 2 and world.locked == []
    assert 3600.0 <= world.started[1] <= 3600.0 + 2 * LONGEST_WAIT
    assert said.count("folder_failed") == said.count("folder_works_again") == 1
    assert "supervised_given_up" not in said


def test_whoever_waits_for_a_share_can_be_stopped(tmp_path: Path) -> None:
    """Asked to stop while it waits: it ends, and started nothing."""
    world, code, said = _away_until(tmp_path / "share", there_at=9e9)
    assert code == 0 and world.started == [] and said == ["folder_failed"]


def test_an_ordered_end_without_the_folder_is_an_end(tmp_path: Path) -> None:
    """Exit code 0 while the share is away: nobody waits for it to undo that."""
    world = World([{"lives": 100.0, "code": 0}], stop_at=20_000.0)
    waiting = FolderWait(tmp_path / "share", Log("t", [lines := Lines()]), world.start, world.wait)
    log = Log("t", [lines])
    supervisor = Supervisor(
        waiting.start, world.locked.append, log, lambda: world.now, waiting.wait, world.wait
    )
    assert supervisor.run() == 0 and world.now < 200 and "folder_failed" not in lines.actions


def test_a_file_instead_of_the_folder_is_no_waiting(tmp_path: Path) -> None:
    """A wrong setting does not heal: the process is started, says so and may be given up."""
    (tmp_path / "share").write_bytes(b"")
    world, _, said = _away_until(tmp_path / "share", there_at=9e9)
    assert len(world.started) == 1 and "folder_failed" not in said


def test_a_death_after_a_long_life_begins_anew() -> None:
    """Once an hour is no loop: started again after a second, for ever."""
    world = World([{"lives": 3600.0}], stop_at=20 * 3600.0)
    code, said = world.run()
    assert code == 0 and len(world.started) == 20 and world.locked == [] and "supervised_given_up" not in said
    assert all(
        after - before <= 3602 for before, after in zip(world.started, world.started[1:], strict=False)
    )


def test_an_ordered_end_is_not_undone() -> None:
    """Exit code 0: somebody ended it on purpose."""
    world = World([{"lives": 100.0, "code": 0}])
    assert world.run()[0] == 0 and len(world.started) == 1


@pytest.mark.parametrize("stubborn", [False, True])
def test_a_hung_process_is_ended_and_started_again(stubborn: bool) -> None:
    """Its loop stands for a minute: asked to end, killed where it does not, and replaced; never two."""
    world = World(
        [{"lives": 9e9, "hangs_after": 100.0, "stubborn": stubborn}, {"lives": 1e9}], stop_at=1000.0
    )
    code, said = world.run()
    assert code == 0 and len(world.started) == 2 and "supervised_hung" in said
    assert 100 + HUNG_AFTER <= world.started[1] <= 100 + HUNG_AFTER + ENDS_WITHIN + 5
    assert world.killed == stubborn


def test_nobody_is_killed_for_having_slept() -> None:
    """The machine slept for eight hours: the process is given its time anew."""
    world = World([{"lives": 9e9}], stop_at=40_000.0, jump_at=500.0)
    assert world.run()[0] == 0 and len(world.started) == 1 and SLEPT < 8 * 3600


@pytest.mark.parametrize("stubborn", [False, True])
def test_it_ends_with_its_process_when_told(stubborn: bool) -> None:
    """Ctrl+C or SIGTERM: the executor is asked, at last killed; nothing is left behind."""
    world = World([{"lives": 9e9, "stubborn": stubborn}], stop_at=QUICK * 2)
    assert world.run()[0] == 0
    assert world.running is not None and world.running.ended is not None and world.killed == stubborn


def test_the_lock_is_a_halt_that_a_person_lifts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It lies in control/ like any other; a folder that refuses it is said and stops nothing."""
    monkeypatch.setenv("RUNTIME_DIR", str(tmp_path / "runtime"))
    folder = DropFolder(tmp_path / "share")
    folder.disk.make_folder(folder.path)
    lines = Lines()
    lock_trading(load_settings(), folder.path, 3, Log("t", [lines]))
    ((name, raw),) = folder.halts().items()
    assert name.startswith("halt.supervisor@") and reads_as_halt(raw, None, name)[0]
    lock_trading(load_settings(), tmp_path / "share" / "control" / name, 3, Log("t", [lines]))
    assert lines.actions == ["trading_locked", "trading_not_locked"]


def test_the_sign_of_life_needs_no_exchange_folder(tmp_path: Path) -> None:
    """Once a second, to a local file; where it can't be written a person hears why it was ended."""
    lines, now = Lines(), [0.0]
    path = tmp_path / "alive"
    life = SignOfLife({"MINIQMT_ALIVE_FILE": str(path)}, Log("t", [lines]), lambda: now[0])
    life.show()
    first = path.read_text()
    now[0] = 0.5
    life.show()
    assert path.read_text() == first
    now[0] = 1.5
    life.show()
    assert path.read_text() != first
    path.unlink()
    path.mkdir()
    for moment in (3.0, 5.0):
        now[0] = moment
        life.show()
    assert lines.actions == ["sign_of_life_failed"]


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="kill -9 and sessions of POSIX")
def test_a_killed_executor_is_back_and_both_end_when_told(tmp_path: Path) -> None:
    """Real processes: kill -9 the executor, it takes the next signal; SIGTERM ends the two of them."""
    place = DropFolder(tmp_path / "share")
    place.disk.make_folder(place.path)
    place.prepare()
    environment = {
        **os.environ,
        "MINIQMT_SHARED_DIR": str(place.path),
        "RUNTIME_DIR": str(tmp_path / "runtime"),
        "LOG_DIR": str(tmp_path / "logs"),
    }
    command = [sys.executable, "-m", "commands.main", "executor", "--simulate", "--supervise"]
    process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL)
    try:
        first = _executor(place, after=0.0)
        os.kill(_pid(tmp_path), signal.SIGKILL)
        killed_at = time.time()
        instance = _executor(place, after=killed_at)
        assert instance == first
        now = time.time()
        body = signal_of("s1", timestamp=now, executor=instance)
        place.publish("order_signal_s1.json", encode(envelope_of(written_at=now, market_time=now), body))
        path = place.path / RESULTS_FOLDER / result_name(SignalId("s1"))
        _until(lambda: path.exists() and decode_result(path.read_bytes()).body.is_terminal)
        assert decode_result(path.read_bytes()).body.state == "filled"
        pid = _pid(tmp_path)
        process.send_signal(signal.SIGTERM)
        assert process.wait(120) == 0
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)
    finally:
        if process.poll() is None:
            process.terminate()
            process.wait(120)


def _executor(place: DropFolder, after: float) -> InstanceId:
    """The instance whose heartbeat says that it is ready, written after ``after``."""
    found: list[InstanceId] = []

    def ready() -> bool:
        for entry in place.list_folder("heartbeat"):
            raw = place.read(f"heartbeat/{entry.name}")
            beat = decode_heartbeat(raw) if raw and entry.name.startswith("executor-") else None
            if beat is not None and beat.envelope and beat.body.ready and beat.envelope.written_at > after:
                found.append(beat.body.instance)
        return bool(found)

    _until(ready)
    return found[-1]


def _pid(place: Path) -> int:
    """The running executor's process id, as the supervisor's log tells."""
    lines = (place / "logs" / "executor_supervisor.log").read_text(encoding="utf-8").splitlines()
    started = [line for line in lines if "supervised_started" in line]
    return int(started[-1].rpartition("pid=")[2])


def _until(reached: Callable[[], object]) -> None:
    deadline = time.monotonic() + 120
    while not reached():
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.mark.slow
def test_a_sign_of_life_that_is_held_ends_no_supervisor(tmp_path: Path) -> None:
    """A scanner holds the dead process's file on Windows (here a folder does): the next one is started."""
    (tmp_path / "executor.alive").mkdir()
    child = Process("executor", ("--help",), tmp_path)
    try:
        assert child.pid
    finally:
        child.kill()
        child._child.wait()
