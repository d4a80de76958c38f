"""What happens to the engine's core, and what it asks for in return. All values, no I/O."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from mac_side.bridge_client.key_watch import KeyTrouble
from mac_side.bridge_client.link import Beat
from mac_side.screen_commands import Command as OperatorCommand
from shared_schema.ids import SignalId
from shared_schema.integrity import Key
from shared_schema.log_lines import Level
from shared_schema.messages import (
    AccountSnapshot,
    Halt,
    Heartbeat,
    OrderResult,
    QuoteSnapshot,
    Received,
    SharedPool,
)


@dataclass(frozen=True)
class QuoteSeen:
    """A whole quote file was read; ``modified`` is its time on this disk (for the seed's format)."""

    received: Received[QuoteSnapshot]
    modified: float
    name: str = ""
    """Of the file: the quote's own, or one of the ring."""


@dataclass(frozen=True)
class BeatsSeen:
    """The newest heartbeats of the other side."""

    beats: tuple[Beat, ...]
    key_troubles: tuple[KeyTrouble, ...] = ()
    """Executors whose signatures do not fit this host's key."""


@dataclass(frozen=True)
class TwinSeen:
    """Another process that started later writes as we do: a copy of this install."""

    at: float
    """When its newest heartbeat was written, Unix seconds of its clock."""


@dataclass(frozen=True)
class StampsSeen:
    """``epoch, seq`` of what the executor overwrites changed: its newest result of ours and the slot.

    None: nothing there. ``beat_went_back``: a heartbeat stood below what was seen of it.
    """

    beat_went_back: bool
    results: tuple[str, int] | None
    slot: tuple[str, int] | None


@dataclass(frozen=True)
class ResultSeen:
    """A result of one of our signals was read."""

    received: Received[OrderResult]


@dataclass(frozen=True)
class AccountSeen:
    """An account snapshot of our mode's name was read."""

    received: Received[AccountSnapshot]


@dataclass(frozen=True)
class PoolSeen:
    """The executor's view of the shared cash pool was read."""

    received: Received[SharedPool]


@dataclass(frozen=True)
class HaltsSeen:
    """All files in ``control/`` whose names halt; None: unreadable just now."""

    files: Mapping[str, bytes | None]
    key: Key | None = field(default=None, repr=False)
    """What a lift must be signed with."""


@dataclass(frozen=True)
class OperatorSaid:
    """A command from a screen."""

    command: OperatorCommand


@dataclass(frozen=True)
class SettingsSeen:
    """The settings files say something else than at the start; ``word`` as in ``SettingsNews``."""

    word: str
    sentence: str


@dataclass(frozen=True)
class Tick:
    """Time has passed."""


EngineEvent = (
    QuoteSeen
    | BeatsSeen
    | TwinSeen
    | StampsSeen
    | ResultSeen
    | AccountSeen
    | PoolSeen
    | HaltsSeen
    | OperatorSaid
    | SettingsSeen
    | Tick
)


@dataclass(frozen=True)
class SaveState:
    """Make the core's state durable; everything after it waits for that."""


@dataclass(frozen=True)
class PublishSignal:
    """Put this entry of the outbox into the folder for the first time."""

    signal_id: SignalId


@dataclass(frozen=True)
class Republish:
    """Look whether unanswered signals are missing from the folder (rule 13)."""


@dataclass(frozen=True)
class WriteHeartbeat:
    """Show that we live and what we have seen."""

    body: Heartbeat


@dataclass(frozen=True)
class WriteHalt:
    """Write our own halt file, or lift it."""

    body: Halt
    name: str


@dataclass(frozen=True)
class KeepBooks:
    """Keep a copy of the books as they were last saved, before they are cleared."""

    label: str


@dataclass(frozen=True)
class Say:
    """A line for the log."""

    level: Level
    action: str
    fields: dict[str, Any]


EngineCommand = SaveState | PublishSignal | Republish | WriteHeartbeat | WriteHalt | KeepBooks | Say
