"""A rest after refusals in a row: what is refused is not asked for again and again. Pure.

Each refused order may count as one of the day's at the broker, and those are the account's: used up, no code
sells any more. The rest is read from the outbox, so a restart keeps it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from mac_side.bridge_client.entry import OutboxEntry
from mac_side.bridge_client.outbox import Outbox
from shared_schema.clock import Moment
from shared_schema.ids import Direction, SignalId
from shared_schema.sessions import trading_day_of

REFUSALS = 3
"""Refusals in a row of one side after which it rests."""
REST = 15 * 60.0
"""Seconds of market time from the last one refused; then one is tried, and refused again it rests again."""
PROTECTIVE = frozenset({"max_float_loss"})
"""Reasons of sells that limit a loss: they don't rest that long."""
PROTECTIVE_PAUSE = 2 * 60.0
"""Seconds between them after ``REFUSALS``: a whole day of them is 120, of the day's 200 orders."""
REFUSED = frozenset({"rejected", "refused_by_broker", "not_placed"})
UNDECIDED = frozenset({"expired"})
"""Too late for the executor to look at: it says neither that the next is refused nor that it is taken."""


@dataclass(frozen=True)
class Rest:
    """One side of a strategy after refusals in a row."""

    last: OutboxEntry
    """The newest one refused."""
    since: float
    """Market time at which that was sent, Unix seconds."""
    count: int

    @property
    def until(self) -> float:
        """When the side is tried again, market Unix seconds."""
        return self.since + REST

    def holds(self, reason: str, now: Moment) -> bool:
        """Whether a signal of this side for ``reason`` waits now."""
        length = PROTECTIVE_PAUSE if reason in PROTECTIVE else REST
        return 0 <= now.market - self.since < length


def rest_of(
    outbox: Outbox, side: Direction, now: Moment, sent_at: Mapping[SignalId, float], lifted_at: float
) -> Rest | None:
    """The rest of ``side``; None where fewer than three were refused today since one was taken.

    ``sent_at``: market times of this process's signals; of another's the wall time stands for it.
    ``lifted_at``: when a person last ended the rests, wall Unix seconds; what was sent before counts no more.
    """
    today, count, last, at = trading_day_of(now.market), 0, None, 0.0
    for entry in reversed(outbox.entries):
        if entry.trading_day != today or entry.timestamp <= lifted_at:
            break
        if entry.direction != side or not entry.is_order or not entry.settled or entry.state in UNDECIDED:
            continue
        if entry.state not in REFUSED:
            break
        count += entry.timestamp != at  # parts of one sell are of one moment, and one refusal
        last, at = last or entry, entry.timestamp
    if last is None or count < REFUSALS:
        return None
    return Rest(last, sent_at.get(last.signal_id, last.timestamp), count)
