"""``miniqmt service``: files each system can read, no start outside the session, none that was not armed."""

from __future__ import annotations

import plistlib
import re
import shutil
import subprocess
import sys
import time
from datetime import datetime
from pathlib import Path
from xml.etree import ElementTree

import pytest

import commands.service as service
from commands.service_files import GIVEN_UP, NAMESPACE, Plan, agent, made, task, units
from commands.supervise import run_role
from shared_schema.sessions import SHANGHAI
from shared_schema.settings import load_settings
from tests.commands.hosts import Host

PLAN = Plan(
    "executor",
    ("/opt/mini qmt/python", "/opt/mini qmt/miniqmt.py", "service", "run", "executor", "--stop", "15:40"),
    Path("/home/trader/50% $ of it"),
    (("MINIQMT_CONFIG", '/home/trader/a "b" %n.toml'),),
    "08:50",
)
_DATE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+08:00")
_DURATION = re.compile(r"PT\d+[HM]")
# What the task schema (version 1.4) allows below each element that is used, and the type of its text.
_ALLOWED = {
    "Task": {"RegistrationInfo", "Triggers", "Principals", "Settings", "Actions"},
    "RegistrationInfo": {"Description"},
    "Triggers": {"LogonTrigger", "CalendarTrigger"},
    "LogonTrigger": {"Enabled"},
    "CalendarTrigger": {"StartBoundary", "Enabled", "ScheduleByWeek"},
    "ScheduleByWeek": {"DaysOfWeek", "WeeksInterval"},
    "DaysOfWeek": {"Monday", "Tuesday", "Wednesday", "Thursday", "Friday"},
    "Principals": {"Principal"},
    "Principal": {"LogonType", "RunLevel"},
    "Settings": {
        "RestartOnFailure", "MultipleInstancesPolicy", "DisallowStartIfOnBatteries", "StopIfGoingOnBatteries",
        "StartWhenAvailable", "WakeToRun", "ExecutionTimeLimit", "Enabled",
    },
    "RestartOnFailure": {"Interval", "Count"},
    "Actions": {"Exec"},
    "Exec": {"Command", "Arguments", "WorkingDirectory"},
}  # fmt: skip
_TEXTS = {
    "StartBoundary": _DATE, "Interval": _DURATION, "ExecutionTimeLimit": _DURATION,
    "Count": re.compile(r"\d+"),
    "WeeksInterval": re.compile(r"\d+"), "MultipleInstancesPolicy": re.compile("IgnoreNew"),
    "LogonType": re.compile("InteractiveToken"), "RunLevel": re.compile("LeastPrivilege"),
    "Enabled": re.compile("true"), "WakeToRun": re.compile("true"), "StartWhenAvailable": re.compile("true"),
    "DisallowStartIfOnBatteries": re.compile("false"), "StopIfGoingOnBatteries": re.compile("false"),
}  # fmt: skip


def test_the_windows_task_keeps_its_schema() -> None:
    """UTF-16 as schtasks wants it, known elements only, durations and the start in their forms."""
    file = task(PLAN, Path("kept"), "2026-11-20")
    text = file.content.decode("utf-16")
    assert text.startswith('<?xml version="1.0" encoding="UTF-16"?>')
    root = ElementTree.fromstring(file.content)
    assert root.tag == f"{{{NAMESPACE}}}Task" and root.get("version") == "1.4"
    for element in root.iter():
        name = element.tag.removeprefix(f"{{{NAMESPACE}}}")
        below = [child.tag.removeprefix(f"{{{NAMESPACE}}}") for child in element]
        assert set(below) <= _ALLOWED.get(name, set()) and len(below) == len(set(below)), name
        if name in _TEXTS:
            assert _TEXTS[name].fullmatch(element.text or ""), name
    space = {"t": NAMESPACE}
    assert root.findtext("t:Actions/t:Exec/t:Command", namespaces=space) == "/opt/mini qmt/python"
    arguments = root.findtext("t:Actions/t:Exec/t:Arguments", namespaces=space)
    assert arguments == '"/opt/mini qmt/miniqmt.py" service run executor --stop 15:40'
    assert root.findtext("t:Triggers/t:CalendarTrigger/t:StartBoundary", namespaces=space) == (
        "2026-11-20T08:50:00+08:00"
    )


def test_the_macs_agent_is_a_plist_that_comes_back_only_from_a_crash() -> None:
    """The keys of launchd.plist with their types; ended in order it is not started again."""
    file = agent(PLAN, Path("/Users/t"), 501)
    content = plistlib.loads(file.content)
    types = {
        "Label": str, "ProgramArguments": list, "WorkingDirectory": str, "EnvironmentVariables": dict,
        "RunAtLoad": bool, "StartInterval": int, "KeepAlive": dict, "ThrottleInterval": int,
        "ProcessType": str,
    }  # fmt: skip
    assert {key: type(value) for key, value in content.items()} == types
    assert content["KeepAlive"] == {"SuccessfulExit": False}
    assert content["ProgramArguments"] == list(PLAN.command)
    assert file.path == Path(f"/Users/t/Library/LaunchAgents/{content['Label']}.plist")


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze is not here")
def test_systemd_takes_the_units(tmp_path: Path) -> None:
    """systemd's own verifier: no word is unknown, quotes and signs survive, the hour is Shanghai's."""
    plan = Plan("executor", (sys.executable, "-c", "pass"), tmp_path, PLAN.environment, "08:50")
    files = units(plan, tmp_path)
    for file in files:
        file.path.parent.mkdir(parents=True, exist_ok=True)
        file.path.write_bytes(file.content)
    command = ["systemd-analyze", "--user", "verify", *(str(file.path) for file in files)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    complaints = [line for line in done.stderr.splitlines() if "miniqmt-executor" in line]
    assert complaints == [], done.stderr
    when = ["systemd-analyze", "calendar", "Mon..Fri *-*-* 08:50:00 Asia/Shanghai"]
    assert "00:50:00 UTC" in subprocess.run(when, capture_output=True, text=True, env={"TZ": "UTC"}).stdout
    text = files[0].content.decode()
    assert f"RestartPreventExitStatus={GIVEN_UP}" in text and "%%n.toml" in text and '\\"b\\"' in text


@pytest.mark.parametrize(("system", "count"), [("Windows", 1), ("Darwin", 1), ("Linux", 2)])
def test_what_is_installed_can_be_removed(system: str, count: int) -> None:
    """Every file that tells the system something also knows how to take it back."""
    files = made(PLAN, system, Path("/h"), Path("/k"), 501, "2026-11-20")
    assert len(files) == count and all(file.undo for file in files if file.after)


@pytest.mark.parametrize(
    ("clock", "day", "there"),
    [("08:49:59", 20, False), ("08:50:00", 20, True), ("15:39:59", 20, True), ("15:40:00", 20, False),
     ("10:00:00", 21, False)],
)  # fmt: skip
def test_it_is_time_on_trading_days_only(clock: str, day: int, there: bool) -> None:
    """In Shanghai's time, whatever the host's zone; Saturday and an unknown year are no time."""
    at = datetime.fromisoformat(f"2026-11-{day}T{clock}").replace(tzinfo=SHANGHAI).timestamp()
    assert service.is_time(at, "08:50", "15:40") is there
    assert not service.is_time(at + 365 * 10 * 86_400, "08:50", "15:40")


def settings_file(host: Host, text: str) -> None:
    """This host's settings."""
    (host.runtime.parent / "miniqmt.toml").write_text(text, encoding="utf-8")


@pytest.mark.parametrize("text", ["", "[executor]\nsimulate = false\n[account]\nid = '12345'\n"])
def test_an_executor_nobody_armed_is_not_installed(host: Host, text: str) -> None:
    """Neither mode was chosen, or live without arming: exit 2, nothing written, and run refuses as well."""
    settings_file(host, text)
    for typed in (("install", "executor"), ("run", "executor")):
        ended = host.run("service", *typed)
        assert ended.exit_code == 2 or isinstance(ended.exception, Exception)
        assert "miniqmt arm" in (ended.output + str(ended.exception))
    assert not (host.runtime / "services").exists()


def test_install_writes_and_tells_remove_takes_back(
    host: Host, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The files, the system's commands in order, and again without a trace; --print writes nothing."""
    settings_file(host, "[executor]\nsimulate = true\n")
    told: list[tuple[str, ...]] = []
    monkeypatch.setattr(service, "_run", lambda command, must=True: told.append(tuple(command)))
    monkeypatch.setattr(service.platform, "system", lambda: "Linux")
    monkeypatch.setattr(service.Path, "home", lambda: tmp_path / "home")
    shown = host.run("service", "install", "executor", "--print")
    assert shown.exit_code == 0 and "OnCalendar=" in shown.output and not told
    done = host.run("service", "install", "executor", "dashboard")
    assert done.exit_code == 0, done.output
    units_there = sorted(path.name for path in (tmp_path / "home/.config/systemd/user").iterdir())
    assert units_there == [f"miniqmt-{role}.{kind}" for role in ("dashboard", "executor")
                           for kind in ("service", "timer")]  # fmt: skip
    assert ("systemctl", "--user", "enable", "--now", "miniqmt-executor.timer") in told
    assert host.run("service", "status").exit_code == 0
    assert host.run("service", "remove").exit_code == 0
    assert ("systemctl", "--user", "disable", "--now", "miniqmt-executor.timer") in told
    assert host.run("service", "status").exit_code == 1


def test_each_account_has_its_dashboard(host: Host, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A service each, which starts that account's dashboard; executor and producer serve them all."""
    settings_file(host, "[executor]\nsimulate = true\n[accounts.b]\n")
    monkeypatch.setattr(service, "_run", lambda command, must=True: None)
    monkeypatch.setattr(service.platform, "system", lambda: "Linux")
    monkeypatch.setattr(service.Path, "home", lambda: tmp_path / "home")
    done = host.run("service", "install", "executor", "dashboard")
    assert done.exit_code == 0, done.output
    units_there = {path.name for path in (tmp_path / "home/.config/systemd/user").glob("*.service")}
    assert units_there == {f"miniqmt-{name}.service" for name in ("executor", "dashboard", "dashboard-b")}
    text = (tmp_path / "home/.config/systemd/user/miniqmt-dashboard-b.service").read_text()
    assert '"run" "dashboard"' in text and '"--account" "b"' in text
    assert host.run("service", "remove").exit_code == 0
    assert not list((tmp_path / "home/.config/systemd/user").iterdir())


def test_a_service_runs_the_dashboard_of_its_account(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    """In that account's room, with its own books; an executor of one account is not asked for so."""
    settings_file(host, "[executor]\nsimulate = true\n[accounts.b]\n")
    ran: list[tuple[object, ...]] = []
    monkeypatch.setattr(service, "is_time", lambda *_: True)
    monkeypatch.setattr(
        service,
        "run_role",
        lambda role, settings, typed, until: ran.append((role, settings.account.alias, typed)) or 0,
    )
    assert host.run("service", "run", "dashboard", "--account", "b").exit_code == 0
    assert ran == [("dashboard", "b", ("--account", "b"))]
    ended = host.run("service", "run", "executor", "--account", "b")
    assert isinstance(ended.exception, Exception) and len(ran) == 1


def test_outside_the_session_nothing_starts(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    """At a logon in the evening the service says so and ends with 0: the system does not start it again."""
    settings_file(host, "[executor]\nsimulate = true\n")
    monkeypatch.setattr(service, "is_time", lambda *_: False)
    monkeypatch.setattr(service, "run_role", lambda *_, **__: pytest.fail("started"))
    assert host.run("service", "run", "executor").exit_code == 0


@pytest.mark.parametrize("typed", [("--start", "9:00"), ("--start", "25:00"), ("--start", "16:00")])
def test_a_wrong_time_is_refused(host: Host, typed: tuple[str, str]) -> None:
    """Nothing is guessed."""
    settings_file(host, "[executor]\nsimulate = true\n")
    ended = host.run("service", "install", "executor", *typed)
    assert isinstance(ended.exception, Exception) and not (host.runtime / "services").exists()


@pytest.mark.slow
def test_it_stops_when_the_session_is_over(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    """A real simulating executor under the service ends in order once the time is up, for good."""
    settings_file(host, "[executor]\nsimulate = true\n")
    began = time.monotonic()
    log = host.logs / "executor_supervisor.log"

    def over() -> bool:
        beats = list((host.folder.path / "heartbeat").glob("executor-*.json"))
        return bool(beats) or time.monotonic() - began > 120

    assert run_role("executor", load_settings(), until=over) == 0
    text = log.read_text(encoding="utf-8")
    assert text.count("supervised_started") == 1 and "supervised_died" not in text
    beat = next((host.folder.path / "heartbeat").glob("executor-*.json")).read_text(encoding="utf-8")
    assert '"state":"stopped"' in beat


def test_made_files_name_no_secret(monkeypatch: pytest.MonkeyPatch, host: Host) -> None:
    """Notice addresses in the environment stay there."""
    monkeypatch.setenv("MINIQMT_NOTICE_URLS", "wecombot://k3y-of-mine")
    settings_file(host, "[executor]\nsimulate = true\n")
    shown = host.run("service", "install", "executor", "--print")
    assert shown.exit_code == 0 and "k3y-of-mine" not in shown.output
