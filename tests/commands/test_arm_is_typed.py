"""Live trading is allowed by a person who typed account, limit and LIVE; any change is asked for again."""

from __future__ import annotations

import json
import threading
from pathlib import Path

import pytest

from shared_schema.errors import SettingsError, StateError
from shared_schema.settings import load_settings
from tests.commands.hosts import Host
from windows_side.arming import arming_path
from windows_side.brokers import qmt_package
from windows_side.executor_places import files_of
from windows_side.order_executor import chosen_venue, run
from windows_side.venue import LIVE, SIMULATED

NUMBER = "88001234"
RIGHT = f"{NUMBER}\n60000\nLIVE\n"


@pytest.fixture
def live_host(host: Host, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Host:
    """A host whose settings are right for live trading."""
    userdata = tmp_path / "userdata_mini"
    userdata.mkdir()
    # The live counter has one place on a machine: each test is a machine of its own.
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("QMT_ACCOUNT_ID", NUMBER)
    monkeypatch.setenv("QMT_DATA_PATH", str(userdata))
    monkeypatch.setattr("windows_side.order_executor.is_installed", lambda: True)
    return host


def ledger_of(host: Host) -> Path:
    """Where the live ledger lies."""
    return files_of(host.runtime, "live", "main").ledger


def test_typed_right_it_arms_and_makes_the_ledger(live_host: Host) -> None:
    """Account (masked) and limits are shown; the first live ledger stands; asked again only for a change."""
    ended = live_host.run("arm", text=RIGHT)
    assert ended.exit_code == 0, ended.output
    assert ended.output.count(NUMBER) == 1, "only where it was typed"
    assert "*****234" in ended.output and "max_buy_yuan = 60000.0" in ended.output
    assert ledger_of(live_host).exists()
    kept = arming_path(load_settings()).read_text("utf-8")
    assert NUMBER not in kept and json.loads(kept)["limits"]["max_buy_yuan"] == 60000
    assert chosen_venue(load_settings()) is LIVE
    again = live_host.run("arm", text="")
    assert again.exit_code == 0 and "LIVE" not in again.output.split("已经授权过")[0]


@pytest.mark.parametrize(
    "typed", ["1\n60000\nLIVE\n", f"{NUMBER}\n6000\nLIVE\n", f"{NUMBER}\n60000\nlive\n", ""]
)
def test_anything_else_typed_arms_nothing(live_host: Host, typed: str) -> None:
    """A wrong number, another limit, no LIVE: exit 1, no agreement, no ledger."""
    assert live_host.run("arm", text=typed).exit_code == 1
    assert not list(live_host.runtime.iterdir())


def test_changed_limits_are_asked_for_again(live_host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    """After a change the executor refuses to start and names it, until it was typed again."""
    assert live_host.run("arm", text=RIGHT).exit_code == 0
    settings = load_settings(overrides={"limits.max_buy_yuan": 90000})
    with pytest.raises(SettingsError, match=r"60000\.0 → 90000\.0"):
        chosen_venue(settings)
    monkeypatch.setenv("QMT_ACCOUNT_ID", "99990000")
    with pytest.raises(SettingsError, match=r"account\.id"):
        chosen_venue(load_settings())


def test_never_armed_names_both_ways_on(live_host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    """Unset on a host that was never armed, live asked for without arming, and simulate, which needs none."""
    with pytest.raises(SettingsError) as unset:
        chosen_venue(load_settings())
    assert unset.value.key == "executor.neither_mode" and unset.value.exit_code == 2
    with pytest.raises(SettingsError) as live:
        chosen_venue(load_settings(overrides={"executor.simulate": False}))
    assert live.value.key == "arming.not_armed" and live.value.exit_code == 2
    assert chosen_venue(load_settings(overrides={"executor.simulate": True})) is SIMULATED


def test_without_xtquant_live_ends_in_one_sentence(live_host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    """Exit 2, and both ways on."""
    assert live_host.run("arm", text=RIGHT).exit_code == 0
    monkeypatch.setattr("windows_side.order_executor.is_installed", lambda: False)
    with pytest.raises(SettingsError) as problem:
        chosen_venue(load_settings())
    assert problem.value.key == "executor.live_needs_windows"


@pytest.mark.parametrize(
    ("path", "reason"), [("nowhere/userdata_mini", "不存在"), ("userdata", "不是 userdata_mini")]
)
def test_a_wrong_path_is_named_at_the_start(
    live_host: Host, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, path: str, reason: str
) -> None:
    """A path that is no userdata_mini ends the start with what to write instead."""
    assert live_host.run("arm", text=RIGHT).exit_code == 0
    (tmp_path / "userdata").mkdir(exist_ok=True)
    monkeypatch.setenv("QMT_DATA_PATH", str(tmp_path / path))
    with pytest.raises(SettingsError, match=reason):
        chosen_venue(load_settings())


def test_a_live_ledger_is_never_made_by_a_start(live_host: Host) -> None:
    """A missing live ledger stops the executor, and an OFFLINE folder takes no live process at all."""
    assert live_host.run("arm", text=RIGHT).exit_code == 0
    ledger_of(live_host).unlink()
    with pytest.raises(StateError) as problem:
        run(load_settings(), threading.Event(), LIVE, console=False)
    assert problem.value.key == "arming.no_live_ledger"
    (live_host.folder.path / "OFFLINE").touch()
    with pytest.raises(SettingsError) as offline:
        run(load_settings(), threading.Event(), LIVE, console=False)
    assert offline.value.key == "arming.offline_folder"
    assert live_host.run("arm", text=RIGHT).exception is not None


def test_the_terminals_own_copy_is_looked_for_beside_its_data(tmp_path: Path) -> None:
    """``xtquant = broker``: found below the installation, else the places looked at are named."""
    with pytest.raises(SettingsError) as problem:
        qmt_package.broker_copy(tmp_path / "userdata_mini")
    assert problem.value.key == "qmt.no_broker_copy" and "bin.x64" in str(problem.value)
    copy = tmp_path / "bin.x64" / "Lib" / "site-packages"
    (copy / "xtquant").mkdir(parents=True)
    (copy / "xtquant" / "__init__.py").touch()
    assert qmt_package.broker_copy(tmp_path / "userdata_mini") == copy


def test_recover_looks_at_the_ledger_that_an_armed_host_trades_with(live_host: Host) -> None:
    """Where the settings say neither mode the arming makes it live: the other ledger is not asked."""
    assert live_host.run("arm", text=RIGHT).exit_code == 0
    assert chosen_venue(load_settings()) is LIVE
    ledger_of(live_host).write_bytes(b"damaged" * 1000)
    ended = live_host.run("recover", text="no\n")
    assert ended.exit_code == 1
    assert "ledger_live_main" in ended.output and "ledger_simulate" not in ended.output
