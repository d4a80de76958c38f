"""The cells of a CSV file of market data, plain or gzip: its rows, and times, prices and quantities.

Text times and epoch numbers are read as Asia/Shanghai and must fall into a trading session. What is wrong
is a DataError with file, line and reason.
"""

from __future__ import annotations

import csv
import gzip
import io
import zlib
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from shared_schema.errors import DataError
from shared_schema.shanghai import SHANGHAI_OFFSET, minute_of_day, shanghai, unix_seconds

_LARGEST = 1e15


class Row(NamedTuple):
    """One row that is no comment, with its line in the file."""

    line: int
    cells: list[str]


def open_table(path: Path) -> tuple[list[str], Iterator[Row]]:
    """The header, lower case, and the rows with their line numbers; lines beginning with # are skipped."""
    try:
        raw = path.read_bytes()
        if raw[:2] == b"\x1f\x8b":
            raw = gzip.decompress(raw)
        text = raw.decode("utf-8-sig")
    except (OSError, EOFError, zlib.error) as error:
        raise DataError("bars_file.unreadable", path, reason=error) from error
    except UnicodeDecodeError as error:
        raise DataError("bars_file.not_text", path, reason=error.reason, offset=error.start) from error
    rows = _rows(path, text)
    for row in rows:
        return [cell.strip().lower() for cell in row.cells], rows
    raise DataError("bars_file.empty", path)


def _rows(path: Path, text: str) -> Iterator[Row]:
    reader = csv.reader(io.StringIO(text, newline=""))
    while True:
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raise DataError("bars_file.bad_row", path, line=reader.line_num, reason=error) from error
        if cells and not cells[0].lstrip().startswith("#") and any(cells):
            yield Row(reader.line_num, cells)


def time_column(header: list[str]) -> int:
    """Where the time stands: under its name, else in the first column."""
    for name in ("time", "datetime"):
        if name in header:
            return header.index(name)
    return 0


def _number(text: str, column: str, path: Path, line: int) -> float:
    try:
        number = float(text)
    except ValueError:
        raise DataError("bars_file.not_a_number", path, line=line, column=column, value=text) from None
    if not -_LARGEST < number < _LARGEST or "_" in text:
        raise DataError("bars_file.not_a_number", path, line=line, column=column, value=text)
    return number


def price_in(text: str, column: str, path: Path, line: int) -> float:
    """A price, yuan, above zero. Raises DataError."""
    number = _number(text, column, path, line)
    if number <= 0:
        raise DataError("bars_file.not_a_price", path, line=line, column=column, value=text)
    return number


def quantity_in(text: str, column: str, path: Path, line: int) -> float:
    """A volume or an amount, 0.0 where the cell is empty. Raises DataError."""
    if not text.strip():
        return 0.0
    number = _number(text, column, path, line)
    if number < 0:
        raise DataError("bars_file.negative", path, line=line, column=column, value=text)
    return number


class CellClock:
    """Reads one file's time texts; a day's midnight is worked out once."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._midnights: dict[str, float] = {}

    def seconds(self, text: str, line: int) -> float:
        """Unix seconds of ``text``; DataError where it is no time or outside the sessions."""
        seconds = self._parse(text.strip(), line)
        if _in_session(minute_of_day(seconds)):
            return seconds
        shifted = _in_session(minute_of_day(seconds + SHANGHAI_OFFSET))
        key = "bars_file.utc_time" if shifted else "bars_file.outside_session"
        raise DataError(key, self.path, line=line, time=text, read=shanghai(seconds))

    def _parse(self, text: str, line: int) -> float:
        try:
            if len(text) == 19 and text[13] == text[16] == ":":
                midnight = self._midnights.get(text[:10])
                if midnight is None:
                    midnight = unix_seconds(datetime.fromisoformat(text[:10]))
                    self._midnights[text[:10]] = midnight
                hour, minute, second = int(text[11:13]), int(text[14:16]), int(text[17:19])
                if hour < 24 and minute < 60 and second < 60:
                    return midnight + hour * 3600 + minute * 60 + second
            return _slow_seconds(text)
        except (ValueError, OverflowError):
            raise DataError("bars_file.not_a_time", self.path, line=line, time=text) from None


def _slow_seconds(text: str) -> float:
    """Any accepted form: ISO, ISO with a zone, YYYYMMDDHHMM[SS], epoch seconds or milliseconds."""
    whole, dot, rest = text.partition(".")
    digits = whole if dot and rest.strip("0") == "" else text
    if digits.isascii() and digits.isdigit():
        if len(digits) in (12, 14):
            return unix_seconds(datetime.strptime(digits.ljust(14, "0"), "%Y%m%d%H%M%S"))
        if len(digits) == 13:
            return int(digits) / 1000
        if len(digits) in (9, 10):
            return float(digits)
        raise ValueError(text)
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None and moment.time() == datetime.min.time() and len(text) <= 10:
        raise ValueError("a day without a time of day")
    return unix_seconds(moment)


def _in_session(minute: int) -> bool:
    """Whether a bar or print may carry this minute: auctions and both edges included."""
    return 9 * 60 + 15 <= minute <= 11 * 60 + 30 or 13 * 60 <= minute <= 15 * 60
