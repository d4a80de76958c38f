"""Writing the user's holiday file: what ``miniqmt calendar add`` does."""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Literal

from shared_schema.disk import LocalDisk
from shared_schema.trading_calendar import FIRST_YEAR, LAST_YEAR, CalendarError, YearDays, read_holidays

# Every year so far had 16 to 23 closed weekdays; a much shorter list is not the whole year.
FEWEST_CLOSED_DAYS = 10
# Closed by law in every year; a list without them is not complete.
FIXED_HOLIDAYS = ((1, 1), (5, 1), (10, 1))

Key = Literal["closed", "open", "half"]


@dataclass(frozen=True, slots=True)
class Added:
    """What an addition changed: new closed weekdays, those already there, weekends left out."""

    added: tuple[date, ...]
    already: tuple[date, ...]
    weekends: tuple[date, ...]


def add_closed_days(path: Path, dates: Iterable[date]) -> Added:
    """Add closed days to the user's file at ``path``; a year it makes known stays as it was.

    Weekends are left out: they are closed anyway. Comments of the file are kept.
    Errors: CalendarError where the file is damaged, a date is out of range, or writing fails.
    """
    return _add(path, sorted(set(dates)), complete_year=None)


def add_half_days(path: Path, dates: Iterable[date]) -> Added:
    """Add days that trade in the morning only to the user's file at ``path``.

    Weekends are left out. Errors: CalendarError as ``add_closed_days``, and for a day that the file
    has as closed or as a whole one: which of both holds is for a person to say.
    """
    return _add(path, sorted(set(dates)), complete_year=None, key="half")


def add_known_year(path: Path, year: int, dates: Iterable[date]) -> Added:
    """Say that the closed weekdays of ``year`` are ``dates`` and those already listed, and no others.

    From then on orders may be sent on all its other weekdays. Errors: as
    ``add_closed_days``, and CalendarError where the list can't be a whole year: fewer
    than ten days, or 1 January, 1 May or 1 October missing where they are weekdays.
    """
    wanted = sorted(set(dates))
    for day in wanted:
        if day.year != year:
            raise CalendarError("sessions.calendar_other_year", path, entry=day)
    listed = _listed(path).get(year, YearDays()).closed
    closed = {day for day in listed | set(wanted) if day.weekday() < 5}
    missing = [date(year, month, day) for month, day in FIXED_HOLIDAYS]
    missing = [day for day in missing if day.weekday() < 5 and day not in closed]
    if missing or len(closed) < FEWEST_CLOSED_DAYS:
        raise CalendarError(
            "sessions.calendar_too_few", path, entry=year, count=len(closed),
            missing=", ".join(map(str, missing)) or "-",
        )  # fmt: skip
    return _add(path, wanted, complete_year=year)


def _add(path: Path, dates: list[date], complete_year: int | None, key: Key = "closed") -> Added:
    import tomlkit

    for day in dates:
        if not FIRST_YEAR <= day.year <= LAST_YEAR:
            raise CalendarError("sessions.calendar_not_a_year", path, entry=day)
    known = _listed(path)
    weekends = tuple(day for day in dates if day.weekday() >= 5)
    weekdays = [day for day in dates if day.weekday() < 5]
    already = tuple(day for day in weekdays if day.year in known and day in _days_of(known[day.year], key))
    added = tuple(day for day in weekdays if day not in already)
    text = path.read_bytes().decode("utf-8-sig") if path.exists() else ""
    document: Any = tomlkit.parse(text)
    years = document.setdefault("years", tomlkit.table(is_super_table=True))
    touched = {day.year for day in added} | ({complete_year} if complete_year is not None else set())
    for year in sorted(touched):
        table = years.setdefault(str(year), tomlkit.table())
        if year == complete_year:
            table["complete"] = True
        before = known.get(year, YearDays())
        listed = _days_of(before, key) | {day for day in added if day.year == year}
        table[key] = sorted(listed)
        for other in ("open", "half") if key == "closed" else ():
            if days := _days_of(before, other):
                table[other] = sorted(days - listed)
    if touched:
        _write(path, tomlkit.dumps(document))
    return Added(added, already, weekends)


def _days_of(year: YearDays, key: Key) -> frozenset[date]:
    return {"closed": year.closed, "open": year.open, "half": year.half}[key]


def _listed(path: Path) -> dict[int, YearDays]:
    return read_holidays(path) if path.exists() else {}


def _write(path: Path, text: str) -> None:
    """Replace the file in one step: a reader sees the old or the new one, never half."""
    disk = LocalDisk()
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}.tmp")
    try:
        disk.make_folder(path.parent)
        disk.create(temporary, text.encode("utf-8"))
        read_holidays(temporary)
        disk.replace(temporary, path)
        disk.sync_folder(path.parent)
    except OSError as problem:
        raise CalendarError("sessions.calendar_unwritable", path, detail=problem) from problem
    finally:
        temporary.unlink(missing_ok=True)
