"""``miniqmt acceptance`` over the stand-in: nothing unasked, nothing left open, everything written down."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from test_offline.fake_qmt.install import is_possible

if not is_possible():
    pytest.skip("xtquant is not installed (requirements-dev.txt)", allow_module_level=True)

import typer
from typer.testing import CliRunner

from commands import acceptance as command
from commands.main import app_for
from test_offline.fake_qmt import data_place, native
from test_offline.fake_qmt.recorded import differences, read_recording
from test_offline.fake_qmt.recorded import main as recorded_main
from tests.brokers.qmt_driver import NUMBER, QmtDriver
from windows_side.acceptance import questions, talk
from windows_side.acceptance.recorder import fields_of
from windows_side.brokers.port import FINAL_STATUSES

ALL_BUT_RESTART = "status_and_lists,units_of_volume,life_of_an_order,length_of_remarks,refusals"


@pytest.fixture
def terminal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[QmtDriver]:
    """A stand-in terminal, and settings that point to it."""
    monkeypatch.setattr(questions, "SHOWN_WITHIN", 0.5)
    monkeypatch.setattr(questions, "ERROR_WITHIN", 0.2)
    monkeypatch.setattr(talk, "TAKEN_BACK_WITHIN", 0.5)
    driver = QmtDriver(tmp_path / "qmt")
    driver.port.stop()
    monkeypatch.setattr(data_place, "userdata", driver.userdata)
    folder = tmp_path / "share"
    folder.mkdir()
    for name, value in {
        "MINIQMT_SHARED_DIR": folder,
        "RUNTIME_DIR": tmp_path / "qmt" / "runtime",
        "QMT_DATA_PATH": driver.userdata,
        "QMT_ACCOUNT_ID": NUMBER,
    }.items():
        monkeypatch.setenv(name, str(value))
    yield driver
    driver.close()


def run(only: str, agree: Callable[[str], bool], monkeypatch: pytest.MonkeyPatch, *more: str) -> Any:
    """The command; ``agree`` answers each order's text."""
    monkeypatch.setattr(typer, "confirm", lambda text, **_: agree(text))
    line = ["acceptance", "--code", "159201.SZ", "--only", only, *more]
    return CliRunner().invoke(app_for(line), line, input="ACCEPT\n")


def report(tmp_path: Path) -> dict[str, Any]:
    """The newest report."""
    found = sorted((tmp_path / "qmt" / "runtime" / "acceptance").glob("*.json"))[-1]
    return dict(json.loads(found.read_text("utf-8")))


@pytest.mark.slow
def test_a_whole_run_answers_and_takes_everything_back(
    terminal: QmtDriver, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each question has its facts, every order has ended, and the recording holds the native fields."""
    told = run(ALL_BUT_RESTART, lambda text: True, monkeypatch, "--record", str(tmp_path / "raw.jsonl"))
    assert told.exit_code == 0, told.output
    answers = report(tmp_path)["answers"]
    assert answers["life_of_an_order"]["visible after s"] is not None
    assert answers["length_of_remarks"]["23 bytes"].startswith("23 come back")
    assert "127 bytes" in answers["length_of_remarks"]
    assert terminal.counter.orders() and all(order.is_final for order in terminal.counter.orders())
    recorded = [json.loads(line) for line in (tmp_path / "raw.jsonl").read_text("utf-8").splitlines()]
    assert {"order", "listed by query_stock_orders"} <= {line["kind"] for line in recorded}
    assert NUMBER not in (tmp_path / "raw.jsonl").read_text("utf-8")
    assert recorded_main([str(tmp_path / "raw.jsonl")]) == 0, "the stand-in held against itself"


@pytest.mark.slow
def test_a_none_instead_of_a_list_stands_in_report_and_recording(
    terminal: QmtDriver, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first question: a terminal that answers None for an empty day is told from one that answers []."""
    terminal.faults.set("orders", "none")
    raw = tmp_path / "raw.jsonl"
    run("status_and_lists", lambda text: True, monkeypatch, "--record", str(raw))
    answer = report(tmp_path)["answers"]["status_and_lists"]
    assert answer["None instead of a list"] == ["query_stock_orders"]
    assert answer["query_stock_trades"].startswith("list of 0")
    told = [json.loads(line) for line in raw.read_text("utf-8").splitlines()]
    values = {line["kind"]: line["fields"].get("value") for line in told}
    assert values["answer of query_stock_orders"] is None
    assert values["answer of query_stock_trades"] == "list of 0"


def a_recording(path: Path, **changes: Any) -> list[str]:
    """The differences of a recording with one order, whose fields are changed (None: left out)."""
    values = {"stock_code": "159201.SZ", "order_id": 7, "order_type": 23, "order_volume": 100, "price": 1.05}
    order = native.XtOrder(native.raw_of(native.XtOrder, values))
    fields = {name: value for name, value in (fields_of(order) | changes).items() if value is not None}
    line = {"monotonic": 1.0, "kind": "order", "fields": fields}
    path.write_text(json.dumps(line, default=repr) + "\n", "utf-8")
    return differences(read_recording(path))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"brand_new": 1}, "brand_new: recorded, not in the stand-in"),
        ({"status_msg": None}, "status_msg: in the stand-in, not recorded"),
        ({"order_volume": "100"}, "order_volume: str recorded"),
        ({"m_strOrderRemark": "x" * 30}, "30 bytes recorded, the stand-in keeps 23"),
        ({"stock_code": "159201"}, "the product can't use the recorded one"),
        ({"status_msg": "unreadable: UnicodeDecodeError"}, "could not be read at the terminal"),
    ],
)
def test_a_recording_that_differs_from_the_stand_in_is_told(
    tmp_path: Path, changes: dict[str, Any], words: str
) -> None:
    """One real session calibrates the stand-in: what it has otherwise is named, field by field."""
    assert a_recording(tmp_path / "raw.jsonl") == []
    assert words in "\n".join(a_recording(tmp_path / "raw.jsonl", **changes))


@pytest.mark.slow
def test_nothing_is_sent_unasked(
    terminal: QmtDriver, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever says no to each order has sent none."""
    told = run("life_of_an_order,length_of_remarks,refusals", lambda text: False, monkeypatch)
    assert told.exit_code == 0 and terminal.counter.orders() == ()


def test_without_the_word_nothing_happens(
    terminal: QmtDriver, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Enter alone ends it before the terminal is even called."""
    line = ["acceptance", "--code", "159201.SZ"]
    told = CliRunner().invoke(app_for(line), line, input="\n")
    assert told.exit_code == 1 and terminal.terminal.places == 0


@pytest.mark.slow
def test_a_cancel_that_is_ignored_is_said_loudly(
    terminal: QmtDriver, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An order that stays open ends the run with 1, its number on the screen and in the report."""
    terminal.faults.set("cancel", "ignored")
    told = run("life_of_an_order", lambda text: True, monkeypatch)
    open_orders = [order for order in terminal.counter.orders() if order.status not in FINAL_STATUSES]
    left = report(tmp_path)["left_open"]
    assert told.exit_code == 1 and len(left) == len(open_orders) == 1 and str(left[0]) in told.output


def test_an_unknown_question_is_named(terminal: QmtDriver) -> None:
    """A misspelt --only says which there are."""
    with pytest.raises(command.SettingsError) as problem:
        command._questions("lfe")
    assert "life_of_an_order" in str(problem.value)
