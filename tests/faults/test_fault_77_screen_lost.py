"""Fault 77, end to end: screen, dashboard or terminal go away, and the engine works on."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from mac_side.view import read_view

ROOT = Path(__file__).resolve().parents[2]
DEADLINE = 20.0
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(os.name == "nt", reason="needs a pseudo-terminal"),
]


class Dashboard:
    """The whole dashboard on a pseudo-terminal of 20 columns and 5 lines without colours."""

    def __init__(self, place: Path) -> None:
        import fcntl
        import pty
        import struct
        import termios

        (place / "share").mkdir()
        self.view = place / "runtime" / "dashboard_view.json"
        environment = {
            **os.environ,
            "MINIQMT_SHARED_DIR": str(place / "share"),
            "RUNTIME_DIR": str(place / "runtime"),
            "LOG_DIR": str(place / "logs"),
            "NO_COLOR": "1",
            "TERM": "xterm",
            "PYTHONUTF8": "1",
        }
        for name in ("COLUMNS", "LINES"):
            environment.pop(name, None)
        self.master, inner = pty.openpty()
        fcntl.ioctl(inner, termios.TIOCSWINSZ, struct.pack("HHHH", 5, 20, 0, 0))
        code = "import sys; from mac_side.mac_dashboard import main; sys.exit(main(sys.argv[1:]))"
        self.process = subprocess.Popen(
            [sys.executable, "-c", code, "--symbol", "159201.SZ"],
            cwd=ROOT, env=environment, stdin=inner, stdout=inner, stderr=inner,
            preexec_fn=lambda: _own_terminal(inner),
        )  # fmt: skip
        os.close(inner)
        self.seen = b""
        self.parent = psutil.Process(self.process.pid)
        self.children: list[psutil.Process] = []

    def until(self, reached: Callable[[], object]) -> None:
        """Read the terminal until ``reached`` says so."""
        deadline = time.monotonic() + DEADLINE
        while not reached():
            assert time.monotonic() < deadline, self.seen[-2000:]
            if self.master < 0 or not select.select([self.master], [], [], 0.05)[0]:
                time.sleep(0.01)
                continue
            try:
                self.seen += os.read(self.master, 65536)
            except OSError:  # nobody holds the other end any more
                self.close_terminal()

    def child(self, part: str) -> psutil.Process:
        """The child whose command line holds ``part``."""
        for process in self.parent.children(recursive=True) if self.parent.is_running() else ():
            if process not in self.children:
                self.children.append(process)
        (found,) = [p for p in self.children if p.is_running() and part in " ".join(_words(p))]
        return found

    def close_terminal(self) -> None:
        """The SSH session drops: the other end of the terminal is gone."""
        os.close(self.master)
        self.master = -1

    def written_at(self) -> float:
        """When the engine last showed what it sees."""
        view = read_view(self.view)
        return view.wall if view is not None else 0.0

    def end(self) -> None:
        """Leave nothing behind."""
        for process in (*self.children, self.parent):
            if process.is_running():
                process.kill()
        self.process.wait()
        if self.master >= 0:
            os.close(self.master)


@pytest.fixture
def dashboard(tmp_path: Path) -> Iterator[Dashboard]:
    """A running dashboard, its screen drawn once."""
    made = Dashboard(tmp_path)
    try:
        made.until(lambda: b"\x1b[?1049h" in made.seen and made.view.exists())
        yield made
    finally:
        made.end()


@pytest.mark.parametrize("lost", ["screen", "dashboard", "terminal"])
def test_the_engine_goes_on(dashboard: Dashboard, lost: str) -> None:
    """Killed with -9, or the session dropped: the engine's process lives and its view moves on."""
    engine, screen = dashboard.child("--no-screen"), dashboard.child("screen.screen")
    if lost == "screen":
        screen.kill()
        dashboard.until(lambda: dashboard.process.poll() is not None)
        assert str(engine.pid).encode() in dashboard.seen
    elif lost == "dashboard":
        dashboard.process.send_signal(signal.SIGKILL)
    else:
        dashboard.close_terminal()
        dashboard.until(lambda: dashboard.process.poll() is not None)
    gone_at = time.time()
    dashboard.until(lambda: dashboard.written_at() > gone_at + 0.5)
    assert engine.is_running() and engine.status() != psutil.STATUS_ZOMBIE


def test_a_person_who_quits_ends_both(dashboard: Dashboard) -> None:
    """The key means it: nothing is left running unseen."""
    engine = dashboard.child("--no-screen")
    os.write(dashboard.master, b"q")
    dashboard.until(lambda: dashboard.process.poll() is not None)
    assert dashboard.process.returncode == 0
    psutil.wait_procs([engine], timeout=DEADLINE)
    assert not engine.is_running()


def _own_terminal(inner: int) -> None:
    import fcntl
    import termios

    os.setsid()
    fcntl.ioctl(inner, termios.TIOCSCTTY, 0)


def _words(process: psutil.Process) -> list[str]:
    try:
        found: list[str] = process.cmdline()
    except psutil.Error:
        return []
    return found
