"""Deaths at every named point of the executor, alone and in pairs: the ones a crash can tell apart."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations_with_replacement

from test_offline.world.faults import POINT
from test_offline.world.run import Outcome, run_seed
from windows_side.execution.points import Point

TRIES = 12
"""Seeds played for each point or pair until it was reached."""
ELSEWHERE = frozenset({"migration_before_backup", "migration_backed_up", "migration_before_commit"}) | {
    "migration_committed",
    "counted",
    "before_native_call",
    "after_native_call",
    "stopped",
}
"""SQLite's migrations, the second counter, the worker's thread, the clean end: killed in real processes."""
NAMES: tuple[str, ...] = tuple(str(point.value) for point in Point if point.value not in ELSEWHERE)


def singles() -> Iterator[tuple[str, ...]]:
    """Every point alone."""
    return ((name,) for name in NAMES)


def pairs() -> Iterator[tuple[str, ...]]:
    """Every pair of points, a point with itself included."""
    return combinations_with_replacement(NAMES, 2)


def play(names: tuple[str, ...], first_seed: int) -> tuple[list[Outcome], bool]:
    """Schedules in which the executor dies at each of ``names``; whether all of them were reached."""
    asked = ",".join(f"{POINT}{name}" for name in names)
    if any("quarantine" in name for name in names):
        asked += ",torn_signal"
    outcomes: list[Outcome] = []
    reached: set[str] = set()
    for seed in range(first_seed, first_seed + TRIES):
        outcome = run_seed(seed, asked)
        outcomes.append(outcome)
        reached |= {name for name in names if outcome.fired[f"{POINT}{name}"]}
        if reached == set(names):
            return outcomes, True
    return outcomes, False
