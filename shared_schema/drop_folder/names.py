"""The name grammar of the exchange folder: only our own names are ever read (rules 7 and 8)."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache
from pathlib import Path

from shared_schema.ids import AccountAlias, InstanceId, SignalId, StrategyName, file_part

QUOTE = "shared_quote.json"
ACCOUNT_LIVE = "account_snapshot.json"
ACCOUNT_SIMULATE = "account_snapshot.simulate.json"
SIGNAL_SLOT = "order_signal.json"
RESULT_SLOT = "order_result.json"
EXECUTED = "executed_signals.json"
POOL = "shared_pool.json"
OFFLINE_MARKER = "OFFLINE"
DONE_FOLDER = "order_signal_done"
RESULTS_FOLDER = "order_results"
QUARANTINE_FOLDER = "quarantine"
CONTROL_FOLDER = "control"
HEARTBEAT_FOLDER = "heartbeat"
ROOMS_FOLDER = "accounts"
"""Holds the room of each further account: ``accounts/ALIAS/``, an exchange folder in itself."""
ABOVE = "../../control/"
"""Before the name of a halt that lies in the exchange folder above a room: it holds every account."""
RING_SIZE = 8
FOLDERS = (DONE_FOLDER, RESULTS_FOLDER, QUARANTINE_FOLDER, CONTROL_FOLDER, HEARTBEAT_FOLDER)
NAME_LIMIT = 100
"""Characters a name of ours has at most."""


class NameKind(Enum):
    """What a name in the top folder is."""

    SIGNAL_SLOT = "signal slot"
    SIGNAL = "signal"
    VIEW = "view"
    """A file of ours that is read by its one name (quotes, snapshots, results, state)."""
    TEMPORARY = "temporary"
    """A private temp name of ours, a sync tool or an editor: ignored."""
    CONFLICT = "conflict"
    """A sync tool's conflict copy of a file of ours: moved aside and reported."""
    FOREIGN = "foreign"
    """Nobody's we know: left alone, never read."""


@dataclass(frozen=True)
class Name:
    """A classified name; ``id_part`` is what stands for the id in a signal's name."""

    text: str
    kind: NameKind
    id_part: str | None = None


_VIEWS = re.compile(
    r"(shared_quote(\.[0-7])?|account_snapshot(\.simulate)?|order_result|executed_signals|shared_pool"
    r"|dashboard_state(_[A-Za-z0-9._-]{1,64}?)?(\.simulate)?)\.json\Z"
)
_SIGNAL = re.compile(r"order_signal_([A-Za-z0-9._-]{1,64})\.json\Z")
_BASES = (
    "shared_quote",
    "account_snapshot",
    "order_signal",
    "order_result",
    "executed_signals",
    "shared_pool",
    "dashboard_state",
)
_TEMPORARY = re.compile(
    r"(\..*|~.*|.*~|.*\.tmp|.*\.part|.*\.partial|.*\.crdownload|.*\.sw[a-p]|.*\.!sync|.*\.lock|.*\.icloud)\Z",
    re.IGNORECASE | re.DOTALL,
)
_CONFLICT = re.compile(
    r"\.sync-conflict-\d{8}-\d{6}-[A-Z0-9]{7}"  # Syncthing
    r"|[ (_-]conflict(ed|ing)?[ _)-]|case conflict|encoding conflict"  # Dropbox, Maestral, Google Drive
    r"|\(\d+\)|\[conflict"  # Google Drive, browsers
    r"|[ _]\d+\.json\Z| \d+\Z"  # iCloud
    r"|\.conflict\d*\b"  # Resilio
    r"|-冲突|-nsconflict"  # Nutstore
    r"|-safebackup-\d+",  # OneDrive on Linux
    re.IGNORECASE,
)
# A strategy may be called grid_2: of its books only what no name of ours holds tells a copy.
_CONFLICT_OF_STATE = re.compile(
    r"\.sync-conflict-\d{8}-\d{6}-[A-Z0-9]{7}|\.conflict\d*\.json\Z|-nsconflict", re.IGNORECASE
)
_ONEDRIVE = re.compile(r"-[A-Za-z0-9_-]{1,63}(-\d+)?\.json\Z")


@lru_cache(maxsize=4096)
def classify(text: str) -> Name:
    """What ``text``, a name in the top folder, is.

    A well-formed signal name is SIGNAL even if it looks like a conflict pattern: the
    checked payload decides (a file whose id is not that of its name is a copy).
    """
    if text == SIGNAL_SLOT:
        return Name(text, NameKind.SIGNAL_SLOT)
    if text == OFFLINE_MARKER or _VIEWS.match(text):
        if text.startswith("dashboard_state") and _CONFLICT_OF_STATE.search(text):
            return Name(text, NameKind.CONFLICT)
        return Name(text, NameKind.VIEW)
    signal = _SIGNAL.match(text)
    if signal is not None and len(text) <= NAME_LIMIT:
        return Name(text, NameKind.SIGNAL, signal.group(1))
    if _TEMPORARY.match(text):
        return Name(text, NameKind.TEMPORARY)
    base = next((base for base in _BASES if text.casefold().startswith(base)), None)
    if base is not None and (_CONFLICT.search(text) or _ONEDRIVE.search(text[len(base) :])):
        return Name(text, NameKind.CONFLICT)
    return Name(text, NameKind.FOREIGN)


def is_conflict_pattern(text: str) -> bool:
    """Whether ``text`` looks like any sync tool's conflict copy of a file of ours."""
    return classify(text).kind is NameKind.CONFLICT or _CONFLICT.search(text) is not None


def signal_name(signal_id: SignalId) -> str:
    """``order_signal_<signal_id>.json``"""
    return f"order_signal_{file_part(signal_id)}.json"


def done_name(signal_id: SignalId) -> str:
    """``order_signal_<signal_id>.done``, inside ``order_signal_done/``."""
    return f"order_signal_{file_part(signal_id)}.done"


def result_name(signal_id: SignalId) -> str:
    """``order_result_<signal_id>.json``, inside ``order_results/``."""
    return f"order_result_{file_part(signal_id)}.json"


def heartbeat_name(role: str, instance: InstanceId) -> str:
    """``<role>-<instance>.json``, inside ``heartbeat/``."""
    return f"{role}-{file_part(instance)}.json"


_HALT_ENDING = re.compile(r"(\.[0-9a-f]{4,8})?\.json\Z")
"""After the writer: nothing, or the digits that tell another name from the usual one."""


def halt_name(writer: str) -> str:
    """``halt.<role>@<host>.json``, inside ``control/``; ``writer`` is ``role@host``."""
    safe = re.sub(r"[^A-Za-z0-9._@-]", "_", writer)[:80]
    return f"halt.{safe}.json"


def other_halt_name(writer: str, distinction: str) -> str:
    """Another name for a halt of ``writer``, where the usual one can't be written."""
    return f"{halt_name(writer).removesuffix('.json')}.{distinction}.json"


def is_halt_of(name: str, writer: str) -> bool:
    """Whether ``name`` is the usual or another name of a halt of ``writer``."""
    usual = halt_name(writer).removesuffix(".json")
    return name.startswith(usual) and _HALT_ENDING.match(name[len(usual) :]) is not None


def is_halt(text: str) -> bool:
    """Whether a name in ``control/`` halts by itself: any that begins with ``halt``, whole or not.

    Temp names begin with a dot or tilde and so don't.
    """
    return text.casefold().startswith("halt")


def state_name(strategy: StrategyName | None, mode: str, *, simulate_suffix: bool = True) -> str:
    """``dashboard_state.json``; with the strategy's name for all but the first; simulated books apart."""
    middle = f"_{file_part(strategy)}" if strategy else ""
    suffix = ".simulate" if mode == "simulate" and simulate_suffix else ""
    return f"dashboard_state{middle}{suffix}.json"


def ring_name(slot: int) -> str:
    """``shared_quote.<slot>.json``"""
    return f"shared_quote.{slot}.json"


def room_name(alias: AccountAlias) -> str:
    """``accounts/<alias>``, inside the exchange folder: the room of a further account."""
    return f"{ROOMS_FOLDER}/{file_part(alias)}"


def folder_above(path: Path) -> Path | None:
    """The exchange folder in which ``path`` is the room of one account; None where it is no room.

    Told by the place itself, so that no process which opens a room can overlook what holds for all.
    """
    for place in (path.absolute(), Path(os.path.realpath(path))):
        if place.parent.name == ROOMS_FOLDER:
            return place.parent.parent
    return None
