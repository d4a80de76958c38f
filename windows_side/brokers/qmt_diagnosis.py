"""Why ``connect`` answered -1, as far as files and processes tell: each finding with what to do."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from shared_schema.words import say
from windows_side.brokers.qmt_session_ids import REST

MINI = "userdata_mini"
QUEUE = "up_queue*xtquant*"
"""The terminal makes it for an account that may place orders over the interface."""
HEALS_BY_LOGIN = frozenset({"no_queue"})
"""Findings that a login at the terminal may mend: no reason to refuse a start."""
TERMINALS = ("xtminiqmt.exe", "xtitclient.exe")


@dataclass(frozen=True)
class Finding:
    """One thing that stands in the way; ``name`` is its entry in ``words/qmt.toml``."""

    name: str
    path: str = ""
    suggestion: str = ""

    def __str__(self) -> str:
        values = {"path": self.path, "suggestion": self.suggestion, "seconds": f"{REST:g}"}
        return say(f"qmt.connect.{self.name}", **values)


def path_findings(data_path: Path | None) -> list[Finding]:
    """What is wrong with the userdata folder itself; found before any connection is tried."""
    if data_path is None:
        return [Finding("not_set")]
    if not data_path.exists():
        return [Finding("missing", str(data_path))]
    if not data_path.is_dir():
        return [Finding("no_folder", str(data_path))]
    if data_path.name.lower() != MINI:
        inside = next((p for p in (data_path / MINI, data_path.parent / MINI) if p.is_dir()), None)
        name = "not_mini" if inside is None else "not_mini_but"
        return [Finding(name, str(data_path), str(inside or ""))]
    if not _is_writable(data_path):
        return [Finding("not_writable", str(data_path))]
    if not any(data_path.glob(QUEUE)):
        return [Finding("no_queue", str(data_path))]
    return []


def connect_findings(
    data_path: Path | None,
    rested: float,
    running: Callable[[], Iterable[str]] | None = None,
) -> list[Finding]:
    """Why a connection was refused; never empty. ``rested``: seconds since the session id's last use."""
    found = path_findings(data_path)
    # Terminals run on Windows only; elsewhere a stand-in may answer, which no process list shows.
    ask = running or (_processes if os.name == "nt" else None)
    if ask is not None and not {name.lower() for name in ask()} & set(TERMINALS):
        found.append(Finding("no_terminal"))
    if rested < REST:
        found.append(Finding("session_rest"))
    return found or [Finding("other", str(data_path))]


def _is_writable(folder: Path) -> bool:
    trial = folder / f".miniqmt-{secrets.token_hex(4)}.tmp"
    try:
        trial.touch()
        trial.unlink()
    except OSError:
        return False
    return True


def _processes() -> list[str]:
    import psutil  # here alone: the executor starts without it

    return [process.info["name"] or "" for process in psutil.process_iter(["name"])]
