"""What the engine reads from the exchange folder and its private one: files to events, each news once."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from mac_side.bridge_client.inbox import Inbox, every_result
from mac_side.bridge_client.key_watch import KeyWatch
from mac_side.bridge_client.link import HeartbeatReader
from mac_side.bridge_client.outbox import Outbox
from mac_side.engine_events import (
    AccountSeen,
    BeatsSeen,
    HaltsSeen,
    OperatorSaid,
    PoolSeen,
    QuoteSeen,
    ResultSeen,
    StampsSeen,
)
from mac_side.screen_commands import forget, waiting_commands
from mac_side.settling import Sighting
from shared_schema.drop_folder import DropFolder, NameKind
from shared_schema.drop_folder.archive import signal_archives
from shared_schema.drop_folder.names import (
    ACCOUNT_LIVE,
    ACCOUNT_SIMULATE,
    DONE_FOLDER,
    POOL,
    QUOTE,
    RESULTS_FOLDER,
    RING_SIZE,
    done_name,
    result_name,
    ring_name,
    signal_name,
)
from shared_schema.errors import FolderError, MessageError
from shared_schema.ids import Mode, SignalId
from shared_schema.messages import (
    AccountSnapshot,
    QuoteSnapshot,
    Received,
    SharedPool,
    decode_account,
    decode_quote,
    decode_signal,
)
from shared_schema.messages.record import decode

LOOKED_BACK = 3
"""Days put away that are looked through for signals later than the books: the newest tells enough."""
_QUOTES = frozenset({QUOTE, *(ring_name(slot) for slot in range(RING_SIZE))})


class EngineFiles:
    """Remembers what was read, so that an unchanged file is not read again."""

    def __init__(self, folder: DropFolder, commands: Path, own_beat: str = "") -> None:
        """``own_beat``: the stream of this process's own heartbeat, by whose echo the skew is measured."""
        self.folder = folder
        self.inbox = Inbox(folder)
        self.heartbeats = HeartbeatReader(folder, own_beat)
        self.keys = KeyWatch(folder)
        self._commands = commands
        self._marks: dict[str, tuple[int, int, int]] = {}
        self._stamps: StampsSeen | None = None

    def quotes(self) -> list[QuoteSeen]:
        """The quote files that changed and are whole, oldest first; half a file is tried again."""
        found = []
        for file in self.folder.scan():
            name, entry = file.name.text, file.entry
            mark = (entry.size, entry.modified_ns, entry.inode)
            if name not in _QUOTES or self._marks.get(name) == mark:
                continue
            received = self._quote(name)
            if received is not None:
                self._marks[name] = mark
                found.append(QuoteSeen(received, entry.modified_ns / 1e9, name))
        return sorted(found, key=_order)

    def account(self, mode: Mode) -> AccountSeen | None:
        """The snapshot of our mode, where it changed."""
        name = ACCOUNT_SIMULATE if mode == "simulate" else ACCOUNT_LIVE
        received = self._account(name)
        return AccountSeen(received) if received is not None else None

    def pool(self) -> PoolSeen | None:
        """The cash pool's use, where it changed."""
        try:
            raw = self.folder.read(POOL)
            if raw is None or self._marks.get(POOL) == (hash(raw), len(raw), 0):
                return None
            received = decode(raw, SharedPool, where=POOL, key=self.folder.key)
        except (FolderError, MessageError):
            return None  # the executor decides with or without it
        self._marks[POOL] = (hash(raw), len(raw), 0)
        return PoolSeen(received)

    def beats(self, wall: float) -> BeatsSeen:
        """The newest heartbeats."""
        return BeatsSeen(tuple(self.heartbeats.read(wall)), self.keys.look())

    def halts(self) -> HaltsSeen:
        """Every file that halts, or lifts a halt."""
        return HaltsSeen(self.folder.halts(), self.folder.key)

    def results(self, outbox: Outbox, *, whole: bool = True) -> Iterator[ResultSeen]:
        """New results of our signals; one counts as told when the next is asked for. ``whole``: ``Inbox``."""
        return (ResultSeen(received) for received in self.inbox.each(outbox, whole=whole))

    def stamps(self) -> StampsSeen | None:
        """How far heartbeats, results and the result slot stand, where that changed; after ``results``."""
        went_back, self.heartbeats.went_back = bool(self.heartbeats.went_back), []
        seen = StampsSeen(went_back, self.inbox.newest_result, self.inbox.slot_stamp())
        if seen == self._stamps and not went_back:
            return None
        self._stamps = seen
        return seen

    def operator(self) -> Iterator[OperatorSaid | None]:
        """What screens asked for, oldest first; each is forgotten once it was acted on. None: unreadable."""
        for waiting in waiting_commands(self._commands, self.folder.disk):
            yield OperatorSaid(waiting.command) if waiting.command is not None else None
            forget(waiting, self.folder.disk)

    def is_taken(self, identity: SignalId) -> bool:
        """Whether the folder knows a signal of this id."""
        return any(
            self.folder.read(name) is not None
            for name in (
                signal_name(identity),
                f"{DONE_FOLDER}/{done_name(identity)}",
                f"{RESULTS_FOLDER}/{result_name(identity)}",
            )
        )

    def sightings(self) -> list[Sighting]:
        """Every result, archived and waiting signal that says of which state and number it is.

        Signed or not: what they can do is stop us.
        """
        found = [
            Sighting(
                result.strategy,
                envelope.mode,
                envelope.account,
                result.signal_epoch,
                result.signal_seq,
                result.signal_id,
            )
            for received in every_result(self.folder, lambda received: received.envelope is not None)
            if (result := received.body).signal_epoch is not None
            and result.signal_seq is not None
            and (envelope := received.envelope) is not None
        ]
        names = signal_archives(self.folder, LOOKED_BACK)
        kinds = (NameKind.SIGNAL, NameKind.SIGNAL_SLOT)
        names += [file.name.text for file in self.folder.scan() if file.name.kind in kinds]
        for name in names:
            try:
                raw = self.folder.read(name)
                signal = decode_signal(raw, name) if raw is not None else None
            except (FolderError, MessageError):
                continue  # what can't be read tells no number; the executor reports it
            if signal is not None and signal.envelope is not None:
                envelope = signal.envelope
                body, mode, account = signal.body, envelope.mode, envelope.account
                found.append(Sighting(body.strategy, mode, account, envelope.epoch, envelope.seq, name))
        return found

    def _quote(self, name: str) -> Received[QuoteSnapshot] | None:
        try:
            raw = self.folder.read_large(name)
            return decode_quote(raw, name, self.folder.key) if raw is not None else None
        except (FolderError, MessageError):
            return None  # half a quote is normal; its growing age tells how long it lasts

    def _account(self, name: str) -> Received[AccountSnapshot] | None:
        try:
            entry = self.folder.stat(name)
            mark = (entry.size, entry.modified_ns, entry.inode) if entry is not None else None
            if mark is None or self._marks.get(name) == mark:
                return None
            raw = self.folder.read_large(name)
            if raw is None:
                return None
            received = decode_account(raw, name, self.folder.key)
        except (FolderError, MessageError):
            return None
        self._marks[name] = mark
        return received


def _order(event: QuoteSeen) -> tuple[float, str, int]:
    envelope = event.received.envelope
    if envelope is None:
        return (event.modified, "", 0)
    return (0.0, envelope.epoch, envelope.seq)
