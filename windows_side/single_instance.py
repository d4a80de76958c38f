"""One process of a role for one exchange folder on this host: a lock in the runtime folder.

The system drops the lock with the process that holds it, so a killed one leaves nothing to clear up.
"""

from __future__ import annotations

import hashlib
import json
import os
import time
from pathlib import Path

from filelock import FileLock, Timeout

from shared_schema.errors import SettingsError


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
        raise SettingsError("single_instance.no_lock", path, detail=problem) from problem
    try:
        holder.write_text(json.dumps({"pid": os.getpid(), "since": time.strftime("%Y-%m-%d %H:%M:%S")}))
    except OSError as problem:
        lock.release()
        raise SettingsError("single_instance.no_lock", holder, detail=problem) from problem
    return lock


def _told(holder: Path) -> str:
    try:
        told = json.loads(holder.read_text())
        return f"pid {told['pid']}, {told['since']}"
    except (OSError, ValueError, KeyError, TypeError):
        return "?"
