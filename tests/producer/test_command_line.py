"""The risk: a typing mistake replays something else, two producers share a folder, a stop leaves no trace."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from shared_schema.drop_folder import DropFolder
from shared_schema.errors import MiniqmtError, SettingsError
from shared_schema.messages import decode_heartbeat, decode_quote
from tests.producer.world import bars_file
from windows_side.bridge_producer import main
from windows_side.producer_options import parse_options
from windows_side.single_instance import hold_single_instance

SCRIPT = Path(__file__).resolve().parents[2] / "windows_side" / "bridge_producer.py"


def test_what_is_typed_is_what_is_replayed() -> None:
    """Files, codes, position, speed and readers arrive as typed; the code is guessed from the file's name."""
    typed = ["--replay", "a/SH600009_1min.csv", "--speed", "max", "--start-position", "600009.SH=2000@71.50"]
    options = parse_options([*typed, "--cash", "5000", "--wait-for", "executor,dashboard", "--lockstep"])
    assert options.replay == ((Path("a/SH600009_1min.csv"), "600009.SH"),)
    held = options.positions["600009.SH"]  # type: ignore[index]
    assert (held.volume, held.can_use_volume, held.open_price) == (2000, 2000, 71.5)
    assert held.market_value == 143000.0
    assert (options.speed, options.cash, options.lockstep) == (0.0, 5000.0, True)
    assert options.wait_for == ("executor", "dashboard")
    assert parse_options(["--replay", "x.csv", "--code", "159201.SZ"]).replay[0][1] == "159201.SZ"


@pytest.mark.parametrize(
    "typed,named",
    [
        (["--sped", "3"], "--sped"),
        (["--replay", "bars.csv"], "--code"),
        (["--replay", "bars.csv", "--code", "600009"], "600009.SH"),
        (["--replay", "600009.csv", "--replay", "SH600009.csv"], "600009.SH, 600009.SH"),
        (["--replay", "600009.csv", "--code", "600009.SH", "--code", "600000.SH"], "2"),
        (["--speed", "fast"], "--speed fast"),
        (["--speed", "nan"], "--speed nan"),
        (["--cash", "-1"], "--cash"),
        (["--day", "yesterday"], "yesterday"),
        (["--day", "2026-02-30"], "2026-02-30"),
        (["--wait-for", "broker"], "broker"),
        (["--start-position", "600009.SH=2000"], "600009.SH=2000"),
        (["--start-position", "600009.SH=1.5@3"], "1.5@3"),
    ],
)
def test_a_typing_mistake_is_named(typed: list[str], named: str) -> None:
    """Nothing is guessed: what was typed wrong stands in the error."""
    with pytest.raises(MiniqmtError) as refused:
        parse_options(typed)
    assert named in str(refused.value)


def settled_in(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Settings of a host whose folders lie in ``folder``."""
    for name, part in (("MINIQMT_SHARED_DIR", "x"), ("RUNTIME_DIR", "runtime"), ("LOG_DIR", "logs")):
        monkeypatch.setenv(name, str(folder / part))
    monkeypatch.delenv("MINIQMT_CONFIG", raising=False)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(folder / "config"))
    monkeypatch.chdir(folder)


@pytest.mark.parametrize("path", ["missing", "file"])
def test_an_unusable_folder_ends_with_2(
    path: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A folder that is missing or none is named in one sentence."""
    settled_in(tmp_path, monkeypatch)
    (tmp_path / "file").write_text("")
    assert main(["--replay", "SH600009.csv", "--shared-dir", str(tmp_path / path)]) == 2
    assert str(tmp_path / path) in capsys.readouterr().err


def test_without_a_replay_it_says_what_it_can_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without QMT on this host: exit code 2 and the way that works here."""
    settled_in(tmp_path, monkeypatch)
    (tmp_path / "x").mkdir()
    assert main([]) == 2
    assert "--replay" in capsys.readouterr().err


def test_a_second_one_for_the_folder_is_refused_and_told_who_holds_it(tmp_path: Path) -> None:
    """However the folder is spelled; another folder is free, and so is this one afterwards."""
    exchange = tmp_path / "x"
    exchange.mkdir()
    lock = hold_single_instance("producer", tmp_path / "runtime", exchange)
    with pytest.raises(SettingsError) as refused:
        hold_single_instance("producer", tmp_path / "runtime", exchange / ".." / "x")
    assert f"pid {os.getpid()}" in str(refused.value)
    hold_single_instance("producer", tmp_path / "runtime", tmp_path / "y").release()
    lock.release()
    hold_single_instance("producer", tmp_path / "runtime", exchange).release()


def until(passed: Callable[[], bool]) -> None:
    """Wait until ``passed``; fails after two minutes."""
    deadline = time.monotonic() + 120
    while not passed():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.01)


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="POSIX signals")
def test_by_path_killed_resumed_and_stopped(tmp_path: Path) -> None:
    """By path: after kill -9 it goes on where it was; SIGTERM ends it with 0 and a last heartbeat."""
    rows = [(f"09:{minute}", 10.0, 10.1, 9.9, 10.0, 400) for minute in range(31, 60)]
    path = bars_file(tmp_path, {"2024-01-03": rows})
    (tmp_path / "x").mkdir()
    names = {
        "MINIQMT_SHARED_DIR": "x",
        "RUNTIME_DIR": "runtime",
        "LOG_DIR": "logs",
        "XDG_CONFIG_HOME": "config",
    }
    environment = {**os.environ, **{name: str(tmp_path / part) for name, part in names.items()}}
    command = [sys.executable, str(SCRIPT), "--replay", str(path), "--speed", "600"]
    folder = DropFolder(tmp_path / "x")

    def market_time() -> float:
        raw = folder.read_large("shared_quote.json")
        envelope = decode_quote(raw).envelope if raw is not None else None
        return envelope.market_time if envelope is not None else 0.0

    def start() -> subprocess.Popen[bytes]:
        return subprocess.Popen(command, env=environment, cwd=tmp_path, stdout=subprocess.DEVNULL)

    first = start()
    try:
        until(lambda: bool(market_time()))
        opening = market_time()
        until(lambda: market_time() > opening + 120)
    finally:
        first.kill()
        first.wait()
    killed_at = market_time()
    second = start()
    try:
        until(lambda: market_time() > killed_at)
        assert market_time() < killed_at + 600, "it began where it was, not at the end"
        second.send_signal(signal.SIGTERM)
        assert second.wait(120) == 0
    finally:
        second.kill()
        second.wait()
    (beat,) = folder.list_folder("heartbeat")
    raw = folder.read(f"heartbeat/{beat.name}")
    assert raw is not None and decode_heartbeat(raw).body.state == "stopped"
    log = (tmp_path / "logs" / "bridge_producer.log").read_text(encoding="utf-8")
    assert "replay_resumed" in log and "producer_stopped" in log


@pytest.mark.slow
def test_it_needs_no_pandas() -> None:
    """The Windows host has the small set: the producer's path imports no pandas, numpy or matplotlib."""
    code = (
        "import sys; import windows_side.bridge_producer; "
        "print([n for n in ('pandas', 'numpy', 'matplotlib', 'typer', 'rich') if n in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=SCRIPT.parents[1], capture_output=True, text=True)
    assert done.stdout.strip() == "[]", done.stderr
