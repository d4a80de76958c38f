"""A person's word that a signal was never placed, where no executor is left that could say it (I4).

Its executor was lost before it answered and the books are bound to another one, which leaves the signal
alone: without this its layer would stay closed for ever.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from mac_side.bridge_client.entry import OutboxEntry
from mac_side.settling import settle_without_answer
from mac_side.state_file import DashboardState, StateFile, new_state
from shared_schema.clock import Moment
from shared_schema.errors import StateError
from shared_schema.ids import InstanceId, SignalId
from shared_schema.messages import decode_signal
from shared_schema.sessions import trading_day_of

EXPIRED_FOR = 60.0
"""Seconds past its deadline by this host's clock, for an executor's that is behind."""
Reason = Literal["settled", "seed", "answered", "bound", "not_expired"]


def deadline_of(entry: OutboxEntry) -> float:
    """When ``entry`` expires, wall Unix seconds."""
    return decode_signal(entry.raw).body.deadline


def addressed_to(entry: OutboxEntry) -> InstanceId | None:
    """The executor it names; None where any may take it."""
    return decode_signal(entry.raw).body.executor


def why_not(state: DashboardState, entry: OutboxEntry, wall: float) -> Reason | None:
    """Why nobody may say that ``entry`` was never placed; None where a person may. ``wall``: Unix seconds.

    As long as an executor can still place it or tell of it, that one decides.
    """
    if entry.settled:
        return "settled"
    if entry.adopted:
        return "seed"
    if entry.answered_at is not None:
        return "answered"
    if addressed_to(entry) in (None, state.executor):
        return "bound"
    return "not_expired" if wall < deadline_of(entry) + EXPIRED_FOR else None


def settle_never_placed(
    path: Path, known: DashboardState, signal_id: SignalId, message: str, now: Moment
) -> Path:
    """Settle the signal with nothing filled in the books at ``path``; returns the copy kept of them.

    The caller holds the engine's lock (``hold_engine``); ``known`` is the state the person was shown.
    Raises StateError where the books are missing, damaged, or not the ones that were shown.
    """
    state_file = StateFile(path)
    raw = state_file.raw
    if raw is None:
        raise StateError("dashboard.no_books", path)
    # Read once more by the engine's own rules, so that nothing is written over what it would refuse.
    state = state_file.load(new_state(now, known.mode, known.account, known.strategy, known.writer))
    entry = state.outbox.get(signal_id)
    if entry is None or state.saves != known.saves or why_not(state, entry, now.wall):
        raise StateError("dashboard.books_moved", path)
    copy = state_file.keep_copy(raw, f"before-resolve-{int(now.wall)}")
    settled = settle_without_answer(state, entry, message, now)
    _, saved = state_file.save(settled, now, trading_day_of(now.market))
    state_file.keep_last_good(saved)
    return copy
