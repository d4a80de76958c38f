"""Armed for live trading: a person typed account, limits and LIVE once; asked again when they change.

What was agreed to lies in RUNTIME_DIR, one file an account, never in the exchange folder. The account's
number is kept as a digest only.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from shared_schema.disk import LocalDisk
from shared_schema.errors import SettingsError, StateError
from shared_schema.ids import Mode
from shared_schema.settings import Settings

ALWAYS_SHOWN = ("max_buy_yuan", "max_buy_shares", "max_sell_yuan", "orders_per_day", "turnover_yuan")
"""The limits a person reads before typing LIVE; all of them are kept and compared."""


@dataclass(frozen=True)
class Agreement:
    """What live trading was, or would be, armed for."""

    account: str
    """Digest of the account's number."""
    type: str
    limits: Mapping[str, Any]

    def changes_to(self, wanted: Agreement) -> list[str]:
        """What differs in ``wanted``, each as ``name: old → new``."""
        found = []
        if self.account != wanted.account:
            found.append("account.id")
        if self.type != wanted.type:
            found.append(f"account.type: {self.type} → {wanted.type}")
        for name in sorted({*self.limits, *wanted.limits}):
            old, new = self.limits.get(name), wanted.limits.get(name)
            if old != new:
                found.append(f"limits.{name}: {old} → {new}")
        return found


def arming_path(settings: Settings) -> Path:
    """Where this account's agreement lies."""
    return settings.runtime_dir / f"armed_{settings.account.alias}.json"


def chosen_mode(settings: Settings) -> Mode:
    """What an executor started now trades in, where it starts: said by the settings, else by the arming."""
    if settings.executor.simulate is None:
        return "live" if arming_path(settings).exists() else "simulate"
    return "simulate" if settings.executor.simulate else "live"


def wanted_agreement(settings: Settings) -> Agreement:
    """What the settings ask for now. Raises SettingsError without an account number."""
    number = settings.account.id
    if number is None:
        raise SettingsError("qmt.no_account")
    if settings.account.type != "STOCK":
        raise SettingsError("qmt.not_live_type", type=settings.account.type)
    limits = json.loads(json.dumps(dataclasses.asdict(settings.limits)))
    return Agreement(hashlib.sha256(number.encode()).hexdigest()[:16], settings.account.type, limits)


def read_agreement(settings: Settings) -> Agreement | None:
    """What was agreed to; None where nobody ever did. Raises StateError for a file that can't be read."""
    path = arming_path(settings)
    try:
        told = json.loads(path.read_text("utf-8"))
        return Agreement(str(told["account"]), str(told["type"]), dict(told["limits"]))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError) as problem:
        raise StateError("arming.unreadable", path, detail=problem) from problem


def check_armed(settings: Settings) -> None:
    """Raise SettingsError unless a person armed exactly this account with exactly these limits."""
    agreed, wanted = read_agreement(settings), wanted_agreement(settings)
    if agreed is None:
        raise SettingsError("arming.not_armed", settings.account.alias)
    changes = agreed.changes_to(wanted)
    if changes:
        raise SettingsError("arming.changed", settings.account.alias, changes="; ".join(changes))


def write_agreement(settings: Settings, agreed: Agreement, at: float) -> None:
    """Keep what a person agreed to at ``at`` (Unix seconds), durably. Raises StateError."""
    path, disk = arming_path(settings), LocalDisk()
    content = dataclasses.asdict(agreed) | {"at": at}
    temporary = path.with_name(f".{path.name}.tmp")
    try:
        disk.make_folder(path.parent)
        disk.remove(temporary)
        disk.create(temporary, json.dumps(content, indent=1).encode())
        disk.replace(temporary, path)
        disk.sync_folder(path.parent)
    except OSError as problem:
        raise StateError("arming.unreadable", path, detail=problem) from problem
