"""``miniqmt checklist``: one green line, or the first red one with what to do; also as a notice."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

import commands.checklist as checklist
from commands.checks import Finding, Level
from mac_side.ex_date import ExDate
from shared_schema.clock import Moment, Stamper
from shared_schema.drop_folder.names import HEARTBEAT_FOLDER, heartbeat_name
from shared_schema.heartbeats import state_text
from shared_schema.ids import Epoch, InstanceId
from shared_schema.link_health import beat_stream
from shared_schema.messages import Heartbeat, Seen, encode
from shared_schema.sessions import trading_day_of
from shared_schema.settings import Settings, load_settings
from tests.commands.hosts import MAIN, Host


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str]]:
    """The notices that would leave; this host itself is in order."""
    sent: list[tuple[str, str]] = []
    monkeypatch.setattr(checklist, "tell", lambda settings, kind, text: sent.append((kind, text)))
    monkeypatch.setattr(checklist, "examine", lambda: [Finding("python", Level.OK, "fine")])
    return sent


def beat(host: Host, role: str, other: str, **changes: Any) -> None:
    """A heartbeat of now that has seen the other side's."""
    now = host.now
    stream = beat_stream(other, "x")
    seen = {stream: Seen(epoch=Epoch("e"), seq=1, written_at=now, received_at=now)}
    fields = {"role": role, "instance": InstanceId("x"), "ready": True, "state": "ready", "seen": seen,
              "accounts": (MAIN,), **changes}  # fmt: skip
    mode = fields.pop("mode", "simulate")
    stamper = Stamper(f"{role}@h", Epoch("e"), mode, MAIN)
    raw = encode(stamper.next(Moment(now, now), trading_day_of(now)), Heartbeat.model_validate(fields))
    host.folder.publish(f"{HEARTBEAT_FOLDER}/{heartbeat_name(role, InstanceId('x'))}", raw)


def everybody(host: Host, **executor: Any) -> None:
    """All three roles are alive and see each other."""
    beat(host, "producer", "executor")
    beat(host, "dashboard", "executor")
    beat(host, "executor", "dashboard", **executor)


def test_all_is_well_is_one_green_line(host: Host, told: list[tuple[str, str]]) -> None:
    """Exit 0, one line, and the same line as a quiet notice."""
    everybody(host)
    ended = host.run("checklist")
    assert ended.exit_code == 0, ended.output
    assert ended.output.startswith("✓") and len(ended.output.splitlines()) == 1
    assert told == [("reconcile", ended.output.strip())]


@pytest.mark.parametrize("missing", ["executor", "producer", "dashboard"])
def test_a_missing_role_is_red_with_what_to_do(host: Host, told: list[tuple[str, str]], missing: str) -> None:
    """Exit 1; the line names it and the command that starts it."""
    everybody(host)
    (host.folder.path / HEARTBEAT_FOLDER / f"{missing}-x.json").unlink()
    ended = host.run("checklist")
    assert ended.exit_code == 1 and ended.output.startswith("✗")
    assert f"miniqmt {missing}" in ended.output and told[0][0] == "alarms"


def test_a_terminal_that_is_not_logged_in(host: Host, told: list[tuple[str, str]]) -> None:
    """The executor waits for its broker: log in."""
    everybody(host, ready=False, state="broker")
    ended = host.run("checklist")
    assert ended.exit_code == 1 and "QMT" in ended.output


def test_modes_that_differ_and_a_mode_not_asked_for(host: Host, told: list[tuple[str, str]]) -> None:
    """A live dashboard beside a simulating executor; an executor of the other mode than the settings say."""
    everybody(host)
    beat(host, "dashboard", "executor", mode="live")
    assert "live, simulate" in host.run("checklist", "--all").output
    everybody(host)
    (host.runtime.parent / "miniqmt.toml").write_text('mode = "live"\n', encoding="utf-8")
    ended = host.run("checklist", "--all")
    assert ended.exit_code == 1 and "simulate" in ended.output and "live" in ended.output


def test_heartbeats_that_do_not_see_each_other(host: Host, told: list[tuple[str, str]]) -> None:
    """The folder works one way only."""
    beat(host, "producer", "executor")
    beat(host, "dashboard", "executor", seen={})
    beat(host, "executor", "dashboard", seen={})
    ended = host.run("checklist")
    assert ended.exit_code == 1 and "✗" in ended.output


def test_yesterdays_unknown_a_halt_and_an_ex_date_are_red(host: Host, told: list[tuple[str, str]]) -> None:
    """What status would name: an unknown order, a halt, books that wait for a person."""
    everybody(host)
    host.result("unknown", 0)
    assert "resolve" in host.run("checklist", "--all").output or host.run("checklist").exit_code == 1
    everybody(host, halt_since=host.now)
    assert host.run("checklist").exit_code == 1
    everybody(host)
    host.books(ex_date=ExDate("2026-11-20", 1.06, 1.03))
    assert "miniqmt adjust" in host.run("checklist", "--all").output


def test_signals_refused_for_a_silent_link_are_red(host: Host, told: list[tuple[str, str]]) -> None:
    """All heartbeats are green, and no order of the strategy reaches the broker."""
    everybody(host)
    host.answers("link_down", "link_down")
    ended = host.run("checklist")
    assert ended.exit_code == 1 and "link_down" in ended.output and "grid" in ended.output


@pytest.mark.parametrize("state", ["other_writer", "twin"])
def test_a_dashboard_that_is_read_only_is_red(
    host: Host, told: list[tuple[str, str]], state: str
) -> None:
    """Alive, with a green heartbeat, and it sends nothing until somebody restarts it."""
    everybody(host)
    beat(host, "dashboard", "executor", ready=False, state=state, strategy="dividend")
    ended = host.run("checklist")
    assert ended.exit_code == 1 and state_text(state) in ended.output and state_text(state) != state


def test_a_failure_of_this_host_comes_first(
    host: Host, told: list[tuple[str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A full disk before a missing heartbeat; how many more is said."""
    full = Finding("disk", Level.FAILURE, "no space", "make room")
    monkeypatch.setattr(checklist, "examine", lambda: [full, replace(full, level=Level.WARNING, text="odd")])
    ended = host.run("checklist")
    assert "no space -> make room" in ended.output and "odd" not in ended.output and "3" in ended.output


def test_broken_settings_are_the_red_line(host: Host, told: list[tuple[str, str]]) -> None:
    """Nothing else can be known then; no notice, since nobody knows where to."""
    (host.runtime.parent / "miniqmt.toml").write_text("[limit\n", encoding="utf-8")
    ended = host.run("checklist")
    assert ended.exit_code == 1 and "✗" in ended.output and told == []


def test_an_unknown_date_is_red(host: Host) -> None:
    """The calendar ends: no order could be sent."""
    report = {"heartbeats": [], "links": [], "attention": []}
    settings: Settings = load_settings()
    names = [red.name for red in checklist.red_lines([], report, settings, host.now + 3650 * 86_400)]
    assert names[0] == "date_unknown"


def test_all_is_not_told_to_ask_for_all(host: Host, told: list[tuple[str, str]]) -> None:
    """With ``--all`` the others stand below; without it the line names the option that shows them."""
    assert "--all" in host.run("checklist").output
    shown = host.run("checklist", "--all").output
    assert "--all" not in shown and len(shown.splitlines()) > 1


def test_a_strategy_paused_yesterday_is_red(host: Host, told: list[tuple[str, str]]) -> None:
    """A pause outlives restarts: forgotten on Friday it would make Monday's "all is well" untrue."""
    everybody(host)
    beat(host, "dashboard", "executor", ready=False, state="paused", strategy="dividend")
    ended = host.run("checklist")
    assert ended.exit_code == 1 and "dividend" in ended.output and " p " in ended.output
