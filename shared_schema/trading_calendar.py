"""On which days the exchanges trade: weekdays less the holidays of a shipped file.

``holidays.toml`` beside this module is the truth we ship; a file of the user's in the
same form adds to it or replaces a year of it. A year nobody has listed completely is
unknown, and an unknown date means no orders: the State Council fixes each year's
holidays only in the autumn before.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

from shared_schema.errors import SettingsError

SHIPPED_FILE = Path(__file__).parent / "holidays.toml"
USER_FILE_NAME = "holidays.toml"
WARNING_DAYS = 30
FIRST_YEAR, LAST_YEAR = 1991, 2100
_YEAR_KEYS = frozenset({"complete", "closed", "open", "half"})


class CalendarError(SettingsError):
    """A holiday file can't be used; trading must not go on with a guess instead."""


@dataclass(frozen=True, slots=True)
class YearDays:
    """What a file says of one year: ``complete`` when no closed weekday is missing.

    ``half``: days that trade in the morning only.
    """

    complete: bool = False
    closed: frozenset[date] = frozenset()
    open: frozenset[date] = frozenset()
    half: frozenset[date] = frozenset()


@dataclass(frozen=True)
class TradingCalendar:
    """Which days trade. Equal for both exchanges; ask ``is_trading_day``."""

    years: Mapping[int, YearDays]
    known_from: date = field(init=False)
    known_until: date = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "years", MappingProxyType(dict(self.years)))
        known = [year for year, days in self.years.items() if days.complete]
        object.__setattr__(self, "known_from", date(min(known), 1, 1) if known else date.max)
        object.__setattr__(self, "known_until", date(max(known), 12, 31) if known else date.min)

    def is_trading_day(self, day: date) -> bool | None:
        """Whether ``day`` (a date, no datetime) trades; None when nobody knows."""
        if isinstance(day, datetime):
            # A datetime would never equal a holiday's date and so pass as a trading day.
            raise TypeError("is_trading_day takes a date in Asia/Shanghai, not a datetime")
        year = self.years.get(day.year)
        if year is None:
            return None
        if day in year.closed:
            return False
        return day.weekday() < 5 if year.complete else None

    def is_half_day(self, day: date) -> bool:
        """Whether ``day`` trades in the morning only."""
        year = self.years.get(day.year)
        return year is not None and day in year.half and day not in year.closed

    def days_left(self, today: date) -> int:
        """Days from ``today`` to the last day known without a gap; 0 when today is unknown."""
        year = today.year
        while year in self.years and self.years[year].complete:
            year += 1
        return max(0, (date(year, 1, 1) - timedelta(days=1) - today).days) if year > today.year else 0

    def ends_soon(self, today: date) -> bool:
        """Whether to warn: 30 days or fewer are known from ``today`` on."""
        return self.days_left(today) <= WARNING_DAYS

    def closed_days(self, year: int) -> tuple[date, ...]:
        """The closed weekdays known of ``year``, in order."""
        return tuple(sorted(self.years[year].closed)) if year in self.years else ()

    def half_days(self, year: int) -> tuple[date, ...]:
        """The days known of ``year`` that trade in the morning only, in order."""
        return tuple(sorted(self.years[year].half)) if year in self.years else ()


def load_calendar(user_file: Path | None = None) -> TradingCalendar:
    """The shipped calendar with ``user_file`` laid over it (None: the shipped one alone).

    A year the user marks ``complete`` replaces the shipped year; any other adds its
    ``closed`` and ``half`` days and takes back its ``open`` ones. Errors: CalendarError naming file,
    year and entry; a file that is named but missing is an error too.
    """
    shipped = _shipped_years()
    if user_file is None:
        return TradingCalendar(shipped)
    merged = dict(shipped)
    for year, users in read_holidays(user_file).items():
        base = merged.get(year, YearDays())
        if users.complete:
            merged[year] = YearDays(True, users.closed - users.open, half=users.half)
        else:
            closed = (base.closed | users.closed) - users.open
            merged[year] = YearDays(base.complete, closed, half=(base.half | users.half) - users.open)
    return TradingCalendar(merged)


def user_file() -> Path:
    """Where the user's holiday file stands on this host: ``holidays.toml`` in the config folder."""
    from platformdirs import user_config_path

    return user_config_path("miniqmt", appauthor=False) / USER_FILE_NAME


def calendar_of_this_host() -> TradingCalendar:
    """The shipped calendar with this host's own file over it, where there is one."""
    own = user_file()
    return load_calendar(own if own.exists() else None)


def read_holidays(path: Path) -> dict[int, YearDays]:
    """One holiday file, checked entry by entry. Errors: CalendarError."""
    try:
        # Windows editors put a byte order mark before UTF-8; tomllib takes none.
        document = tomllib.loads(path.read_bytes().decode("utf-8-sig"))
    except OSError as problem:
        raise CalendarError("sessions.calendar_unreadable", path, detail=problem) from problem
    except (ValueError, RecursionError) as problem:
        raise CalendarError("sessions.calendar_broken", path, detail=problem) from problem
    for key in document:
        if key not in ("source", "years"):
            raise _bad(path, key, "unknown_key")
    years = document.get("years", {})
    if not isinstance(years, dict):
        raise _bad(path, "years", "not_a_table")
    return {_year_number(path, text): _year_days(path, text, table) for text, table in years.items()}


@cache
def _shipped_years() -> dict[int, YearDays]:
    return read_holidays(SHIPPED_FILE)


def _year_number(path: Path, text: str) -> int:
    is_year = len(text) == 4 and text.isascii() and text.isdigit()
    if not is_year or not FIRST_YEAR <= int(text) <= LAST_YEAR:
        raise _bad(path, f"years.{text[:20]}", "not_a_year")
    return int(text)


def _year_days(path: Path, text: str, table: Any) -> YearDays:
    where = f"years.{text}"
    if not isinstance(table, dict):
        raise _bad(path, where, "not_a_table")
    for key in table:
        if key not in _YEAR_KEYS:
            raise _bad(path, f"{where}.{key}", "unknown_key")
    complete = table.get("complete", False)
    if not isinstance(complete, bool):
        raise _bad(path, f"{where}.complete", "not_true_or_false")
    closed = _days(path, f"{where}.closed", int(text), table.get("closed", []))
    opened = _days(path, f"{where}.open", int(text), table.get("open", []))
    half = _days(path, f"{where}.half", int(text), table.get("half", []))
    for key, days in (("open", opened), ("half", half)):
        for day in days:
            # A worked weekend (调休) is no trading day: the exchanges never open on one.
            if day.weekday() >= 5:
                raise _bad(path, f"{where}.{key}: {day}", "weekend")
    if twice := (closed & opened) | (half & (closed | opened)):
        raise _bad(path, f"{where}: {min(twice)}", "both")
    return YearDays(complete, closed, opened, half)


def _days(path: Path, where: str, year: int, entries: Any) -> frozenset[date]:
    if not isinstance(entries, list):
        raise _bad(path, where, "not_a_list")
    return frozenset(_one_day(path, where, year, entry) for entry in entries)


def _one_day(path: Path, where: str, year: int, entry: Any) -> date:
    try:
        day = date.fromisoformat(entry) if isinstance(entry, str) and len(entry) == 10 else entry
    except ValueError:
        raise _bad(path, f"{where}: {entry}", "not_a_date") from None
    if not isinstance(day, date) or isinstance(day, datetime):
        raise _bad(path, f"{where}: {str(entry)[:40]}", "not_a_date")
    if day.year != year:
        raise _bad(path, f"{where}: {day}", "other_year")
    return day


def _bad(path: Path, entry: str, reason: str) -> CalendarError:
    return CalendarError(f"sessions.calendar_{reason}", path, entry=entry)
