"""``miniqmt service``: roles that start before the session, stop after it, and come back when they die."""

from __future__ import annotations

import os
import platform
import re
import subprocess
import sys
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from commands.place import further_settings, settings_for
from commands.service_files import Made, Plan, made, roles_of
from commands.supervise import ROOT, run_role
from shared_schema.errors import MiniqmtError, SettingsError
from shared_schema.sessions import date_of, hms, trading_day_of
from shared_schema.settings import Role, Settings, load_settings
from shared_schema.trading_calendar import calendar_of_this_host
from shared_schema.words import say, say_both
from windows_side.arming import check_armed

ROLES: tuple[Role, ...] = ("executor", "producer", "dashboard")
START, STOP = "08:50", "15:40"
"""Before the call at 9:15 with time for the checklist; after the final list at 15:05 and the day's files."""
PASSED_ON = ("MINIQMT_CONFIG", "RUNTIME_DIR", "LOG_DIR", "MINIQMT_SHARED_DIR", "SHARED_DIR", "MINIQMT_VENV")
"""Variables that the installed service is given as they are now; secrets are none of them."""

service_app = typer.Typer(no_args_is_help=True)

RolesArgument = Annotated[list[str] | None, typer.Argument(help=say_both("service.help_roles"))]
StartOption = Annotated[str, typer.Option("--start", help=say_both("service.help_start"))]
StopOption = Annotated[str, typer.Option("--stop", help=say_both("service.help_stop"))]


@dataclass(frozen=True)
class Served:
    """What one service looks after: a role, for all accounts, or the dashboard of a further account."""

    role: Role
    account: str = ""

    @property
    def name(self) -> str:
        """The service's own; an alias may stand in every system's names as it is."""
        return f"{self.role}-{self.account}" if self.account else self.role


class ServiceError(MiniqmtError):
    """The system's own tool refused: exit code 1."""


def register(app: typer.Typer) -> None:
    """Add the ``service`` commands to ``app``."""
    app.add_typer(service_app, name="service")


@service_app.command("install", help=say_both("service.help_install"))
def install(
    roles: RolesArgument = None,
    start: StartOption = START,
    stop: StopOption = STOP,
    only_print: Annotated[bool, typer.Option("--print", help=say_both("service.help_print"))] = False,
) -> None:
    """Write the files and tell the system; an executor only where its mode was chosen by a person."""
    settings, chosen = load_settings(), _roles(roles)
    _check_times(start, stop)
    if "executor" in chosen:
        refuse_unarmed(settings)
    typer.echo(say("service.not_run_here"))
    for served in _served(chosen, settings):
        for file in _made(served, settings, start, stop):
            if only_print:
                typer.echo(f"# {file.path}\n{_text(file)}")
                continue
            file.path.parent.mkdir(parents=True, exist_ok=True)
            file.path.write_bytes(file.content)
            typer.echo(say("service.written", path=file.path))
            for command in file.after:
                _run(command)
                typer.echo(say("service.ran", command=" ".join(command)))


@service_app.command("remove", help=say_both("service.help_remove"))
def remove(roles: RolesArgument = None) -> None:
    """Tell the system, then remove the files; what is not there is no error."""
    settings, found = load_settings(), False
    for served in _served(_roles(roles) if roles else ROLES, settings):
        for file in reversed(_made(served, settings, START, STOP)):
            if not file.path.exists():
                continue
            found = True
            for command in file.undo:
                _run(command, must=False)
            file.path.unlink()
            typer.echo(say("service.removed", path=file.path))
    if not found:
        typer.echo(say("service.nothing"))


@service_app.command("status", help=say_both("service.help_status"))
def status() -> None:
    """0 where something is installed, 1 where nothing is."""
    settings = load_settings()
    found = [
        (served.name, file.path)
        for served in _served(ROLES, settings)
        for file in _made(served, settings, START, STOP)
        if file.path.exists()
    ]
    for name, path in found:
        typer.echo(say("service.installed", role=name, path=path))
    if not found:
        typer.echo(say("service.nothing"))
    raise typer.Exit(0 if found else 1)


@service_app.command("run", help=say_both("service.help_run"))
def run(
    role: Annotated[str, typer.Argument()],
    start: StartOption = START,
    stop: StopOption = STOP,
    account: Annotated[str, typer.Option("--account", help=say_both("service.help_account"))] = "",
) -> None:
    """Look after ``role`` until ``stop``; 0 at once where it is not the time or the day."""
    (chosen,) = _roles([role])
    _check_times(start, stop)
    settings = settings_for(account=account)
    if account and chosen != "dashboard":
        raise SettingsError("service.serves_all", role=chosen)
    if chosen == "executor":
        refuse_unarmed(settings)
    if not is_time(time.time(), start, stop):
        typer.echo(say("service.outside", start=start, stop=stop))
        return
    typed = ("--account", account) if account else ()
    raise typer.Exit(run_role(chosen, settings, typed, until=lambda: not is_time(time.time(), start, stop)))


def is_time(wall: float, start: str, stop: str) -> bool:
    """Whether ``wall`` (Unix seconds) lies between the two on a trading day; an unknown day is none."""
    return bool(calendar_of_this_host().is_trading_day(date_of(wall))) and start <= hms(wall)[:5] < stop


def refuse_unarmed(settings: Settings) -> None:
    """Raise unless a person chose simulate in the settings, or armed one of the accounts with its limits."""
    if settings.executor.simulate:
        typer.echo(say("service.simulating"))
        return
    if settings.executor.simulate is None:
        raise SettingsError("service.not_armed", detail=say("executor.neither_mode.what"))
    problems: list[MiniqmtError] = []
    for own in (settings, *further_settings(settings)):
        try:
            check_armed(own)
        except MiniqmtError as problem:
            problems.append(problem)
            if settings.accounts:
                typer.echo(say("service.account_not_armed", account=own.account.alias, why=problem.what))
    if len(problems) == len(settings.aliases):
        detail = f"{problems[0].what}: {problems[0].why}"
        raise SettingsError("service.not_armed", detail=detail) from problems[0]


def _roles(typed: Sequence[str] | None) -> list[Role]:
    for role in typed or ():
        if role not in ROLES:
            raise SettingsError("service.bad_role", role=role)
    wanted = typed or roles_of(platform.system())
    return [role for role in ROLES if role in wanted]


def _served(roles: Iterable[Role], settings: Settings) -> list[Served]:
    """Executor and producer serve every account of a host, a dashboard one."""
    further = settings.aliases[1:]
    return [
        served
        for role in roles
        for served in (Served(role), *(Served(role, alias) for alias in further if role == "dashboard"))
    ]


def _check_times(start: str, stop: str) -> None:
    for value in (start, stop):
        if not re.fullmatch(r"([01]\d|2[0-3]):[0-5]\d", value):
            raise SettingsError("service.bad_time", value=value)
    if start >= stop:
        raise SettingsError("service.bad_time", value=f"{start}–{stop}")


def _made(served: Served, settings: Settings, start: str, stop: str) -> list[Made]:
    entry: tuple[str, ...] = ("service", "run", served.role, "--start", start, "--stop", stop)
    if served.account:
        entry += ("--account", served.account)
    plan = Plan(
        served.name,
        (sys.executable, str(ROOT / "miniqmt.py"), *entry),
        Path.cwd(),
        tuple((name, os.environ[name]) for name in PASSED_ON if os.environ.get(name)),
        start,
    )
    user = os.getuid() if hasattr(os, "getuid") else 0
    kept = settings.runtime_dir / "services"
    return made(plan, platform.system(), Path.home(), kept, user, trading_day_of(time.time()))


def _text(file: Made) -> str:
    return file.content.decode("utf-16" if file.content[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8")


def _run(command: Sequence[str], *, must: bool = True) -> None:
    told = " ".join(command)
    try:
        done = subprocess.run(command, capture_output=True, text=True, errors="replace", timeout=60)
    except (OSError, subprocess.TimeoutExpired) as problem:
        if must:
            raise ServiceError("service.failed", command=told, detail=str(problem)) from problem
        return
    if done.returncode and must:
        detail = (done.stderr or done.stdout).strip()[:300]
        raise ServiceError("service.failed", command=told, detail=detail or str(done.returncode))
