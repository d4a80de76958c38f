"""The engine never waits for a screen: killed, shrunk or cut off, it goes on trading."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import orjson
import psutil
import pytest

from mac_side.view import View, read_view

pytestmark = [pytest.mark.slow, pytest.mark.skipif(os.name == "nt", reason="needs a pseudo-terminal")]
if sys.platform != "win32":
    from tests.screen.terminals import DEADLINE, Terminal

TWO = '[strategies.dividend]\nsymbol = "512890.SH"\n'


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    """An OFFLINE folder with settings for two strategies; its engines are ended afterwards."""
    (tmp_path / "exchange").mkdir()
    (tmp_path / "exchange" / "OFFLINE").write_text("")
    settings = f'shared_dir = "exchange"\nruntime_dir = "runtime"\nlog_dir = "logs"\n{TWO}'
    (tmp_path / "miniqmt.toml").write_text(settings, encoding="utf-8")
    yield tmp_path
    for engine in _engines(tmp_path):
        engine.kill()


def _dashboard(home: Path, columns: int = 120, lines: int = 40) -> Terminal:
    environment = {"MINIQMT_CONFIG": str(home / "miniqmt.toml"), "RUNTIME_DIR": "", "LOG_DIR": ""}
    return Terminal(["mac_side/mac_dashboard.py"], columns, lines, environment)


def _engines(home: Path) -> list[psutil.Process]:
    holders = (home / "runtime").glob("dashboard*.holder.json")
    pids = [int(orjson.loads(holder.read_bytes())["pid"]) for holder in holders]
    return [psutil.Process(pid) for pid in pids if psutil.pid_exists(pid)]


def _await(condition: Callable[[], object], what: str) -> None:
    deadline = time.monotonic() + DEADLINE
    while not condition():
        assert time.monotonic() < deadline, f"{what} never came"
        time.sleep(0.05)


def _view(home: Path, name: str) -> View:
    view = read_view(home / "runtime" / name)
    return view if view is not None else View()


def _assert_engines_live_on(home: Path) -> None:
    """Both write further views."""
    for name, code in (("dashboard_view.json", "159201.SZ"), ("dashboard_view_dividend.json", "512890.SH")):
        before = _view(home, name)
        assert before.code == code
        _await(lambda name=name, before=before: _view(home, name).wall > before.wall, f"another {name}")  # type: ignore[misc]


def test_engines_outlive_kill_resize_and_a_closed_terminal(home: Path) -> None:
    """Two engines, one screen: shrunk to 20x5 it goes on, killed or cut off it takes no engine with it;
    the next screen shows them again, and its q leaves engines alone that it did not start."""
    first = _dashboard(home)
    try:
        first.read_until("512890.SH")
        first.type("\t")
        first.read_until("红利低波ETF")
        first.resize(20, 5)
        _assert_engines_live_on(home)
        engines = _engines(home)
        assert len(engines) == 2
        (screen,) = [
            child for child in psutil.Process(first.process.pid).children() if "--view" in child.cmdline()
        ]
        screen.kill()
        first.read_until("miniqmt dashboard")
        assert first.process.wait(DEADLINE) == 1
    finally:
        first.end()
    second = _dashboard(home)
    try:
        second.read_until("159201.SZ")
        second.close()  # SSH is gone: it ends by the SIGHUP of its session, or by the end of its input before
        second.process.wait(DEADLINE)
    finally:
        second.end()
    _assert_engines_live_on(home)
    third = _dashboard(home, 80, 24)
    try:
        third.read_until("159201.SZ")
        third.type("q")
        told = third.read_until("taskkill")
        assert "继续运行" in told, "q ends no engine it did not start"
        assert all(str(engine.pid) in told for engine in engines)
        assert third.process.wait(DEADLINE) == 0
    finally:
        third.end()
    assert [engine.pid for engine in _engines(home)] == [engine.pid for engine in engines]


def test_quitting_ends_the_engines_it_started(home: Path) -> None:
    """q ends the screen and, in order, its engines: their last views say so."""
    terminal = _dashboard(home)
    try:
        terminal.read_until("159201.SZ")
        _await(lambda: _view(home, "dashboard_view_dividend.json").code, "the second engine's view")
        terminal.type("q")
        assert terminal.process.wait(DEADLINE) == 0
    finally:
        terminal.end()
    assert not _engines(home)
    assert _view(home, "dashboard_view.json").ended and _view(home, "dashboard_view_dividend.json").ended
