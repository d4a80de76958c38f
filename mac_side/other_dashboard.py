"""Another dashboard of the same strategy, seen by its heartbeat.

The lock in ``RUNTIME_DIR`` stops a second one there. One with another ``RUNTIME_DIR`` on the same host
(started from a folder with another ``.env``) has other books under the same writer: the executor would obey
both.
"""

from __future__ import annotations

from mac_side.single_engine import EngineHeld
from shared_schema.drop_folder import DropFolder
from shared_schema.drop_folder.names import HEARTBEAT_FOLDER, heartbeat_name
from shared_schema.heartbeats import STOPPED, HeartbeatReader
from shared_schema.ids import InstanceId, StrategyName


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
