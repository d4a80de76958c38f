"""``miniqmt executor --supervise``: the executor as a child that is started again, and what that needs."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from commands.folder_wait import FolderWait
from commands.halt_writing import write_halt, writer_of
from shared_schema.clock import host_name
from shared_schema.disk import LocalDisk
from shared_schema.drop_folder import DropFolder
from shared_schema.errors import FolderError, MiniqmtError
from shared_schema.keys import folder_key
from shared_schema.logs import Log, open_log
from shared_schema.notices import attach
from shared_schema.settings import Role, Settings, load_settings
from shared_schema.sign_of_life import VARIABLE
from shared_schema.stop_flag import StopFlag
from shared_schema.words import say, use_language
from windows_side.arming import chosen_mode
from windows_side.single_instance import hold_single_instance
from windows_side.supervisor import Supervisor

ROOT = Path(__file__).resolve().parent.parent
ROLE = "supervisor"
_MODULES = {
    "executor": "windows_side.order_executor",
    "producer": "windows_side.bridge_producer",
    "dashboard": "mac_side.mac_dashboard",
}


def supervise(arguments: Sequence[str]) -> int:
    """Run the executor with ``arguments`` until a person asks to stop; the exit code."""
    overrides: dict[str, object] = {}
    if "--folder" in arguments[:-1]:
        overrides["shared_dir"] = str(Path(arguments[list(arguments).index("--folder") + 1]).absolute())
    try:
        settings = load_settings(overrides=overrides)
        use_language(settings.language)
        if "--account" in arguments[:-1]:
            settings = settings.for_account(arguments[list(arguments).index("--account") + 1])
        return run_role("executor", settings, arguments)
    except MiniqmtError as problem:
        print(f"order_executor: {problem}", file=sys.stderr)
        return problem.exit_code


def run_role(
    role: Role, settings: Settings, arguments: Sequence[str] = (), until: Callable[[], bool] = lambda: False
) -> int:
    """Look after a role until a person asks to stop or ``until`` says so; the exit code.

    Only the executor is judged by its sign of life, and only its crash loop halts trading. While the exchange
    folder is away nothing is started. Raises SettingsError where somebody looks after it already.
    """
    folder = settings.exchange_folder(role)
    name = ROLE if role == "executor" else f"{ROLE}-{role}"
    lock = hold_single_instance(name, settings.runtime_dir, folder)
    log = open_log(f"{role}_supervisor", settings.log_dir)
    attach(log, settings.notices, host_name())
    try:
        with _asked_to_stop() as stop:
            # A room is made by its executor, in the folder above: that is the one to wait for.
            patience = FolderWait(
                (settings.host or settings).exchange_folder(role),
                log,
                start=lambda: Process(role, arguments, settings.runtime_dir),
                wait=lambda seconds: stop.wait(seconds) or until(),
            )
            if patience.until_there():
                return 0
            return Supervisor(
                role=role,
                start=patience.start,
                lock_trading=lambda count: (
                    lock_trading(settings, folder, count, log) if role == "executor" else None
                ),
                log=log,
                monotonic=time.monotonic,
                wait=patience.wait,
                pause=time.sleep,
            ).run()
    finally:
        log.close()
        lock.release()


class Process:
    """A role in its own process group: Ctrl+C reaches the supervisor alone, which passes it on."""

    def __init__(self, role: Role, arguments: Sequence[str], runtime_dir: Path) -> None:
        self._alive = runtime_dir / f"{role}.alive" if role == "executor" else None
        environment = dict(os.environ, PYTHONPATH=str(ROOT))
        if self._alive is not None:
            with contextlib.suppress(OSError):  # held by a scanner just now: its next change tells as well
                LocalDisk().remove(self._alive)
            environment[VARIABLE] = str(self._alive)
        code = f"import sys; from {_MODULES[role]} import main; sys.exit(main(sys.argv[1:]))"
        always = ("--no-screen",) if role == "dashboard" else ()
        command = [sys.executable, "-c", code, *always, *arguments]
        if os.name == "nt":
            group = getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0)
            self._child = subprocess.Popen(command, env=environment, creationflags=group)
        else:
            self._child = subprocess.Popen(command, env=environment, start_new_session=True)
        self.pid = self._child.pid

    def poll(self) -> int | None:
        """Its exit code; None while it runs."""
        return self._child.poll()

    def ask_to_end(self) -> None:
        """Ctrl+Break on Windows, SIGTERM elsewhere: it finishes what is begun."""
        with contextlib.suppress(OSError):  # it has just ended by itself
            self._child.send_signal(getattr(signal, "CTRL_BREAK_EVENT", signal.SIGTERM))

    def kill(self) -> None:
        """End it at once; ledger and broker find together at the next start."""
        self._child.kill()

    def signs(self) -> object:
        """The time of its file of life; of a role without one something new each time."""
        if self._alive is None:
            return object()
        try:
            return self._alive.stat().st_mtime_ns
        except OSError:
            return None


def lock_trading(settings: Settings, folder: Path, count: int, log: Log) -> None:
    """Write a halt: an executor that comes up between two deaths places nothing new."""
    place = DropFolder(folder, key=folder_key(settings, folder))
    reason = say("executor.crash_loop", count=count)
    mode = chosen_mode(settings)
    try:
        name = write_halt(place, writer_of(ROLE), reason, mode, time.time())
    except FolderError as problem:
        log.say("error", "trading_not_locked", problem=problem)
        return
    log.say("error", "trading_locked", file=name, count=count)


@contextlib.contextmanager
def _asked_to_stop() -> Iterator[threading.Event]:
    stop = StopFlag()
    names = ("SIGINT", "SIGTERM", "SIGBREAK")
    numbers = [getattr(signal, name) for name in names if hasattr(signal, name)]
    before = {number: signal.signal(number, lambda *_: stop.set()) for number in numbers}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
