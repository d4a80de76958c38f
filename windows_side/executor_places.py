"""Where an executor of one account works and keeps its memory, and the locks that keep others out."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from pathlib import Path

import platformdirs

from shared_schema.drop_folder.names import room_name
from shared_schema.exchange_folder import checked_exchange_folder
from shared_schema.ids import AccountAlias, Mode
from shared_schema.settings import Settings
from shared_schema.words import say
from windows_side.single_instance import hold_account, hold_single_instance
from windows_side.venue import Venue


@dataclass(frozen=True)
class Files:
    """Where an executor of one account and mode keeps what must never be synced."""

    ledger: Path
    simulated_books: Path


def files_of(runtime_dir: Path, mode: Mode, account: str) -> Files:
    """The local files of an executor."""
    return Files(
        ledger=runtime_dir / f"ledger_{mode}_{account}.sqlite3",
        simulated_books=runtime_dir / f"simulated_broker_{account}.sqlite3",
    )


def counter_folder(settings: Settings, mode: Mode) -> Path:
    """Where the second counter lies: as set, else the system's place (live) or beside RUNTIME_DIR."""
    if settings.executor.counter_dir is not None:
        return settings.executor.counter_dir
    if mode == "live":
        return platformdirs.user_state_path("miniqmt", appauthor=False) / "counter"
    runtime_dir = (settings.host or settings).runtime_dir  # beside it, also for what lies inside it
    return runtime_dir.with_name(runtime_dir.name + "_counter")


def hold_places(settings: Settings, venue: Venue, held: contextlib.ExitStack) -> Path:
    """The exchange folder; it and the account are held until ``held`` closes.

    Raises SettingsError saying who holds one of them, FolderError where the folder can't be used.
    """
    path = settings.exchange_folder("executor")
    if settings.host is not None:
        # A room is made where it is missing, but never the folder it belongs to: that is not mounted then.
        checked_exchange_folder(settings.host.exchange_folder("executor"))
        with contextlib.suppress(OSError):  # what could not be made is said by the check
            path.mkdir(parents=True, exist_ok=True)
    checked_exchange_folder(path)
    held.callback(hold_single_instance("executor", settings.runtime_dir, path).release)
    chosen = settings.account
    lock = hold_account(venue.mode, AccountAlias(chosen.alias), chosen.id, settings.runtime_dir)
    held.callback(lock.release)
    return path


def rooms_of(settings: Settings) -> dict[AccountAlias, str]:
    """Every account of this host, and where in the exchange folder its room is, as a sentence says it."""
    first, *further = settings.aliases
    rooms = {first: say("refusals.room_top")}
    return rooms | {alias: say("refusals.room_of", room=f"{room_name(alias)}/") for alias in further}
