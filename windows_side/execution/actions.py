"""What the core asks for. The shell makes all Records of a batch durable before any other action."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from shared_schema.ids import OrderId, SignalId
from windows_side.brokers.port import OrderRequest
from windows_side.execution.ledger import JournalEntry
from windows_side.execution.order import Order


@dataclass(frozen=True)
class RecordOrder:
    """Make a row durable."""

    order: Order
    journal: JournalEntry


@dataclass(frozen=True)
class RecordMeta:
    """Make a fact about the executor durable (halt latch, bound writers)."""

    name: str
    value: Any


@dataclass(frozen=True)
class Submit:
    """Hand an order to the broker; its INTENT and CALLING mark are durable by then."""

    request: OrderRequest
    expires_at: float
    """Unix seconds: looked at last, directly before the native call."""


@dataclass(frozen=True)
class CancelAtBroker:
    """Ask the broker to take an order back."""

    order_id: OrderId


@dataclass(frozen=True)
class AskDay:
    """Query the day's orders and trades."""


@dataclass(frozen=True)
class AskAccount:
    """Query asset and positions."""


@dataclass(frozen=True)
class PublishResult:
    """Write the row's result; the newest of a batch is enough."""

    order: Order


@dataclass(frozen=True)
class AnswerAgain:
    """Write the result of a settled signal again, from the ledger."""

    signal_id: SignalId


@dataclass(frozen=True)
class Archive:
    """Move a recorded signal's file to ``order_signal_done/``."""

    file_name: str
    signal_id: SignalId


@dataclass(frozen=True)
class CopyToQuarantine:
    """Keep a copy of what can't be used; the file stays, a sync tool may still complete it."""

    file_name: str
    raw: bytes
    reason: dict[str, object]


@dataclass(frozen=True)
class MoveToQuarantine:
    """Take a file out of the way, with its reason."""

    file_name: str
    reason: dict[str, object]


@dataclass(frozen=True)
class TrustLedger:
    """A person lets this ledger count as it stands: the second counter starts again from it."""


@dataclass(frozen=True)
class Say:
    """A line in the log: a level, a stable action word and fields. "alarm" also goes to people."""

    level: str
    action: str
    fields: dict[str, object] = field(default_factory=dict)


Action = (
    RecordOrder
    | RecordMeta
    | Submit
    | CancelAtBroker
    | AskDay
    | AskAccount
    | PublishResult
    | AnswerAgain
    | Archive
    | CopyToQuarantine
    | MoveToQuarantine
    | TrustLedger
    | Say
)
