"""``miniqmt data``: look at a file of minute bars before it is believed, and fetch one from the terminal."""

from __future__ import annotations

import time
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import Annotated, Any

import orjson
import typer

from commands.place import JsonOption
from shared_schema.bars_check import Checked, check_bars
from shared_schema.errors import DataError
from shared_schema.instruments import parse_code
from shared_schema.sessions import date_of
from shared_schema.settings import load_settings
from shared_schema.trading_calendar import calendar_of_this_host
from shared_schema.words import say, say_both
from windows_side.quotes.history import ADJUSTMENTS, HistorySource, Month, XtHistory, fetch_history

data_app = typer.Typer(help=say_both("commands.help.data"), no_args_is_help=True)

ODD, WRONG = 1, 2
"""Exit codes: a backtest reads the file and the person should know, and rows it refuses."""
SHOWN = 200
"""Findings printed; ``--json`` prints all."""


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.add_typer(data_app, name="data")


@data_app.command("check", help=say_both("data.help_check"))
def check(
    file: Annotated[Path, typer.Argument(help=say_both("data.help_file"))], as_json: JsonOption = False
) -> None:
    """Print every wrong and odd row with its line. Exit code 0 clean, 1 odd, 2 wrong rows or unreadable."""
    checked = check_bars(file, calendar_of_this_host())
    if as_json:
        typer.echo(orjson.dumps(_as_json(checked), option=orjson.OPT_INDENT_2).decode())
    else:
        for line in report(checked):
            typer.echo(line)
    if checked.findings:
        raise typer.Exit(WRONG if checked.has_wrong_rows else ODD)


@data_app.command("fetch", help=say_both("data.help_fetch"))
def fetch(
    code: Annotated[str, typer.Argument(help=say_both("data.help_code"))],
    first: Annotated[str, typer.Option("--from", help=say_both("data.help_from"))],
    last: Annotated[str, typer.Option("--to", help=say_both("data.help_to"))] = "",
    adjust: Annotated[str, typer.Option("--adjust", help=say_both("data.help_adjust"))] = "none",
    out: Annotated[Path | None, typer.Option("--out", help=say_both("data.help_out"))] = None,
    replace: Annotated[bool, typer.Option("--replace", help=say_both("data.help_replace"))] = False,
) -> None:
    """Download a code's minute bars through the running terminal into the file a backtest reads."""
    chosen = parse_code(code)
    if adjust not in ADJUSTMENTS:
        raise DataError("data.bad_adjust", adjust, known=", ".join(ADJUSTMENTS))
    begin, end = _day(first, "--from"), _day(last, "--to") if last else date_of(time.time())
    if begin > end:
        raise DataError("data.from_after_to", first=begin, last=end)
    path = out or Path(f"history_{chosen[:6]}_1m.csv")
    if path.exists() and not replace:
        raise DataError("data.exists", path)
    fetched = fetch_history(open_source(), chosen, begin, end, adjust, path, _told)
    typer.echo(say("data.fetched", bars=f"{fetched.bars:,}", days=fetched.days, path=path))
    if fetched.merged:
        typer.echo(say("data.merged", count=fetched.merged))
    for line in report(check_bars(path, calendar_of_this_host()))[1:]:
        typer.echo(line)


def open_source() -> HistorySource:
    """The terminal's quote service; tests give another."""
    qmt = load_settings().qmt
    return XtHistory.connect(qmt.xtquant, qmt.data_path)


def report(checked: Checked) -> list[str]:
    """The findings as lines, the counts last."""
    lines = [
        say("bars_check.report.file", file=checked.path),
        say(
            "bars_check.report.span",
            bars=f"{checked.bars:,}",
            days=checked.days,
            first=checked.first or "-",
            last=checked.last or "-",
        ),
    ]
    if not checked.findings:
        return [*lines, say("bars_check.report.none")]
    for finding in checked.findings[:SHOWN]:
        key = "line" if finding.line else "whole"
        lines.append(say(f"bars_check.report.{key}", line=finding.line, text=finding.text))
    if len(checked.findings) > SHOWN:
        lines.append("…")
    counts = "  ".join(f"{kind} {count}" for kind, count in checked.counts.items())
    lines.append(say("bars_check.report.counts", counts=counts))
    wrong = sum(finding.wrong for finding in checked.findings)
    lines.append(say("bars_check.report.wrong", count=wrong) if wrong else say("bars_check.report.odd"))
    return lines


def _as_json(checked: Checked) -> dict[str, Any]:
    return {
        "file": str(checked.path),
        "bars": checked.bars,
        "days": checked.days,
        "first": checked.first,
        "last": checked.last,
        "counts": checked.counts,
        "findings": [asdict(finding) for finding in checked.findings],
    }


def _told(month: Month) -> None:
    bars = f"{month.bars:,}"
    typer.echo(say("data.month", number=month.number, of=month.of, month=month.name, bars=bars))


def _day(text: str, option: str) -> date:
    try:
        return date.fromisoformat(text.strip())
    except ValueError:
        raise DataError("data.bad_day", text, option=option) from None
