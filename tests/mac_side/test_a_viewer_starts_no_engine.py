"""The risk: whoever only looks (``--read-only``) starts an engine that trades, or waits where nobody sees."""

from __future__ import annotations

import subprocess
import time
from pathlib import Path

import pytest

from mac_side import dashboard_processes, mac_dashboard
from mac_side.screen.notices import SILENT_AFTER
from mac_side.screen.watched import is_written
from mac_side.view import View, write_view


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A fresh exchange folder; starting a process of any kind fails the test."""
    (tmp_path / "share").mkdir()
    monkeypatch.setenv("RUNTIME_DIR", str(tmp_path / "runtime"))
    monkeypatch.setenv("LOG_DIR", str(tmp_path / "logs"))
    return tmp_path


def _view(folder: Path, wall: float, ended: bool = False) -> Path:
    path = folder / "runtime" / "dashboard_view.json"
    path.parent.mkdir(exist_ok=True)
    write_view(path, View(wall=wall, ended=ended))
    return path


@pytest.mark.parametrize("more", [[], ["--no-screen"]])
def test_without_a_terminal_it_says_that_no_engine_runs(
    folder: Path, more: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """One sentence and exit code 2; neither books nor heartbeat nor lock come to be."""

    def never(*_: object, **__: object) -> None:
        raise AssertionError("a viewer started a process")

    monkeypatch.setattr(subprocess, "Popen", never)
    monkeypatch.setattr(mac_dashboard, "run_engine", never)
    for stale in (None, time.time() - 60):
        if stale is not None:
            _view(folder, stale)
        typed = ["--read-only", "--shared-dir", str(folder / "share"), *more]
        assert mac_dashboard.main(typed) == 2
        assert "没有引擎在运行" in capsys.readouterr().err
    assert list((folder / "share").iterdir()) == []


def test_beside_an_engine_it_prints_lines(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An engine at work is followed by a screen that commands nothing; none is started."""
    started: list[list[str]] = []

    class Ended:
        returncode = 0

        def poll(self) -> int:
            return 0

        def wait(self) -> int:
            return 0

    def screen(command: list[str], **_: object) -> Ended:
        started.append(command)
        return Ended()

    monkeypatch.setattr(dashboard_processes.subprocess, "Popen", screen)
    _view(folder, time.time())
    assert mac_dashboard.main(["--read-only", "--shared-dir", str(folder / "share")]) == 0
    (command,) = started
    assert "mac_side.screen.screen" in command and {"--read-only", "--lines"} <= set(command)


def test_an_engine_is_at_work_while_it_writes(folder: Path) -> None:
    """Ended, silent or never there: none."""
    now = 1_790_000_000.0
    path = _view(folder, now)
    assert is_written(path, now + SILENT_AFTER) and not is_written(path, now + SILENT_AFTER + 1)
    _view(folder, now, ended=True)
    assert not is_written(path, now)
    assert not is_written(folder / "nowhere.json", now)
