"""One engine for the books of one strategy: a lock in ``RUNTIME_DIR`` that says who holds it."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

from filelock import FileLock, Timeout

from mac_side.bridge_client.signal_ids import is_first
from shared_schema.clock import host_name
from shared_schema.errors import SettingsError
from shared_schema.ids import StrategyName

LOG_NAME = "mac_dashboard"
"""Of the log, before ``runtime_name``."""


class EngineHeld(SettingsError):
    """Another process works with these books already."""


def runtime_name(base: str, strategy: StrategyName, ending: str = "") -> str:
    """``<base><ending>`` for the first strategy, ``<base>_<strategy><ending>`` for the others."""
    return f"{base}{ending}" if is_first(strategy) else f"{base}_{strategy}{ending}"


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
