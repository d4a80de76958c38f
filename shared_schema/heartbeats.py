"""Reading ``heartbeat/``: the newest of each process, when it came, and how far its host's clock is off."""

from __future__ import annotations

from dataclasses import dataclass, field

from shared_schema.drop_folder import DropFolder
from shared_schema.drop_folder.names import HEARTBEAT_FOLDER
from shared_schema.errors import FolderError, MessageError
from shared_schema.link_health import Beat, SkewMeter, measured
from shared_schema.messages import Heartbeat, Received, decode_heartbeat
from shared_schema.messages.record import Envelope
from shared_schema.newest_stamp import NewestStamp
from shared_schema.words import has, say

STOPPED = "stopped"
"""The state in the last heartbeat of a process that ended in order."""
_Mark = tuple[int, int, int]


def state_text(state: str) -> str:
    """A heartbeat's state as people read it; the word itself where the catalogue has none."""
    key = f"heartbeat.{state}"
    return say(key) if has(key) else state or "-"


@dataclass
class HeartbeatReader:
    """Reads the heartbeats of ``roles`` and remembers when each was first seen.

    ``own`` is the stream of our own heartbeat, by whose echo the skew is measured; "" where there is none.
    """

    folder: DropFolder
    own: str = ""
    roles: tuple[str, ...] = ("executor", "producer")
    went_back: list[tuple[str, Envelope]] = field(default_factory=list)
    """Heartbeats found below what was seen of them, by name, since somebody last took the list."""
    _beats: dict[str, Beat] = field(default_factory=dict)
    _newest: dict[str, NewestStamp] = field(default_factory=dict)
    _meters: dict[str, SkewMeter] = field(default_factory=dict)
    _marks: dict[str, _Mark] = field(default_factory=dict)

    def read(self, now: float) -> list[Beat]:
        """The newest beat of every process; ``now`` is wall seconds.

        A file that is torn or held just now keeps its last beat, which grows old. Raises FolderError
        where the folder can't be listed.
        """
        prefixes = tuple(f"{role}-" for role in self.roles)
        for file in self.folder.list_folder(HEARTBEAT_FOLDER):
            if not file.name.endswith(".json") or not file.name.startswith(prefixes):
                continue
            mark = (file.size, file.modified_ns, file.inode)
            if self._marks.get(file.name) == mark:
                continue
            received = self._decoded(file.name)
            if received is not None and received.envelope is not None:
                self._marks[file.name] = mark
                self._take(file.name, received.body, received.envelope, now)
        return list(self._beats.values())

    def _decoded(self, name: str) -> Received[Heartbeat] | None:
        try:
            raw = self.folder.read(f"{HEARTBEAT_FOLDER}/{name}")
            received = decode_heartbeat(raw, name, self.folder.key) if raw is not None else None
        except (FolderError, MessageError):
            return None  # torn by the sync tool: the last one stands and its age shows it
        # The name of a conflict copy is not that of its instance: only the real one counts.
        if received is None or name != f"{received.body.role}-{received.body.instance}.json":
            return None
        return received

    def _take(self, name: str, body: Heartbeat, envelope: Envelope, now: float) -> None:
        stamp, newest = (envelope.epoch, envelope.seq), self._newest.setdefault(name, NewestStamp())
        if newest.is_behind(stamp):
            self.went_back.append((name, envelope))
        if not newest.takes(stamp):
            return
        old = self._beats.get(name)
        meter = self._meters.setdefault(name, SkewMeter())
        echo = body.seen.get(self.own)
        skew = measured(echo.written_at, echo.received_at, envelope.written_at, now) if echo else None
        if skew is not None:
            meter.add(skew, now)
        alive_at = min(now, envelope.written_at) if old is None else now
        self._beats[name] = Beat(body, envelope, now, alive_at, meter.best)
