"""How each writer's clock and heartbeat stand, and what that forbids. Part of the core: no I/O.

A writer that never had a heartbeat (a script, the seed's format) is bound by expiry alone; one that
ever had one sends no new orders while it is silent (fault 34), and none while its clock is proven to
be too far from ours (fault 39).
"""

from __future__ import annotations

from collections.abc import Iterable

from shared_schema.heartbeats import STOPPED
from shared_schema.link_health import Beat
from windows_side.execution.desk import Desk
from windows_side.execution.ledger import HEARD_WRITERS
from windows_side.execution.risk_gate import Refusal


class WritersLink:
    """The newest heartbeat of each writer of this mode and account, and of the producer."""

    def __init__(self, desk: Desk, heard: Iterable[str] = ()) -> None:
        self._desk = desk
        self._heard = set(heard)
        self._beats: dict[str, Beat] = {}
        self._producer: Beat | None = None
        self._alive: set[str] = set()
        self._skewed: set[str] = set()

    def seen(self, beats: Iterable[Beat]) -> None:
        """Take the heartbeats of a look into the folder."""
        rules = self._desk.rules
        writers: dict[str, Beat] = {}
        producers = []
        for beat in sorted(beats, key=lambda beat: beat.written_here):
            if beat.body.role == "producer":
                producers.append(beat)
            elif beat.body.role == "dashboard" and (beat.mode, beat.account) == (rules.mode, rules.account):
                writers[beat.envelope.writer] = beat
        self._beats = writers
        self._producer = producers[-1] if producers else None
        if writers.keys() - self._heard:
            self._heard |= writers.keys()
            self._desk.remember(HEARD_WRITERS, sorted(self._heard))
        self.time_passed()

    @property
    def producer_ahead(self) -> float:
        """Seconds the producer's clock is proven to be ahead of ours."""
        return self._producer.offset if self._producer is not None else 0.0

    def ahead(self, writer: str) -> float:
        """Seconds the writer's clock is proven to be ahead of ours; 0 where nothing is known."""
        beat = self._beats.get(writer)
        return beat.offset if beat is not None else 0.0

    def is_silent(self, writer: str) -> bool:
        """Whether a writer that ever had a heartbeat shows none younger than the red limit."""
        beat = self._beats.get(writer)
        if beat is None:
            return writer in self._heard
        return beat.age(self._desk.now.wall) > self._desk.rules.red_after

    def refusal(self, writer: str) -> Refusal | None:
        """Why no new order of ``writer`` is taken now; None where the link is well."""
        rules = self._desk.rules
        ahead, limit = self.ahead(writer), rules.limits.skew_seconds
        if abs(ahead) > limit:
            return Refusal("clock_skew", {"seconds": round(ahead), "limit": limit})
        if rules.offline or not self.is_silent(writer):
            return None
        beat = self._beats.get(writer)
        age = round(beat.age(self._desk.now.wall)) if beat is not None else "?"
        return Refusal("link_down", {"writer": writer, "seconds": age})

    def time_passed(self) -> None:
        """Say once when a link goes down or comes back, and when a clock goes wrong or right."""
        limit = self._desk.rules.limits.skew_seconds
        for writer, beat in self._beats.items():
            silent = self.is_silent(writer)
            if not silent and writer not in self._alive:
                self._alive.add(writer)
                self._desk.say("link_up", writer=writer)
            elif silent and writer in self._alive:
                self._alive.discard(writer)
                if beat.body.state != STOPPED:
                    self._desk.alarm("link_down", writer=writer, seconds=self._desk.rules.red_after)
            skewed = abs(beat.offset) > limit
            if skewed and writer not in self._skewed:
                self._skewed.add(writer)
                self._desk.alarm("clock_skew", writer=writer, seconds=round(beat.offset), limit=limit)
            elif not skewed and writer in self._skewed:
                self._skewed.discard(writer)
                self._desk.say("clock_agrees", writer=writer)
