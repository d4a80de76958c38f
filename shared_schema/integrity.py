"""Checksum and signature of a payload.

Both are taken over the payload as orjson with sorted keys, without ``checksum`` and
``signature`` themselves (rule 9 of the contract).
"""

from __future__ import annotations

import hashlib
import hmac
from typing import Any, NewType

import orjson

Key = NewType("Key", bytes)
"""The shared secret of both hosts; never stands in the exchange folder."""


def canonical(payload: dict[str, Any]) -> bytes:
    """The bytes both seals are taken over."""
    return orjson.dumps(payload, option=orjson.OPT_SORT_KEYS)


def checksum(payload: dict[str, Any]) -> str:
    """SHA-256 of the canonical payload, hex."""
    return hashlib.sha256(canonical(payload)).hexdigest()


def sign(payload: dict[str, Any], key: Key) -> str:
    """HMAC-SHA-256 of the canonical payload under ``key``, hex."""
    return hmac.new(key, canonical(payload), hashlib.sha256).hexdigest()


def signature_holds(payload: dict[str, Any], signature: str, key: Key) -> bool:
    """Whether ``signature`` is that of ``payload``; compared in constant time."""
    return hmac.compare_digest(sign(payload, key).encode(), signature.encode("utf-8", "replace"))
