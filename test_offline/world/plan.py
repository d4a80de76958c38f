"""A schedule as data: one seed gives one plan, and a plan gives one run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from shared_schema.ids import Mode
from test_offline.world.broker_link import Personality
from test_offline.world.sync import Tool


@dataclass(frozen=True)
class Step:
    """What the scripted strategy wants ``at`` seconds into the schedule."""

    at: float
    kind: Literal["buy", "sell", "cancel", "top_up", "wrong"]
    shares: int
    """Hundreds of shares, or which one of several."""
    ticks: int
    """Off the last price."""


@dataclass(frozen=True)
class Injection:
    """One fault: what, when, for how long, and the seed of its own choices."""

    fault: str
    at: float
    seconds: float
    draw: int


@dataclass(frozen=True)
class Plan:
    """One schedule."""

    seed: int
    personality: Personality
    tool: Tool
    strategy: Literal["script", "grid"]
    start: float
    """True Unix time at which it begins."""
    seconds: float
    """How long faults may begin; then everything heals."""
    enforce_sessions: bool
    orders_per_second: int
    orders_per_day: int
    script: tuple[Step, ...]
    injections: tuple[Injection, ...]
    drifts: tuple[float, float] = (0.0, 0.0)
    expires: float = 30.0
    cancel_after: float = 12.0
    red_after: float = 12.0
    republish_after: float = 5.0
    pace: float = 1.0
    """How many times slower quotes, heartbeats and polls come than in a schedule of a minute."""

    @property
    def mode(self) -> Mode:
        """The simulated broker is met in simulate, the one that proves nothing in live."""
        return "simulate" if self.personality.absence_is_proof else "live"
