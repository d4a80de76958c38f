"""Another dashboard of the same strategy, seen by its heartbeat.

The lock in ``RUNTIME_DIR`` stops a second one there. One with another ``RUNTIME_DIR`` (started from a folder
with another ``.env``, or from a copy of this install on another host) has other books under the same writer:
the executor would obey both.
"""

from __future__ import annotations

from mac_side.engine_events import TwinSeen
from mac_side.single_engine import EngineHeld
from mac_side.state_file import DashboardState
from shared_schema.drop_folder import DropFolder
from shared_schema.drop_folder.names import HEARTBEAT_FOLDER, heartbeat_name
from shared_schema.errors import FolderError, MessageError
from shared_schema.heartbeats import STOPPED, HeartbeatReader
from shared_schema.ids import Epoch, InstanceId, StrategyName
from shared_schema.messages import decode_heartbeat
from shared_schema.messages.record import Envelope
from shared_schema.newest_stamp import RISES
from shared_schema.rollback import Stamp


def refuse_beside_another(
    folder: DropFolder, strategy: StrategyName, own: InstanceId, red_after: float, wall: float
) -> None:
    """Raise EngineHeld where a dashboard of ``strategy`` other than ``own`` lives at ``wall`` (Unix seconds).

    One that stopped, or wrote nothing for ``red_after`` seconds, is gone. So is one whose heartbeat lies
    further in the future: a clock that was wrong once must not keep everybody out.
    """
    for beat in HeartbeatReader(folder, roles=("dashboard",)).read(wall):
        body, envelope = beat.body, beat.envelope
        if body.strategy != strategy or body.instance == own or body.state == STOPPED:
            continue
        if abs(wall - envelope.written_at) <= red_after:
            path = folder.path / HEARTBEAT_FOLDER / heartbeat_name("dashboard", body.instance)
            told = {"holder": f"{envelope.writer} ({body.instance})", "silent": f"{red_after:g}"}
            raise EngineHeld("dashboard.engine_elsewhere", path, **told)


class TwinWatch:
    """Looks for a process that writes as we do and started after us; of two exactly one sees the other.

    A file put back stands still, also one of our life before whose clock was ahead; a living process counts
    on, and is seen once its numbers rose in one and the same file, be it our own one.
    """

    def __init__(self, folder: DropFolder, state: DashboardState, epoch: Epoch) -> None:
        """``state`` says as whom we write, ``epoch`` is that of this process's heartbeats."""
        self._folder = folder
        self._state = state
        self._epoch = epoch
        self._marks: dict[str, tuple[int, int, int]] = {}
        self._rising: dict[str, list[Stamp]] = {}

    def look(self) -> TwinSeen | None:
        """The twin, once it is proven to live. Raises FolderError where the folder can't be listed."""
        for file in self._folder.list_folder(HEARTBEAT_FOLDER):
            mark = (file.size, file.modified_ns, file.inode)
            if not file.name.startswith("dashboard-") or self._marks.get(file.name) == mark:
                continue
            self._marks[file.name] = mark
            envelope = self._twin(file.name)
            if envelope is not None and self._lives(file.name, (envelope.epoch, envelope.seq)):
                return TwinSeen(envelope.written_at)
        return None

    def _twin(self, name: str) -> Envelope | None:
        """The envelope of a heartbeat written under our name by a later process."""
        try:
            raw = self._folder.read(f"{HEARTBEAT_FOLDER}/{name}")
            received = decode_heartbeat(raw, name, self._folder.key) if raw is not None else None
        except (FolderError, MessageError):
            return None  # torn just now: a living process writes the next one
        if received is None or received.envelope is None or received.body.state == STOPPED:
            return None
        told = (received.body.strategy, received.envelope.writer, received.envelope.mode)
        ours = (self._state.strategy, self._state.writer, self._state.mode)
        return received.envelope if told == ours and received.envelope.epoch > self._epoch else None

    def _lives(self, name: str, stamp: Stamp) -> bool:
        rising = self._rising.setdefault(name, [])
        if rising and not (stamp[0] == rising[-1][0] and stamp[1] > rising[-1][1]):
            rising.clear()
        rising.append(stamp)
        return len(rising) >= RISES
