"""What the core is told. The broker's own events stand in ``brokers.port``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from shared_schema.drop_folder import Name
from shared_schema.ids import Code, OrderId, SignalId
from shared_schema.integrity import Key
from shared_schema.link_health import Beat
from shared_schema.messages import QuoteSnapshot, Received
from windows_side.brokers.port import BrokerEvent
from windows_side.execution.intake import Intake


@dataclass(frozen=True)
class FileSeen:
    """A scan found a file, and this is what it is."""

    name: Name
    raw: bytes
    intake: Intake
    file_time: float = 0.0
    """When the file was written on this disk, Unix seconds."""


@dataclass(frozen=True)
class QuoteSeen:
    """A new quote file."""

    received: Received[QuoteSnapshot]


@dataclass(frozen=True)
class HaltsSeen:
    """The files in ``control/`` that halt by name, with their bytes (None: unreadable)."""

    files: Mapping[str, bytes | None]
    key: Key | None = field(default=None, repr=False)
    """What a lift must be signed with."""


@dataclass(frozen=True)
class ResumeTyped:
    """A person at the executor's own keyboard lifts every halt."""

    reason: str
    files: Mapping[str, bytes | None]
    shown: Mapping[str, str] | None = None
    """Digests of the halt files the person was shown; None where that was not told."""


@dataclass(frozen=True)
class RebindTyped:
    """A person lets a strategy name be written by another host from now on."""

    strategy: str


@dataclass(frozen=True)
class FreePoolTyped:
    """A person says that what a code uses of the cash pool is not the strategy's any more."""

    code: Code
    reason: str


@dataclass(frozen=True)
class ResolveTyped:
    """A person looked at the broker's list: what became of an unknown order (a proof of I4)."""

    signal_id: SignalId
    order_id: OrderId | None
    """The broker's id where the order was placed; None: it was not, or its day's list is gone."""
    reason: str
    filled: int | None = None
    """Shares the order filled in all, of one whose day's list is gone; None: nothing is said of fills."""
    price: float = 0.0
    """Yuan a share on average, of ``filled``."""


@dataclass(frozen=True)
class BeatsSeen:
    """The newest heartbeats of dashboards and producers."""

    beats: tuple[Beat, ...]


@dataclass(frozen=True)
class FolderRolledBack:
    """Heartbeat, results and slot went back together: somebody restored an earlier folder (rule 14)."""


@dataclass(frozen=True)
class TimePassed:
    """Nothing happened but time."""


Event = (
    FileSeen
    | QuoteSeen
    | HaltsSeen
    | ResumeTyped
    | RebindTyped
    | FreePoolTyped
    | ResolveTyped
    | BeatsSeen
    | FolderRolledBack
    | TimePassed
    | BrokerEvent
)
