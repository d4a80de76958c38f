"""Binding a dashboard's or script's books to another executor: only a person asks for this (rule 15)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from mac_side.single_engine import hold_engine
from mac_side.state_file import StateFile, new_state
from shared_schema.clock import Moment
from shared_schema.errors import StateError
from shared_schema.ids import AccountAlias, InstanceId, Mode, SignalId, StrategyName
from shared_schema.sessions import trading_day_of


@dataclass(frozen=True)
class Rebound:
    """What was changed. ``still_open`` name the old executor and stay with it: only it ends them."""

    before: InstanceId | None
    after: InstanceId
    still_open: tuple[SignalId, ...]


def rebind_books(
    path: Path,
    runtime_dir: Path,
    strategy: StrategyName,
    mode: Mode,
    account: AccountAlias,
    executor: InstanceId,
    now: Moment,
) -> Rebound:
    """Name ``executor`` in the books at ``path``; the engine must not run.

    Raises EngineHeld while it does, StateError where the books are missing or damaged.
    """
    lock = hold_engine(runtime_dir, strategy)
    try:
        state_file = StateFile(path)
        if not path.exists():
            raise StateError("dashboard.no_books", path)
        state = state_file.load(new_state(now, mode, account, strategy, ""))
        changed = replace(state, executor=executor)
        _, raw = state_file.save(changed, now, trading_day_of(now.market))
        state_file.keep_last_good(raw)
    finally:
        lock.release()
    return Rebound(state.executor, executor, tuple(entry.signal_id for entry in state.outbox.open))
