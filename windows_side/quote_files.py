"""The quote files as the executor reads them: the newest of ``shared_quote.json`` and its ring (rule 11)."""

from __future__ import annotations

from shared_schema.disk import FileEntry
from shared_schema.drop_folder import DropFolder
from shared_schema.drop_folder.names import QUOTE, RING_SIZE, ring_name
from shared_schema.errors import FolderError, MessageError
from shared_schema.logs import Log
from shared_schema.messages import QuoteSnapshot, Received, decode_quote
from shared_schema.messages.record import UNSIGNED
from shared_schema.newest_stamp import NewestStamp


class QuoteFiles:
    """Reads what changed. ``ring``: whether the sync tool starves a file that is overwritten often."""

    def __init__(self, folder: DropFolder, log: Log, *, ring: bool = False) -> None:
        self._folder = folder
        self._log = log
        self._names = (QUOTE, *(ring_name(slot) for slot in range(RING_SIZE if ring else 0)))
        self._fingerprints: dict[str, tuple[int, int, int]] = {}
        self._newest = NewestStamp()
        self._said_unsigned: set[str] = set()

    def fresh(self) -> list[Received[QuoteSnapshot]]:
        """The quotes newer than all seen before, oldest first; the seed's format always counts as newer.

        A file that is half written, held or gone just now is tried again: its age tells how long it lasts.
        """
        read = [(name, received) for name in self._names if (received := self._changed(name)) is not None]
        return [
            received
            for name, received in sorted(read, key=lambda found: _order(found[1]))
            if received.envelope is None or self._newest.takes(_order(received), name)
        ]

    def _changed(self, name: str) -> Received[QuoteSnapshot] | None:
        try:
            entry: FileEntry | None = self._folder.stat(name)
            if entry is None or entry.fingerprint == self._fingerprints.get(name):
                return None
            raw = self._folder.read_large(name)
            if raw is None:
                return None
            received = decode_quote(raw, name, self._folder.key)
        except MessageError as problem:
            self._say_unsigned(name, problem)
            return None
        except FolderError:
            return None
        self._fingerprints[name] = entry.fingerprint
        return received

    def _say_unsigned(self, name: str, problem: MessageError) -> None:
        """Once: a file that is whole and not signed with our key will never become usable."""
        if problem.error_code in UNSIGNED and name not in self._said_unsigned:
            self._said_unsigned.add(name)
            self._log.say("error", "not_signed", file=name)


def _order(received: Received[QuoteSnapshot]) -> tuple[str, int]:
    envelope = received.envelope
    return (envelope.epoch, envelope.seq) if envelope is not None else ("", 0)
