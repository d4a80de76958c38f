"""The link: what the heartbeats of the other side tell, and which executor we are bound to (rule 15)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from shared_schema.drop_folder import DropFolder
from shared_schema.drop_folder.names import HEARTBEAT_FOLDER
from shared_schema.errors import FolderError, MessageError
from shared_schema.ids import AccountAlias, InstanceId, Mode
from shared_schema.messages import Heartbeat, decode_heartbeat
from shared_schema.messages.record import Envelope

STOPPED = "stopped"
"""The state in the last heartbeat of a process that ended in order."""


@dataclass(frozen=True)
class Beat:
    """The newest heartbeat of one process, and when this host first saw it."""

    body: Heartbeat
    envelope: Envelope
    received_at: float
    """Wall Unix seconds of this host."""

    @property
    def instance(self) -> InstanceId:
        """Whose it is."""
        return self.body.instance

    @property
    def mode(self) -> Mode:
        """The mode that process works in."""
        return self.envelope.mode

    @property
    def account(self) -> AccountAlias:
        """The account (alias) that process works for."""
        return self.envelope.account

    def age(self, now: float) -> float:
        """Seconds since it was written, or since it came where its clock runs ahead of ours."""
        return max(0.0, now - min(self.received_at, self.envelope.written_at))


@dataclass
class HeartbeatReader:
    """Reads ``heartbeat/`` and remembers when each was first seen."""

    folder: DropFolder
    _beats: dict[str, Beat] = field(default_factory=dict)
    _marks: dict[str, tuple[int, int, int]] = field(default_factory=dict)

    def read(self, now: float) -> list[Beat]:
        """The newest beat of every executor and producer; ``now`` is wall seconds.

        A file that is torn or held just now keeps its last beat, which grows old. Raises FolderError
        where the folder can't be listed.
        """
        for file in self.folder.list_folder(HEARTBEAT_FOLDER):
            if not file.name.endswith(".json") or not file.name.startswith(("executor-", "producer-")):
                continue
            mark = (file.size, file.modified_ns, file.inode)
            if self._marks.get(file.name) == mark:
                continue
            beat = self._decoded(file.name, now)
            if beat is not None:
                self._marks[file.name] = mark
                self._keep(file.name, beat)
        return list(self._beats.values())

    def _decoded(self, name: str, now: float) -> Beat | None:
        try:
            raw = self.folder.read(f"{HEARTBEAT_FOLDER}/{name}")
            received = decode_heartbeat(raw, name) if raw is not None else None
        except (FolderError, MessageError):
            return None  # torn by the sync tool: the last one stands and its age shows it
        if received is None or received.envelope is None:
            return None
        # The name of a conflict copy is not that of its instance: only the real one counts.
        if name != f"{received.body.role}-{received.body.instance}.json":
            return None
        return Beat(received.body, received.envelope, now)

    def _keep(self, name: str, beat: Beat) -> None:
        old = self._beats.get(name)
        new_order = (beat.envelope.epoch, beat.envelope.seq)
        if old is None or new_order > (old.envelope.epoch, old.envelope.seq):
            self._beats[name] = beat


@dataclass(frozen=True)
class Link:
    """What is known of the other side now."""

    executors: tuple[Beat, ...] = ()
    producer: Beat | None = None

    def executor(self, bound: InstanceId | None) -> Beat | None:
        """The beat of the executor we are bound to."""
        return next((beat for beat in self.executors if beat.instance == bound), None)

    def strangers(self, bound: InstanceId | None, now: float, red_after: float) -> tuple[Beat, ...]:
        """Other executors that are alive."""
        return tuple(
            beat
            for beat in self.executors
            if beat.instance != bound and beat.body.state != STOPPED and beat.age(now) <= red_after
        )


def link_of(beats: Iterable[Beat]) -> Link:
    """The link from all beats found; of several producers the newest counts."""
    found = list(beats)
    producers = [beat for beat in found if beat.body.role == "producer"]
    return Link(
        executors=tuple(beat for beat in found if beat.body.role == "executor"),
        producer=max(producers, key=lambda beat: beat.envelope.written_at, default=None),
    )


def executor_to_bind(
    beats: Iterable[Beat],
    now: float,
    red_after: float,
    pinned: Mode | None,
    bound: Iterable[InstanceId] = (),
) -> Beat | None:
    """The executor a dashboard works with: one it is bound to already, else the first alive one met.

    ``pinned`` leaves only executors of that mode. A dead one is nobody's to meet.
    """
    known = set(bound)
    alive = [
        beat
        for beat in beats
        if beat.body.role == "executor"
        and beat.body.state != STOPPED
        and beat.age(now) <= red_after
        and (pinned is None or beat.mode == pinned)
    ]
    alive.sort(key=lambda beat: (beat.instance not in known, not beat.body.ready, beat.received_at))
    return alive[0] if alive else None

