"""What a person types at the executor's own host while it runs.

``miniqmt resume``, ``rebind``, ``resolve`` and ``pool --free`` leave a small file in a private folder below
RUNTIME_DIR; nobody who can only write the exchange folder can reach it.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from pathlib import Path
from typing import Literal

import orjson
from pydantic import ValidationError

from shared_schema.disk import Disk, LocalDisk
from shared_schema.drop_folder import DropFolder
from shared_schema.errors import FolderError, MessageError
from shared_schema.ids import Code, OrderId, SignalId
from shared_schema.logs import Log
from shared_schema.messages.record import SMALL_FILE, Record, load_object
from windows_side.execution.events import Event, FreePoolTyped, RebindTyped, ResolveTyped, ResumeTyped

FOLDER = "executor_commands"
STALE = 60.0
"""Seconds after which a typed order is not followed any more: what it was meant for may have changed."""


class Typed(Record):
    """One order typed by a person."""

    kind: Literal["resume", "rebind", "resolve", "resolve_filled", "free_pool"]
    reason: str = ""
    strategy: str = ""
    signal_id: str = ""
    order_id: str = ""
    """Of "resolve": the broker's id where the order was placed, "" where it was not."""
    filled: int = 0
    """Of "resolve_filled", a kind of its own: an older executor must not read it as "was not placed"."""
    price: float = 0.0
    """Of "resolve_filled": yuan a share, on average."""
    halts: dict[str, str] | None = None
    """Of "resume": the digests of the halt files the person was shown, by name."""
    code: str = ""
    """Of "free_pool": whose money is free again."""
    by: str = ""
    at: float


def type_order(runtime_dir: Path, typed: Typed) -> None:
    """Leave ``typed`` for the executor of this host. Raises FolderError."""
    folder = DropFolder(runtime_dir / FOLDER)
    folder.disk.make_folder(folder.path)
    name = f"{time.time_ns():020d}-{secrets.token_hex(2)}.json"
    folder.publish(name, orjson.dumps(typed.model_dump(mode="json")))


class Keyboard:
    """Reads what was typed, oldest first, each order once."""

    def __init__(
        self,
        runtime_dir: Path,
        exchange: DropFolder,
        log: Log,
        disk: Disk | None = None,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self._folder = DropFolder(runtime_dir / FOLDER, disk or LocalDisk())
        self._folder.disk.make_folder(self._folder.path)
        self._exchange = exchange
        self._log = log
        self._wall = wall
        self._taken: set[str] = set()
        """Files that were followed, and lie there still: nobody can remove them."""
        self._held: set[str] = set()
        """Files that could not be followed just now."""

    def take(self) -> list[Event]:
        """The events typed since the last call; an unreadable file is put aside and said."""
        events: list[Event] = []
        for entry in sorted(self._folder.list_folder(""), key=lambda entry: entry.name):
            if not entry.name.endswith(".json") or entry.name in self._taken:
                continue
            try:
                raw = self._folder.read(entry.name, SMALL_FILE) or b""
                typed = Typed.model_validate(load_object(raw))
                if abs(self._wall() - typed.at) > STALE:
                    self._log.say("error", "typed_order_stale", file=entry.name, kind=typed.kind, by=typed.by)
                else:
                    events.append(self._event(typed))
            except FolderError as problem:
                # Held by a scanner for a moment, or the exchange folder is away: the next look tries again.
                if entry.name not in self._held:
                    self._held.add(entry.name)
                    self._log.say("error", "typed_order_unreadable", file=entry.name, problem=problem)
                continue
            except (ValidationError, MessageError) as problem:
                self._log.say("error", "typed_order_unreadable", file=entry.name, problem=problem)
            self._remove(entry.name)
        return events

    def _remove(self, name: str) -> None:
        """Take it away, or leave it for good: a removal is patient, and another look comes in a moment.

        The next start finds it too old to be followed, and removes it.
        """
        try:
            self._folder.remove(name)
        except FolderError as problem:
            self._taken.add(name)
            self._log.say("error", "typed_order_held", file=name, problem=problem)

    def _event(self, typed: Typed) -> Event:
        if typed.kind == "rebind":
            return RebindTyped(typed.strategy)
        if typed.kind == "free_pool":
            return FreePoolTyped(Code(typed.code), f"{typed.by}: {typed.reason}")
        if typed.kind == "resolve":
            order_id = OrderId(typed.order_id) if typed.order_id else None
            return ResolveTyped(SignalId(typed.signal_id), order_id, f"{typed.by}: {typed.reason}")
        if typed.kind == "resolve_filled":
            reason = f"{typed.by}: {typed.reason}"
            return ResolveTyped(SignalId(typed.signal_id), None, reason, typed.filled, typed.price)
        return ResumeTyped(f"{typed.by}: {typed.reason}", self._exchange.halts(), typed.halts)
