"""Running schedules: one, many, and the shortest that still fails."""

from __future__ import annotations

import gc
import traceback
from collections import Counter
from dataclasses import dataclass, field, replace
from pathlib import Path

from test_offline.world.plan import Plan
from test_offline.world.schedule import plan_of
from test_offline.world.world import World

LAST_LINES = 40


@dataclass
class Outcome:
    """What one schedule came to. ``violation`` is "" where every invariant held."""

    seed: int
    violation: str = ""
    fired: Counter[str] = field(default_factory=Counter)
    trace: list[str] = field(default_factory=list)
    where: str = ""
    signals: int = 0
    calls: int = 0

    @property
    def told(self) -> str:
        """The violation with its seed and the end of its trace."""
        lines = "\n".join(self.trace[-LAST_LINES:])
        return f"seed {self.seed}: {self.violation}\n{self.where}{lines}"


def run_plan(plan: Plan) -> Outcome:
    """Play ``plan``. Whatever goes wrong in it, an exception of the product included, is a violation."""
    world = World(plan)
    outcome = Outcome(plan.seed)
    try:
        world.run()
    except AssertionError as problem:
        outcome.violation = str(problem) or "an assertion of the product"
        outcome.where = _frames(problem)
    except Exception as problem:
        outcome.violation = f"crashed: {type(problem).__name__}: {problem}"
        outcome.where = _frames(problem)
    outcome.fired, outcome.trace = world.fired, world.trace
    outcome.signals, outcome.calls = len(world.oracle.rows), len(world.oracle.calls)
    return outcome


def run_seed(seed: int, only: str = "") -> Outcome:
    """Play the schedule of one seed."""
    return run_plan(plan_of(seed, only))


def shrink(plan: Plan) -> Plan:
    """The plan with every fault and wish taken out that the violation does not need."""
    kind = run_plan(plan).violation.partition(":")[0]
    if not kind:
        return plan
    smaller = True
    while smaller:
        smaller = False
        for candidate in _one_less(plan):
            if run_plan(candidate).violation.partition(":")[0] == kind:
                plan, smaller = candidate, True
                break
    return plan


def _one_less(plan: Plan) -> list[Plan]:
    fewer_faults = [
        replace(plan, injections=plan.injections[:place] + plan.injections[place + 1 :])
        for place in range(len(plan.injections))
    ]
    fewer_wishes = [
        replace(plan, script=plan.script[:place] + plan.script[place + 1 :])
        for place in range(len(plan.script))
    ]
    return fewer_faults + fewer_wishes


def _frames(problem: BaseException) -> str:
    frames = traceback.extract_tb(problem.__traceback__)[-4:]
    return "".join(f"  {Path(frame.filename).name}:{frame.lineno} {frame.name}\n" for frame in frames)


def freeze_garbage() -> None:
    """Once before many schedules: what was imported is never looked at again by the collector."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)
