"""A program on a real pseudo-terminal."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DEADLINE = 120.0


class Terminal:
    """A terminal window of ``columns`` by ``lines`` with a Python program as its session's leader."""

    def __init__(
        self, arguments: Sequence[str], columns: int, lines: int, environment: dict[str, str] | None = None
    ) -> None:
        self._master, inner = pty.openpty()
        self._size(inner, columns, lines)
        kept = {name: value for name, value in os.environ.items() if name not in ("COLUMNS", "LINES")}
        told = kept | {"TERM": "xterm-256color", "PYTHONUTF8": "1"} | (environment or {})

        def take_terminal() -> None:
            fcntl.ioctl(0, termios.TIOCSCTTY, 0)

        self.process = subprocess.Popen(
            [sys.executable, *arguments],
            stdin=inner,
            stdout=inner,
            stderr=inner,
            cwd=ROOT,
            env=told,
            start_new_session=True,
            preexec_fn=take_terminal,
        )
        os.close(inner)
        self._seen = b""

    def type(self, keys: str) -> None:
        """Press keys."""
        os.write(self._master, keys.encode())

    def resize(self, columns: int, lines: int) -> None:
        """As dragging the window's corner does."""
        self._size(self._master, columns, lines)

    def read_until(self, wanted: str) -> str:
        """What the program printed, up to and with ``wanted``; forgets it."""
        deadline = time.monotonic() + DEADLINE
        while wanted.encode() not in self._seen:
            left = deadline - time.monotonic()
            assert left > 0, f"{wanted!r} never came: {self._seen[-2000:]!r}"
            if select.select([self._master], [], [], left)[0]:
                self._seen += os.read(self._master, 65536)
        before, _, self._seen = self._seen.partition(wanted.encode())
        return before.decode("utf-8", "replace")

    def close(self) -> None:
        """The window goes away, as a closed SSH session does."""
        if self._master >= 0:
            os.close(self._master)
            self._master = -1

    def end(self) -> None:
        """Tidy up after a test."""
        self.process.kill()
        self.process.wait()
        self.close()

    @staticmethod
    def _size(handle: int, columns: int, lines: int) -> None:
        fcntl.ioctl(handle, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))
