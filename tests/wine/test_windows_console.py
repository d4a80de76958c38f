"""The dashboard's screen in a Windows console: real key events, read by the real msvcrt."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from mac_side.screen_commands import commands_folder, waiting_commands
from mac_side.view import write_view
from test_offline.wine_ring.windows_python import PROJECT, WindowsPython, windows_path
from tests.screen import sample_views as sample

pytestmark = pytest.mark.slow

TYPED = {
    "H": "'H'",
    "?": "'?'",
    "/": "'/'",
    "7": "'7'",
    "\t": "'tab'",
    "\r": "'enter'",
    "\x1b[A.": "'up'",
    "\x1b[B.": "'down'",
    "\x1b[5~.": "'page-up'",
    "\x1b[6~.": "'page-down'",
    "\x1b[H.": "'home'",
    "\x7f": "'delete'",
    "停": r"'\u505c'",
    "q": "'q'",
}
"""What a person types, as a terminal sends it, and what the reader makes of it.

A dot follows each arrow: Wine's ``kbhit``, unlike that of Windows, does not see a key without a character
before another one has come.
"""


def _in_a_console(
    python: WindowsPython, place: Path, steps: list[tuple[str, str]], *program: str
) -> tuple[int, str]:
    script = place / "steps.json"
    script.write_text(json.dumps(steps), encoding="utf-8")
    paths = f"{windows_path(python.home / 'site')};{windows_path(PROJECT)}"
    code, printed = python.run(
        "test_offline/wine_ring/console.py",
        windows_path(script),
        *program,
        more={"PYTHONPATH": paths, "PYTHONUTF8": "1", "MINIQMT_CONFIG": ""},
    )
    return code, printed.decode("utf-8", "replace")


def test_keys_are_read_from_a_windows_console(windows_python: WindowsPython, tmp_path: Path) -> None:
    """Letters, Chinese, arrows, Tab, Enter and Backspace come out as on a POSIX terminal."""
    awaited = ["<WindowsKeys>", *(f"<{shown}>" for shown in TYPED.values())]
    steps = list(zip(awaited, TYPED, strict=False))
    code, printed = _in_a_console(windows_python, tmp_path, steps, "test_offline.wine_ring.keys_read")
    assert code == 0, printed[-2000:]


def test_the_screen_shows_helps_halts_and_quits(windows_python: WindowsPython, tmp_path: Path) -> None:
    """The whole process on Windows code: help comes and goes, a halt takes its word, q ends it."""
    path = tmp_path / "view.json"
    write_view(path, sample.trading())
    steps = [
        ("159201.SZ", "?"),
        ("HALT", "h"),
        ("Enter", "HALT by hand\r"),
        ("resume", "q"),
    ]
    program = ("mac_side.screen.screen", "--language", "en", "--view", windows_path(path))
    code, printed = _in_a_console(windows_python, tmp_path, steps, *program)
    assert code == 0, printed[-2000:]
    (waiting,) = waiting_commands(commands_folder(tmp_path))
    assert waiting.command is not None
    assert (waiting.command.kind, waiting.command.argument) == ("halt", "by hand")
