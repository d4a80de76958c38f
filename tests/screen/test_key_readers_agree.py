"""One contract for both key readers: what a person presses has one name, whatever the terminal.

The Windows one runs here over a faked msvcrt; on Windows code it runs in tests/wine.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from types import SimpleNamespace

import pytest

from mac_side.screen import keys

PRESSED = {
    "q": ("q", "q"),
    "停": ("停", "停"),
    keys.TAB: ("\t", "\t"),
    keys.ENTER: ("\r", "\r"),
    keys.ESCAPE: ("\x1b", "\x1b"),
    keys.DELETE: ("\x7f", "\b"),
    keys.UP: ("\x1b[A", "\xe0H"),
    keys.DOWN: ("\x1b[B", "\x00P"),
    keys.PAGE_UP: ("\x1b[5~", "\xe0I"),
    keys.PAGE_DOWN: ("\x1b[6~", "\xe0Q"),
    keys.HOME: ("\x1b[H", "\xe0G"),
    "": ("\x1bOP", "\x00;"),
}
"""By what the reader must say ("": nothing, for F1): what a POSIX terminal sends, and what msvcrt gives."""
Press = Callable[[str], list[str]]


def _posix(monkeypatch: pytest.MonkeyPatch) -> Press:
    pty = pytest.importorskip("pty")
    master, inner = pty.openpty()
    monkeypatch.setattr(sys, "stdin", os.fdopen(inner, closefd=False))
    reader = keys.PosixKeys()

    def press(name: str) -> list[str]:
        with reader:
            os.write(master, PRESSED[name][0].encode())
            return reader.read(1.0)

    return press


def _windows(monkeypatch: pytest.MonkeyPatch) -> Press:
    waiting: list[str] = []
    console = SimpleNamespace(kbhit=lambda: bool(waiting), getwch=lambda: waiting.pop(0))
    monkeypatch.setitem(sys.modules, "msvcrt", console)

    def press(name: str) -> list[str]:
        waiting.extend(PRESSED[name][1])
        found = keys.WindowsKeys().read(0.0)
        assert not waiting, "half a key was left behind"
        return found

    return press


@pytest.mark.parametrize("reader", [_posix, _windows])
def test_a_key_has_one_name_on_every_terminal(
    reader: Callable[[pytest.MonkeyPatch], Press], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Letters, Chinese, Tab, Enter, Esc, Backspace, arrows; a function key presses nothing."""
    press = reader(monkeypatch)
    for name in PRESSED:
        assert press(name) == ([name] if name else []), name


def test_no_key_is_no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing pressed within the wait: an empty list, and the reader comes back."""
    monkeypatch.setitem(sys.modules, "msvcrt", SimpleNamespace(kbhit=lambda: False))
    assert keys.WindowsKeys().read(0.0) == []
