"""``miniqmt checklist``: before the session, one green line, or the first red one with what to do."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

import typer

from commands.checks import Finding, Level
from commands.doctor import examine
from commands.place import EveryAccountOption, FolderOption, further_settings, place_by, place_of
from commands.status_report import StatusReport
from commands.telling import tell
from shared_schema.errors import MiniqmtError
from shared_schema.heartbeats import state_text
from shared_schema.sessions import date_of
from shared_schema.settings import Settings, load_settings
from shared_schema.trading_calendar import calendar_of_this_host
from shared_schema.words import say, say_both

QUIET_HERE = frozenset({"quarantine"})
"""What status names and a morning may begin with."""


@dataclass(frozen=True)
class Red:
    """Something that must be solved before the session."""

    name: str
    text: str
    todo: str = ""

    def __str__(self) -> str:
        return f"{self.text} -> {self.todo}" if self.todo else self.text


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("checklist")(checklist)


def checklist(
    show_all: Annotated[bool, typer.Option("--all", help=say_both("service.help_all"))] = False,
    quiet: Annotated[bool, typer.Option("--no-notice", help=say_both("service.help_no_notice"))] = False,
    folder: FolderOption = None,
    account: EveryAccountOption = "",
) -> None:
    """0 all green, 1 something is red; the line also goes out as a notice where channels are set."""
    settings: Settings | None = None
    try:
        settings = load_settings()
        found, settings = place_of(folder, account)
        now = time.time()
        reds = list(red_lines(examine(), StatusReport(found, settings, now).gather(), settings, now))
        for own in further_settings(settings):
            reds += _of_account(own, now)
        line = _green(settings, now)
    except MiniqmtError as problem:
        reds, line = [Red("settings", problem.what, f"{problem.why} {problem.next_step}")], ""
    if not reds:
        typer.echo(line)
    else:
        line = say("service.red", line=reds[0])
        more = "service.more_below" if show_all else "service.more"
        line += say(more, more=len(reds) - 1) if len(reds) > 1 else ""
        typer.echo(line)
        for red in reds[1:] if show_all else ():
            typer.echo(f"  {red}")
    if settings is not None and not quiet:
        tell(settings, "alarms" if reds else "reconcile", line)
    raise typer.Exit(1 if reds else 0)


def _of_account(settings: Settings, now: float) -> list[Red]:
    """What is red in the room of a further account; ``now`` wall seconds."""
    alias = settings.account.alias
    try:
        room, _ = place_by(settings)
        reds = list(red_lines((), StatusReport(room, settings, now).gather(), settings, now))
    except MiniqmtError as problem:
        reds = [Red("room", f"{problem.what} [{problem.where}]", problem.next_step)]
    return [Red(red.name, f"[{alias}] {red.text}", red.todo) for red in reds]


def red_lines(
    findings: Sequence[Finding], report: dict[str, Any], settings: Settings, now: float
) -> Iterator[Red]:
    """Everything red, gravest first; ``report`` is what ``miniqmt status`` gathers, ``now`` wall seconds."""
    for finding in findings:
        if finding.level is Level.FAILURE:
            yield Red(finding.name, finding.text, finding.advice)
    if calendar_of_this_host().is_trading_day(date_of(now)) is None:
        yield _red("date_unknown")
    alive = [beat for beat in report["heartbeats"] if beat["colour"] == "green"]
    for role in ("executor", "producer", "dashboard"):
        if not any(beat["role"] == role for beat in alive):
            yield _red(f"no_{role}")
    executors = [beat for beat in alive if beat["role"] == "executor"]
    for beat in executors:
        if not beat["ready"] and beat["halt_since"] is None:
            yield _red("not_ready", instance=beat["instance"], state=state_text(beat["state"]))
    for beat in alive:
        if beat["role"] == "dashboard" and beat["state"] == "paused":
            yield _red("paused", strategy=beat["strategy"] or "grid")
    yield from _modes(executors, alive, settings)
    if executors and any(beat["role"] == "dashboard" for beat in alive) and not _both_ways(report["links"]):
        yield _red("one_way")
    for need in report["attention"]:
        if need["what"] not in QUIET_HERE and not need["what"].startswith("heartbeat_red"):
            yield Red(need["what"], need["text"])


def _both_ways(links: list[dict[str, Any]]) -> bool:
    return any(link["to_executor"] is not None and link["to_dashboard"] is not None for link in links)


def _modes(
    executors: list[dict[str, Any]], alive: list[dict[str, Any]], settings: Settings
) -> Iterator[Red]:
    """One mode everywhere, and the one this host's settings ask for."""
    modes = sorted({beat["mode"] for beat in executors})
    others = {beat["mode"] for beat in alive if beat["role"] == "dashboard"}
    if len(modes) > 1 or (modes and others - set(modes)):
        yield _red("modes_differ", modes=", ".join(sorted({*modes, *others})))
    simulate = settings.executor.simulate
    wanted = settings.mode or (None if simulate is None else "simulate" if simulate else "live")
    if modes and wanted is not None and wanted not in modes:
        yield _red("other_mode", mode=modes[0], wanted=wanted)


def _red(name: str, **values: object) -> Red:
    return Red(name, say(f"service.check.{name}", **values), say(f"service.todo.{name}"))


def _green(settings: Settings, now: float) -> str:
    trades = calendar_of_this_host().is_trading_day(date_of(now))
    return say("service.green" if trades else "service.green_closed", day=date_of(now).isoformat())
