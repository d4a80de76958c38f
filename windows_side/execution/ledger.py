"""The ledger: the executor's only memory, and the port of it.

It answers one question for ever: was this signal handed to the broker? A change is
durable when ``commit`` returns; nothing is said to the broker before. Results, ``.done``
and ``executed_signals.json`` are views that can be written again from here.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import orjson

from shared_schema.errors import StateError
from shared_schema.ids import LedgerId, SignalId, Tag
from shared_schema.messages import OrderSignal, Trade
from windows_side.execution.ledger_seal import opened_row, sealed_row
from windows_side.execution.order import Order

# What meta holds: each a small JSON text.
LEDGER_ID = "ledger_id"
INSTANCE = "instance"
EPOCH = "epoch"
COMMITS = "commits"
RESULT_SEQ = "result_seq"
HALT = "halt"
WRITERS = "writers"
BOUND_TO = "bound_to"
HEARD_WRITERS = "heard_writers"
"""Writers of signals that ever had a heartbeat."""
DOUBT_BEFORE = "doubt_before"
"""Of signals decided before this moment (Unix seconds) and not in the ledger nobody knows what was done."""
POOL = "pool"
"""What the cash pool's lots use; frozen money follows from the open rows."""
ACCEPTED_TAGS = "accepted_tags"
"""Our tags at the broker that no row explains and a person has seen."""
SETTLED_BEFORE = "settled before the ledger was rebuilt"
"""Stands for the digest of an id that is settled and of which nothing else is left."""


@dataclass(frozen=True)
class JournalEntry:
    """One step in a signal's life, for people (``miniqmt trace``)."""

    at: float
    """Unix seconds, wall."""
    signal_id: SignalId
    action: str
    detail: str = ""


@dataclass(frozen=True)
class Change:
    """What one commit makes durable, all or nothing."""

    orders: tuple[Order, ...] = ()
    meta: Mapping[str, Any] = field(default_factory=dict)
    journal: tuple[JournalEntry, ...] = ()
    settled_ids: tuple[SignalId, ...] = ()
    """Ids that are settled, of which no row is left (``recover``)."""

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to commit."""
        return not (self.orders or self.meta or self.journal or self.settled_ids)


@dataclass
class Memory:
    """What the executor starts from: open and recent orders whole, of all others id and digest."""

    orders: dict[SignalId, Order]
    known: dict[SignalId, str]
    """Every id ever recorded, with its digest."""
    meta: dict[str, Any]
    result_seq: int = 0
    """The highest ``seq`` any result was given."""
    tags: frozenset[Tag] = frozenset()
    """Every tag ever given to an order: the broker may still show orders of a day gone by."""


class Ledger(Protocol):
    """The port. All methods raise StateError where the ledger can't be trusted."""

    @property
    def ledger_id(self) -> LedgerId:
        """Made with the ledger, never changed."""

    @property
    def commits(self) -> int:
        """How many changes it has taken in its life."""

    def load(self) -> Memory:
        """Everything the core keeps in memory."""

    def commit(self, change: Change) -> None:
        """Make ``change`` durable. A failure here must end the process: nothing after it is known."""

    def order(self, signal_id: SignalId) -> Order | None:
        """One row, open or settled; None where the id was never recorded."""

    def settled_since(self, at: float) -> list[SignalId]:
        """Ids settled since ``at`` (Unix seconds), newest last."""

    def settled_at(self, signal_ids: Sequence[SignalId]) -> dict[SignalId, float]:
        """When each of these (a hundred at most) last changed, Unix seconds; settled rows only."""

    def tidy(self) -> None:
        """Housekeeping that may take milliseconds; called at quiet moments only."""

    def close(self) -> None:
        """Let go of the file."""


def new_meta(mode: str, account: str, host: str, epoch: str) -> dict[str, Any]:
    """The meta of a ledger just made: its ids, and what it is bound to."""
    return {
        LEDGER_ID: secrets.token_hex(8),
        INSTANCE: f"{mode}-{secrets.token_hex(4)}",
        EPOCH: epoch,
        COMMITS: 0,
        HALT: {},
        WRITERS: {},
        BOUND_TO: {"mode": mode, "account": account, "host": host},
    }


def order_to_json(order: Order) -> bytes:
    """A row as JSON."""
    plain = {name: getattr(order, name) for name in Order.__dataclass_fields__}
    plain["signal"] = order.signal.model_dump(mode="json") if order.signal else None
    plain["trades"] = [trade.model_dump(mode="json") for trade in order.trades]
    return sealed_row(orjson.dumps(plain))


def order_from_json(raw: bytes | str, where: object) -> Order:
    """The row in ``raw``; StateError where it is damaged: never read as "no order"."""
    try:
        plain = orjson.loads(opened_row(raw))
        signal = plain.pop("signal")
        trades = plain.pop("trades")
        return Order(
            signal=OrderSignal.model_validate(signal, strict=False) if signal is not None else None,
            trades=tuple(Trade.model_validate(trade) for trade in trades),
            **plain,
        )
    except (ValueError, TypeError, KeyError, AttributeError) as problem:
        raise StateError("executor.ledger_damaged", where, detail=str(problem)[:300]) from problem
