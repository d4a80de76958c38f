"""One process of a role for one exchange folder on this host: a lock in the runtime folder.

The system drops the lock with the process that holds it, so a killed one leaves nothing to clear up.
"""

from __future__ import annotations

import hashlib
import json
import os
import time
from pathlib import Path

import platformdirs
from filelock import FileLock, Timeout

from shared_schema.drop_folder import DropFolder
from shared_schema.drop_folder.names import HEARTBEAT_FOLDER
from shared_schema.errors import FolderError, MessageError, SettingsError
from shared_schema.ids import AccountAlias, InstanceId, Mode
from shared_schema.messages import decode_heartbeat
from windows_side.quotes.readers import STOPPED


def hold_single_instance(role: str, runtime_dir: Path, exchange_folder: Path) -> FileLock:
    """The lock, held; release it at the end. Raises SettingsError saying who holds it already."""
    place = os.path.normcase(os.path.realpath(exchange_folder))
    digest = hashlib.sha256(place.encode("utf-8", "surrogatepass")).hexdigest()[:12]
    path = runtime_dir / f"{role}-{digest}.lock"
    # Beside the lock, not in it: on Windows a locked file can't be read by another process.
    holder = path.with_suffix(".holder.json")
    lock = FileLock(path)
    try:
        runtime_dir.mkdir(parents=True, exist_ok=True)
        lock.acquire(timeout=0)
    except Timeout:
        told = _told(holder)
        raise SettingsError("single_instance.held", exchange_folder, role=role, holder=told) from None
    except OSError as problem:
        raise SettingsError("single_instance.no_lock", path, detail=problem.strerror or problem) from problem
    try:
        holder.write_text(json.dumps({"pid": os.getpid(), "since": time.strftime("%Y-%m-%d %H:%M:%S")}))
    except OSError as problem:
        lock.release()
        detail = problem.strerror or problem
        raise SettingsError("single_instance.no_lock", holder, detail=detail) from problem
    return lock


def hold_account(
    mode: Mode, alias: AccountAlias, number: str | None, runtime_dir: Path, machine: Path | None = None
) -> FileLock:
    """The account's lock, held. Raises SettingsError saying who holds it.

    Simulated accounts exist once per RUNTIME_DIR, so that tests and demos run side by side. A live one
    exists once: its lock lies at one place of the machine (``machine``), whatever RUNTIME_DIR, alias or
    exchange folder the second executor was given, and goes by the account's ``number``.
    """
    if mode == "simulate":
        return hold_single_instance(f"executor-simulate-{alias}", runtime_dir, runtime_dir)
    # The number itself stays out of file names and messages.
    named = hashlib.sha256((number or alias).encode()).hexdigest()[:12]
    place = machine or machine_locks()
    return hold_single_instance("executor-live", place, place / named)


def machine_locks() -> Path:
    """Where the locks of the whole machine lie: for all users on Windows, where the terminal trades."""
    if os.name == "nt":
        return platformdirs.site_data_path("miniqmt", appauthor=False) / "locks"
    return platformdirs.user_state_path("miniqmt", appauthor=False) / "locks"


def _told(holder: Path) -> str:
    try:
        told = json.loads(holder.read_text())
        return f"pid {told['pid']}, {told['since']}"
    except (OSError, ValueError, KeyError, TypeError):
        return "?"


def refuse_other_executor(folder: DropFolder, instance: InstanceId, red_after: float, wall: float) -> None:
    """Raise SettingsError where another executor's heartbeat shows it alive in this folder.

    The lock only reaches processes of one host and RUNTIME_DIR; one executor serves a folder, so the
    second, wherever it runs, stays out and says who is there. ``red_after`` in seconds, ``wall`` Unix.
    """
    for entry in folder.list_folder(HEARTBEAT_FOLDER):
        if not entry.name.startswith("executor-"):
            continue
        try:
            received = decode_heartbeat(folder.read(f"{HEARTBEAT_FOLDER}/{entry.name}") or b"", entry.name)
        except (FolderError, MessageError):
            continue  # half a heartbeat tells of nobody; its next one will
        envelope, beat = received.envelope, received.body
        if envelope is None or beat.instance == instance or beat.state == STOPPED:
            continue
        age = wall - envelope.written_at
        if age < red_after:
            told = f"{beat.instance} ({envelope.writer}, {max(0.0, age):.1f} s)"
            raise SettingsError("single_instance.other_executor", folder.path, holder=told)
