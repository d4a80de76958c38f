"""Minute bars of the past, fetched through the terminal month by month into the file a backtest reads.

xtdata is asked below its pandas layer: ``get_market_data3`` in form v4 answers columns of raw bytes, so
nothing here needs more than the small set of packages of a trading host. Whether volumes come in lots or
in shares is told by their amounts, as for live quotes.
"""

from __future__ import annotations

import calendar as months
import math
import os
import secrets
import struct
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any, Protocol

from shared_schema.bars_file import Bar
from shared_schema.errors import DataError, SettingsError
from shared_schema.ids import Code
from shared_schema.shanghai import day_of, shanghai
from windows_side.brokers import qmt_package
from windows_side.quotes.opening_call import join_opening_call
from windows_side.quotes.xtdata_fields import lot_by_amount

ADJUSTMENTS = ("none", "front", "back", "front_ratio", "back_ratio")
_FORMATS = {"<i8": "q", "<f8": "d", "<i4": "i", "<f4": "f", "<u4": "I", "<u8": "Q"}
_COLUMNS = ("time", "open", "high", "low", "close", "volume", "amount")


@dataclass(frozen=True)
class Month:
    """Progress: one part of the span is here."""

    number: int
    of: int
    name: str
    """``YYYY-MM``."""
    bars: int


@dataclass(frozen=True)
class Fetched:
    """What was written."""

    path: Path
    bars: int
    days: int
    merged: int
    """Bars of the opening call joined with the first minute."""


class HistorySource(Protocol):
    """Where bars of the past come from. Both methods raise DataError."""

    def download(self, code: Code, first: date, last: date) -> None:
        """Have the bars of these days ready."""

    def bars(self, code: Code, first: date, last: date, adjust: str) -> list[Bar]:
        """The bars of these days, oldest first; volume in shares."""


class XtHistory:
    """xtdata's history; the terminal runs on this host."""

    def __init__(self, xtdata: Any) -> None:
        self._xtdata = xtdata

    @classmethod
    def connect(cls, choice: str = qmt_package.PIP, data_path: Path | None = None) -> XtHistory:
        """Reach the running terminal through the xtquant of the settings. Raises DataError, SettingsError."""
        qmt_package.load_package(choice, data_path)
        xtdata = qmt_package.xtdata()
        try:
            xtdata.get_client()
        except SettingsError:
            raise
        except Exception as problem:  # xtquant raises bare Exception
            raise DataError("data.no_terminal", detail=str(problem)[:200]) from problem
        return cls(xtdata)

    def download(self, code: Code, first: date, last: date) -> None:
        begin, end = _stamp(first), _stamp(last, "235959")
        try:
            self._xtdata.download_history_data(code, "1m", begin, end)
        except Exception as problem:  # xtquant raises bare Exception
            detail = str(problem)[:200] or type(problem).__name__
            month = f"{first:%Y-%m}"
            raise DataError("data.download_failed", code=code, month=month, detail=detail) from problem

    def bars(self, code: Code, first: date, last: date, adjust: str) -> list[Bar]:
        xtdata = self._xtdata
        begin, end = _stamp(first), _stamp(last, "235959")
        try:
            client, place = xtdata.get_client(), xtdata.get_data_dir()
            answer = client.get_market_data3(
                list(_COLUMNS), [code], "1m", begin, end, -1, adjust, False, "v4", True, True, False, place
            )
        except Exception as problem:  # xtquant raises bare Exception
            month = f"{first:%Y-%m}"
            detail = str(problem)[:200] or type(problem).__name__
            raise DataError("data.download_failed", code=code, month=month, detail=detail) from problem
        found = [row for stock, _, columns in answer if stock == code for row in _rows(code, columns)]
        return [bar for bar in found if first.isoformat() <= day_of(bar.end) <= last.isoformat()]


def fetch_history(
    source: HistorySource,
    code: Code,
    first: date,
    last: date,
    adjust: str,
    path: Path,
    told: Callable[[Month], None],
) -> Fetched:
    """Fetch the bars from ``first`` to ``last`` and write them to ``path``, whole or not at all.

    ``told`` hears of each month. Raises DataError; then no file has changed.
    """
    spans = list(_months(first, last))
    bars: list[Bar] = []
    for number, (begin, end) in enumerate(spans, start=1):
        source.download(code, begin, end)
        found = source.bars(code, begin, end, adjust)
        bars += found
        told(Month(number, len(spans), f"{begin:%Y-%m}", len(found)))
    if not bars:
        raise DataError("data.nothing_fetched", code=code, first=first, last=last)
    joined = join_opening_call(bars)
    heading = f"# {code} 1m, fetched through xtdata, {first} to {last}, adjust {adjust}, volume in shares"
    _write(path, heading, joined)
    days = len({day_of(bar.end) for bar in joined})
    return Fetched(path, len(joined), days, len(bars) - len(joined))


def _months(first: date, last: date) -> Iterator[tuple[date, date]]:
    begin = first
    while begin <= last:
        end = begin.replace(day=months.monthrange(begin.year, begin.month)[1])
        yield begin, min(end, last)
        begin = end + timedelta(days=1)


def _rows(code: Code, columns: Iterable[tuple[str, str, bytes]]) -> list[Bar]:
    """Bars from columns of raw bytes, volume in shares; a minute without a price is no bar."""
    table: dict[str, tuple[Any, ...]] = {}
    for name, kind, raw in columns:
        if name in _COLUMNS:
            table[name] = _numbers(name, kind, bytes(raw))
    missing = [name for name in _COLUMNS if name not in table]
    if missing and table:
        raise DataError("data.bad_answer", detail=f"no column {', '.join(missing)}")
    lengths = {len(values) for values in table.values()}
    if len(lengths) > 1:
        raise DataError("data.bad_answer", detail=f"columns of {sorted(lengths)} rows")
    rows = zip(*(table.get(name, ()) for name in _COLUMNS), strict=True)
    bars = [
        Bar(time / 1000, open_, high, low, close, float(volume), float(amount))
        for time, open_, high, low, close, volume, amount in rows
        if all(math.isfinite(price) and price > 0 for price in (open_, high, low, close))
    ]
    volume, amount = sum(bar.volume for bar in bars), sum(bar.amount for bar in bars)
    mean = sum(bar.close * bar.volume for bar in bars) / volume if volume else 0.0
    lot = lot_by_amount(code, int(volume), amount, mean)
    return [bar._replace(volume=bar.volume * lot) for bar in bars]


def _numbers(name: str, kind: str, raw: bytes) -> tuple[Any, ...]:
    letter = _FORMATS.get(kind.replace("=", "<"))
    size = struct.calcsize(letter) if letter else 0
    if letter is None or len(raw) % size:
        raise DataError("data.bad_answer", detail=f"{name} as {kind}, {len(raw)} bytes")
    return struct.unpack(f"<{len(raw) // size}{letter}", raw)


def _stamp(day: date, clock: str = "000000") -> str:
    return f"{day:%Y%m%d}{clock}"


def _write(path: Path, heading: str, bars: Iterable[Bar]) -> None:
    temporary = path.with_name(f".{path.name}{secrets.token_hex(4)}.tmp")
    try:
        with temporary.open("w", encoding="utf-8", newline="\n") as file:
            file.write(f"{heading}\n{','.join(_COLUMNS)}\n")
            for bar in bars:
                cells = [f"{shanghai(bar.end):%Y-%m-%d %H:%M:%S}", *map(_price, bar[1:5])]
                file.write(",".join([*cells, f"{bar.volume:.0f}", f"{bar.amount:.0f}"]) + "\n")
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except OSError as problem:
        temporary.unlink(missing_ok=True)
        raise DataError("bars_file.unreadable", path, reason=problem) from problem


def _price(price: float) -> str:
    """Four decimals, the last one only where it says something (adjusted prices)."""
    text = f"{price:.4f}"
    return text[:-1] if text.endswith("0") else text
