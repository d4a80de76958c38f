"""Random interleavings of files, crashes, answers, fills and halts keep the invariants."""

from __future__ import annotations

from collections import Counter

import pytest

from tests.execution.schedules import run_schedule

SCHEDULES = 200


@pytest.mark.slow
def test_invariants_hold_on_every_schedule() -> None:
    """I1, I2, I3, I4, I5 and I7 on 200 seeded schedules; and the schedules do reach every kind of end."""
    ends: Counter[str] = Counter()
    for seed in range(SCHEDULES):
        try:
            world = run_schedule(seed)
        except Exception as problem:
            raise AssertionError(f"schedule {seed}: {problem}") from problem
        ends.update(world.row(signal_id).state for signal_id in world.dropped)
    assert {"filled", "cancelled", "partly_cancelled", "not_placed", "rejected"} <= set(ends), ends


def test_a_schedule_is_the_same_every_time() -> None:
    """I11: the same seed gives the same actions."""
    assert run_schedule(7).actions == run_schedule(7).actions
