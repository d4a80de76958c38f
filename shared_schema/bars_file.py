"""Minute bars and tick prints from a CSV file, plain or gzip, with the standard library only.

Times are Unix seconds. Text times and epoch numbers are read as Asia/Shanghai and must fall into a
trading session: a file whose 09:31 stands as 01:31 was written in UTC and is refused, not guessed.
Every bad row is a DataError with file, line and reason; nothing is repaired silently.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Literal, NamedTuple

from shared_schema.csv_cells import CellClock, Row, open_table, price_in, quantity_in, time_column
from shared_schema.errors import DataError
from shared_schema.shanghai import SHANGHAI_OFFSET, day_of, minute_of_day, unix_seconds

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


def file_kind(path: Path | str) -> Literal["bars", "prints"]:
    """Whether the file holds minute bars or tick prints, by its columns; DataError for neither."""
    header, _rows = open_table(Path(path))
    return _kind(Path(path), header)


def read_bars(path: Path | str) -> tuple[Bar, ...]:
    """The minute bars of a CSV file, oldest first; tick prints are made into bars.

    Columns: ``time`` or ``datetime``, else the first one; open, high, low, close; volume (shares) and
    amount (yuan) may be missing or empty. Raises DataError with file, line and reason.
    """
    path = Path(path)
    header, rows = open_table(path)
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
    header, rows = open_table(path)
    if _kind(path, header) == "prints":
        raise DataError("bars_file.not_bars", path)
    judged = list(_judged(path, header, rows))
    right = [(line, found) for line, found in judged if isinstance(found, Bar)]
    return right, [found for _, found in judged if isinstance(found, DataError)]


def read_prints(path: Path | str) -> tuple[TickPrint, ...]:
    """The prints of a CSV file (datetime, price, volume_lots), oldest first; several may share a second."""
    path = Path(path)
    header, rows = open_table(path)
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


def _kind(path: Path, header: list[str]) -> Literal["bars", "prints"]:
    missing = [name for name in ("open", "high", "low", "close") if name not in header]
    if not missing:
        return "bars"
    if "price" in header and "volume_lots" in header:
        return "prints"
    raise DataError("bars_file.missing_columns", path, missing=", ".join(missing), found=", ".join(header))


def _read_bars(path: Path, header: list[str], rows: Iterable[Row]) -> Iterator[Bar]:
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


def _judged(path: Path, header: list[str], rows: Iterable[Row]) -> Iterator[tuple[int, Bar | DataError]]:
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
        self.clock, self.time = CellClock(path), time_column(header)
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
            *(price_in(cells[place], name, path, line) for name, place in self.prices),
            *(
                0.0 if place is None else quantity_in(cells[place], name, path, line)
                for name, place in self.quantities
            ),
        )
        if not (bar.low <= bar.open <= bar.high and bar.low <= bar.close <= bar.high):
            raise DataError("bars_file.high_low", path, line=line, bar=tuple(bar[1:5]))
        return bar


def _read_prints(path: Path, header: list[str], rows: Iterable[Row]) -> Iterator[TickPrint]:
    clock, times = CellClock(path), time_column(header)
    prices, lots = header.index("price"), header.index("volume_lots")
    before = -math.inf
    for line, cells in rows:
        if len(cells) != len(header):
            raise DataError("bars_file.cell_count", path, line=line, cells=len(cells), columns=len(header))
        time = clock.seconds(cells[times], line)
        if time < before:
            raise DataError("bars_file.unsorted", path, line=line, time=cells[times])
        before = time
        volume = quantity_in(cells[lots], "volume_lots", path, line) * 100
        yield TickPrint(time, price_in(cells[prices], "price", path, line), volume)


def one_day(bars: Sequence[Bar], day: str | None = None) -> tuple[Bar, ...]:
    """The bars of ``day`` (YYYY-MM-DD), of the last day where None.

    Raises DataError where ``day`` is no day, or has no bars.
    """
    chosen = day or day_of(bars[-1].end)
    start = unix_seconds(_midnight(chosen))
    finish = start + timedelta(days=1).total_seconds()
    found = tuple(bar for bar in bars if start <= bar.end < finish)
    if not found:
        raise DataError("bars_file.no_such_day", chosen, first=day_of(bars[0].end), last=day_of(bars[-1].end))
    return found


def _midnight(day: str) -> datetime:
    try:
        midnight = datetime.fromisoformat(day)
    except ValueError as problem:
        raise DataError("bars_file.not_a_day", day) from problem
    if midnight.strftime("%Y-%m-%d") != day:
        raise DataError("bars_file.not_a_day", day)
    return midnight
