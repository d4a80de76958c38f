"""``heartbeat/<role>-<instance>.json``: a process is alive, and what it has seen of the others."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from shared_schema.ids import AccountAlias, Epoch, InstanceId, LedgerId, SignalId
from shared_schema.integrity import Key
from shared_schema.messages.record import SMALL_FILE, Received, Record, decode

Role = Literal["executor", "producer", "dashboard"]


class Seen(Record):
    """The newest ``epoch, seq`` seen of one stream of the other side, and when it arrived."""

    epoch: Epoch
    seq: int
    written_at: float = 0.0
    """The stream's own wall clock in that file, Unix seconds."""
    received_at: float
    """This host's wall clock, Unix seconds."""


class Heartbeat(Record):
    """One process's sign of life."""

    role: Role
    instance: InstanceId
    ready: bool = False
    state: str = ""
    """What it does or waits for: one word, see ``words/heartbeat.toml``."""
    seen: dict[str, Seen] = {}
    accounts: Annotated[tuple[AccountAlias, ...], Field(strict=False)] = ()
    ledger_id: LedgerId | None = None
    commits: int | None = None
    halt_since: float | None = None
    """Executor: when it confirmed the halt in force (Unix seconds); None: not halted."""
    applied_results: Annotated[tuple[SignalId, ...], Field(strict=False)] = ()
    strategy: str | None = None


def decode_heartbeat(raw: bytes, where: str = "", key: Key | None = None) -> Received[Heartbeat]:
    """The heartbeat in ``raw``; raises MessageError."""
    return decode(raw, Heartbeat, where=where, limit=SMALL_FILE, key=key)
