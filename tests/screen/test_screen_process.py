"""The process on a real pseudo-terminal: shows, answers keys, ends cleanly."""

from __future__ import annotations

import os
import select
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from mac_side.screen_commands import commands_folder, waiting_commands
from mac_side.view import write_view
from tests.screen import sample_views as sample

ROOT = Path(__file__).resolve().parents[2]
COMMAND = [sys.executable, "-m", "mac_side.screen.screen", "--language", "zh"]
DEADLINE = 120.0
LEFT = "\x1b[?1049l"
"""The terminal's own screen is back."""

posix_only = pytest.mark.skipif(os.name == "nt", reason="needs a pseudo-terminal")


def _read_until(handle: int, wanted: str) -> str:
    deadline, seen = time.monotonic() + DEADLINE, b""
    while wanted.encode() not in seen:
        left = deadline - time.monotonic()
        assert left > 0, f"{wanted!r} never came: {seen[-2000:]!r}"
        if select.select([handle], [], [], left)[0]:
            seen += os.read(handle, 65536)
    return seen.decode("utf-8", "replace")


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[tuple[int, subprocess.Popen[bytes]]]:
    """A screen on a pseudo-terminal of 120x40, and the handle of its other end."""
    import fcntl
    import pty
    import struct
    import termios

    view = tmp_path / "view.json"
    write_view(view, sample.with_changes(sample.trading(), wall=time.time(), market=time.time()))
    master, inner = pty.openpty()
    fcntl.ioctl(inner, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 120, 0, 0))
    environment = {**os.environ, "TERM": "xterm-256color", "PYTHONUTF8": "1", "COLUMNS": "120", "LINES": "40"}
    command = [*COMMAND, "--view", str(view), "--until-ended"]
    process = subprocess.Popen(command, stdin=inner, stdout=inner, cwd=ROOT, env=environment)
    os.close(inner)
    try:
        yield master, process
    finally:
        process.kill()
        process.wait()
        os.close(master)


@posix_only
@pytest.mark.slow
def test_screen_shows_halts_and_quits(tmp_path: Path, terminal: tuple[int, subprocess.Popen[bytes]]) -> None:
    """The view stands on the terminal, a typed HALT reaches the folder, q ends with 0 and the cursor back."""
    master, process = terminal
    assert "341,900" in _read_until(master, "退出看板")
    os.write(master, b"hHALT test\r")
    _read_until(master, "已请求停止")
    (waiting,) = waiting_commands(commands_folder(tmp_path))
    assert waiting.command is not None
    assert (waiting.command.kind, waiting.command.argument) == ("halt", "test")
    os.write(master, b"q")
    _read_until(master, LEFT)
    assert process.wait(DEADLINE) == 0


@posix_only
@pytest.mark.slow
@pytest.mark.parametrize("end", ["terminated", "engine ended"])
def test_the_terminal_is_given_back(
    tmp_path: Path, terminal: tuple[int, subprocess.Popen[bytes]], end: str
) -> None:
    """Ended from outside, or by the engine's last view, the screen leaves the terminal as it was."""
    master, process = terminal
    _read_until(master, "退出看板")
    if end == "terminated":
        process.terminate()
    else:
        write_view(tmp_path / "view.json", sample.with_changes(sample.trading(), ended=True))
    _read_until(master, LEFT)
    assert process.wait(DEADLINE) == 0


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
