"""``miniqmt doctor``: is this host fit to run, and what to do where it is not."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Annotated

import typer

from commands import checks
from commands.checks import Finding, Level
from commands.checks_qmt import qmt
from shared_schema.errors import MiniqmtError
from shared_schema.settings import Settings, load_settings
from shared_schema.words import say

MARKS = {Level.OK: "ok", Level.WARNING: "warning", Level.FAILURE: "failure"}


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("doctor")(doctor)


def doctor(as_json: Annotated[bool, typer.Option("--json", help="JSON")] = False) -> None:
    """Check Python, packages, settings, folder, disk and calendar; 1 where something must be solved."""
    findings = examine()
    failures = sum(finding.level is Level.FAILURE for finding in findings)
    warnings = sum(finding.level is Level.WARNING for finding in findings)
    if as_json:
        content = {"ok": failures == 0, "findings": [finding.as_json() for finding in findings]}
        print(json.dumps(content, ensure_ascii=False, indent=2))
    else:
        for finding in findings:
            print(f"{say('commands.doctor.' + MARKS[finding.level])}  {finding.text}")
            if finding.advice:
                print(f"      -> {finding.advice}")
        count, key = (failures, "failures") if failures else (warnings, "warnings" if warnings else "ok")
        print(say(f"commands.doctor.verdict_{key}", count=count))
    raise typer.Exit(1 if failures else 0)


def examine() -> list[Finding]:
    """Every finding about this host. A check that cannot be made is itself a finding, never a silence."""
    findings = [*checks.python(), *checks.packages()]
    try:
        settings = load_settings()
    except MiniqmtError as error:
        return [*findings, _failed(error)]
    findings += checks.settings(settings)
    of_host = (checks.own_folders, checks.signing_key, checks.disk_space, checks.calendar, qmt)
    for check in (checks.exchange_folder, *of_host):
        findings += _guarded(check, settings)
    return findings


def _guarded(check: Callable[[Settings], list[Finding]], settings: Settings) -> list[Finding]:
    try:
        return check(settings)
    except MiniqmtError as error:
        return [_failed(error)]


def _failed(error: MiniqmtError) -> Finding:
    place = f" [{error.where}]" if error.where else ""
    return Finding(error.key, Level.FAILURE, f"{error.what}{place}: {error.why}", error.next_step)
