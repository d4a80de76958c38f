"""The risk: a verdict that can't fail, a live folder taken out of service, a person's files replaced."""

from __future__ import annotations

import importlib
import json
import shutil
from pathlib import Path

import orjson
import pytest

from commands.offline import PHASES, mark, offline
from mac_side.offline_start import FRESH, lay_out_fresh_files
from shared_schema.clock import Moment, Stamper
from shared_schema.drop_folder import DropFolder
from shared_schema.errors import FolderError
from shared_schema.ids import AccountAlias, Epoch, InstanceId, Mode
from shared_schema.messages import Heartbeat, encode
from shared_schema.words import say
from test_offline.phases.checks import Check
from test_offline.phases.offline_folder import TEST_OFFLINE, make_offline_folder, read_json

NOW = 1_750_000_000.0


def _beat(folder: Path, mode: Mode, state: str, at: float) -> None:
    stamper = Stamper("executor@there", Epoch("1-a"), mode, AccountAlias("main"))
    body = Heartbeat(role="executor", instance=InstanceId("e1"), ready=True, state=state)
    raw = encode(stamper.next(Moment(at, at), "2025-06-13"), body)
    (folder / "heartbeat").mkdir()
    (folder / "heartbeat" / "executor-e1.json").write_bytes(raw)


@pytest.mark.slow
def test_the_whole_command_passes(capsys: pytest.CaptureFixture[str]) -> None:
    """All five phases end with 0 and one table."""
    assert offline() == 0, capsys.readouterr().out
    printed = capsys.readouterr().out
    assert say("offline.all_passed") in printed and say("offline.failed") not in printed


@pytest.mark.parametrize(
    "checks", [[], [Check("good", True), Check("bad", False)]], ids=["none", "one failed"]
)
def test_a_phase_that_fails_ends_with_1_and_keeps_its_files(
    checks: list[Check], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """One failed check, or none made, is a failed phase; the files stay for a look."""
    phase = importlib.import_module(f"test_offline.phases.{PHASES[4]}")
    monkeypatch.setattr(phase, "run", lambda folder: checks)
    monkeypatch.setattr("tempfile.mkdtemp", lambda prefix: str(tmp_path))
    assert offline((4,)) == 1
    assert str(tmp_path) in capsys.readouterr().out.replace("\n", "")
    assert (tmp_path / "phase_4").is_dir()


def test_marking_is_done_once_and_says_so(tmp_path: Path) -> None:
    """A quiet folder gets the marker; the second time nothing changes."""
    assert mark(tmp_path, NOW)
    content = (tmp_path / "OFFLINE").read_bytes()
    assert not mark(tmp_path, NOW + 1)
    assert (tmp_path / "OFFLINE").read_bytes() == content


@pytest.mark.parametrize(
    ("mode", "state", "age", "refused"),
    [
        ("live", "ready", 1.0, True),
        ("live", "stopped", 86_400.0, True),
        ("simulate", "ready", 1.0, True),
        ("simulate", "stopped", 1.0, False),
        ("simulate", "ready", 3600.0, False),
    ],
)
def test_a_folder_at_work_is_not_marked(
    tmp_path: Path, mode: Mode, state: str, age: float, refused: bool
) -> None:
    """Live is refused for good, simulate while its process runs."""
    _beat(tmp_path, mode, state, NOW - age)
    if refused:
        with pytest.raises(FolderError, match="e1"):
            mark(tmp_path, NOW)
    else:
        assert mark(tmp_path, NOW)
    assert (tmp_path / "OFFLINE").exists() is not refused


def test_an_unreadable_heartbeat_is_not_taken_for_a_quiet_one(tmp_path: Path) -> None:
    """What can't be read may be live."""
    (tmp_path / "heartbeat").mkdir()
    (tmp_path / "heartbeat" / "executor-e1.json").write_bytes(b'{"role"')
    with pytest.raises(FolderError):
        mark(tmp_path, NOW)


# The fresh files of the dashboard's start

BOOKS = "dashboard_state.json"


@pytest.fixture
def folder(tmp_path: Path) -> DropFolder:
    """An OFFLINE folder with the shipped fresh files, nothing laid out yet."""
    made = make_offline_folder(tmp_path)
    shutil.copytree(TEST_OFFLINE / FRESH, tmp_path / FRESH)
    return made


def _left_by_a_dashboard(folder: DropFolder, signal_at: float | None) -> bytes:
    raw = orjson.dumps({"schema_version": 2, "last_sent_signal_id": "BUY_159201.SZ_L1_00000001"})
    folder.publish(BOOKS, raw)
    if signal_at is not None:
        signal = {"signal_id": "BUY_159201.SZ_L1_00000001", "code": "159201.SZ", "direction": "BUY"}
        signal |= {"price": 1.052, "shares": 25300, "timestamp": signal_at, "reason": "grid_buy"}
        folder.publish("order_signal.json", orjson.dumps(signal))
    return raw


def test_missing_files_are_laid_out(folder: DropFolder) -> None:
    """Quote and books as shipped, byte for byte."""
    assert lay_out_fresh_files(folder.path) == ["shared_quote.json", BOOKS]
    for name in ("shared_quote.json", BOOKS):
        assert folder.read(name) == (TEST_OFFLINE / FRESH / name).read_bytes()


def test_a_persons_own_files_are_kept(folder: DropFolder) -> None:
    """A quote and books typed by hand stay, also damaged ones: the dashboard says what is wrong with them."""
    for books in (b'{"last_buy_price": 1.07, "positions": []}', b"{"):
        folder.publish(BOOKS, books)
        folder.publish("shared_quote.json", b"mine")
        assert lay_out_fresh_files(folder.path) == []
        assert (folder.read(BOOKS), folder.read("shared_quote.json")) == (books, b"mine")


def test_a_signal_still_waiting_keeps_its_books(folder: DropFolder) -> None:
    """A restart goes on with the books as they are, so that nothing is sent twice."""
    lay_out_fresh_files(folder.path)
    books = _left_by_a_dashboard(folder, signal_at=NOW - 10)
    assert lay_out_fresh_files(folder.path, NOW) == []
    assert folder.read(BOOKS) == books and folder.read("order_signal.json")


@pytest.mark.parametrize("signal_at", [None, NOW - 301], ids=["consumed", "expired"])
def test_a_run_that_is_over_begins_anew(folder: DropFolder, signal_at: float | None) -> None:
    """Consumed, deleted or expired: the next start finds the shipped books and an empty slot."""
    lay_out_fresh_files(folder.path)
    _left_by_a_dashboard(folder, signal_at)
    assert lay_out_fresh_files(folder.path, NOW) == [BOOKS]
    assert folder.read(BOOKS) == (TEST_OFFLINE / FRESH / BOOKS).read_bytes()
    assert folder.read("order_signal.json") is None


def test_another_signal_in_the_slot_is_left_alone(folder: DropFolder) -> None:
    """The typed abc123 that waits for the executor is nobody's to remove."""
    lay_out_fresh_files(folder.path)
    _left_by_a_dashboard(folder, None)
    folder.publish("order_signal.json", orjson.dumps({"signal_id": "abc123"}))
    lay_out_fresh_files(folder.path, NOW)
    assert read_json(folder.path / "order_signal.json") == {"signal_id": "abc123"}


def test_a_folder_that_ships_nothing_is_left_alone(tmp_path: Path) -> None:
    """A folder of the user's own, marked or not, gets no file of ours."""
    make_offline_folder(tmp_path)
    assert lay_out_fresh_files(tmp_path) == []
    shutil.copytree(TEST_OFFLINE / FRESH, tmp_path / FRESH)
    (tmp_path / "OFFLINE").unlink()
    assert lay_out_fresh_files(tmp_path) == []


def test_the_shipped_quote_is_the_seeds_format() -> None:
    """Closes only, at least 80, falling to 1.052; books at anchor 1.06 without lots."""
    quote = json.loads((TEST_OFFLINE / FRESH / "shared_quote.json").read_text())
    assert set(quote) == {"code", "price", "preClose", "history", "position", "time"}
    assert (
        len(quote["history"]) >= 80 and quote["price"] == 1.052 < quote["history"][-1] < quote["history"][0]
    )
    books = json.loads((TEST_OFFLINE / FRESH / BOOKS).read_text())
    assert (books["last_buy_price"], books["positions"]) == (1.06, [])


def test_a_phase_that_breaks_off_does_not_hide_the_verdict(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """Any error in a phase is a failed phase with its reason, never a traceback instead of the table."""

    def broken(folder: Path) -> list[Check]:
        raise KeyError("positions")

    phase = importlib.import_module(f"test_offline.phases.{PHASES[4]}")
    monkeypatch.setattr(phase, "run", broken)
    monkeypatch.setattr("tempfile.mkdtemp", lambda prefix: str(tmp_path))
    assert offline((4,)) == 1
    printed = capsys.readouterr().out
    assert "KeyError: 'positions'" in printed and say("offline.table") in printed
