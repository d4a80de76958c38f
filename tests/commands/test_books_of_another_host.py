"""The risk: books written while a dashboard elsewhere has them in memory, whose next save undoes it."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from commands.place import OperateError
from commands.resume_dashboards import HeldAlone, lift_at_dashboards
from mac_side.books import Books, Lot
from mac_side.bridge_client.signal_ids import FIRST_STRATEGY
from mac_side.single_engine import hold_engine, instance_of
from shared_schema.drop_folder.names import HEARTBEAT_FOLDER, OFFLINE_MARKER, heartbeat_name
from shared_schema.ids import InstanceId, StrategyName
from shared_schema.messages import Heartbeat
from shared_schema.settings import load_settings
from tests.commands.hosts import MAIN, Host
from tests.commands.test_never_placed_is_typed import TYPED, stuck

ELSEWHERE = InstanceId("macdash1")
HELD = Books(lots=(Lot(2200, 2640.0, 1.2, "B1"),), anchor=1.2)
CHANGES = {
    "resolve": TYPED,
    "rebind": ("rebind",),
    "reset": ("plan", "reset", "--held", "0"),
    "adjust": ("plan", "adjust", "split", "--factor", "0.5"),
}


def dashboard(host: Host, instance: str = ELSEWHERE, **changes: object) -> None:
    """A dashboard's heartbeat, ``changes`` of it."""
    age = float(str(changes.pop("age", 0.0)))
    fields = {"state": "running", "strategy": StrategyName(FIRST_STRATEGY)} | changes
    body = Heartbeat(
        role="dashboard", instance=InstanceId(instance), ready=True, accounts=(MAIN,), **fields  # type: ignore[arg-type]
    )  # fmt: skip
    host.publish(f"{HEARTBEAT_FOLDER}/{heartbeat_name('dashboard', body.instance)}", "d@mac2", body, age=age)


def in_the_folder(host: Host, change: str) -> Path:
    """Books of the kind ``change`` is for, in the exchange folder: the seed's place."""
    path = stuck(host) if change == "resolve" else host.books("simulate-old", books=HELD)[0]
    host.heartbeat("simulate-new")
    return Path(shutil.move(path, host.folder.path / path.name))


@pytest.fixture
def closed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The market rests, whatever the hour."""
    monkeypatch.setattr("mac_side.plan.may_change", lambda *_: True)


@pytest.mark.parametrize("change", CHANGES)
def test_books_that_another_host_has_open_are_left_alone(change: str, host: Host, closed: None) -> None:
    """Refused with its name while it lives; once it has ended the very command goes through."""
    path = in_the_folder(host, change)
    raw = path.read_bytes()
    dashboard(host)
    problem = host.run(*CHANGES[change], "--yes").exception
    assert isinstance(problem, OperateError) and problem.key == "operate.books_elsewhere_open"
    assert "macdash1" in problem.why and path.read_bytes() == raw
    dashboard(host, state="stopped")
    ended = host.run(*CHANGES[change], "--yes")
    assert ended.exit_code == 0 and path.read_bytes() != raw, ended.output


def test_no_books_begin_beside_a_living_dashboard(host: Host) -> None:
    """What this host would begin, the other one has."""
    dashboard(host)
    problem = host.run("plan", "begin", "--mode", "simulate", "--yes").exception
    assert isinstance(problem, OperateError) and problem.key == "operate.books_elsewhere_open"
    assert not list(host.runtime.glob("dashboard_state*"))


@pytest.mark.parametrize("beat", ["own", "silent", "another strategy"])
def test_who_does_not_have_them_hinders_nobody(beat: str, host: Host) -> None:
    """This host's own dashboard, killed a moment ago; one long silent; one of another strategy."""
    in_the_folder(host, "rebind")
    if beat == "own":
        dashboard(host, instance_of(host.runtime, FIRST_STRATEGY))
    elif beat == "silent":
        dashboard(host, age=600.0)
    else:
        dashboard(host, strategy=StrategyName("other"))
    assert host.run("rebind", "--yes").exit_code == 0


def test_the_engine_of_an_offline_folder_is_found_there(
    host: Host, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, closed: None
) -> None:
    """Its lock and its commands are in ``.runtime``; books of this host's own RUNTIME_DIR are none of it."""
    stands = host.books("simulate-old", books=HELD)[0]
    there = host.folder.path / "dashboard_state.json"
    shutil.copy(stands, there)
    (host.folder.path / OFFLINE_MARKER).touch()
    monkeypatch.delenv("RUNTIME_DIR")
    monkeypatch.setattr("platformdirs.user_data_path", lambda *_, **__: tmp_path)  # tmp_path / "runtime"
    own = host.folder.path / ".runtime"
    kept, raw = stands.read_bytes(), there.read_bytes()
    lock = hold_engine(own, FIRST_STRATEGY)
    try:
        problem = host.run(*CHANGES["reset"], "--yes").exception
        assert isinstance(problem, OperateError) and problem.key == "plan.engine_running"
    finally:
        lock.release()
    assert there.read_bytes() == raw
    ended = host.run(*CHANGES["reset"], "--yes")
    assert ended.exit_code == 0 and there.read_bytes() != raw and stands.read_bytes() == kept, ended.output
    held = HeldAlone(there, StrategyName(FIRST_STRATEGY), ("halt.x@y.json",))
    assert lift_at_dashboards(load_settings(), host.folder, [held], "checked", 0.0) == set(held.names)
    assert (own / "screen_commands").is_dir() and not (host.runtime / "screen_commands").exists()
