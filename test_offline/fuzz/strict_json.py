"""JSON and its seals, read and made strictly and without the product's code.

Only the digits of floating point numbers come from orjson, because rule 9 defines the checksum by them.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import math
from collections.abc import Mapping
from typing import Any

import orjson

SMALL, LARGE = 65_536, 4_194_304


class Invalid(Exception):
    """The contract does not allow this; the text says why."""


def parsed(raw: bytes, limit: int) -> dict[str, Any]:
    """The object in ``raw``, each key once, numbers finite, nothing after it."""
    if len(raw) > limit:
        raise Invalid("too large")
    if raw[:3] == b"\xef\xbb\xbf":
        raw = raw[3:]
    # Uniqueness of keys is promised for files of up to 64 KiB.
    pairs = _unique if len(raw) <= SMALL else dict
    try:
        value = json.loads(
            raw.decode("utf-8"), object_pairs_hook=pairs, parse_constant=_refused, parse_int=_whole
        )
    except (ValueError, RecursionError) as problem:
        raise Invalid(f"no JSON: {problem}") from problem
    if not isinstance(value, dict):
        raise Invalid("no object")
    _check_plain(value)
    return value


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len({name for name, _ in pairs}) != len(pairs):
        raise Invalid("a key stands twice")
    return dict(pairs)


def _refused(word: str) -> Any:
    raise Invalid(word)


def _whole(digits: str) -> int | float:
    if len(digits) > 25:
        return float(digits)
    number = int(digits)
    return number if -(2**63) <= number < 2**64 else float(number)


def _check_plain(value: Any) -> None:
    if isinstance(value, float) and not math.isfinite(value):
        raise Invalid("not finite")
    if isinstance(value, str) and any(0xD800 <= ord(letter) <= 0xDFFF for letter in value):
        raise Invalid("half a character")
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        _check_plain(inner)
    for name in value if isinstance(value, dict) else ():
        _check_plain(name)


def canonical(value: Any) -> str:
    """The text the checksum is taken over: sorted keys, no blanks."""
    if isinstance(value, dict):
        inner = (f"{json.dumps(name, ensure_ascii=False)}:{canonical(value[name])}" for name in sorted(value))
        return "{" + ",".join(inner) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(canonical, value)) + "]"
    if isinstance(value, float):
        return orjson.dumps(value).decode()
    return json.dumps(value, ensure_ascii=False)


def sealed(payload: Mapping[str, Any], key: bytes | None = None) -> dict[str, Any]:
    """``payload`` with its checksum and, with a key, its signature."""
    plain = {name: value for name, value in payload.items() if name not in ("checksum", "signature")}
    text = canonical(plain).encode("utf-8", "surrogatepass")
    seal = {"checksum": hashlib.sha256(text).hexdigest()}
    if key is not None:
        seal["signature"] = hmac.new(key, text, hashlib.sha256).hexdigest()
    return plain | seal
