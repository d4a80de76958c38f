"""Single keys from the terminal, without waiting for Enter: termios, or msvcrt on Windows.

A key is one character, or one of the names below for those that come as several characters.
"""

from __future__ import annotations

import os
import re
import sys
import time
from types import TracebackType
from typing import Protocol

GONE = "terminal gone"
"""Nobody quits by that: the engines go on."""
END = "end of input"
"""The terminal is gone, or Ctrl+D: quit."""
ESCAPE, ENTER, DELETE, TAB, BACK_TAB = "escape", "enter", "delete", "tab", "back-tab"
UP, DOWN, PAGE_UP, PAGE_DOWN, HOME = "up", "down", "page-up", "page-down", "home"

_PLAIN = {"\x04": END, "\r": ENTER, "\n": ENTER, "\x7f": DELETE, "\b": DELETE, "\t": TAB, "\x1b": ESCAPE}
_SEQUENCES = {
    "[A": UP,
    "[B": DOWN,
    "OA": UP,
    "OB": DOWN,
    "[5~": PAGE_UP,
    "[6~": PAGE_DOWN,
    "[H": HOME,
    "OH": HOME,
    "[1~": HOME,
    "[Z": BACK_TAB,
}
_WINDOWS = {"H": UP, "P": DOWN, "I": PAGE_UP, "Q": PAGE_DOWN, "G": HOME}
_TOKEN = re.compile(r"\x1b(\[[0-9;<=>?]*[ -/]*[@-~]|O[ -~]|[^\x1b[])|(.)", re.DOTALL)
_PASTED = re.compile(r"\x1b\[200~.*?(\x1b\[201~|$)", re.DOTALL)


class KeyReader(Protocol):
    """A context in which keys can be read one by one."""

    def __enter__(self) -> KeyReader: ...

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None: ...

    def read(self, wait: float) -> list[str]:
        """The keys pressed within ``wait`` seconds; GONE where the terminal went away."""
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
        import contextlib
        import termios

        with contextlib.suppress(termios.error):  # the terminal is gone: nothing to give back
            termios.tcsetattr(self._handle, termios.TCSADRAIN, self._before)

    def read(self, wait: float) -> list[str]:
        """See KeyReader."""
        import select

        ready, _, _ = select.select([self._handle], [], [], wait)
        if not ready:
            return []
        try:
            typed = os.read(self._handle, 1024)
        except OSError:
            return [GONE]  # a closed SSH session
        return keys_in(typed.decode("utf-8", "ignore")) if typed else [GONE]


class WindowsKeys:
    """Keys of a Windows console."""

    def __enter__(self) -> WindowsKeys:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        return None

    def read(self, wait: float) -> list[str]:
        """See KeyReader."""
        import msvcrt

        console: object = msvcrt
        deadline = time.monotonic() + wait
        while not console.kbhit():  # type: ignore[attr-defined]
            if time.monotonic() >= deadline:
                return []
            time.sleep(0.03)
        key: str = console.getwch()  # type: ignore[attr-defined]
        if key in ("\x00", "\xe0"):  # an arrow or function key comes as two characters
            named = _WINDOWS.get(console.getwch())  # type: ignore[attr-defined]
            return [named] if named else []
        return keys_in(key)


class NoKeys:
    """Input that is no terminal: nothing is ever typed."""

    def __enter__(self) -> NoKeys:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        return None

    def read(self, wait: float) -> list[str]:
        """See KeyReader."""
        time.sleep(wait)
        return []


def key_reader() -> KeyReader:
    """The reader for this terminal."""
    if not sys.stdin.isatty():
        return NoKeys()
    return WindowsKeys() if os.name == "nt" else PosixKeys()


def keys_in(typed: str) -> list[str]:
    """The keys in what a terminal sent; unknown sequences and bracketed pastes press nothing."""
    keys = []
    for sequence, character in _TOKEN.findall(_PASTED.sub("", typed)):
        if sequence:
            keys += [_SEQUENCES[sequence]] if sequence in _SEQUENCES else []
        elif character in _PLAIN:
            keys.append(_PLAIN[character])
        elif character.isprintable():
            keys.append(character)
    return keys
