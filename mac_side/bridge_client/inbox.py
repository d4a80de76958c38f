"""The inbox: results of our own signals, read from the folder and checked against what we sent."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from typing import Literal

from mac_side.bridge_client.entry import OutboxEntry
from mac_side.bridge_client.outbox import Outbox
from shared_schema.drop_folder import DropFolder
from shared_schema.drop_folder.names import RESULT_SLOT, RESULTS_FOLDER, result_name
from shared_schema.errors import FolderError, MessageError
from shared_schema.ids import SignalId
from shared_schema.messages import OrderResult, Received, decode_result
from shared_schema.rollback import Stamp

Refusal = Literal["", "digest", "version_1", "other_signal", "mode", "account", "day"]
"""Why a result is not ours to apply; "" where it is."""

OLD = 86_400.0
"""Seconds after which an order has long expired: to ask for its result can't place it."""

_Fingerprint = tuple[str, int, int, int]


def refusal_of(
    entry: OutboxEntry,
    received: Received[OrderResult],
    *,
    mode: str,
    account: str,
    version_1_allowed: bool,
    offline: bool = False,
) -> Refusal:
    """Why ``received`` is no result of this very signal; "" where it is.

    In an OFFLINE folder an executor of any alias may answer: the digest alone decides.
    Version 1 results carry no digest: they are matched by id, direction and requested shares, in
    simulate and OFFLINE only.
    """
    result, envelope = received.body, received.envelope
    if result.signal_id != entry.signal_id:
        return "other_signal"
    if envelope is None:
        if not version_1_allowed:
            return "version_1"
        same = result.direction in (None, entry.direction) and result.requested_shares in (
            0,
            entry.intention.shares,
        )
        return "" if same else "other_signal"
    if envelope.mode != mode:
        return "mode"
    if envelope.account != account and not offline:
        return "account"
    if result.signal_digest != entry.digest:
        return "digest"
    return "" if envelope.trading_day == entry.trading_day else "day"


@dataclass
class Inbox:
    """Remembers which result files were read, so that each revision is looked at once."""

    folder: DropFolder

    def __post_init__(self) -> None:
        self._seen: dict[str, _Fingerprint] = {}
        self._stamps: dict[str, Stamp] = {}
        self._slot: tuple[_Fingerprint | None, Stamp | None] = (None, None)
        self._last_slot: Received[OrderResult] | None = None
        self._wanted: tuple[Outbox | None, frozenset[str]] = (None, frozenset())
        self._still: tuple[Outbox, int] | None = None
        self.problems: dict[str, str] = {}
        self._damaged: set[str] = set()
        self._stands: set[str] | None = None

    def damaged(self, outbox: Outbox) -> frozenset[SignalId]:
        """The open entries whose result file lies there and is no whole one, as of the last look."""
        names = {f"{RESULTS_FOLDER}/{result_name(entry.signal_id)}": entry.signal_id for entry in outbox.open}
        return frozenset(names[name] for name in self._damaged & names.keys())

    def without_answer(self, outbox: Outbox, wall: float) -> frozenset[SignalId]:
        """The open entries whose answer was seen and can't be read any more: ``damaged``, or put away.

        The executor puts a result away 30 days after its end; that a younger one is missing it sees by
        itself. ``wall`` in Unix seconds.
        """
        stands = self._stands
        if stands is None:
            return self.damaged(outbox)
        old = (e.signal_id for e in outbox.open if e.answered_at is not None and wall - e.timestamp > OLD)
        return self.damaged(outbox) | {one for one in old if result_name(one) not in stands}

    def fresh(self, outbox: Outbox) -> list[Received[OrderResult]]:
        """All of ``each``, for callers to whom nothing can happen between two of them."""
        return list(self.each(outbox))

    def each(self, outbox: Outbox, *, whole: bool = True) -> Iterator[Received[OrderResult]]:
        """Results of entries of ``outbox`` whose files are new or changed since they were last given.

        A file that can't be read or is not whole yet is tried again by the next call, and so is one whose
        receiver broke off: it counts as given when the next is asked for. Without ``whole`` a folder that
        has the time it had before a listing without news is not listed: files written in place are not
        seen then. Raises FolderError where the folder can't be listed.
        """
        folder = self.folder.stat(RESULTS_FOLDER)
        still = (outbox, folder.modified_ns) if folder is not None else None
        if whole or still is None or self._still is None or not _same(still, self._still):
            self._still = None
            news = yield from self._listed(outbox)
            self._still = still if not news else None
        slot = self._read_slot(outbox)
        if slot is not None:
            yield slot

    def _listed(self, outbox: Outbox) -> Generator[Received[OrderResult], None, bool]:
        """Those found by listing the folder; returns whether there was any that is new or unreadable."""
        wanted, news = self._names_of(outbox), False
        stands: set[str] = set()
        for file in self.folder.list_folder(RESULTS_FOLDER):
            stands.add(file.name)
            if file.name not in wanted:
                continue
            mark = (file.name, file.size, file.modified_ns, file.inode)
            if self._seen.get(file.name) == mark:
                continue
            news = True
            result = self._read(f"{RESULTS_FOLDER}/{file.name}")
            if result is not None:
                self._note(file.name, result)
                yield result
                self._seen[file.name] = mark
        self._stands = stands
        for gone in self._stamps.keys() - stands:
            del self._stamps[gone]
        return news

    def _names_of(self, outbox: Outbox) -> frozenset[str]:
        """The result files of ``outbox``, made once for each: it is the same between two signals."""
        if self._wanted[0] is not outbox:
            self._wanted = (outbox, frozenset(result_name(entry.signal_id) for entry in outbox.entries))
        return self._wanted[1]

    @property
    def newest_result(self) -> Stamp | None:
        """``epoch, seq`` of the newest of our results in the folder, at the last look."""
        return max(self._stamps.values(), default=None)

    def slot_stamp(self) -> Stamp | None:
        """``epoch, seq`` of ``order_result.json``; None where there is none. Raises FolderError."""
        entry = self.folder.stat(RESULT_SLOT)
        if entry is None:
            self._slot = (None, None)
            return None
        mark = (entry.name, entry.size, entry.modified_ns, entry.inode)
        if self._slot[0] != mark:
            result = self._read(RESULT_SLOT)
            if result is None:
                return self._slot[1]  # held or half written just now: the next look tells
            stamp = (result.envelope.epoch, result.envelope.seq) if result.envelope is not None else None
            self._slot = (mark, stamp)
        return self._slot[1]

    def _note(self, name: str, result: Received[OrderResult]) -> None:
        if result.envelope is not None:
            self._stamps[name] = (result.envelope.epoch, result.envelope.seq)

    def _read_slot(self, outbox: Outbox) -> Received[OrderResult] | None:
        """``order_result.json``, for executors that write nothing else."""
        waiting = {entry.signal_id for entry in outbox.open}
        if not waiting:
            return None
        result = self._read(RESULT_SLOT)
        return result if result is not None and result.body.signal_id in waiting else None

    def _read(self, name: str) -> Received[OrderResult] | None:
        try:
            raw = self.folder.read(name)
            if raw is None:
                self.problems.pop(name, None)
                self._damaged.discard(name)
                return None
            if name == RESULT_SLOT and self._last_slot is not None and self._last_slot.raw == raw:
                result = self._last_slot  # looked at by every turn while an order is open
            else:
                result = decode_result(raw, name, self.folder.key)
        except (FolderError, MessageError) as problem:
            # Half a file is normal while it is synced; the next scan reads it again (rule 3).
            self.problems[name] = str(problem)
            if isinstance(problem, MessageError):
                self._damaged.add(name)
            return None
        self.problems.pop(name, None)
        self._damaged.discard(name)
        if name == RESULT_SLOT:
            self._last_slot = result
        return result


def _same(one: tuple[Outbox, int], other: tuple[Outbox, int]) -> bool:
    return one[0] is other[0] and one[1] == other[1]


def every_result(
    folder: DropFolder, keep: Callable[[Received[OrderResult]], bool]
) -> list[Received[OrderResult]]:
    """All readable results of the folder that ``keep`` accepts, for the look back at start."""
    found = []
    for file in folder.list_folder(RESULTS_FOLDER):
        try:
            raw = folder.read(f"{RESULTS_FOLDER}/{file.name}")
            received = decode_result(raw, file.name) if raw is not None else None
        except (FolderError, MessageError):
            continue  # unreadable ones prove nothing; the inbox reports those that are ours
        if received is not None and keep(received):
            found.append(received)
    return found
