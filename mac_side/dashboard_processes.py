"""The dashboard's processes: one engine for each strategy, and one screen that shows them all.

Each engine stands alone: books that stop one of them stop nobody else.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from mac_side.single_engine import EngineHeld, hold_engine, runtime_name
from shared_schema.ids import StrategyName
from shared_schema.stop_flag import StopFlag
from shared_schema.words import say

ROOT = Path(__file__).resolve().parent.parent
_ENGINE_ENDS_WITHIN = 10.0
_LOOK_EVERY = 0.2


def view_path(runtime: Path, strategy: StrategyName) -> Path:
    """The file a screen of this strategy shows."""
    return runtime / runtime_name("dashboard_view", strategy, ".json")


def commands_path(runtime: Path, strategy: StrategyName) -> Path:
    """The folder a screen of this strategy leaves commands in."""
    return runtime / runtime_name("screen_commands", strategy)


@dataclass
class Engines:
    """The engines started here; those that ran already are not ours and are left running."""

    typed: Sequence[str]
    """What the person typed: each engine is told the same."""
    running: dict[StrategyName, subprocess.Popen[bytes]] = field(default_factory=dict)
    _said: list[IO[bytes]] = field(default_factory=list)
    """What engines behind a screen write to stderr: on the terminal it would go with the screen."""

    def start(self, runtime: Path, strategies: Sequence[StrategyName], *, quiet: bool) -> list[EngineHeld]:
        """Start an engine for each strategy, apart from this terminal; those held by another are returned.

        ``quiet``: behind a screen. Then ``repeat_last_words`` tells why one has ended.
        """
        held = []
        for strategy in strategies:
            try:
                hold_engine(runtime, strategy).release()
                said = self._behind_a_screen() if quiet else None
                self.running[strategy] = _start_engine(self.typed, strategy, said)
            except EngineHeld as problem:
                held.append(problem)
        return held

    @property
    def any_ended(self) -> bool:
        """Whether one of ours ended by itself: its sentence went to its log."""
        return any(engine.poll() is not None for engine in self.running.values())

    @property
    def all_ended(self) -> bool:
        """Whether none of ours runs any more."""
        return all(engine.poll() is not None for engine in self.running.values())

    def end(self) -> int:
        """Ask all to end, kill those that do not; the worst exit code."""
        for engine in self.running.values():
            if engine.poll() is None:
                engine.send_signal(getattr(signal, "CTRL_BREAK_EVENT", signal.SIGTERM))
        return max((abs(_ended(engine)) for engine in self.running.values()), default=0)

    def _behind_a_screen(self) -> IO[bytes]:
        self._said.append(tempfile.TemporaryFile())  # noqa: SIM115  closed by repeat_last_words
        return self._said[-1]

    def repeat_last_words(self) -> None:
        """Print what ended engines said behind the screen, now that it is gone."""
        for said in self._said:
            with said:
                said.seek(0)
                print(said.read().decode("utf-8", "replace"), end="", file=sys.stderr)
        self._said.clear()


def run_without_screen(engines: Engines) -> int:
    """Stay until all engines have ended or somebody asks to stop; the worst exit code."""
    with asked_to_stop() as stop:
        while not stop.wait(_LOOK_EVERY) and not engines.all_ended:
            pass
        return engines.end()


def run_with_screen(
    engines: Engines, runtime: Path, strategies: Sequence[StrategyName], options: Sequence[str] = ()
) -> int:
    """Show the screen in this terminal; when the person quits, our engines end with it.

    ``options`` are the screen's own. A terminal that goes away (SSH) and a screen that dies leave the
    engines running (fault 77): they stand in a session of their own, and that is said.
    """
    command = [sys.executable, "-m", "mac_side.screen.screen", *options]
    for strategy in strategies:
        command += ["--view", str(view_path(runtime, strategy))]
        command += ["--commands", str(commands_path(runtime, strategy))]
    screen = subprocess.Popen(command, cwd=Path.cwd(), env=dict(os.environ, PYTHONPATH=str(ROOT)))
    alone = len(strategies) == 1
    with asked_to_stop() as stop:
        while screen.poll() is None and not stop.wait(_LOOK_EVERY):
            if engines.running and (engines.any_ended if alone else engines.all_ended):
                break  # the screen would only show an old picture
        if screen.poll() is None:
            screen.terminate()
        elif screen.returncode != 0 and not stop.is_set() and not engines.all_ended:
            _say_that_engines_go_on(engines)
            return 1
        screen.wait()
        worst = engines.end()
    engines.repeat_last_words()
    return worst


def _say_that_engines_go_on(engines: Engines) -> None:
    pids = ", ".join(str(engine.pid) for engine in engines.running.values() if engine.poll() is None)
    with contextlib.suppress(OSError):  # the terminal itself may be what went away
        print(say("dashboard.engines_go_on", pids=pids), file=sys.stderr, flush=True)


def say_that_others_go_on(held: Sequence[EngineHeld]) -> None:
    """Say of the engines that were shown and not started here that they run on, and how to end them."""
    if not held:
        return
    holders = "; ".join(str(engine.values["holder"]) for engine in held)
    with contextlib.suppress(OSError):  # the terminal itself may be what went away
        print(say("dashboard.engine_left", holders=holders), file=sys.stderr, flush=True)


def _start_engine(
    typed: Sequence[str], strategy: StrategyName, said: IO[bytes] | None
) -> subprocess.Popen[bytes]:
    program = Path(__file__).with_name("mac_dashboard.py")
    arguments = [sys.executable, str(program), *typed, "--strategy", strategy, "--no-screen"]
    if said is not None:
        arguments.append("--quiet")
    if os.name == "nt":
        group = getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0)
        return subprocess.Popen(arguments, stderr=said, creationflags=group)
    return subprocess.Popen(arguments, stderr=said, start_new_session=True)


def _ended(engine: subprocess.Popen[bytes]) -> int:
    try:
        return engine.wait(_ENGINE_ENDS_WITHIN)
    except subprocess.TimeoutExpired:
        engine.kill()
        return engine.wait()


@contextlib.contextmanager
def asked_to_stop() -> Iterator[threading.Event]:
    """An event that Ctrl+C, SIGTERM and Ctrl+Break set; the old handlers come back afterwards."""
    stop = StopFlag()

    def asked(_number: int, _frame: object) -> None:
        stop.set()  # and nothing that takes a lock: whoever waits looks again within a second

    names = ("SIGINT", "SIGTERM", "SIGBREAK")
    numbers = [getattr(signal, name) for name in names if hasattr(signal, name)]
    before = {number: signal.signal(number, asked) for number in numbers}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
