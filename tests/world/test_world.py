"""The simulated world: one seed is one trace, faults are seen, and no invariant breaks."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from test_offline.world import points
from test_offline.world.faults import FAULTS, NUMBERS
from test_offline.world.plan import Injection
from test_offline.world.run import Outcome, run_plan, run_seed, shrink
from test_offline.world.schedule import plan_of

ROOT = Path(__file__).resolve().parents[2]
SEEDS = (3, 12, 29, 41)


def test_one_seed_is_one_trace() -> None:
    """I11: played twice, byte for byte the same."""
    for seed in SEEDS:
        assert run_seed(seed).trace == run_seed(seed).trace


BY_CHANCE = """
import os, random, secrets, time, uuid
def by_chance(*_):
    raise AssertionError("something of the world is left to chance or to the real clock")
secrets.token_bytes = secrets.token_hex = uuid.uuid4 = os.urandom = random._inst.random = by_chance
"""
PLAY = """
for outcome in map(run_seed, {seeds}):
    assert not outcome.violation, outcome.told
    print(*outcome.trace, sep=chr(10))
"""


@pytest.mark.slow
def test_another_process_plays_the_same_trace() -> None:
    """I11: neither the order of sets nor a random name nor anything else of a process shows in it."""
    code = "from test_offline.world.run import run_seed\n" + BY_CHANCE + PLAY.format(seeds=SEEDS)
    seen = set()
    for hash_seed in ("1", "2"):
        environment = dict(os.environ) | {"PYTHONHASHSEED": hash_seed, "PYTHONPATH": str(ROOT)}
        done = subprocess.run(
            [sys.executable, "-c", code], cwd=ROOT, env=environment, capture_output=True, check=True
        )
        seen.add(done.stdout)
    assert len(seen) == 1 and len(seen.pop()) > 1000


def test_a_world_without_faults_trades() -> None:
    """The world is no desert: signals become orders and fills reach the books."""
    plans = [replace(plan_of(seed), injections=()) for seed in range(6)]
    outcomes = [run_plan(plan) for plan in plans]
    assert [outcome.violation for outcome in outcomes] == [""] * 6
    assert sum(outcome.signals for outcome in outcomes) > 15
    assert sum(outcome.calls for outcome in outcomes) > 8
    lines = [line for outcome in outcomes for line in outcome.trace]
    filled = [line for line in lines if " result_applied " in line and "state=filled" in line]
    assert len(filled) > 3


@pytest.mark.slow
def test_forty_schedules_break_nothing() -> None:
    """Every invariant holds over mixed faults (CI plays 2,000); a failure prints its seed and trace."""
    broken = [outcome.told for outcome in map(run_seed, range(40)) if outcome.violation]
    assert not broken, "\n\n".join(broken[:3])


@pytest.mark.slow
@pytest.mark.parametrize("fault", FAULTS)
def test_each_fault_is_seen_and_breaks_nothing(fault: str) -> None:
    """A fault that never has its effect proves nothing."""
    seen = 0
    for seed in range(40):
        outcome = run_seed(seed, fault)
        assert not outcome.violation, outcome.told
        seen += outcome.fired[fault]
        if seen:
            return
    pytest.fail(f"{fault} was never seen")


@pytest.mark.slow
@pytest.mark.parametrize("name", points.NAMES)
def test_a_death_at_each_named_point_breaks_nothing(name: str) -> None:
    """And each of the executor's own points is reached."""
    outcomes, reached = points.play((name,), 7000)
    assert [outcome.told for outcome in outcomes if outcome.violation] == []
    assert reached


def test_sixty_kinds_of_the_catalogue() -> None:
    """The world injects at least 60 of the 78 kinds of faults.md."""
    assert len(NUMBERS) >= 60


def test_shrinking_keeps_only_what_the_violation_needs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of three faults the two that have nothing to do with it go."""
    plan = replace(
        plan_of(5),
        script=(),
        injections=tuple(Injection(name, 3.0, 5.0, 1) for name in ("watcher_dies", "zombie", "storm")),
    )

    def played(asked):  # type: ignore[no-untyped-def]
        broken = any(injection.fault == "storm" for injection in asked.injections)
        return Outcome(asked.seed, "I6: too many" if broken else "")

    monkeypatch.setattr("test_offline.world.run.run_plan", played)
    assert [injection.fault for injection in shrink(plan).injections] == ["storm"]
