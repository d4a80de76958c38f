"""What every record that crosses the folder has in common, and the way from bytes and back.

A file is the flat union of an envelope and a body. ``encode`` joins and seals them;
``decode`` checks and parts them. The seed's files have a body only.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import Annotated, Any, Generic, TypeVar

import orjson
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from shared_schema.errors import MessageError
from shared_schema.ids import AccountAlias, Epoch, Mode
from shared_schema.integrity import Key, checksum, sign, signature_holds
from shared_schema.messages.record_faults import json_fault, value_fault
from shared_schema.words import say

SCHEMA_VERSION = 2
SMALL_FILE = 64 * 1024
"""Largest accepted signal, result, heartbeat or halt, in bytes."""
LONGEST_ANSWERED_ID = 1024
"""Characters: a result repeats the id and must stay a small file."""
UNSIGNED = frozenset({"bad_signature", "version_1"})
"""Error codes of a file that is whole and that no holder of the key made."""
LARGE_FILE = 4 * 1024 * 1024
"""Largest accepted quote file, snapshot or ``executed_signals.json``, in bytes."""
DEEPEST = 64
"""Lists and objects inside each other; far below where writers and printers of values give up."""


class Record(BaseModel):
    """Base of all records: frozen, strict types, no unknown fields, no NaN or infinity."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid", allow_inf_nan=False)


@lru_cache(maxsize=64)
def _is_day(text: str) -> str:
    if date.fromisoformat(text).isoformat() != text:
        raise ValueError("not YYYY-MM-DD")
    return text


class Envelope(Record):
    """Who wrote a file, when, in which order, for which mode and account (rule 9)."""

    schema_version: int = SCHEMA_VERSION
    writer: Annotated[str, Field(pattern="^[^@]+@[^@]+$")]
    """``role@host``"""
    epoch: Annotated[Epoch, Field(min_length=1)]
    """Made anew with the writer's memory; later epochs sort after earlier ones."""
    seq: Annotated[int, Field(ge=0)]
    """Rises within an epoch."""
    written_at: float
    """Unix seconds, wall clock of the writer."""
    market_time: float
    """Unix seconds; differs from ``written_at`` only in replay."""
    trading_day: Annotated[str, AfterValidator(_is_day)]
    """``YYYY-MM-DD`` in Asia/Shanghai."""
    mode: Mode
    account: Annotated[AccountAlias, Field(min_length=1)]
    """Alias, or ``*`` for files about all accounts."""


ENVELOPE_FIELDS = frozenset(Envelope.model_fields)
SEAL_FIELDS = frozenset({"checksum", "signature"})
_ENVELOPE_SIGNS = ENVELOPE_FIELDS | SEAL_FIELDS

Body = TypeVar("Body", bound=Record)


@dataclass(frozen=True)
class Received(Generic[Body]):
    """A decoded file: its envelope (None for the seed's format), body and bytes."""

    envelope: Envelope | None
    body: Body
    raw: bytes
    signed: bool = False
    """Whether a signature was present and held."""
    carries_signature: bool = False
    """Whether its writer signs, held or not: without a key here nobody can tell."""

    @property
    def version(self) -> int:
        """1 for the seed's format, else the schema version."""
        return 1 if self.envelope is None else self.envelope.schema_version


def encode(envelope: Envelope, body: Record, key: Key | None = None) -> bytes:
    """The file's bytes: envelope and body joined, sealed with the checksum and, with a key, signed."""
    payload = envelope.model_dump(mode="json") | body.model_dump(mode="json", exclude_none=True)
    seal = {"checksum": checksum(payload)}
    if key is not None:
        seal["signature"] = sign(payload, key)
    return orjson.dumps(payload | seal, option=orjson.OPT_SORT_KEYS)


def signed_again(raw: bytes, key: Key | None) -> bytes:
    """Our own file ``raw`` under the key in force: the same payload, its signature made anew or left out.

    A file without an envelope (the seed's format) and one that holds already stay as they are.
    """
    payload = load_object(raw, limit=LARGE_FILE)
    if _ENVELOPE_SIGNS.isdisjoint(payload):
        return raw
    bare = {name: value for name, value in payload.items() if name not in SEAL_FIELDS}
    given = payload.pop("signature", None)
    wanted = sign(bare, key) if key is not None else None
    if given == wanted:
        return raw
    return orjson.dumps(payload | ({"signature": wanted} if wanted else {}), option=orjson.OPT_SORT_KEYS)


def decode(
    raw: bytes,
    body_type: type[Body],
    *,
    where: str = "",
    seed_fields: frozenset[str] | None = None,
    limit: int = SMALL_FILE,
    key: Key | None = None,
) -> Received[Body]:
    """The record in ``raw``.

    ``seed_fields`` are the fields a version 1 file may have (None: version 1 is not
    accepted here; with ``key`` it never is, since it carries no signature). Raises
    MessageError with a stable ``error_code``; ``damaged`` is set while the file may
    still become whole, and ``signal_id`` only where it can be trusted.
    """
    payload = load_object(raw, where=where, limit=limit)
    if _ENVELOPE_SIGNS.isdisjoint(payload):
        if key is not None:
            raise MessageError("version_1", where)
        return _decode_seed(payload, raw, body_type, where, seed_fields)
    return _decode_sealed(payload, raw, body_type, where, key)


def load_object(raw: bytes, *, where: str = "", limit: int = SMALL_FILE) -> dict[str, Any]:
    """The JSON object in ``raw``, read strictly: no duplicate keys, NaN, huge numbers or depth.

    A UTF-8 byte order mark is accepted (Windows tools write it).
    """
    if len(raw) > limit:
        raise MessageError("too_large", where, size=len(raw), limit=limit)
    text = raw.removeprefix(b"\xef\xbb\xbf")
    try:
        value = orjson.loads(text)
    except orjson.JSONDecodeError as problem:
        raise MessageError("unreadable", where, damaged=True, detail=json_fault(problem)) from problem
    if not isinstance(value, dict):
        raise MessageError("not_an_object", where, damaged=True)
    if text.count(b"{") + text.count(b"[") > DEEPEST and _is_deep(value):
        raise MessageError("unreadable", where, damaged=True, detail=say("record.too_deep", limit=DEEPEST))
    # Written again it is the same text, as all we write ourselves: no key was left out, so none was doubled.
    if len(text) <= SMALL_FILE and orjson.dumps(value) != text:
        _check_duplicate_keys(text, where)
    return value


def _is_deep(value: Any) -> bool:
    # orjson reads 1024 levels and writes 254: the checksum of what lies between can't be taken.
    level = [value]
    for _ in range(DEEPEST):
        holders = (holder.values() if isinstance(holder, dict) else holder for holder in level)
        level = [part for holder in holders for part in holder if isinstance(part, (dict, list))]
        if not level:
            return False
    return True


def _check_duplicate_keys(text: bytes, where: str) -> None:
    # orjson keeps the last of two equal keys in silence; which of two prices was meant is not ours to guess.
    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) != len(pairs):
            raise MessageError("duplicate_key", where, damaged=True)
        return found

    try:
        json.loads(text, object_pairs_hook=unique)
    except (ValueError, RecursionError) as problem:
        raise MessageError("unreadable", where, damaged=True, detail=str(problem)) from problem


def _decode_seed(
    payload: dict[str, Any], raw: bytes, body_type: type[Body], where: str, seed_fields: frozenset[str] | None
) -> Received[Body]:
    trusted = trusted_id(payload.get("signal_id"))
    if seed_fields is None:
        raise MessageError("no_envelope", where, signal_id=trusted)
    unknown = sorted(set(payload) - seed_fields)
    if unknown:
        raise MessageError("unknown_field", where, signal_id=trusted, fields=", ".join(unknown)[:200])
    return Received(None, _body(payload, body_type, where, trusted), raw)


def _decode_sealed(
    payload: dict[str, Any], raw: bytes, body_type: type[Body], where: str, key: Key | None
) -> Received[Body]:
    given_checksum = payload.pop("checksum", None)
    given_signature = payload.pop("signature", None)
    if given_checksum != checksum(payload):
        raise MessageError("damaged", where, damaged=True)
    trusted = trusted_id(payload.get("signal_id"))
    version = payload.get("schema_version")
    if isinstance(version, int) and version > SCHEMA_VERSION:
        raise MessageError("unknown_version", where, version=version, known=SCHEMA_VERSION)
    signed = False
    if key is not None:
        # Before anything is said of the content: an id in a file anybody could write is not to be answered.
        signed = isinstance(given_signature, str) and signature_holds(payload, given_signature, key)
        if not signed:
            raise MessageError("bad_signature", where)
    if version != SCHEMA_VERSION:
        raise MessageError("bad_version", where, signal_id=trusted, version=str(version)[:20])
    envelope_part = {name: payload.pop(name) for name in ENVELOPE_FIELDS if name in payload}
    envelope = _body(envelope_part, Envelope, where, trusted)
    body = _body(payload, body_type, where, trusted)
    return Received(envelope, body, raw, signed, carries_signature=given_signature is not None)


def trusted_id(identity: object) -> str | None:
    """``identity`` where a result may answer it: a text that is not empty and leaves room in a result."""
    return identity if isinstance(identity, str) and 0 < len(identity) <= LONGEST_ANSWERED_ID else None


def _body(payload: dict[str, Any], body_type: type[Body], where: str, trusted: str | None) -> Body:
    try:
        return body_type.model_validate(payload)
    except ValidationError as problem:
        first = problem.errors(include_url=False, include_input=True)[0]
        field = ".".join(str(part) for part in first["loc"]) or "-"
        code = {"missing": "missing_field", "extra_forbidden": "unknown_field"}.get(first["type"])
        if code is None:
            code = "out_of_range" if first["type"] in _RANGE_PROBLEMS else "wrong_type"
        raise MessageError(
            code,
            where,
            signal_id=trusted,
            field=field,
            fields=field,
            value=repr(first.get("input"))[:80],
            detail=value_fault(first),
        ) from problem


_RANGE_PROBLEMS = frozenset(
    {"greater_than", "greater_than_equal", "less_than", "less_than_equal", "finite_number", "value_error"}
    | {"string_too_short", "string_too_long", "string_pattern_mismatch", "literal_error"}
)
