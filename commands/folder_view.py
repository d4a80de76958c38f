"""What the exchange folder tells whoever can only look: heartbeats, halts, results, signals, quarantine.

Everything is read whole or not at all; what can't be read is kept as a problem, never as nothing.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from shared_schema.drop_folder import DropFolder
from shared_schema.drop_folder.names import (
    ACCOUNT_LIVE,
    ACCOUNT_SIMULATE,
    HEARTBEAT_FOLDER,
    POOL,
    QUARANTINE_FOLDER,
    QUOTE,
    RESULTS_FOLDER,
    RING_SIZE,
    ring_name,
)
from shared_schema.errors import FolderError, MessageError
from shared_schema.messages import (
    AccountSnapshot,
    Envelope,
    Heartbeat,
    OrderResult,
    OrderSignal,
    QuoteSnapshot,
    Received,
    Record,
    decode_account,
    decode_heartbeat,
    decode_quote,
    decode_result,
    decode_signal,
    reads_as_halt,
)
from shared_schema.messages.record import decode
from shared_schema.messages.views import SharedPool

REASON = ".reason.json"
STOPPED = "stopped"
"""The state in the last heartbeat of a process that ended cleanly."""
_HALT_WRITER = re.compile(r"halt\.(?P<role>[^@]+)@(?P<host>[^.@]+)(\.[0-9a-f]{4,8})?\.json\Z")
Body = TypeVar("Body", bound=Record)


@dataclass(frozen=True)
class Beat:
    """One process's newest heartbeat."""

    envelope: Envelope
    body: Heartbeat

    @property
    def order(self) -> tuple[str, int]:
        """Rises with every heartbeat."""
        return self.envelope.epoch, self.envelope.seq

    def age(self, now: float) -> float:
        """Seconds since it was written by its writer's clock; never below 0."""
        return max(0.0, now - self.envelope.written_at)

    def is_alive(self, now: float, red_after: float) -> bool:
        """Whether its process runs, as far as the folder tells."""
        return self.body.state != STOPPED and self.age(now) <= red_after


@dataclass(frozen=True)
class HaltFile:
    """One file in ``control/`` that halts or lifts."""

    name: str
    halts: bool
    reason: str

    @property
    def writer(self) -> str:
        """``role@host`` as its name tells; "" for a conflict copy or a name of nobody."""
        found = _HALT_WRITER.match(self.name)
        return f"{found['role']}@{found['host']}" if found else ""

    @property
    def host(self) -> str:
        """The host that may lift it; "" where only the executor's keyboard can."""
        return self.writer.partition("@")[2]


@dataclass
class FolderView:
    """Reads one folder; ``problems`` collects file name and reason of what could not be read."""

    folder: DropFolder
    problems: list[tuple[str, str]] = field(default_factory=list)

    def beats(self) -> list[Beat]:
        """Every process's newest heartbeat, by role and instance; conflict copies are left out."""
        found = []
        for entry in self.folder.list_folder(HEARTBEAT_FOLDER):
            if not entry.name.endswith(".json") or entry.name.startswith("."):
                continue
            received = self._decoded(f"{HEARTBEAT_FOLDER}/{entry.name}", decode_heartbeat)
            if received is None or received.envelope is None:
                continue
            if entry.name == f"{received.body.role}-{received.body.instance}.json":
                found.append(Beat(received.envelope, received.body))
        return sorted(found, key=lambda beat: (beat.body.role, beat.body.instance))

    def executors(self) -> list[Beat]:
        """The heartbeats of executors."""
        return [beat for beat in self.beats() if beat.body.role == "executor"]

    def halts(self) -> list[HaltFile]:
        """The halt files of ``control/`` by name."""
        files, key = self.folder.halts(), self.folder.key
        return [HaltFile(name, *reads_as_halt(raw, key, name)) for name, raw in sorted(files.items())]

    def quote(self) -> tuple[Received[QuoteSnapshot], float] | None:
        """The newest quote of file and ring, and the time its file was written; None where there is none."""
        found = []
        for name in (QUOTE, *(ring_name(slot) for slot in range(RING_SIZE))):
            entry = self.folder.stat(name)
            received = self._decoded(name, decode_quote, large=True) if entry is not None else None
            if received is not None and entry is not None:
                found.append((received, entry.modified_ns / 1e9))
        return max(found, key=lambda pair: _order(pair[0].envelope, pair[1]), default=None)

    def accounts(self) -> dict[str, Received[AccountSnapshot]]:
        """The account snapshots by file name."""
        names = (ACCOUNT_LIVE, ACCOUNT_SIMULATE)
        found = {name: self._decoded(name, decode_account, large=True) for name in names}
        return {name: received for name, received in found.items() if received is not None}

    def pool(self) -> Received[SharedPool] | None:
        """The use of the cash pool; None where no executor keeps one."""
        return self._decoded(POOL, lambda raw, name, key: decode(raw, SharedPool, where=name, key=key))

    def signals(self) -> list[tuple[str, Received[OrderSignal] | None, float]]:
        """Signals that wait: file name, the signal (None: unusable so far), file time."""
        return [
            (found.name.text, self._decoded(found.name.text, decode_signal), found.entry.modified_ns / 1e9)
            for found in self.folder.signals()
        ]

    def results(self) -> list[Received[OrderResult]]:
        """Every result in ``order_results/``, newest first."""
        names = [entry.name for entry in self.folder.list_folder(RESULTS_FOLDER)]
        wanted = [name for name in names if name.startswith("order_result_") and name.endswith(".json")]
        found = [self._decoded(f"{RESULTS_FOLDER}/{name}", decode_result) for name in wanted]
        results = [received for received in found if received is not None]
        return sorted(results, key=lambda received: received.body.timestamp, reverse=True)

    def quarantined(self) -> list[str]:
        """Names in ``quarantine/``, newest first, without their reasons."""
        names = [entry.name for entry in self.folder.list_folder(QUARANTINE_FOLDER)]
        return [n for n in reversed(names) if not n.endswith(REASON) and not n.startswith(".")]

    def quarantined_since(self, moment: float) -> int:
        """How many files came into ``quarantine/`` at or after ``moment`` (Unix seconds).

        The reason is written as a file comes; the file itself keeps its old times. One without a reason
        is counted: nobody knows since when it lies there.
        """
        listed = self.folder.list_folder(QUARANTINE_FOLDER)
        reasons = [entry for entry in listed if entry.name.endswith(REASON)]
        came = {entry.name.removesuffix(REASON): entry.modified_ns / 1e9 for entry in reasons}
        return sum(came.get(name, moment) >= moment for name in self.quarantined())

    def _decoded(
        self, name: str, decode: Callable[..., Received[Any]], *, large: bool = False
    ) -> Received[Any] | None:
        problem = ""
        for _ in range(3):  # a file caught between two writings is whole a moment later
            try:
                raw = self.folder.read_large(name) if large else self.folder.read(name)
                return decode(raw, name, self.folder.key) if raw is not None else None
            except (FolderError, MessageError) as error:
                problem = f"{error.what}: {error.why}"
        self.problems.append((name, problem))
        return None


def _order(envelope: Envelope | None, modified: float) -> tuple[str, int, float]:
    return (envelope.epoch, envelope.seq, 0.0) if envelope is not None else ("", 0, modified)
