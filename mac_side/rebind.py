"""Binding a dashboard's or script's books to another executor: only a person asks for this (rule 15)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from mac_side.state_file import DashboardState, StateFile, new_state
from shared_schema.clock import Moment
from shared_schema.errors import StateError
from shared_schema.ids import InstanceId, SignalId
from shared_schema.sessions import trading_day_of


@dataclass(frozen=True)
class Rebound:
    """What was changed. ``still_open`` name the old executor and stay with it: only it ends them."""

    before: InstanceId | None
    after: InstanceId
    still_open: tuple[SignalId, ...]
    copy: Path
    """The books as they were."""


def rebind_books(path: Path, known: DashboardState, executor: InstanceId, now: Moment) -> Rebound:
    """Name ``executor`` in the books at ``path``; the caller holds the engine's lock (``hold_engine``).

    ``known`` is the state the person was shown. Raises StateError where the books are missing or damaged.
    """
    state_file = StateFile(path)
    if not path.exists():
        raise StateError("dashboard.no_books", path)
    raw = path.read_bytes()
    # Read once more by the engine's own rules, so that nothing is written over what it would refuse.
    state = state_file.load(new_state(now, known.mode, known.account, known.strategy, known.writer))
    copy = state_file.keep_copy(raw, f"before-rebind-{int(now.wall)}")
    _, saved = state_file.save(replace(state, executor=executor), now, trading_day_of(now.market))
    state_file.keep_last_good(saved)
    still_open = tuple(entry.signal_id for entry in state.outbox.unanswered)
    return Rebound(state.executor, executor, still_open, copy)
