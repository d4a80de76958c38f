"""What a dashboard finds in ``test_offline/``: the fresh files shipped there, laid out before it starts.

Only an OFFLINE folder that ships a folder ``fresh/`` has any. Files a person wrote there are never
replaced; only what an earlier dashboard left when its run is over.
"""

from __future__ import annotations

import time
from pathlib import Path

import orjson

from shared_schema.drop_folder import DropFolder
from shared_schema.drop_folder.names import QUOTE, SIGNAL_SLOT, signal_name, state_name
from shared_schema.errors import FolderError, MessageError
from shared_schema.ids import SignalId
from shared_schema.messages import decode_signal
from shared_schema.messages.record import SCHEMA_VERSION

FRESH = "fresh"
"""The folder of the shipped files, inside the OFFLINE folder."""


def lay_out_fresh_files(path: Path, now: float | None = None) -> list[str]:
    """Put the shipped quote and books into the OFFLINE folder ``path``; the names written.

    The quote goes where there is none. The books go where there are none, and over those of an earlier
    dashboard none of whose signals waits here any more: consumed, deleted, or expired at ``now`` (wall
    seconds; then it is taken away). A signal still waiting means a restart, which must go on with the
    books as they are. Raises FolderError.
    """
    folder, shipped = DropFolder(path), path / FRESH
    if not folder.is_offline() or not shipped.is_dir():
        return []
    books = state_name(None, "simulate", simulate_suffix=False)
    names = [QUOTE] if folder.stat(QUOTE) is None else []
    if _run_is_over(folder, books, time.time() if now is None else now):
        names.append(books)
    for name in names:
        folder.publish(name, _shipped(shipped / name))
    return names


def _shipped(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as problem:
        raise FolderError("folder.read_failed", path, detail=str(problem)) from problem


def _run_is_over(folder: DropFolder, books: str, now: float) -> bool:
    raw = folder.read_large(books)
    if raw is None:
        return True
    try:
        state = orjson.loads(raw)
        last_sent = state["last_sent_signal_id"] if state.get("schema_version") == SCHEMA_VERSION else None
    except (orjson.JSONDecodeError, AttributeError, KeyError):
        return False  # damaged, or a person's: the dashboard itself says what is wrong with it
    if not last_sent:
        return False
    for name in (SIGNAL_SLOT, signal_name(SignalId(last_sent))):
        waiting = _signal_in(folder, name)
        if waiting is None or waiting[0] != last_sent:
            continue
        if now <= waiting[1]:
            return False
        folder.remove(name)
    return True


def _signal_in(folder: DropFolder, name: str) -> tuple[SignalId, float] | None:
    """Id and deadline (wall seconds) of the signal under ``name``; None where there is no whole one."""
    try:
        raw = folder.read(name)
        signal = decode_signal(raw, name).body if raw is not None else None
    except MessageError:
        return None
    return (signal.signal_id, signal.deadline) if signal is not None else None
