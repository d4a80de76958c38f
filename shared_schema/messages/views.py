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
    """Use of the shared cash pool: ``used_<code>``, ``frozen_<code>``, ``acc_alpha_<code>`` in yuan."""

    model_config = ConfigDict(frozen=True, strict=True, extra="allow", allow_inf_nan=False)

    updated_at: float
