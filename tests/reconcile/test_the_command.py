"""``miniqmt reconcile`` over what a real executor left: its ledger, its folder, its day files."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from commands.main import app_for
from shared_schema.ids import SignalId, Tag
from tests.execution.shell import ACCOUNT, Shell
from windows_side.brokers.port import OrderRequest
from windows_side.day_files import day_folder


@pytest.fixture
def traded(tmp_path: Path) -> Shell:
    """An executor that bought twice and sold nothing, with an order by hand beside."""
    shell = Shell(tmp_path)
    shell.ready()
    for number in (1, 2):
        shell.drop(shell.signal(f"s{number}", price=1.2, shares=900 + number * 100))
        assert shell.settled(f"s{number}").filled_shares == 900 + number * 100
    by_hand = OrderRequest(SignalId("hand"), Tag("by hand"), shell.signal().code, "BUY", 100, 1.2)
    shell.broker.place(by_hand)
    shell.restart()
    shell.ready().executor.end()
    return shell


def run(shell: Shell, monkeypatch: pytest.MonkeyPatch, *typed: str) -> Any:
    """The command at the executor's host."""
    monkeypatch.setenv("RUNTIME_DIR", str(shell.place))
    line = ["reconcile", *typed, "--folder", str(shell.folder.path)]
    return CliRunner().invoke(app_for(line), line)


@pytest.mark.slow
def test_a_day_agrees_and_is_written(traded: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    """Exit 0, each fill in the CSV, the order by hand listed as foreign."""
    told = run(traded, monkeypatch, "--json")
    assert told.exit_code == 0, told.output
    report = json.loads(told.stdout)[0]
    assert report["agrees"] and len(report["orders"]) == 2 and len(report["foreign"]) == 1
    shown = run(traded, monkeypatch)
    assert shown.exit_code == 0 and "一致" in shown.output
    path = next(day_folder(traded.place, "simulate", ACCOUNT).glob("reconcile_*.csv"))
    rows = list(csv.DictReader(path.read_text("utf-8-sig").splitlines()))
    assert [row["signal_id"] for row in rows[:2]] == ["s1", "s2"]


@pytest.mark.slow
def test_a_narrow_terminal_cuts_no_value(traded: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    """At 80 columns each order is a line of its own, its id and shares whole."""
    monkeypatch.setenv("COLUMNS", "80")
    shown = run(traded, monkeypatch).output
    assert "…" not in shown and "1000/1000" in shown and "1100/1100" in shown
    monkeypatch.setenv("COLUMNS", "250")
    assert "│" in run(traded, monkeypatch).output


@pytest.mark.slow
def test_a_lost_result_is_a_difference(traded: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    """Exit 1 and the signal's name where the folder no longer shows what the ledger knows.

    The hour of the broker's list stands beside: an order later than it is no difference yet.
    """
    for path in traded.folder.path.rglob("order_result_*s1*"):
        path.unlink()
    told = run(traded, monkeypatch)
    assert told.exit_code == 1 and "s1" in told.output and "没有结果文件" in told.output
    assert "保存于 20" in told.output


@pytest.mark.slow
def test_a_day_that_was_not_kept_is_said(traded: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the broker's day nothing is called agreed."""
    for path in day_folder(traded.place, "simulate", ACCOUNT).glob("trades_*"):
        path.unlink()
    told = run(traded, monkeypatch)
    assert told.exit_code == 1 and "没有保存当日委托与成交" in str(told.exception or told.output)
