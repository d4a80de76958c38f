"""``control/halt.<role>@<host>.json``: stop trading."""

from __future__ import annotations

from shared_schema.drop_folder.names import halt_name
from shared_schema.errors import MessageError
from shared_schema.integrity import Key
from shared_schema.messages.record import SMALL_FILE, Record, decode, load_object
from shared_schema.words import say


class Halt(Record):
    """Stop trading, or with ``halt`` false the lifting by the same writer."""

    halt: bool = True
    reason: str = ""
    by: str = ""
    at: float = 0.0
    """Unix seconds."""


def reads_as_halt(raw: bytes | None, key: Key | None = None, name: str = "") -> tuple[bool, str]:
    """Whether a file found in ``control/`` under ``name`` halts, and its reason.

    Only a whole, checked record with ``"halt": false`` does not; whatever can't be
    read does (a half-written halt is a halt). With ``key`` anybody may still halt, but
    only what the name's own writer signed lifts: a lift copied to another name does not.
    """
    if raw is None:
        return True, say("refusals.halt_unreadable")
    try:
        received = decode(raw, Halt, seed_fields=frozenset(Halt.model_fields), limit=SMALL_FILE)
    except MessageError as problem:
        return True, _reason_despite(raw) or problem.what
    if received.body.halt or key is None:
        return received.body.halt, received.body.reason
    try:
        decode(raw, Halt, limit=SMALL_FILE, key=key)
    except MessageError as problem:
        return True, problem.what
    assert received.envelope is not None  # without one nothing holds under a key
    own = halt_name(received.envelope.writer).removesuffix(".json")
    # In an account's room the name tells as well where the file lies: in the folder above (names.ABOVE).
    named = name.rpartition("/")[2]
    if not named.startswith(f"{own}."):
        return True, say("refusals.halt_other_writer")
    return False, received.body.reason


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
