"""Who reads our quotes, as the heartbeats in the folder tell: what a replay waits for."""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from shared_schema.drop_folder import DropFolder
from shared_schema.drop_folder.names import HEARTBEAT_FOLDER
from shared_schema.errors import FolderError, MessageError
from shared_schema.ids import Epoch
from shared_schema.messages import Envelope, Heartbeat, Seen, decode_heartbeat
from shared_schema.messages.heartbeat import Role

QUOTE_STREAM = "shared_quote"
"""The quote file's name among the streams of ``seen``."""
STOPPED = "stopped"
"""The state in a heartbeat of a process that ended by itself."""


@dataclass(frozen=True)
class _Reader:
    envelope: Envelope
    heartbeat: Heartbeat
    alive_at: float
    """When it last showed life, this host's wall clock, Unix seconds."""
    received_at: float
    """When its newest was first seen here, by the same clock."""


class Readers:
    """The executors and dashboards with a heartbeat no older than ``fresh_within`` seconds."""

    def __init__(self, folder: DropFolder, fresh_within: float) -> None:
        self._folder = folder
        self._fresh_within = fresh_within
        self._known: dict[str, _Reader] = {}
        self._untaken: frozenset[tuple[str, tuple[int, int, int]]] = frozenset()
        """Signals that were waited for in vain: another executor's, say. They lie there for ever."""

    def look(self, now: float) -> None:
        """Read the heartbeats as they stand at the wall time ``now`` (Unix seconds).

        One that can't be read just now stays as it was. Raises FolderError where the folder can't be listed.
        """
        names = [entry.name for entry in self._folder.list_folder(HEARTBEAT_FOLDER)]
        for name in names:
            if name.startswith(("executor-", "dashboard-")) and name.endswith(".json"):
                self._read(name, now)
        for gone in set(self._known) - set(names):
            del self._known[gone]

    def _read(self, name: str, now: float) -> None:
        try:
            raw = self._folder.read(f"{HEARTBEAT_FOLDER}/{name}")
            received = decode_heartbeat(raw, name, self._folder.key) if raw is not None else None
        except (FolderError, MessageError):
            return  # half written or held just now: the next look tells
        if received is None or received.envelope is None:
            return
        before = self._known.get(name)
        if before is not None and _stamp(before.envelope) == _stamp(received.envelope):
            return
        # What lay there when we came is as old as it says; what changes under our eyes lives, whatever
        # its host's clock.
        alive_at = min(now, received.envelope.written_at) if before is None else now
        self._known[name] = _Reader(received.envelope, received.body, alive_at, now)

    def alive(self, now: float, roles: Iterable[Role]) -> list[Heartbeat]:
        """The heartbeats of living processes of these roles."""
        wanted = frozenset(roles)
        return [
            reader.heartbeat
            for reader in self._known.values()
            if reader.heartbeat.role in wanted
            and reader.heartbeat.state != STOPPED
            and now - reader.alive_at <= self._fresh_within
        ]

    def missing(self, now: float, roles: Iterable[Role], epoch: Epoch) -> tuple[Role, ...]:
        """Those roles of which too few are ready or have seen a quote of ``epoch``: once for each naming."""
        wanted = Counter(roles)
        return tuple(role for role, number in wanted.items() if self._there(now, role, epoch) < number)

    def _there(self, now: float, role: Role, epoch: Epoch) -> int:
        alive = self.alive(now, (role,))
        return sum(reader.ready or _seen_seq(reader, epoch) is not None for reader in alive)

    def all_have_seen(self, now: float, role: Role, epoch: Epoch, seq: int) -> bool:
        """Whether there is a living reader of this role and each has seen our quote ``seq``."""
        alive = self.alive(now, (role,))
        return bool(alive) and all((_seen_seq(reader, epoch) or 0) >= seq for reader in alive)

    def signals_wait(self, now: float) -> bool:
        """Whether a living executor has signals to take yet, or the folder can't be listed just now."""
        try:
            return bool(self.alive(now, ("executor",))) and not self._signals() <= self._untaken
        except FolderError:
            return True

    def wait_no_more(self) -> None:
        """What lies there now was waited for long enough: it is no signal to wait for any more."""
        with contextlib.suppress(FolderError):
            self._untaken = self._signals()

    def _signals(self) -> frozenset[tuple[str, tuple[int, int, int]]]:
        return frozenset((found.entry.name, found.entry.fingerprint) for found in self._folder.signals())

    @property
    def seen(self) -> dict[str, Seen]:
        """The newest heartbeat of each, as our own heartbeat echoes it."""
        return {
            f"{HEARTBEAT_FOLDER}/{name.removesuffix('.json')}": Seen(
                epoch=reader.envelope.epoch,
                seq=reader.envelope.seq,
                written_at=reader.envelope.written_at,
                received_at=reader.received_at,
            )
            for name, reader in sorted(self._known.items())
        }


def _stamp(envelope: Envelope) -> tuple[Epoch, int]:
    return envelope.epoch, envelope.seq


def _seen_seq(reader: Heartbeat, epoch: Epoch) -> int | None:
    seen = reader.seen.get(QUOTE_STREAM)
    return seen.seq if seen is not None and seen.epoch == epoch else None
