"""From a seed to a plan: which world, what the strategy wants, and which faults when."""

from __future__ import annotations

import random
from datetime import datetime

from shared_schema.sessions import SHANGHAI
from test_offline.world.broker_link import QMT, SIMULATED
from test_offline.world.faults import FAULTS, POINT, fault_of
from test_offline.world.plan import Injection, Plan, Step
from test_offline.world.sync import TOOLS

KINDS = ("buy", "buy", "buy", "buy", "sell", "sell", "cancel", "top_up", "wrong")


def _at(clock: str) -> float:
    return datetime.fromisoformat(f"2026-11-18T{clock}").replace(tzinfo=SHANGHAI).timestamp()


STARTS = (("10:00:00", 8), ("11:28:40", 1), ("14:55:20", 1))
"""Clock times at which a schedule begins, and how often: mid-morning, before lunch, before the close."""


def plan_of(seed: int, only: str = "") -> Plan:
    """The plan of ``seed``; with ``only`` (kinds by comma) its faults are three of each of those."""
    chance = random.Random(f"plan:{seed}")
    personality = chance.choice((SIMULATED, QMT))
    asked = [name for name in only.split(",") if name]
    for name in asked:
        if fault_of(name).only:
            personality = SIMULATED if fault_of(name).only == SIMULATED.name else QMT
    seconds = chance.uniform(20.0, 50.0)
    edges = STARTS[1:] if "session_edge" in asked else STARTS
    start = chance.choices([clock for clock, _ in edges], [weight for _, weight in edges])[0]
    return Plan(
        seed=seed,
        personality=personality,
        tool=chance.choice(TOOLS),
        strategy="grid" if chance.random() < 0.08 else "script",
        start=_at(start),
        seconds=seconds,
        enforce_sessions=start != "10:00:00" or chance.random() < 0.5,
        orders_per_second=chance.choice((2, 2, 5)),
        orders_per_day=chance.choice((200, 200, 200, 6)),
        script=_script(chance, seconds),
        injections=_injections(chance, seconds, personality.name, asked),
        drifts=(chance.uniform(-1e-4, 1e-4), chance.uniform(-1e-4, 1e-4)),
    )


def _script(chance: random.Random, seconds: float) -> tuple[Step, ...]:
    steps = []
    for at in sorted(chance.uniform(2.0, seconds - 5.0) for _ in range(chance.randint(4, 11))):
        steps.append(Step(at, chance.choice(KINDS), chance.randint(1, 30), chance.randint(-4, 3)))  # type: ignore[arg-type]
    return tuple(steps)


def _injections(
    chance: random.Random, seconds: float, personality: str, asked: list[str]
) -> tuple[Injection, ...]:
    names = [name for name, fault in FAULTS.items() if fault.only in ("", personality)]
    chosen = asked * 3 if asked else chance.choices(names, k=chance.randint(1, 7))
    made = []
    for name in chosen:
        low, high = fault_of(name).seconds
        # A death at a named point is there from the first start on.
        at = 0.05 if name.startswith(POINT) else chance.uniform(1.0, seconds - 2.0)
        made.append(Injection(name, at, chance.uniform(low, high), chance.randrange(1 << 32)))
    return tuple(sorted(made, key=lambda injection: injection.at))
