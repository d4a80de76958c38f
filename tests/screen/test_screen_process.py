"""The process on a real pseudo-terminal: shows, answers keys, ends cleanly."""

from __future__ import annotations

import os
import select
import subprocess
import sys
import time
from pathlib import Path

import pytest

from mac_side.screen_commands import commands_folder, waiting_commands
from mac_side.view import write_view
from tests.screen import sample_views as sample

ROOT = Path(__file__).resolve().parents[2]
COMMAND = [sys.executable, "-m", "mac_side.screen.screen", "--language", "zh"]
DEADLINE = 20.0

posix_only = pytest.mark.skipif(os.name == "nt", reason="needs a pseudo-terminal")


def _read_until(handle: int, wanted: str) -> str:
    deadline, seen = time.monotonic() + DEADLINE, b""
    while wanted.encode() not in seen:
        left = deadline - time.monotonic()
        assert left > 0, f"{wanted!r} never came: {seen[-2000:]!r}"
        if select.select([handle], [], [], left)[0]:
            seen += os.read(handle, 65536)
    return seen.decode("utf-8", "replace")


@posix_only
@pytest.mark.slow
def test_screen_shows_halts_and_quits(tmp_path: Path) -> None:
    """The view stands on the terminal, a typed HALT reaches the folder, q ends with 0 and the cursor back."""
    import fcntl
    import pty
    import struct
    import termios

    view = tmp_path / "view.json"
    write_view(view, sample.with_changes(sample.trading(), wall=time.time(), market=time.time()))
    master, terminal = pty.openpty()
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 120, 0, 0))
    environment = {**os.environ, "TERM": "xterm-256color", "PYTHONUTF8": "1", "COLUMNS": "120", "LINES": "40"}
    process = subprocess.Popen(
        [*COMMAND, "--view", str(view)], stdin=terminal, stdout=terminal, cwd=ROOT, env=environment
    )
    try:
        os.close(terminal)
        assert "341,900" in _read_until(master, "[q] 退出看板")
        os.write(master, b"hHALT test\r")
        _read_until(master, "已请求停止")
        (waiting,) = waiting_commands(commands_folder(tmp_path))
        assert waiting.command is not None
        assert (waiting.command.kind, waiting.command.argument) == ("halt", "test")
        os.write(master, b"q")
        _read_until(master, "\x1b[?1049l")
        assert process.wait(DEADLINE) == 0
    finally:
        process.kill()
        process.wait()
        os.close(master)


@pytest.mark.slow
def test_without_a_terminal_lines_are_printed(tmp_path: Path) -> None:
    """Into a pipe the same command prints lines and ends with the engine."""
    view = tmp_path / "view.json"
    write_view(view, sample.with_changes(sample.trading(), ended=True))
    environment = {**os.environ, "PYTHONUTF8": "1"}
    done = subprocess.run(
        [*COMMAND, "--view", str(view)],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        cwd=ROOT,
        env=environment,
        timeout=DEADLINE,
        check=False,
    )
    text = done.stdout.decode()
    assert done.returncode == 0 and "模拟 SIMULATE" in text and "\x1b[" not in text, done.stderr.decode()
