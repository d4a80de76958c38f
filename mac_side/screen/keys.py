"""Single keys from the terminal, without waiting for Enter: termios, or msvcrt on Windows."""

from __future__ import annotations

import os
import sys
import time
from types import TracebackType
from typing import Protocol

END = "\x04"
"""Given when the terminal is gone: quit."""


class KeyReader(Protocol):
    """A context in which keys can be read one by one."""

    def __enter__(self) -> KeyReader: ...

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None: ...

    def read(self, wait: float) -> str:
        """The characters typed within ``wait`` seconds; "" where none; END when input ended."""
        ...


class PosixKeys:
    """Keys of a POSIX terminal in cbreak mode; Ctrl+C keeps its meaning."""

    def __init__(self) -> None:
        self._handle = sys.stdin.fileno()

    def __enter__(self) -> PosixKeys:
        import termios
        import tty

        self._before = termios.tcgetattr(self._handle)
        tty.setcbreak(self._handle)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        import termios

        termios.tcsetattr(self._handle, termios.TCSADRAIN, self._before)

    def read(self, wait: float) -> str:
        """See KeyReader."""
        import select

        ready, _, _ = select.select([self._handle], [], [], wait)
        if not ready:
            return ""
        try:
            typed = os.read(self._handle, 64)
        except OSError:
            return END  # the terminal went away (a closed SSH session)
        return without_sequences(typed.decode("utf-8", "ignore")) if typed else END


class WindowsKeys:
    """Keys of a Windows console."""

    def __enter__(self) -> WindowsKeys:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        return None

    def read(self, wait: float) -> str:
        """See KeyReader."""
        import msvcrt

        console: object = msvcrt
        deadline = time.monotonic() + wait
        while not console.kbhit():  # type: ignore[attr-defined]
            if time.monotonic() >= deadline:
                return ""
            time.sleep(0.03)
        key: str = console.getwch()  # type: ignore[attr-defined]
        if key in ("\x00", "\xe0"):  # an arrow or function key comes as two characters
            console.getwch()  # type: ignore[attr-defined]
            return ""
        return key


class NoKeys:
    """Input that is no terminal: nothing is ever typed."""

    def __enter__(self) -> NoKeys:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        return None

    def read(self, wait: float) -> str:
        """See KeyReader."""
        time.sleep(wait)
        return ""


def key_reader() -> KeyReader:
    """The reader for this terminal."""
    if not sys.stdin.isatty():
        return NoKeys()
    return WindowsKeys() if os.name == "nt" else PosixKeys()


def without_sequences(typed: str) -> str:
    """Without escape sequences (arrows, pasted brackets): their letters are not keys typed."""
    kept, skipping = [], False
    for character in typed:
        if character == "\x1b":
            skipping = True
        elif not skipping:
            kept.append(character)
        elif (character.isalpha() and character != "O") or character == "~":
            skipping = False
    return "".join(kept)
