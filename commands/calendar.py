"""``miniqmt calendar``: which days trade, how long that is known, and adding to it."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path
from time import time
from typing import Annotated

import typer

from shared_schema.holiday_file import Added, add_closed_days, add_half_days, add_known_year
from shared_schema.sessions import date_of
from shared_schema.trading_calendar import CalendarError, load_calendar, user_file
from shared_schema.words import say, say_both

calendar_app = typer.Typer(help=say_both("sessions.help_calendar"), no_args_is_help=True)

FileOption = Annotated[Path | None, typer.Option("--file", help=say_both("sessions.help_file"))]


def register(app: typer.Typer) -> None:
    """Add the ``calendar`` commands to ``app``."""
    app.add_typer(calendar_app, name="calendar")


@calendar_app.command("add", help=say_both("sessions.help_add"))
def add(
    days: Annotated[list[str], typer.Argument(help=say_both("sessions.help_days"))],
    complete: Annotated[bool, typer.Option("--complete", help=say_both("sessions.help_complete"))] = False,
    half: Annotated[bool, typer.Option("--half", help=say_both("sessions.help_half"))] = False,
    file: FileOption = None,
) -> None:
    """Add closed or half days to the user's holiday file; exit code 2 where one is no date."""
    path = file or user_file()
    try:
        dates = [day for text in days for day in parse_days(text)]
        years = sorted({day.year for day in dates})
        if complete and (half or len(years) != 1):
            raise CalendarError("sessions.one_year", entry=", ".join(map(str, years)))
        if half:
            done = add_half_days(path, dates)
        else:
            done = add_known_year(path, years[0], dates) if complete else add_closed_days(path, dates)
        typer.echo(_told(done, path, "added_half" if half else "added"))
        calendar = load_calendar(path if path.exists() else None)
        for year in years:
            if year not in calendar.years or not calendar.years[year].complete:
                typer.echo(say("sessions.still_unknown", year=year))
    except CalendarError as problem:
        typer.echo(str(problem), err=True)
        raise typer.Exit(problem.exit_code) from problem


@calendar_app.command("show", help=say_both("sessions.help_show"))
def show(
    year: Annotated[int | None, typer.Argument(help=say_both("sessions.help_year"))] = None,
    file: FileOption = None,
) -> None:
    """Print the closed weekdays of a year, and until when trading days are known."""
    path = file or user_file()
    today = date_of(time())
    chosen = year if year is not None else today.year
    try:
        calendar = load_calendar(path if file is not None or path.exists() else None)
    except CalendarError as problem:
        typer.echo(str(problem), err=True)
        raise typer.Exit(problem.exit_code) from problem
    closed = " ".join(f"{day:%m-%d}" for day in calendar.closed_days(chosen)) or "-"
    complete = chosen in calendar.years and calendar.years[chosen].complete
    typer.echo(say("sessions.show_year" if complete else "sessions.show_unknown", year=chosen, closed=closed))
    if half := " ".join(f"{day:%m-%d}" for day in calendar.half_days(chosen)):
        typer.echo(say("sessions.show_half", days=half))
    left = calendar.days_left(today)
    until = today + timedelta(days=left)
    typer.echo(say("sessions.days_left", days=left, until=until) if left else say("sessions.none_left"))
    if calendar.ends_soon(today):
        typer.echo(say("sessions.ends_soon", days=left))
    typer.echo(say("sessions.show_file", path=path))


def parse_days(text: str) -> list[date]:
    """The dates of ``2027-01-01`` or ``2027-02-05..2027-02-11`` (both ends included).

    Errors: CalendarError for anything else, and for a range that is reversed or longer
    than a month: no holiday is.
    """
    first_text, dots, last_text = text.strip().partition("..")
    try:
        first = _one_date(first_text)
        last = _one_date(last_text) if dots else first
    except ValueError:
        raise CalendarError("sessions.not_a_date", entry=repr(text)[:40]) from None
    if not 0 <= (last - first).days <= 31:
        raise CalendarError("sessions.not_a_range", entry=repr(text)[:40])
    return [first + timedelta(days=number) for number in range((last - first).days + 1)]


def _one_date(text: str) -> date:
    if len(text) != 10:
        raise ValueError(text)
    return date.fromisoformat(text)


def _told(done: Added, path: Path, word: str) -> str:
    lines = [say(f"sessions.{word}", days=" ".join(map(str, done.added)), path=path)] if done.added else []
    if done.already:
        lines.append(say("sessions.already", days=" ".join(map(str, done.already))))
    if done.weekends:
        lines.append(say("sessions.weekends", days=" ".join(map(str, done.weekends))))
    return "\n".join(lines)
