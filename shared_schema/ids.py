"""Typed ids: no bare ``str`` travels as an id."""

from __future__ import annotations

import hashlib
import re
from functools import lru_cache
from typing import Literal, NewType

SignalId = NewType("SignalId", str)
OrderId = NewType("OrderId", str)
TradeId = NewType("TradeId", str)
Code = NewType("Code", str)
"""An instrument with its exchange, ``159201.SZ``."""
AccountAlias = NewType("AccountAlias", str)
"""The name an account goes by in the folder; its number stays in local settings."""
StrategyName = NewType("StrategyName", str)
InstanceId = NewType("InstanceId", str)
LedgerId = NewType("LedgerId", str)
Epoch = NewType("Epoch", str)
Tag = NewType("Tag", str)
"""What our orders carry in the broker's remark field."""

Mode = Literal["live", "simulate"]
Direction = Literal["BUY", "SELL"]

_SAFE = re.compile(r"[A-Za-z0-9._-]{1,64}\Z")
_RESERVED = re.compile(r"(CON|PRN|AUX|NUL|COM[0-9]|LPT[0-9])(\..*)?\Z", re.IGNORECASE)


def is_file_safe(identity: str) -> bool:
    """Whether ``identity`` may stand in a file name as it is (rule 8 of the contract)."""
    return (
        _SAFE.match(identity) is not None
        and not identity.startswith(".")
        and not identity.endswith(".")
        and _RESERVED.match(identity) is None
    )


@lru_cache(maxsize=4096)
def file_part(identity: str) -> str:
    """The part of a file name that stands for ``identity``: itself, or ``x-`` and 32 hex digits."""
    if is_file_safe(identity):
        return identity
    return "x-" + hashlib.sha256(identity.encode("utf-8", "surrogatepass")).hexdigest()[:32]


def permuted_digits(counter: int, epoch: Epoch) -> str:
    """The 8 hex digits of a signal id: ``counter`` permuted by ``epoch``.

    A four-round Feistel network over 32 bits keyed by the epoch: a permutation, so
    two counters of one epoch never give the same digits.
    """
    if not 0 <= counter < 2**32:
        raise ValueError(f"counter {counter} is outside 0..2**32-1")
    left, right = counter >> 16, counter & 0xFFFF
    for round_number in range(4):
        key = f"{epoch}:{round_number}:{right}".encode()
        mixed = int.from_bytes(hashlib.sha256(key).digest()[:2], "big")
        left, right = right, left ^ mixed
    return f"{(left << 16) | right:08x}"
