"""``miniqmt status``: what runs, what waits and what needs a person, from any host that sees the folder."""

from __future__ import annotations

import json
import time
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from commands.place import EveryAccountOption, FolderOption, JsonOption, place_of
from commands.status_link import link_line
from commands.status_report import StatusReport
from commands.status_rooms import gather_rooms
from commands.status_watch import watch_json, watch_people
from commands.time_text import age_text, clock_text, stamp_text
from shared_schema.heartbeats import state_text
from shared_schema.words import say, say_both

COLOURS = {"green": "green", "red": "bold red", "stopped": "dim", "replaced": "dim"}


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("status")(status)


def status(
    folder: FolderOption = None,
    account: EveryAccountOption = "",
    as_json: JsonOption = False,
    watch: Annotated[bool, typer.Option("--watch", "-w", help=say_both("operate.help_watch"))] = False,
    every: Annotated[float, typer.Option("--every", min=0.2, help=say_both("operate.help_every"))] = 2.0,
) -> None:
    """Show the folder and this host; 0 all is well, 1 something needs a person, 2 settings or folder.

    Of the files in quarantine those of the newest trading day need one; older ones are counted only.
    """
    found, settings = place_of(folder, account)

    def gather() -> dict[str, Any]:
        return gather_rooms(StatusReport(found, settings, time.time()).gather(), settings)

    def pause() -> None:
        time.sleep(every)

    console = Console(highlight=False)
    if not console.is_terminal:
        console = Console(highlight=False, width=200)  # a pipe is no window of 80 columns: nothing is cut
    if watch and as_json:
        report = watch_json(gather, _print_line, pause)
    elif watch:
        report = watch_people(gather, show, console, pause)
    else:
        report = gather()
        if as_json:
            print(json.dumps(report, ensure_ascii=False, indent=2))
        else:
            show(report, console)
    raise typer.Exit(1 if report is None or report["attention"] else 0)


def _print_line(line: str) -> None:
    print(line, flush=True)


def show(report: dict[str, Any], console: Console) -> None:
    """Print the report for people; what needs one stands last, where the eye ends."""
    for part in (report, *report.get("rooms", ())):
        offline = " OFFLINE" if part["offline"] else ""
        console.print(f"{stamp_text(part['at'])[:19]}  {escape(part['folder'])}{offline}", soft_wrap=True)
        console.print(_heartbeats(part["heartbeats"]))
        for name, text in _lines(part):
            console.print(f"[bold]{say('operate.status.' + name)}[/]  {escape(text)}", soft_wrap=True)
    if not report["attention"]:
        runs = any(part["heartbeats"] for part in (report, *report.get("rooms", ())))
        verdict, colour = ("fine", "green") if runs else ("nothing_runs", "yellow")
        console.print(f"[{colour}]{say('operate.status.' + verdict)}[/]", soft_wrap=True)
    for need in report["attention"]:
        console.print(f"[bold red]![/] {escape(need['text'])}", soft_wrap=True)


def _heartbeats(beats: list[dict[str, Any]]) -> Table | str:
    if not beats:
        return say("operate.status.no_heartbeats")
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in ("role", "instance", "mode", "age", "ready", "state", "halted_since"):
        table.add_column(say(f"operate.status.{column}"), no_wrap=column != "state")
    for beat in beats:
        since = beat["halt_since"]
        table.add_row(
            escape(f"{beat['role']} {beat['strategy'] or ''}".strip()),
            escape(beat["instance"]),
            f"{beat['mode']}/{escape(beat['account'])}",
            age_text(beat["age"]),
            say("operate.status.yes") if beat["ready"] else say("operate.status.no"),
            escape(_state(beat)),
            f"[bold red]{clock_text(since)}[/]" if since is not None else "-",
            style=COLOURS[beat["colour"]] if beat["colour"] != "green" else None,
        )
    return table


def _state(beat: dict[str, Any]) -> str:
    if beat["colour"] == "replaced":
        return say("operate.status.replaced")
    return state_text(beat["state"])


def _lines(report: dict[str, Any]) -> list[tuple[str, str]]:
    lines = [("link", link_line(link)) for link in report["links"]]
    lines.append(("quote", _quote(report["quote"])))
    lines += [("account", _account(snapshot)) for snapshot in report["accounts"]]
    if report["pool"] is not None:
        lines.append(("pool", say("operate.status.pool_of", **report["pool"])))
    lines.append(("waiting", _waiting(report["signals_waiting"])))
    lines += [("result", _result(result)) for result in report["results"]]
    for ledger in report["ledgers"]:
        counts = ", ".join(f"{state} {count}" for state, count in ledger["today"].items()) or "0"
        whose = f"{ledger['instance']} ({ledger['mode']}/{ledger['account']}) {ledger['day']}"
        lines.append(("ledger", f"{whose}: {counts}"))
    for books in report["books"]:
        text = say("operate.status.books_of", **{**books, "open": len(books["open_signals"])})
        lines.append(("books", text))
    for halt in report["halts"]:
        if halt["lifted_here"]:
            lines.append(("halt", say("operate.note.lifted_here", file=halt["file"])))
    lines.append(("quarantine", say("operate.status.quarantine_of", **report["quarantine"])))
    days = report["calendar"]["days_left"] if report["calendar"] else "?"
    lines.append(("calendar", say("operate.status.days_left", days=days)))
    return lines


def _quote(quote: dict[str, Any] | None) -> str:
    if quote is None:
        return say("operate.status.none")
    at = stamp_text(quote["market_time"])[:19] if quote["market_time"] is not None else "-"
    prices = "  ".join(f"{code} {price:.3f}" for code, price in quote["prices"].items())
    incomplete = "" if quote["complete"] else say("operate.status.incomplete")
    return say("operate.status.quote_at", age=age_text(quote["age"]), at=at) + f"  {prices}{incomplete}"


def _account(snapshot: dict[str, Any]) -> str:
    parts = [f"{snapshot['file']} ({age_text(snapshot['age'])})"]
    for alias, account in snapshot["accounts"].items():
        held = "  ".join(f"{code} {shares}" for code, shares in account["positions"].items()) or "-"
        incomplete = "" if account["complete"] else say("operate.status.incomplete")
        text = say("operate.status.account_of", alias=alias, cash=account["cash"], held=held)
        parts.append(text + incomplete)
    return "  ".join(parts)


def _waiting(signals: list[dict[str, Any]]) -> str:
    if not signals:
        return "0"
    shown = [f"{signal['signal_id'] or signal['file']} ({age_text(signal['age'])})" for signal in signals[:5]]
    return f"{len(signals)}: " + ", ".join(shown) + (" …" if len(signals) > 5 else "")


def _result(result: dict[str, Any]) -> str:
    error = f" {result['error_code']}" if result["error_code"] else ""
    return (
        f"{clock_text(result['at'])} {result['signal_id']} {result['state']}"
        f" {result['filled_shares']}/{result['requested_shares']}{error}"
    )
