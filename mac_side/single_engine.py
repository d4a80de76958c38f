"""One engine for the books of one strategy: a lock in ``RUNTIME_DIR`` that says who holds it."""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import time
from pathlib import Path

from filelock import FileLock, Timeout

from mac_side.bridge_client.signal_ids import is_first
from shared_schema.clock import host_name
from shared_schema.errors import SettingsError
from shared_schema.exchange_folder import is_offline_folder
from shared_schema.ids import InstanceId, StrategyName
from shared_schema.settings import Settings

LOG_NAME = "mac_dashboard"
"""Of the log, before ``runtime_name``."""


class EngineHeld(SettingsError):
    """Another process works with these books already."""


def runtime_name(base: str, strategy: StrategyName, ending: str = "") -> str:
    """``<base><ending>`` for the first strategy, ``<base>_<strategy><ending>`` for the others."""
    return f"{base}{ending}" if is_first(strategy) else f"{base}_{strategy}{ending}"


def runtime_folder(settings: Settings, folder: Path) -> Path:
    """``RUNTIME_DIR``; an OFFLINE folder without one keeps its own in ``.runtime``."""
    if is_offline_folder(folder) and settings.origins["runtime_dir"].kind == "platform":
        return folder / ".runtime"
    return settings.runtime_dir


def instance_of(runtime: Path, strategy: StrategyName) -> InstanceId:
    """This dashboard's name in its heartbeat: what was drawn once for ``RUNTIME_DIR``, hashed with the host.

    So a copy of ``RUNTIME_DIR`` on another host has another name, and neither starts beside the other.
    """
    path = runtime / runtime_name("dashboard_instance", strategy, ".txt")
    drawn = path.read_text(encoding="ascii").strip() if path.exists() else ""
    if not drawn:
        drawn = secrets.token_hex(4)
        runtime.mkdir(parents=True, exist_ok=True)
        path.write_text(drawn, encoding="ascii")
    return InstanceId(hashlib.sha256(f"{drawn}@{host_name()}".encode()).hexdigest()[:8])


def hold_engine(runtime_dir: Path, strategy: StrategyName) -> FileLock:
    """The lock, held until released or the process ends. Raises EngineHeld naming the holder."""
    path = runtime_dir / runtime_name("dashboard", strategy, ".lock")
    # Beside the lock, not in it: on Windows nobody else can read a locked file.
    holder = path.with_suffix(".holder.json")
    lock = FileLock(path, thread_local=False)  # whichever thread closes, the name is free
    try:
        runtime_dir.mkdir(parents=True, exist_ok=True)
        lock.acquire(timeout=0)
        told = {"pid": os.getpid(), "host": host_name(), "since": time.strftime("%Y-%m-%d %H:%M:%S")}
        holder.write_text(json.dumps(told), encoding="utf-8")
    except Timeout:
        raise EngineHeld("dashboard.engine_held", path, holder=_told(holder)) from None
    except OSError as problem:
        raise SettingsError("dashboard.no_lock", path, detail=problem.strerror or str(problem)) from problem
    return lock


def _told(holder: Path) -> str:
    try:
        told = json.loads(holder.read_text(encoding="utf-8"))
        return f"pid {told['pid']}@{told['host']}, {told['since']}"
    except (OSError, ValueError, KeyError, TypeError):
        return "?"
