"""The link: what the heartbeats of the other side tell, and which executor we are bound to (rule 15)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from shared_schema.heartbeats import STOPPED, HeartbeatReader
from shared_schema.ids import InstanceId, Mode
from shared_schema.link_health import Beat

__all__ = ["STOPPED", "Beat", "HeartbeatReader", "Link", "executor_to_bind", "link_of"]


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

