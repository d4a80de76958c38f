"""``miniqmt offline``: the five offline phases with one verdict, and marking a folder of one's own."""

from __future__ import annotations

import importlib
import shutil
import sys
import tempfile
import time
import traceback
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from shared_schema.clock import host_name
from shared_schema.drop_folder import DropFolder
from shared_schema.drop_folder.names import HEARTBEAT_FOLDER, OFFLINE_MARKER
from shared_schema.errors import FolderError, MessageError, SettingsError
from shared_schema.exchange_folder import checked_exchange_folder, is_offline_folder
from shared_schema.messages import decode_heartbeat
from shared_schema.words import say, say_both

ROOT = Path(__file__).resolve().parents[1]
PHASES = {
    1: "phase_1_backtest",
    2: "phase_2_dashboard",
    3: "phase_3_executor",
    4: "phase_4_partial_fill",
    5: "phase_5_recovery",
}
RUNNING_WITHIN = 300.0
"""Seconds: a younger heartbeat of any mode means a process at work (the slowest sync tool's red limit)."""


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("offline")(_command)


@dataclass(frozen=True)
class Outcome:
    """How one phase went; seconds of wall time."""

    number: int
    passed: int
    count: int
    seconds: float

    @property
    def is_good(self) -> bool:
        """Whether every check passed, and there was one."""
        return 0 < self.count == self.passed


def offline(numbers: tuple[int, ...] = tuple(PHASES)) -> int:
    """Run these phases in temporary folders and print one table; 0 when everything passed, else 1."""
    place = Path(tempfile.mkdtemp(prefix="miniqmt-offline-"))
    outcomes = [_run_phase(number, place / f"phase_{number}") for number in numbers]
    _print_table(outcomes)
    if not all(outcome.is_good for outcome in outcomes):
        print(say("offline.some_failed", folder=place))
        return 1
    shutil.rmtree(place, ignore_errors=True)  # a file still held on Windows is no reason to fail
    print(say("offline.all_passed" if len(outcomes) == len(PHASES) else "offline.chosen_passed"))
    return 0


def _run_phase(number: int, folder: Path) -> Outcome:
    if str(ROOT) not in sys.path:
        sys.path.append(str(ROOT))  # the phases stand beside the packages and are not installed
    from test_offline.phases.checks import check

    print(say("offline.phase_begins", number=number, name=say(f"offline.phase_{number}")), flush=True)
    folder.mkdir(parents=True)
    begun = time.monotonic()
    try:
        checks = importlib.import_module(f"test_offline.phases.{PHASES[number]}").run(folder)
    except Exception as problem:  # whatever it is, the verdict on the other phases must still be told
        traceback.print_exc()
        checks = [check("broke_off", False, f"{type(problem).__name__}: {problem}")]
    for one in checks:
        print(one.line, flush=True)
    passed = sum(one.passed for one in checks)
    return Outcome(number, passed, len(checks), time.monotonic() - begun)


def _print_table(outcomes: list[Outcome]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(title=say("offline.table"), title_justify="left")
    for column in ("phase", "checked", "verdict", "seconds"):
        table.add_column(say(f"offline.column_{column}"), justify="right" if column == "seconds" else "left")
    for outcome in outcomes:
        verdict = say("offline.passed" if outcome.is_good else "offline.failed")
        table.add_row(
            f"{outcome.number} {say(f'offline.phase_{outcome.number}')}",
            say(f"offline.checked_{outcome.number}"),
            f"{verdict} {say('offline.count', passed=outcome.passed, count=outcome.count)}",
            f"{outcome.seconds:.1f}",
            style="" if outcome.is_good else "bold red",
        )
    Console(width=None if sys.stdout.isatty() else 110).print(table)


def mark(path: Path, now: float) -> bool:
    """Put the marker OFFLINE into ``path``; False where it stands there already.

    ``now`` is wall seconds. Raises FolderError where the folder is missing, can't be written, or a
    heartbeat in it is live, young or unreadable: nobody's trading folder is taken out of service.
    """
    folder = DropFolder(checked_exchange_folder(path.absolute()))
    if is_offline_folder(folder.path):
        return False
    for entry in folder.list_folder(HEARTBEAT_FOLDER):
        if not entry.name.endswith(".json"):
            continue
        state = _state_of(folder, f"{HEARTBEAT_FOLDER}/{entry.name}", now)
        if state:
            raise FolderError("offline.live_folder", folder.path, file=entry.name, state=state)
    when = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(now))
    text = f"{say('offline.marker')}\nmarked {when} {host_name()}\n"
    folder.publish(OFFLINE_MARKER, text.encode())
    return True


def _state_of(folder: DropFolder, name: str, now: float) -> str:
    """What speaks against marking in one heartbeat file; "" where nothing does."""
    try:
        raw = folder.read(name)
        received = decode_heartbeat(raw, name) if raw is not None else None
    except (FolderError, MessageError) as problem:
        return str(problem)  # whose it is can't be known, so it may be a live one
    if received is None:
        return ""
    envelope, state = received.envelope, received.body.state
    mode = envelope.mode if envelope is not None else "live"
    age = now - envelope.written_at if envelope is not None else 0.0
    works = state != "stopped" and age <= RUNNING_WITHIN
    return f"{mode}, {state}, {age:.0f} s" if mode == "live" or works else ""


def _command(
    phase: Annotated[int | None, typer.Option("--phase", help=say_both("offline.help_phase"))] = None,
    mark_: Annotated[Path | None, typer.Option("--mark", help=say_both("offline.help_mark"))] = None,
) -> None:
    if mark_ is not None:
        done = mark(mark_, time.time())
        print(say("offline.marked" if done else "offline.marked_already", folder=mark_.absolute()))
        return
    if phase is not None and phase not in PHASES:
        raise SettingsError("offline.no_such_phase", phase)
    raise typer.Exit(offline(tuple(PHASES) if phase is None else (phase,)))
