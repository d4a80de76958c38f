"""The health of the link between two hosts: how far their clocks are apart, which direction is late.

Two hosts that share only a folder see each other through heartbeats, and each heartbeat echoes the
newest one it has seen of the other side with the time it came. That is the exchange NTP measures
with (RFC 5905, section 8): ours is written at t1 and received there at t2, theirs is written at t3
and received here at t4. Then

    offset     = ((t2 - t1) + (t3 - t4)) / 2      their clock minus ours
    round trip = (t4 - t1) - (t3 - t2)

and the true offset lies within half the round trip of that, however unequal the two ways are. Nothing
can be seen below it: of a whole minute's difference between the two ways half looks like skew. So a
clock is corrected only by what is proven, the part of the offset beyond that half: hosts whose clocks
agree are then never corrected, whatever the sync tool does. Pure.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property

from shared_schema.ids import AccountAlias, InstanceId, Mode
from shared_schema.messages.heartbeat import Heartbeat, Seen
from shared_schema.messages.record import Envelope

KEPT = 16
"""Measurements the best is chosen from."""
DRIFT = 200e-6
"""Seconds a second two clocks of cheap hosts may drift apart: what an old measurement is trusted less by."""
RESOLUTION = 0.05
"""Seconds a round trip may come out below nothing: Windows clocks tick 64 times a second."""
STREAM_FOLDER = "heartbeat/"
ECHOED = 24
"""Heartbeats echoed in one of ours: the newest, so that it stays a small file."""


def beat_stream(role: str, instance: InstanceId | str) -> str:
    """The name under which a heartbeat is echoed in the ``seen`` of the other side's."""
    return f"{STREAM_FOLDER}{role}-{instance}"


@dataclass(frozen=True)
class Skew:
    """One measurement: the other clock minus ours, and how well that is known. Seconds."""

    offset: float
    round_trip: float

    @property
    def blind(self) -> float:
        """The true offset lies within this of ``offset``; a smaller one can't be told from delay."""
        return self.round_trip / 2

    @cached_property
    def proven(self) -> float:
        """The part of the offset that no delay explains: what clocks are corrected by."""
        return math.copysign(max(0.0, abs(self.offset) - self.blind), self.offset)


def measured(sent: float, arrived: float, answered: float, received: float) -> Skew | None:
    """The skew from the four times t1 to t4; ``sent`` and ``received`` are ours, the others theirs.

    None where a clock was set between two of its times: a round trip takes no less than no time.
    """
    round_trip = (received - sent) - (answered - arrived)
    if round_trip < -RESOLUTION or answered < arrived - RESOLUTION or received < sent - RESOLUTION:
        return None
    return Skew(((arrived - sent) + (answered - received)) / 2, max(0.0, round_trip))


@dataclass
class SkewMeter:
    """The newest measurements of one other clock, and the best of them."""

    _taken: deque[tuple[float, Skew]] = field(default_factory=lambda: deque(maxlen=KEPT))

    def add(self, skew: Skew, now: float) -> None:
        """Take a measurement made at ``now`` (our wall clock, Unix seconds).

        Older ones that contradict it are dropped: one of the two clocks was set since.
        """
        agreeing = [
            (at, old)
            for at, old in self._taken
            if at <= now and abs(old.offset - skew.offset) <= old.blind + skew.blind + _drift(now - at)
        ]
        self._taken.clear()
        self._taken.extend([*agreeing, (now, skew)])

    @property
    def best(self) -> Skew | None:
        """The measurement with the smallest round trip, an older one counting as longer by the drift."""
        if not self._taken:
            return None
        newest = self._taken[-1][0]
        return min(self._taken, key=lambda taken: taken[1].round_trip + 2 * _drift(newest - taken[0]))[1]


def _drift(seconds: float) -> float:
    return RESOLUTION + DRIFT * max(0.0, seconds)


@dataclass(frozen=True)
class Beat:
    """The newest heartbeat of one process, as this host knows it."""

    body: Heartbeat
    envelope: Envelope
    received_at: float
    """When this host first saw it, wall Unix seconds."""
    alive_at: float | None = None
    """When its process showed life here: what lay there already is as old as it says, what changes under
    our eyes lives, whatever its host's clock. None: as old as it says."""
    skew: Skew | None = None
    """Of its host's clock, once it has answered a heartbeat of ours."""

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

    @property
    def offset(self) -> float:
        """What its host's clock is proven to be ahead of ours, seconds; 0 where nothing is known."""
        return self.skew.proven if self.skew is not None else 0.0

    @cached_property
    def written_here(self) -> float:
        """When it was written, on our clock; never later than it came."""
        if self.skew is None and self.alive_at is not None:
            return self.alive_at
        return min(self.received_at, self.envelope.written_at - self.offset)

    def age(self, now: float) -> float:
        """Seconds since it was written. A clock of ours that was set back makes nobody younger."""
        return max(0.0, now - self.written_here, self.received_at - now)


@dataclass(frozen=True)
class Way:
    """One direction of the link. Seconds; None: nothing is known of it."""

    age: float | None = None
    """Since the newest heartbeat that came through was written: how late this direction is."""
    travel: float | None = None
    """How long that one took."""
    lost: bool = False
    """Whether it is later than the red limit."""


@dataclass(frozen=True)
class LinkHealth:
    """What one process knows of the link to another."""

    skew: Skew | None = None
    inward: Way = Way()
    """From there to here."""
    outward: Way = Way()
    """From here to there, as the other side last told."""

    def skew_beyond(self, limit: float) -> bool:
        """Whether the clocks are proven to be further apart than ``limit`` seconds."""
        return self.skew is not None and abs(self.skew.proven) > limit


def health_of(beat: Beat | None, own: str, began: float | None, now: float, red_after: float) -> LinkHealth:
    """The link to the process of ``beat`` as seen at ``now`` (our wall clock).

    ``own`` is our stream, ``began`` when this process wrote its first heartbeat (None: not yet): an echo
    of our life before is no news of this one.
    """
    if beat is None:
        return LinkHealth()
    age = beat.age(now)
    inward = Way(age, max(0.0, beat.received_at - beat.written_here), age > red_after)
    return LinkHealth(beat.skew, inward, _outward(beat, own, began, red_after))


def _outward(beat: Beat, own: str, began: float | None, red_after: float) -> Way:
    if began is None:
        return Way()
    answered = beat.envelope.written_at - beat.offset
    echo = beat.body.seen.get(own)
    if echo is None:
        # It names heartbeats it has seen, and ours is none of them.
        echoes = any(name.startswith(STREAM_FOLDER) for name in beat.body.seen)
        silent = max(0.0, answered - began)
        return Way(silent, None, silent > red_after) if echoes else Way()
    age = max(0.0, answered - max(echo.written_at, began))
    travel = max(0.0, echo.received_at - beat.offset - echo.written_at)
    return Way(age, travel, age > red_after)


def echoes_of(beats: Iterable[Beat]) -> dict[str, Seen]:
    """What a heartbeat of ours says of others: their newest stamps and when they came, the newest few."""
    newest = sorted(beats, key=lambda beat: beat.received_at)[-ECHOED:]
    return {
        beat_stream(beat.body.role, beat.instance): Seen(
            epoch=beat.envelope.epoch,
            seq=beat.envelope.seq,
            written_at=beat.envelope.written_at,
            received_at=beat.received_at,
        )
        for beat in newest
    }


def skew_between(ours: Heartbeat, our_stream: str, theirs: Heartbeat, their_stream: str) -> Skew | None:
    """The skew (their clock minus ours) as the newest heartbeats of two processes tell a third.

    Each says when the other's heartbeat was written and when it came; None where one has not seen the
    other, or a clock was set in between.
    """
    there, here = theirs.seen.get(our_stream), ours.seen.get(their_stream)
    if there is None or here is None:
        return None
    forth, back = _flight(there), _flight(here)
    if forth + back < -RESOLUTION:
        return None
    return Skew((forth - back) / 2, max(0.0, forth + back))


def _flight(echo: Seen) -> float:
    return echo.received_at - echo.written_at
