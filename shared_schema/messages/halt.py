"""``control/halt.<role>@<host>.json``: stop trading."""

from __future__ import annotations

from shared_schema.errors import MessageError
from shared_schema.messages.record import SMALL_FILE, Record, decode, load_object


class Halt(Record):
    """Stop trading, or with ``halt`` false the lifting by the same writer."""

    halt: bool = True
    reason: str = ""
    by: str = ""
    at: float = 0.0
    """Unix seconds."""


def reads_as_halt(raw: bytes | None) -> tuple[bool, str]:
    """Whether a file found in ``control/`` halts, and its reason.

    Only a whole, checked record with ``"halt": false`` does not; whatever can't be
    read does (a half-written halt is a halt).
    """
    if raw is None:
        return True, "unreadable"
    try:
        body = decode(raw, Halt, seed_fields=frozenset(Halt.model_fields), limit=SMALL_FILE).body
    except MessageError as problem:
        return True, _reason_despite(raw) or problem.error_code
    return body.halt, body.reason


def halted_at(raw: bytes | None) -> float:
    """When a file in ``control/`` was written by its own words, Unix seconds; 0 where it doesn't say."""
    try:
        return decode(raw or b"", Halt, seed_fields=frozenset(Halt.model_fields), limit=SMALL_FILE).body.at
    except MessageError:
        return 0.0


def _reason_despite(raw: bytes) -> str:
    try:
        return str(load_object(raw).get("reason", ""))[:200]
    except MessageError:
        return ""
