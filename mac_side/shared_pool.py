"""The executor's cash pool as a dashboard sees it: what to ask for at all, and how wide to step. Pure.

The executor decides about every buy; this only spares signals that it would refuse.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache

from mac_side.state_file import DashboardState
from mac_side.strategy.parameters import GridParameters
from shared_schema.cash_pool import WIDENING, PoolObjection, PoolTerms, PoolUse, pool_objection
from shared_schema.clock import Moment
from shared_schema.ids import Code
from shared_schema.messages import Received, SharedPool
from shared_schema.messages.record import Envelope

BELIEVED_FOR = 300.0
"""Seconds after which the file says nothing any more; the executor writes it every 30."""
_WIDEST = 100.0
"""The largest ``buy_step_factor`` there is."""


@dataclass(frozen=True)
class SeenPool:
    """The newest ``shared_pool.json`` of our mode and account. Yuan."""

    body: SharedPool
    envelope: Envelope

    @property
    def terms(self) -> PoolTerms:
        """Its size."""
        return PoolTerms(self.body.pool_total, self.body.pool_code_cap)

    @property
    def use(self) -> PoolUse:
        """What is taken, by the six digits of each code."""
        return PoolUse(self._part("used_"), self._part("frozen_"))

    def _part(self, prefix: str) -> dict[Code, float]:
        fields = self.body.model_extra or {}
        return {
            Code(name.removeprefix(prefix)): float(yuan)
            for name, yuan in fields.items()
            if name.startswith(prefix) and isinstance(yuan, int | float)
        }

    def is_believed(self, now: Moment) -> bool:
        """Whether it is recent enough to act on."""
        return abs(now.wall - self.envelope.written_at) <= BELIEVED_FOR

    def objection(self, code: Code, amount: float, *, opens_first_layer: bool) -> PoolObjection | None:
        """Why a buy of ``amount`` yuan would get nothing; None where it would."""
        six = Code(code[:6])
        return pool_objection(self.terms, self.use, six, amount, opens_first_layer=opens_first_layer)


def pool_of(received: Received[SharedPool], state: DashboardState) -> SeenPool | None:
    """The pool our buys draw on; None where the file is another mode's or account's."""
    envelope = received.envelope
    if envelope is None or (envelope.mode, envelope.account) != (state.mode, state.account):
        return None
    return SeenPool(received.body, envelope)


@lru_cache(maxsize=8)
def widened(parameters: GridParameters) -> GridParameters:
    """``parameters`` with every buy step wider by half."""
    return replace(parameters, buy_step_factor=min(_WIDEST, parameters.buy_step_factor * WIDENING))
