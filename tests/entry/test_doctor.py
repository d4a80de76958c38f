"""``doctor`` says what is wrong and what to do, and only real trouble fails it; ``config`` hides secrets."""

from __future__ import annotations

import json
import threading
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace

import pytest
from typer.testing import CliRunner

from commands import checks
from commands.checks import Level
from commands.checks_qmt import qmt
from commands.doctor import examine
from commands.main import app_for
from commands.round_trip import RoundTrip, measure
from shared_schema.settings import load_settings
from shared_schema.sync_defaults import sync_defaults


@pytest.fixture
def share(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An exchange folder, ledger and logs of a fresh host."""
    folder = tmp_path / "share"
    folder.mkdir()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MINIQMT_SHARED_DIR", str(folder))
    monkeypatch.setenv("RUNTIME_DIR", str(tmp_path / "runtime"))
    monkeypatch.setenv("LOG_DIR", str(tmp_path / "logs"))
    return folder


def levels() -> dict[str, Level]:
    """The worst level of each finding's name."""
    order = list(Level)
    worst: dict[str, Level] = {}
    for finding in examine():
        worst[finding.name] = max(worst.get(finding.name, Level.OK), finding.level, key=order.index)
    return worst


def test_a_missing_folder_fails_with_advice(share: Path) -> None:
    """The finding names the folder and what to do, and the other checks still run."""
    share.rmdir()
    findings = {finding.name: finding for finding in examine()}
    missing = findings["settings.folder_missing"]
    assert missing.level is Level.FAILURE and str(share) in missing.text and missing.advice
    assert "calendar" in findings and "RUNTIME_DIR" in findings


def test_broken_settings_are_a_finding(share: Path, tmp_path: Path) -> None:
    """An unknown key is reported with its line instead of ending the doctor."""
    (tmp_path / "miniqmt.toml").write_text("nonsense = 1")
    assert levels()["settings.unknown_key"] is Level.FAILURE


def test_json_and_exit_code(share: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Plain JSON with measured values; exit 1 where something must be solved, else 0."""
    monkeypatch.setattr(checks, "packages", lambda: [])
    monkeypatch.setattr(checks, "calendar", lambda settings: [])
    good = CliRunner().invoke(app_for(["doctor"]), ["doctor", "--json"])
    content = json.loads(good.stdout)
    trip = next(finding for finding in content["findings"] if finding["name"] == "round_trip")
    assert (good.exit_code, content["ok"]) == (0, True)
    assert 0 < trip["measured"]["seen_ms"] < 3000
    assert list(share.iterdir()) == []
    share.rmdir()
    bad = CliRunner().invoke(app_for(["doctor"]), ["doctor", "--json"])
    assert (bad.exit_code, json.loads(bad.stdout)["ok"]) == (1, False)


def test_wrong_packages_are_named(tmp_path: Path) -> None:
    """A version that differs from its pin is named with both versions."""
    file = tmp_path / "requirements.txt"
    file.write_text("pytest==0.1\nabsent-package==2\n")
    (finding,) = checks.packages(file)
    assert finding.level is Level.FAILURE
    assert "(0.1)" in finding.text and "absent-package - (2)" in finding.text


@pytest.mark.parametrize(
    ("trip", "level"),
    [
        (RoundTrip(1.0, 1.5, True, ""), Level.OK),
        (RoundTrip(1.0, 40.0, False, "inotify limit"), Level.WARNING),
        (RoundTrip(1.0, 400.0, True, ""), Level.WARNING),
        (RoundTrip(1.0, None, False, ""), Level.FAILURE),
    ],
)
def test_a_round_trip_is_judged(
    trip: RoundTrip, level: Level, share: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A dead watcher and a slow folder warn, a file that is never seen fails."""
    monkeypatch.setattr(checks, "measure", lambda folder, pace: trip)
    (finding,) = checks.round_trip(load_settings(), share)
    assert finding.level is level and bool(finding.advice) == (level is not Level.OK)


def test_the_round_trip_is_measured_without_a_watcher(tmp_path: Path) -> None:
    """Listing alone sees the file, and nothing is left behind."""
    before = threading.active_count()
    trip = measure(tmp_path, sync_defaults("parallels"), rounds=2)
    assert trip.seen_ms is not None and trip.seen_ms >= 0 and not trip.woken
    assert list(tmp_path.iterdir()) == []
    assert threading.active_count() <= before


@pytest.mark.parametrize(("free", "level"), [(5e9, Level.OK), (1e9, Level.WARNING), (1e8, Level.FAILURE)])
def test_disk_space(free: float, level: Level, share: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Little space warns, no space fails."""
    monkeypatch.setattr(checks.shutil, "disk_usage", lambda place: SimpleNamespace(free=free))
    assert checks.disk_space(load_settings())[0].level is level


def test_the_end_of_the_calendar_is_announced(share: Path) -> None:
    """30 days before its end a warning, after it a failure: no orders on unknown dates."""
    known = checks.calendar_of_this_host()
    last = known.known_until
    found = {
        days: checks.calendar(load_settings(), datetime(last.year, 12, 31 - days, 1, tzinfo=UTC))[0].level
        for days in (30, 1)
    }
    assert found == {30: Level.WARNING, 1: Level.WARNING}
    after = checks.calendar(load_settings(), datetime(last.year + 1, 1, 2, tzinfo=UTC))[0]
    assert after.level is Level.FAILURE and after.advice


def test_logs_inside_the_exchange_folder_warn(share: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Logs there keep the sync tool busy."""
    monkeypatch.setenv("LOG_DIR", str(share / "logs"))
    found = [finding for finding in checks.own_folders(load_settings()) if finding.level is Level.WARNING]
    assert [finding.name for finding in found] == ["LOG_DIR"]


def test_config_masks_the_account_number(share: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each value with its origin, the number as stars, in both forms."""
    monkeypatch.setenv("QMT_ACCOUNT_ID", "8812345678")
    for typed in (["config"], ["config", "--json"]):
        shown = CliRunner().invoke(app_for(typed), typed).stdout
        assert "8812345678" not in shown and "*******678" in shown
        assert str(share) in shown and "MINIQMT_SHARED_DIR" in shown


def test_a_host_with_qmt_is_told_what_its_folder_lacks(
    share: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a terminal in the settings nothing is said of it; with one: package, folder, arming."""
    assert {"xtquant", "userdata", "armed"} & set(levels()) == set()
    monkeypatch.setenv("QMT_DATA_PATH", str(tmp_path / "userdata_mini"))
    assert levels()["userdata"] is Level.FAILURE
    (tmp_path / "userdata_mini").mkdir()
    assert levels()["userdata"] is Level.FAILURE  # no up_queue_xtquant: no permission for the interface
    (tmp_path / "userdata_mini" / "up_queue_xtquant").touch()
    told = levels()
    assert (told["userdata"], told["armed"]) == (Level.OK, Level.OK) and "xtquant" in told


def test_each_accounts_terminal_and_arming_are_looked_at(
    share: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A further account's own terminal counts as the first one's: a wrong path is a failure that names it."""
    (tmp_path / "userdata_mini").mkdir()
    (tmp_path / "userdata_mini" / "up_queue_xtquant").touch()
    (tmp_path / "host.toml").write_text(
        f"[qmt]\ndata_path = '{tmp_path}/userdata_mini'\n"
        f"[accounts.second]\ndata_path = '{tmp_path}/elsewhere/userdata_mini'\n"
    )
    monkeypatch.setenv("MINIQMT_CONFIG", str(tmp_path / "host.toml"))
    found = qmt(load_settings())
    folders = [finding for finding in found if finding.name == "userdata"]
    assert [finding.level for finding in folders] == [Level.OK, Level.FAILURE]
    assert "elsewhere" in folders[1].text
    armed = [finding.text for finding in found if finding.name == "armed"]
    assert len(armed) == 2 and "second" in armed[1]
