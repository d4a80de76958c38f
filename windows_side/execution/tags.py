"""The tag our orders carry at the broker."""

from __future__ import annotations

import base64
import hashlib

from shared_schema.ids import AccountAlias, SignalId, Tag

PREFIX = "mq"


def tag_of(account: AccountAlias, trading_day: str, signal_id: SignalId) -> Tag:
    """``mq`` and 20 base32 digits of SHA-256(account, trading day, signal id): 22 ASCII bytes.

    The native remark field keeps 23 bytes, and a Chinese remark cut inside a character
    hangs the call with the order live: so ASCII, and short.
    """
    digest = hashlib.sha256(f"{account}\n{trading_day}\n{signal_id}".encode()).digest()
    return Tag(PREFIX + base64.b32encode(digest)[:20].decode().lower())


def is_ours(remark: str) -> bool:
    """Whether a remark has the form of our tags."""
    return len(remark) == len(PREFIX) + 20 and remark.startswith(PREFIX) and remark.isalnum()
