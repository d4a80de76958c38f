"""The OFFLINE folder of a phase, and processes that know nothing of this host's own settings."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import orjson

from mac_side.bridge_client.signal_ids import FIRST_STRATEGY
from mac_side.state_file import DashboardState, new_state
from shared_schema.clock import Moment, host_name
from shared_schema.drop_folder import DropFolder
from shared_schema.drop_folder.names import OFFLINE_MARKER
from shared_schema.errors import MiniqmtError
from shared_schema.ids import AccountAlias
from shared_schema.settings import OUR_PREFIXES, known_settings
from shared_schema.settings_sources import OTHER_VARIABLES
from shared_schema.words import say

ROOT = Path(__file__).resolve().parents[2]
TEST_OFFLINE = ROOT / "test_offline"
ACCOUNT = AccountAlias("main")
STRATEGY = FIRST_STRATEGY
WRITER = f"dashboard@{host_name()}"
LOOK_EVERY = 0.02
_KEPT = ("MINIQMT_LANGUAGE", *OTHER_VARIABLES)


def make_offline_folder(path: Path) -> DropFolder:
    """A folder with the marker and the contract's folders inside."""
    path.mkdir(parents=True, exist_ok=True)
    (path / OFFLINE_MARKER).write_text(say("offline.marker") + "\n", encoding="utf-8")
    folder = DropFolder(path)
    folder.prepare()
    return folder


def fresh_state(now: Moment) -> DashboardState:
    """What the books of an OFFLINE folder take where their file does not say it."""
    return new_state(now, "simulate", ACCOUNT, STRATEGY, WRITER)


def read_json(path: Path) -> dict[str, Any] | None:
    """The object in ``path``; None where there is no file or it is not whole yet."""
    try:
        found = orjson.loads(path.read_bytes())
    except (FileNotFoundError, PermissionError, orjson.JSONDecodeError):
        return None  # PermissionError: on Windows while it is being replaced
    return found if isinstance(found, dict) else None


def to_bytes(payload: Mapping[str, Any]) -> bytes:
    """The payload as a file's bytes."""
    return orjson.dumps(payload)


def wait_until(condition: Callable[[], object], seconds: float) -> bool:
    """Whether ``condition`` came true within ``seconds``."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() >= deadline:
            return False
        time.sleep(LOOK_EVERY)
    return True


def clean_environment(private: Path) -> dict[str, str]:
    """This process's environment without this host's settings: ledger, logs, books go to ``private``."""
    settings = {name for _, rule in known_settings() for name in rule.environment}
    kept = {
        name: value
        for name, value in os.environ.items()
        if name in _KEPT or (name not in settings and not name.startswith(OUR_PREFIXES))
    }
    private.mkdir(parents=True, exist_ok=True)
    nothing_set = private / "miniqmt.toml"
    nothing_set.touch()
    own = {"MINIQMT_CONFIG": nothing_set, "RUNTIME_DIR": private / "runtime", "LOG_DIR": private / "logs"}
    return {**kept, **{name: str(path) for name, path in own.items()}, "PYTHONUTF8": "1"}


def start_script(
    script: str, private: Path, arguments: tuple[str, ...] = (), **variables: str
) -> subprocess.Popen[str]:
    """Start a script of the project as people do, by path, from the folder ``private``."""
    group = getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0)  # Windows: Ctrl+Break must not reach ourselves
    return subprocess.Popen(
        [sys.executable, str(ROOT / script), *arguments],
        cwd=private,
        env={**clean_environment(private), **variables},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        encoding="utf-8",
        errors="replace",
        creationflags=group,
    )


def stop_like_ctrl_c(process: subprocess.Popen[str], seconds: float) -> tuple[int | None, str]:
    """Interrupt ``process``; its exit code and all it said. None: it did not end and was killed."""
    if process.poll() is None:
        process.send_signal(getattr(signal, "CTRL_BREAK_EVENT", signal.SIGINT))
    try:
        said, _ = process.communicate(timeout=seconds)
        return process.returncode, said
    except subprocess.TimeoutExpired:
        process.kill()
        said, _ = process.communicate()
        return None, said


def run_script(main: Callable[[], int]) -> int:
    """Run a script's ``main`` as the commands are run: readable on any console, one sentence for an error."""
    from commands.main import choose_language
    from shared_schema.console import print_utf8

    print_utf8()
    with contextlib.suppress(MiniqmtError):  # a settings file that can't be read: nothing here depends on it
        choose_language()
    try:
        return main()
    except MiniqmtError as error:
        print(error, file=sys.stderr)
        return error.exit_code
