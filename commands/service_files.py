"""What starts a role every trading day: a Task Scheduler task, a launchd agent, or a systemd user unit.

Pure: a plan in, files and commands out. Each file says once when to look in; whether it is time is decided
by ``miniqmt service run``, which knows the calendar and Shanghai's clock on every host.
"""

from __future__ import annotations

import plistlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

from windows_side.supervisor import GIVEN_UP

NAMESPACE = "http://schemas.microsoft.com/windows/2004/02/mit/task"
LABEL = "miniqmt"
LOOKS_IN_EVERY = 600
"""Seconds between two looks of launchd, which knows no time zone; a look outside the session ends at once."""
CRASH_PAUSE = 30
"""Seconds before the system starts a dead supervisor again."""


@dataclass(frozen=True)
class Plan:
    """What one service of a host starts."""

    name: str
    """The role; a further account's dashboard carries the account behind it."""
    command: tuple[str, ...]
    """Program and arguments of ``miniqmt service run``."""
    working_folder: Path
    environment: tuple[tuple[str, str], ...]
    start: str
    """``HH:MM`` in Shanghai."""


@dataclass(frozen=True)
class Made:
    """A file to write, and what the system is told afterwards; ``undo`` before it is removed."""

    path: Path
    content: bytes
    after: tuple[tuple[str, ...], ...] = ()
    undo: tuple[tuple[str, ...], ...] = ()


def task(plan: Plan, folder: Path, day: str) -> Made:
    """For Windows. In the person's own session (QMT needs a desktop), never twice, at logon and each weekday.

    ``folder`` keeps the XML; ``day`` (YYYY-MM-DD) begins the schedule. The start carries +08:00.
    """
    root = ElementTree.Element("Task", {"version": "1.4", "xmlns": NAMESPACE})
    about = ElementTree.SubElement(root, "RegistrationInfo")
    _child(about, "Description", f"miniqmt {plan.name}")
    triggers = ElementTree.SubElement(root, "Triggers")
    logon = ElementTree.SubElement(triggers, "LogonTrigger")
    _child(logon, "Enabled", "true")
    daily = ElementTree.SubElement(triggers, "CalendarTrigger")
    _child(daily, "StartBoundary", f"{day}T{plan.start}:00+08:00")
    _child(daily, "Enabled", "true")
    week = ElementTree.SubElement(daily, "ScheduleByWeek")
    days = ElementTree.SubElement(week, "DaysOfWeek")
    for name in ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday"):
        ElementTree.SubElement(days, name)
    _child(week, "WeeksInterval", "1")
    principals = ElementTree.SubElement(root, "Principals")
    principal = ElementTree.SubElement(principals, "Principal", {"id": "Author"})
    _child(principal, "LogonType", "InteractiveToken")
    _child(principal, "RunLevel", "LeastPrivilege")
    settings = ElementTree.SubElement(root, "Settings")
    again = ElementTree.SubElement(settings, "RestartOnFailure")
    _child(again, "Interval", "PT1M")
    _child(again, "Count", "10")
    for name, value in (
        ("MultipleInstancesPolicy", "IgnoreNew"),
        ("DisallowStartIfOnBatteries", "false"),
        ("StopIfGoingOnBatteries", "false"),
        ("StartWhenAvailable", "true"),
        ("WakeToRun", "true"),
        ("ExecutionTimeLimit", "PT12H"),
        ("Enabled", "true"),
    ):
        _child(settings, name, value)
    actions = ElementTree.SubElement(root, "Actions", {"Context": "Author"})
    run = ElementTree.SubElement(actions, "Exec")
    _child(run, "Command", plan.command[0])
    _child(run, "Arguments", " ".join(_quoted(word) for word in plan.command[1:]))
    _child(run, "WorkingDirectory", str(plan.working_folder))
    ElementTree.indent(root)
    content = b'<?xml version="1.0" encoding="UTF-16"?>\n' + ElementTree.tostring(root, encoding="utf-8")
    path = folder / f"{LABEL}-{plan.name}.xml"
    name = f"\\{LABEL}\\{plan.name}"
    return Made(
        path,
        content.decode("utf-8").encode("utf-16"),
        (("schtasks", "/Create", "/TN", name, "/XML", str(path), "/F"),),
        (("schtasks", "/End", "/TN", name), ("schtasks", "/Delete", "/TN", name, "/F")),
    )


def agent(plan: Plan, home: Path, user: int) -> Made:
    """For the Mac: looked at every ten minutes, started again when it dies, not when it ended in order."""
    name = f"com.{LABEL}.{plan.name}"
    content = {
        "Label": name,
        "ProgramArguments": list(plan.command),
        "WorkingDirectory": str(plan.working_folder),
        "EnvironmentVariables": dict(plan.environment),
        "RunAtLoad": True,
        "StartInterval": LOOKS_IN_EVERY,
        "KeepAlive": {"SuccessfulExit": False},
        "ThrottleInterval": CRASH_PAUSE,
        "ProcessType": "Interactive",
    }
    path = home / "Library" / "LaunchAgents" / f"{name}.plist"
    domain = f"gui/{user}"
    return Made(
        path,
        plistlib.dumps(content),
        (("launchctl", "bootstrap", domain, str(path)),),
        (("launchctl", "bootout", f"{domain}/{name}"),),
    )


def units(plan: Plan, home: Path) -> list[Made]:
    """For Linux: a user service, and the timer that starts it each weekday at Shanghai's hour."""
    folder = home / ".config" / "systemd" / "user"
    name = f"{LABEL}-{plan.name}"
    environment = "".join(f"Environment={_systemd(f'{key}={value}')}\n" for key, value in plan.environment)
    service = (
        f"[Unit]\nDescription=miniqmt {plan.name}\n\n"
        f"[Service]\nType=exec\nExecStart={' '.join(_systemd(word) for word in plan.command)}\n"
        f"WorkingDirectory={str(plan.working_folder).replace('%', '%%')}\n{environment}"
        f"Restart=on-failure\nRestartPreventExitStatus={GIVEN_UP}\nRestartSec={CRASH_PAUSE}\nTimeoutStopSec=40\nKillMode=mixed\n"
    )
    timer = (
        f"[Unit]\nDescription=miniqmt {plan.name}, each weekday before the session\n\n"
        f"[Timer]\nOnCalendar=Mon..Fri *-*-* {plan.start}:00 Asia/Shanghai\n"
        "OnStartupSec=60\nPersistent=true\n\n"
        "[Install]\nWantedBy=timers.target\n"
    )
    reload = ("systemctl", "--user", "daemon-reload")
    return [
        Made(folder / f"{name}.service", service.encode(), (), (("systemctl", "--user", "stop", name),)),
        Made(
            folder / f"{name}.timer",
            timer.encode(),
            (reload, ("systemctl", "--user", "enable", "--now", f"{name}.timer")),
            (("systemctl", "--user", "disable", "--now", f"{name}.timer"),),
        ),
    ]


def made(plan: Plan, system: str, home: Path, kept: Path, user: int, day: str) -> list[Made]:
    """The files for ``system`` ("Windows", "Darwin", else systemd); ``kept`` keeps the Windows XML."""
    if system == "Windows":
        return [task(plan, kept, day)]
    return [agent(plan, home, user)] if system == "Darwin" else units(plan, home)


def _child(parent: ElementTree.Element, name: str, text: str) -> None:
    ElementTree.SubElement(parent, name).text = text


def _quoted(word: str) -> str:
    return f'"{word}"' if " " in word else word


def _systemd(word: str) -> str:
    """A word of a unit file: quoted, with its own signs taken literally."""
    plain = word.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%").replace("$", "$$")
    return f'"{plain}"'


def roles_of(system: str) -> Sequence[str]:
    """What a host of this system usually runs."""
    return ("producer", "executor") if system == "Windows" else ("dashboard",)
