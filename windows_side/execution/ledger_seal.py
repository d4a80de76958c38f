"""Seals of a ledger: SQLite keeps no checksum of its pages, and a bit that rotted must not be believed.

Each row ends with a CRC of its own text. One entry in meta sums up what is read without the rows (ids,
digests, tags, days, which rows are open) and the rest of meta; it goes with every commit. A ledger from
before it has none, and gets one with its next commit.
"""

from __future__ import annotations

import hashlib
import sqlite3
import zlib
from collections.abc import Iterable, Mapping
from typing import Any

SEAL = "seal"
"""Name of the sum in meta."""
SUMMED = "signal_id, digest, tag, trading_day, terminal"
"""The columns the sum covers, in this order."""
_MARK = b',"seal":"'
_ENDING = len(_MARK) + 8 + len(b'"}')


def sealed_row(body: bytes) -> bytes:
    """A JSON object's bytes with the seal as its last field."""
    return b'%s%s%08x"}' % (body[:-1], _MARK, zlib.crc32(body))


def opened_row(raw: bytes | str) -> bytes:
    """The bytes that were sealed; ValueError where they are others. An old row without seal as it is."""
    text = raw.encode("utf-8") if isinstance(raw, str) else raw
    if text[-_ENDING:].startswith(_MARK):
        body = text[:-_ENDING] + b"}"
        if b"%08x" % zlib.crc32(body) != text[-10:-2]:
            raise ValueError("the row's seal does not hold")
        return body
    if b'"seal"' in text[-2 * _ENDING :]:
        raise ValueError("the row's seal is damaged")
    return text


def sum_of(rows: Iterable[Any]) -> int:
    """The sum over rows of ``SUMMED`` columns: that of all is the sum of the parts, in any order."""
    total = 0
    for row in rows:
        total += int.from_bytes(hashlib.blake2b(repr(tuple(row)).encode(), digest_size=8).digest(), "big")
    return total % 2**64


class LedgerSeal:
    """The running sum of one open ledger. Used by one thread."""

    def __init__(self, database: sqlite3.Connection) -> None:
        self._database = database
        self._texts = dict(database.execute("SELECT name, value FROM meta"))
        given = self._texts.pop(SEAL, None)
        self._rows: int | None = None
        if given is not None:
            rows, _, meta = given.strip('"').partition(":")
            if meta != self._meta_sum():
                raise ValueError("the seal of meta does not hold")
            self._rows = int(rows, 16)

    def check(self, rows: Iterable[Any], settled: Iterable[Any]) -> None:
        """Compare with everything that is there now; ValueError where it is not what was committed."""
        found = (sum_of(rows) + sum_of(settled)) % 2**64
        if self._rows is not None and self._rows != found:
            raise ValueError("ids or rows are missing or changed")
        self._rows = found

    def replacing(self, columns: Iterable[tuple[Any, ...]]) -> None:
        """Rows of ``SUMMED`` columns are about to be written, over those of the same id."""
        if self._rows is None:
            every = self._database.execute(f"SELECT {SUMMED} FROM orders")
            settled = self._database.execute("SELECT signal_id FROM settled_ids")
            self.check(every.fetchall(), settled.fetchall())
        total = self._rows or 0
        for row in columns:
            before = self._database.execute(f"SELECT {SUMMED} FROM orders WHERE signal_id = ?", row[:1])
            total += sum_of([row]) - sum_of(before.fetchall())
        self._rows = total % 2**64

    def adding_settled(self, signal_ids: Iterable[str]) -> None:
        """Ids are about to be put into ``settled_ids``; those that are there already stay as they are."""
        total = self._rows or 0
        for signal_id in dict.fromkeys(signal_ids):
            known = self._database.execute("SELECT 1 FROM settled_ids WHERE signal_id = ?", (signal_id,))
            total += 0 if known.fetchone() else sum_of([(signal_id,)])
        self._rows = total % 2**64

    def meta_entry(self, changed: Mapping[str, str]) -> tuple[str, str]:
        """Name and text of the sum, once the texts ``changed`` are written to meta."""
        self._texts.update(changed)
        return SEAL, f'"{self._rows or 0:x}:{self._meta_sum()}"'

    def _meta_sum(self) -> str:
        text = repr(sorted(self._texts.items())).encode()
        return hashlib.blake2b(text, digest_size=8).hexdigest()
