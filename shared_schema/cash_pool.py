"""The cash pool that strategies of one account share: its rules, the same on both hosts. Pure.

The executor keeps the pool and decides; a dashboard reads its use from ``shared_pool.json``, so that it
asks for nothing that would be refused; the two-code backtest plays by the same rules.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from shared_schema.ids import Code

FIRST_LAYER_SHARE = 0.85
"""A first layer may fill the pool up to this part; the rest is kept for layers below it."""
WIDE_ABOVE, WIDE_UNTIL = 0.90, 0.85
"""Above the one all buy steps widen, until use is below the other."""
WIDENING = 1.5
"""What a widened step is multiplied with."""
_DUST = 1e-6
"""Yuan: sums of floats differ from the limit by less than this."""

Word = Literal["pool_code_cap", "pool_first_layer", "pool_full"]


@dataclass(frozen=True)
class PoolTerms:
    """How large the pool is. Yuan."""

    total: float
    """0: there is no pool."""
    code_cap: float
    """The most one code may use of it, by cost; 0: no cap of its own."""


@dataclass(frozen=True)
class PoolUse:
    """What is taken from the pool, yuan by code: ``used`` by fills, ``frozen`` by open buys."""

    used: Mapping[Code, float] = field(default_factory=dict)
    frozen: Mapping[Code, float] = field(default_factory=dict)

    @property
    def total(self) -> float:
        """Used and frozen of all codes, yuan."""
        return math.fsum([*self.used.values(), *self.frozen.values()])

    def of(self, code: Code) -> float:
        """Used and frozen of one code, yuan."""
        return self.used.get(code, 0.0) + self.frozen.get(code, 0.0)


@dataclass(frozen=True)
class PoolObjection:
    """Why the pool gives nothing: the error code of the refusal, and yuan after the buy and allowed."""

    word: Word
    needed: float
    limit: float


def pool_objection(
    terms: PoolTerms, use: PoolUse, code: Code, amount: float, *, opens_first_layer: bool
) -> PoolObjection | None:
    """Why a buy of ``amount`` yuan gets nothing from the pool; None where it does."""
    if terms.total <= 0:
        return None
    needed = use.total + amount
    limits: list[tuple[Word, float, float]] = []
    if terms.code_cap > 0:
        limits.append(("pool_code_cap", use.of(code) + amount, terms.code_cap))
    if opens_first_layer:
        limits.append(("pool_first_layer", needed, terms.total * FIRST_LAYER_SHARE))
    limits.append(("pool_full", needed, terms.total))
    return next((PoolObjection(*limit) for limit in limits if limit[1] > limit[2] + _DUST), None)


def steps_widened(before: bool, terms: PoolTerms, used: float) -> bool:
    """Whether buy steps are widened at ``used`` yuan in all, after they were (``before``) or were not."""
    if terms.total <= 0:
        return False
    share = used / terms.total
    return share >= WIDE_UNTIL if before else share > WIDE_ABOVE
