"""The demo's processes: producer, executor, dashboard, each as a user would start it."""

from __future__ import annotations

import contextlib
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from commands.demo_room.stage import STANDIN, START_CASH, Stage
from shared_schema.drop_folder import DropFolder
from shared_schema.drop_folder.names import ACCOUNT_LIVE, HEARTBEAT_FOLDER
from shared_schema.errors import FolderError, MessageError, MiniqmtError
from shared_schema.messages import Heartbeat, decode_heartbeat

ROOT = Path(__file__).resolve().parent.parent.parent


class DemoError(MiniqmtError):
    """The demo could not go on; says which process and what it last printed."""


@dataclass
class Actor:
    """One process of the play."""

    role: str
    process: subprocess.Popen[bytes]
    output: Path

    @property
    def is_alive(self) -> bool:
        """Whether it still runs."""
        return self.process.poll() is None

    def last_words(self) -> str:
        """The end of what it printed."""
        try:
            return self.output.read_text("utf-8", "replace")[-1500:]
        except OSError:
            return ""

    def stop(self, at_most: float = 30.0) -> int | None:
        """Ask it to end as Ctrl+C would; kill it where it does not. Its exit code."""
        if self.is_alive:
            with contextlib.suppress(OSError):
                self.process.send_signal(_GENTLE)
        try:
            return self.process.wait(at_most)
        except subprocess.TimeoutExpired:
            self.kill()
            return None

    def kill(self) -> None:
        """End it as a crash would: nothing gets a chance to tidy up."""
        self.process.kill()
        self.process.wait()


# A console group of its own lets Windows send Ctrl+Break to this child alone.
_GENTLE = getattr(signal, "CTRL_BREAK_EVENT", signal.SIGTERM)
_NEW_GROUP = getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0)

STARTS_WITHIN = 120.0
"""Seconds: a first start on a slow disk, nothing of it cached. A process that dies is seen at once."""
Arguments = Callable[[Stage], Sequence[str]]


def producer_arguments(stage: Stage, *, speed: str, lockstep: bool) -> list[str]:
    """The producer's command line: the day's bars at speed, and a base position to sell from."""
    plan = stage.plan
    arguments = ["windows_side/bridge_producer.py", "--replay", str(plan.csv.absolute()), "--code", plan.code]
    arguments += ["--day", plan.day, "--speed", speed]
    arguments += ["--wait-for", "executor,dashboard", "--wait-at-most", f"{STARTS_WITHIN:g}"]
    arguments += ["--start-position", f"{plan.code}={plan.base_shares}@{plan.base_price}"]
    return [*arguments, "--lockstep"] if lockstep else arguments


def start(
    stage: Stage, role: str, host: str, arguments: Sequence[str], further: Mapping[str, str] | None = None
) -> Actor:
    """Start a process of ``role`` on ``host``, with ``further`` variables; its output goes to a file."""
    output = stage.root / f"{role}.out"
    with output.open("ab") as file:
        process = subprocess.Popen(
            [sys.executable, str(ROOT / arguments[0]), *arguments[1:]],
            cwd=stage.root,
            env=stage.environment(host) | dict(further or {}),
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=subprocess.STDOUT,
            creationflags=_NEW_GROUP,
        )
    return Actor(role, process, output)


def start_all(stage: Stage, *, speed: str, lockstep: bool) -> dict[str, Actor]:
    """Start producer, executor and dashboard; the executor once there is an account to start from."""
    if stage.broker == STANDIN:
        return _start_with_terminal(stage, speed)
    actors: dict[str, Actor] = {}
    try:
        actors["producer"] = start(
            stage, "producer", "windows", producer_arguments(stage, speed=speed, lockstep=lockstep)
        )
        await_that(actors, lambda: (stage.exchange / ACCOUNT_LIVE).exists(), "account snapshot")
        actors["executor"] = start(
            stage, "executor", "windows", ["windows_side/order_executor.py", "--sessions"]
        )
        actors["dashboard"] = start(stage, "dashboard", "mac", ["mac_side/mac_dashboard.py", "--no-screen"])
        await_that(actors, lambda: heartbeat(stage, "dashboard") is not None, "dashboard")
    except BaseException:
        stop_all(actors)
        raise
    return actors


STANDIN_ACTOR = "test_offline/fake_qmt/actor.py"


def standin_arguments(stage: Stage, role: str, speed: str = "60") -> list[str]:
    """The command line of ``role`` where QMT's stand-in is the broker; "terminal" is the stand-in itself."""
    if role == "dashboard":
        return ["mac_side/mac_dashboard.py", "--no-screen"]
    if role != "terminal":
        return [STANDIN_ACTOR, str(stage.terminal), role]
    plan = stage.plan
    chosen = ["--csv", str(plan.csv.absolute()), "--code", plan.code, "--day", plan.day, "--speed", speed]
    held = f"{plan.base_shares}@{plan.base_price}"
    return [
        "test_offline/fake_qmt/run_terminal.py",
        str(stage.terminal),
        *chosen,
        *("--position", held, "--cash", str(START_CASH)),
    ]


def _start_with_terminal(stage: Stage, speed: str) -> dict[str, Actor]:
    """The stand-in terminal first; its market begins when everybody is ready."""
    from test_offline.fake_qmt.control import Control

    actors: dict[str, Actor] = {}
    try:
        for role in ("terminal", "producer", "executor", "dashboard"):
            host = "mac" if role == "dashboard" else "windows"
            actors[role] = start(stage, role, host, standin_arguments(stage, role, speed))
        for role in ("producer", "executor", "dashboard"):
            await_that(actors, lambda role=role: is_ready(stage, role), role)  # type: ignore[misc]
        control = Control(stage.terminal / "userdata_mini")
        control("begin")
        control.close()
    except BaseException:
        stop_all(actors)
        raise
    return actors


def is_ready(stage: Stage, role: str) -> bool:
    """Whether the newest heartbeat of ``role`` says that it stands; one that was killed said so too."""
    told = heartbeat(stage, role)
    return told is not None and (told.ready or role == "dashboard")


def stop_all(actors: dict[str, Actor]) -> None:
    """End every process, the strategy first, the broker's side last."""
    for role in ("dashboard", "producer", "executor", "terminal"):
        if role in actors:
            actors[role].stop()


def await_that(
    actors: dict[str, Actor], condition: Callable[[], bool], what: str, at_most: float = STARTS_WITHIN
) -> None:
    """Wait until ``condition`` holds. Raises DemoError where a process died or time is up."""
    deadline = time.monotonic() + at_most
    while not condition():
        check_alive(actors)
        if time.monotonic() > deadline:
            raise DemoError("demo.waited_in_vain", what=what, seconds=round(at_most))
        time.sleep(0.02)


def check_alive(actors: dict[str, Actor]) -> None:
    """Raises DemoError with its last words where a process has died."""
    for actor in actors.values():
        if not actor.is_alive:
            raise DemoError("demo.process_died", actor.role, words=actor.last_words())


def heartbeat(stage: Stage, role: str) -> Heartbeat | None:
    """The newest heartbeat of ``role``, None while there is none."""
    found = heartbeats(stage, role)
    return found[-1] if found else None


def heartbeats(stage: Stage, role: str) -> list[Heartbeat]:
    """The heartbeats of ``role``, the newest last; none where one can't be read just now."""
    folder = DropFolder(stage.exchange)
    try:
        names = [entry.name for entry in folder.list_folder(HEARTBEAT_FOLDER)]
        raws = [folder.read(f"{HEARTBEAT_FOLDER}/{name}") for name in names if name.startswith(f"{role}-")]
        return [decode_heartbeat(raw).body for raw in raws if raw is not None]
    except (FolderError, MessageError):
        return []  # caught between two writings: the next look tells
