"""Minute bars and tick prints from a CSV file, plain or gzip, with the standard library only.

Times are Unix seconds. Text times and epoch numbers are read as Asia/Shanghai and must fall into a
trading session: a file whose 09:31 stands as 01:31 was written in UTC and is refused, not guessed.
Every bad row is a DataError with file, line and reason; nothing is repaired silently.
"""

from __future__ import annotations

import csv
import gzip
import io
import math
import zlib
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Literal, NamedTuple

from shared_schema.errors import DataError

SHANGHAI_OFFSET = 8 * 3600.0
"""Seconds Shanghai is ahead of UTC; fixed, summer time ended in 1991."""
_LARGEST = 1e15
_ROWS_SHOWN = 100
"""Wrong rows named in one error."""


class Bar(NamedTuple):
    """One minute: ``end`` in Unix seconds, prices in yuan, ``volume`` in shares, ``amount`` in yuan.

    Volume and amount are 0.0 where the file has none.
    """

    end: float
    open: float
    high: float
    low: float
    close: float
    volume: float = 0.0
    amount: float = 0.0


class TickPrint(NamedTuple):
    """One trade print: ``time`` in Unix seconds, ``price`` in yuan, ``volume`` in shares."""

    time: float
    price: float
    volume: float


class _Row(NamedTuple):
    line: int
    cells: list[str]


def shanghai(seconds: float) -> datetime:
    """The naive Shanghai wall clock at ``seconds`` Unix time."""
    return datetime.fromtimestamp(seconds + SHANGHAI_OFFSET, UTC).replace(tzinfo=None)


def unix_seconds(moment: datetime) -> float:
    """Unix seconds of ``moment``: a naive one is Shanghai wall clock, one with a zone is taken as it is."""
    if moment.tzinfo is not None:
        return moment.timestamp()
    return moment.replace(tzinfo=UTC).timestamp() - SHANGHAI_OFFSET


def minute_of_day(seconds: float) -> int:
    """Minutes since midnight in Shanghai."""
    return int((seconds + SHANGHAI_OFFSET) % 86400) // 60


def day_of(seconds: float) -> str:
    """The day in Shanghai, ``YYYY-MM-DD``."""
    return shanghai(seconds).strftime("%Y-%m-%d")


def file_kind(path: Path | str) -> Literal["bars", "prints"]:
    """Whether the file holds minute bars or tick prints, by its columns; DataError for neither."""
    header, _rows = _open_table(Path(path))
    return _kind(Path(path), header)


def read_bars(path: Path | str) -> tuple[Bar, ...]:
    """The minute bars of a CSV file, oldest first; tick prints are made into bars.

    Columns: ``time`` or ``datetime``, else the first one; open, high, low, close; volume (shares) and
    amount (yuan) may be missing or empty. Raises DataError with file, line and reason.
    """
    path = Path(path)
    header, rows = _open_table(path)
    if _kind(path, header) == "prints":
        return bars_of_prints(tuple(_read_prints(path, header, rows)))
    bars = tuple(_read_bars(path, header, rows))
    if not bars:
        raise DataError("bars_file.empty", path)
    return bars


def rows_of(path: Path | str) -> tuple[list[tuple[int, Bar]], list[DataError]]:
    """Every right row of a file of minute bars with its line, and what is wrong with each other one.

    Raises DataError where the file as a whole can't be read, or holds prints.
    """
    path = Path(path)
    header, rows = _open_table(path)
    if _kind(path, header) == "prints":
        raise DataError("bars_file.not_bars", path)
    judged = list(_judged(path, header, rows))
    right = [(line, found) for line, found in judged if isinstance(found, Bar)]
    return right, [found for _, found in judged if isinstance(found, DataError)]


def read_prints(path: Path | str) -> tuple[TickPrint, ...]:
    """The prints of a CSV file (datetime, price, volume_lots), oldest first; several may share a second."""
    path = Path(path)
    header, rows = _open_table(path)
    if _kind(path, header) != "prints":
        raise DataError("bars_file.not_prints", path)
    prints = tuple(_read_prints(path, header, rows))
    if not prints:
        raise DataError("bars_file.empty", path)
    return prints


def bars_of_prints(prints: Sequence[TickPrint]) -> tuple[Bar, ...]:
    """Minute bars labelled by the minute's end: 09:25 goes into 09:31, 11:30 and 15:00 into their own.

    A minute without a print has no bar.
    """
    bars: list[Bar] = []
    for tick in prints:
        end = _bar_end(tick.time)
        amount = tick.price * tick.volume
        if bars and bars[-1].end == end:
            last = bars[-1]
            bars[-1] = Bar(
                end,
                last.open,
                max(last.high, tick.price),
                min(last.low, tick.price),
                tick.price,
                last.volume + tick.volume,
                last.amount + amount,
            )
        else:
            bars.append(Bar(end, tick.price, tick.price, tick.price, tick.price, tick.volume, amount))
    return tuple(bars)


def _bar_end(time: float) -> float:
    """The end of the minute bar a print at ``time`` belongs to."""
    minute = minute_of_day(time)
    midnight = time + SHANGHAI_OFFSET - (time + SHANGHAI_OFFSET) % 86400 - SHANGHAI_OFFSET
    if minute < 9 * 60 + 30:
        label = 9 * 60 + 31
    elif minute in (11 * 60 + 30, 15 * 60):
        label = minute
    else:
        label = minute + 1
    return midnight + label * 60


def _open_table(path: Path) -> tuple[list[str], Iterator[_Row]]:
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


def _rows(path: Path, text: str) -> Iterator[_Row]:
    reader = csv.reader(io.StringIO(text, newline=""))
    while True:
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raise DataError("bars_file.bad_row", path, line=reader.line_num, reason=error) from error
        if cells and not cells[0].lstrip().startswith("#") and any(cells):
            yield _Row(reader.line_num, cells)


def _kind(path: Path, header: list[str]) -> Literal["bars", "prints"]:
    missing = [name for name in ("open", "high", "low", "close") if name not in header]
    if not missing:
        return "bars"
    if "price" in header and "volume_lots" in header:
        return "prints"
    raise DataError("bars_file.missing_columns", path, missing=", ".join(missing), found=", ".join(header))


def _read_bars(path: Path, header: list[str], rows: Iterable[_Row]) -> Iterator[Bar]:
    """Each right row as a bar; after the last one all wrong rows are raised together."""
    problems: list[DataError] = []
    for _, found in _judged(path, header, rows):
        if isinstance(found, Bar):
            yield found
        else:
            problems.append(found)
    if len(problems) == 1:
        raise problems[0]
    if problems:
        raise WrongRows(path, problems)


def _judged(path: Path, header: list[str], rows: Iterable[_Row]) -> Iterator[tuple[int, Bar | DataError]]:
    """Each row's line with its bar, or with what is wrong with it."""
    columns = _BarColumns(path, header)
    before = -math.inf
    for line, cells in rows:
        try:
            bar = columns.bar(cells, line, before)
        except DataError as problem:
            yield line, problem
        else:
            before = bar.end
            yield line, bar


class WrongRows(DataError):
    """Several rows of a file are wrong: ``problems`` holds each with its line."""

    def __init__(self, path: Path, problems: Sequence[DataError]) -> None:
        self.problems = tuple(problems)
        shown = "; ".join(problem.what for problem in self.problems[:_ROWS_SHOWN])
        more = ", …" if len(problems) > _ROWS_SHOWN else ""
        super().__init__("bars_file.wrong_rows", path, count=len(problems), rows=shown + more)


class _BarColumns:
    """Where a file of bars has what; reads one row."""

    def __init__(self, path: Path, header: list[str]) -> None:
        self.path, self.width = path, len(header)
        self.clock, self.time = _Clock(path), _time_column(header)
        self.prices = [(name, header.index(name)) for name in ("open", "high", "low", "close")]
        self.quantities = [
            (name, header.index(name) if name in header else None) for name in ("volume", "amount")
        ]

    def bar(self, cells: list[str], line: int, before: float) -> Bar:
        """The bar of one row that must end after ``before``; DataError with the line."""
        path = self.path
        if len(cells) != self.width:
            raise DataError("bars_file.cell_count", path, line=line, cells=len(cells), columns=self.width)
        end = self.clock.seconds(cells[self.time], line)
        if end <= before:
            reason = "duplicate_time" if end == before else "unsorted"
            raise DataError(f"bars_file.{reason}", path, line=line, time=cells[self.time])
        bar = Bar(
            end,
            *(_price(cells[place], name, path, line) for name, place in self.prices),
            *(
                0.0 if place is None else _quantity(cells[place], name, path, line)
                for name, place in self.quantities
            ),
        )
        if not (bar.low <= bar.open <= bar.high and bar.low <= bar.close <= bar.high):
            raise DataError("bars_file.high_low", path, line=line, bar=tuple(bar[1:5]))
        return bar


def _read_prints(path: Path, header: list[str], rows: Iterable[_Row]) -> Iterator[TickPrint]:
    clock, time_column = _Clock(path), _time_column(header)
    prices, lots = header.index("price"), header.index("volume_lots")
    before = -math.inf
    for line, cells in rows:
        if len(cells) != len(header):
            raise DataError("bars_file.cell_count", path, line=line, cells=len(cells), columns=len(header))
        time = clock.seconds(cells[time_column], line)
        if time < before:
            raise DataError("bars_file.unsorted", path, line=line, time=cells[time_column])
        before = time
        volume = _quantity(cells[lots], "volume_lots", path, line) * 100
        yield TickPrint(time, _price(cells[prices], "price", path, line), volume)


def _time_column(header: list[str]) -> int:
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


def _price(text: str, column: str, path: Path, line: int) -> float:
    number = _number(text, column, path, line)
    if number <= 0:
        raise DataError("bars_file.not_a_price", path, line=line, column=column, value=text)
    return number


def _quantity(text: str, column: str, path: Path, line: int) -> float:
    if not text.strip():
        return 0.0
    number = _number(text, column, path, line)
    if number < 0:
        raise DataError("bars_file.negative", path, line=line, column=column, value=text)
    return number


class _Clock:
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


def one_day(bars: Sequence[Bar], day: str | None = None) -> tuple[Bar, ...]:
    """The bars of ``day`` (YYYY-MM-DD), of the last day where None; DataError where there are none."""
    chosen = day or day_of(bars[-1].end)
    start = unix_seconds(datetime.fromisoformat(chosen))
    finish = start + timedelta(days=1).total_seconds()
    found = tuple(bar for bar in bars if start <= bar.end < finish)
    if not found:
        raise DataError("bars_file.no_such_day", chosen, first=day_of(bars[0].end), last=day_of(bars[-1].end))
    return found
