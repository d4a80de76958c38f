"""Small views of the executor's ledger: ``executed_signals.json`` and ``shared_pool.json``."""

from __future__ import annotations

from typing import Annotated

from pydantic import ConfigDict, Field

from shared_schema.ids import SignalId
from shared_schema.messages.record import Record


class ExecutedSignals(Record):
    """Every id that will never be executed again, newest last; a view, never a memory."""

    signal_ids: Annotated[tuple[SignalId, ...], Field(strict=False)] = ()


class SharedPool(Record):
    """Use of the shared cash pool: ``used_<code>``, ``frozen_<code>``, ``acc_alpha_<code>`` in yuan.

    ``<code>`` is its six digits; ``acc_alpha`` is what sold lots brought above their cost, without fees.
    """

    model_config = ConfigDict(frozen=True, strict=True, extra="allow", allow_inf_nan=False)

    updated_at: float
    pool_total: Annotated[float, Field(ge=0)] = 0.0
    """Yuan in the pool; 0 where the writer does not say."""
    pool_code_cap: Annotated[float, Field(ge=0)] = 0.0
    """The most one code may use, yuan; 0: no cap of its own."""
    steps_widened: bool = False
    """Whether use is so high that all buy steps are widened."""
