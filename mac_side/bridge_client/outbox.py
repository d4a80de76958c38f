"""The outbox: which signal goes under which name into the folder, and when again (rule 13).

Pure: what stands in the folder comes in, what is to be written comes out. An existing file with
equal bytes is never touched, since a mere change of its time may bring back a consumed one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property

from mac_side.bridge_client.entry import OutboxEntry
from mac_side.bridge_client.signal_ids import is_first
from shared_schema.drop_folder.names import SIGNAL_SLOT, signal_name
from shared_schema.ids import SignalId, StrategyName

KEPT_SETTLED = 400
"""Settled entries kept for late revisions: two days at the limit of 200 orders a day."""

ReadName = Callable[[str], bytes | None]
"""The bytes under a name in the folder; None where there is none."""


@dataclass(frozen=True)
class Publication:
    """Bytes to put under a name."""

    name: str
    raw: bytes
    signal_id: SignalId


@dataclass(frozen=True)
class Outbox:
    """All entries, oldest first."""

    entries: tuple[OutboxEntry, ...] = ()

    def get(self, signal_id: SignalId) -> OutboxEntry | None:
        """The entry of ``signal_id``."""
        return next((entry for entry in self.entries if entry.signal_id == signal_id), None)

    @cached_property
    def open(self) -> tuple[OutboxEntry, ...]:
        """Entries whose terminal result was not applied yet."""
        return tuple(entry for entry in self.entries if not entry.settled)

    @cached_property
    def unanswered(self) -> tuple[OutboxEntry, ...]:
        """Of ``open`` the ones published here; the seed's last signal, which nobody may answer, is none."""
        return tuple(entry for entry in self.open if not entry.adopted)

    @cached_property
    def settled_ids(self) -> tuple[SignalId, ...]:
        """Ids of the entries whose terminal result was applied, oldest first."""
        return tuple(entry.signal_id for entry in self.entries if entry.settled)

    @cached_property
    def open_orders(self) -> tuple[OutboxEntry, ...]:
        """Of ``open`` the ones that were published here and can trade."""
        return tuple(entry for entry in self.unanswered if entry.is_order)

    def added(self, entry: OutboxEntry) -> Outbox:
        """With a new entry last; settled ones beyond what is kept go, oldest first."""
        settled = [old for old in self.entries if old.settled]
        gone = {old.signal_id for old in settled[:-KEPT_SETTLED]} if len(settled) > KEPT_SETTLED else set()
        return Outbox((*(old for old in self.entries if old.signal_id not in gone), entry))

    def put(self, changed: OutboxEntry) -> Outbox:
        """With the entry of the same id replaced."""
        return Outbox(
            tuple(changed if entry.signal_id == changed.signal_id else entry for entry in self.entries)
        )

    def without_adopted(self) -> Outbox:
        """Without a seed's signal that is still waited for."""
        return Outbox(tuple(entry for entry in self.entries if not entry.adopted))

    def layer_closed(self, layer: int) -> bool:
        """Whether layer ``layer`` (from 1) may send nothing: a signal of it is not settled.

        A sell closes every layer up to those held before it, since its lots may come back.
        """
        return any(
            entry.layer >= layer if entry.direction == "SELL" else entry.layer == layer
            for entry in self.open_orders
        )

    def lot_closed(self, lot_id: str) -> bool:
        """Whether a buy or top-up of this lot is not settled."""
        return bool(lot_id) and any(entry.intention.lot_id == lot_id for entry in self.open_orders)


def publications(
    outbox: Outbox,
    strategy: StrategyName,
    read: ReadName,
    now: float,
    republish_after: float,
    published_at: dict[SignalId, float],
    damaged_since: Mapping[SignalId, float] | None = None,
) -> list[Publication]:
    """What to write now; ``now`` is wall seconds.

    An entry never published by this process goes out at once when it is newer than ``republish_after``
    (the caller has just made it); any other waits that long unanswered and only replaces what is
    missing or differs. ``published_at`` tells when this process last published or found each.
    ``damaged_since``: whose answer lies there and is no whole file, or was put away unread, since when. Was
    it answered before, the executor takes its end for told, and a sync tool its file for delivered: it is
    asked for once more.
    """
    found: list[Publication] = []
    damaged = damaged_since or {}
    for entry in outbox.open:
        if entry.adopted or (entry.answered_at is not None and entry.signal_id not in damaged):
            continue
        last = published_at.get(entry.signal_id)
        since = last if last is not None else entry.timestamp
        if entry.answered_at is not None:
            since = max(since, damaged[entry.signal_id])
        if 0 <= now - since < republish_after:
            continue
        publication = _missing(entry, strategy, read)
        if publication is not None:
            found.append(publication)
    return found


def since_when(
    before: Mapping[SignalId, float], damaged: Iterable[SignalId], now: float
) -> dict[SignalId, float]:
    """Since when each of ``damaged`` has been so without a break; ``now`` is wall seconds."""
    return {identity: min(before.get(identity, now), now) for identity in damaged}


def first_publication(
    outbox: Outbox, entry: OutboxEntry, strategy: StrategyName, read: ReadName
) -> Publication:
    """Where a signal just decided goes: into the slot where that is allowed, else under its own name."""
    if is_first(strategy) and _slot_is_free(outbox, entry, read(SIGNAL_SLOT)):
        return Publication(SIGNAL_SLOT, entry.raw, entry.signal_id)
    return Publication(signal_name(entry.signal_id), entry.raw, entry.signal_id)


def forget_bytes(entry: OutboxEntry) -> OutboxEntry:
    """A settled entry needs its bytes no more."""
    return replace(entry, raw=b"") if entry.settled else entry


def _slot_is_free(outbox: Outbox, entry: OutboxEntry, standing: bytes | None) -> bool:
    if any(other.answered_at is None for other in _earlier(outbox, entry)):
        return False
    # Whatever stands there was not consumed yet: never replace a signal that somebody may still read.
    return standing is None


def _earlier(outbox: Outbox, entry: OutboxEntry) -> Iterable[OutboxEntry]:
    return (other for other in outbox.open if other.signal_id != entry.signal_id and not other.adopted)


def _missing(entry: OutboxEntry, strategy: StrategyName, read: ReadName) -> Publication | None:
    """The entry's own name where neither that nor the slot holds its bytes."""
    own = signal_name(entry.signal_id)
    if read(own) == entry.raw:
        return None
    if is_first(strategy) and read(SIGNAL_SLOT) == entry.raw:
        return None
    return Publication(own, entry.raw, entry.signal_id)
