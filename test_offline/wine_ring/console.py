"""Runs on Windows code: a program in a console of its own, with somebody who reads it and types.

    python console.py STEPS.json MODULE [ARGUMENT ...]

STEPS is a list of ``[wanted, keys]``: once ``wanted`` has been printed since the last step, ``keys`` are
typed. The console is a pseudo console, as Windows Terminal makes one; what the program printed goes to
stdout, and the exit code is the program's, or 90 where something wanted never came.
"""

from __future__ import annotations

import ctypes
import json
import msvcrt
import os
import re
import runpy
import subprocess
import sys
import threading
import time
from ctypes import wintypes
from pathlib import Path

COLUMNS, LINES = 120, 40
NEVER_CAME = 90
_WITHIN = 120.0
_INSIDE = "--inside"
_EXTENDED_STARTUP, _PSEUDO_CONSOLE = 0x00080000, 0x00020016
_ESCAPES = re.compile(r"\x1b(\[[0-9;?]*[ -/]*[@-~]|\][^\x07]*\x07|[^\[\]])")
_kernel = ctypes.WinDLL("kernel32", use_last_error=True)  # type: ignore[attr-defined]


class _Size(ctypes.Structure):
    _fields_ = [("columns", ctypes.c_short), ("lines", ctypes.c_short)]


class _Startup(ctypes.Structure):
    """STARTUPINFOEXW: of its first part only the size is used here."""

    _fields_ = [("size", wintypes.DWORD), ("unused", ctypes.c_byte * 100), ("attributes", ctypes.c_void_p)]


class _Process(ctypes.Structure):
    _fields_ = [
        ("process", wintypes.HANDLE),
        ("thread", wintypes.HANDLE),
        ("process_id", wintypes.DWORD),
        ("thread_id", wintypes.DWORD),
    ]


def _must(done: int) -> None:
    if not done:
        raise ctypes.WinError(ctypes.get_last_error())  # type: ignore[attr-defined]


def _pipe() -> tuple[wintypes.HANDLE, wintypes.HANDLE]:
    reading, writing = wintypes.HANDLE(), wintypes.HANDLE()
    _must(_kernel.CreatePipe(ctypes.byref(reading), ctypes.byref(writing), None, 0))
    return reading, writing


class Console:
    """A pseudo console with one program in it."""

    def __init__(self, command: list[str]) -> None:
        theirs, self._typing = _pipe()
        printed, theirs_too = _pipe()
        console = wintypes.HANDLE()
        _kernel.CreatePseudoConsole.argtypes = [
            _Size, wintypes.HANDLE, wintypes.HANDLE, wintypes.DWORD, ctypes.POINTER(wintypes.HANDLE),
        ]  # fmt: skip
        failed = _kernel.CreatePseudoConsole(
            _Size(COLUMNS, LINES), theirs, theirs_too, 0, ctypes.byref(console)
        )
        if failed:
            raise OSError(f"CreatePseudoConsole: {failed & 0xFFFFFFFF:#x}")
        self.process = self._start(command, console)
        self._seen = b""
        handle = msvcrt.open_osfhandle(printed.value, os.O_RDONLY)  # type: ignore[attr-defined]
        threading.Thread(target=self._read, args=(handle,), daemon=True).start()

    @staticmethod
    def _start(command: list[str], console: wintypes.HANDLE) -> wintypes.HANDLE:
        size = ctypes.c_size_t()
        _kernel.InitializeProcThreadAttributeList(None, 1, 0, ctypes.byref(size))
        attributes = ctypes.create_string_buffer(size.value)
        _must(_kernel.InitializeProcThreadAttributeList(attributes, 1, 0, ctypes.byref(size)))
        kind, bytes_of_handle = ctypes.c_size_t(_PSEUDO_CONSOLE), ctypes.c_size_t(ctypes.sizeof(console))
        _must(
            _kernel.UpdateProcThreadAttribute(attributes, 0, kind, console, bytes_of_handle, None, None)
        )
        startup, process = _Startup(), _Process()
        startup.size = ctypes.sizeof(_Startup)
        startup.attributes = ctypes.cast(attributes, ctypes.c_void_p)
        line = ctypes.create_unicode_buffer(subprocess.list2cmdline(command))
        _must(
            _kernel.CreateProcessW(
                None, line, None, None, False, _EXTENDED_STARTUP, None, None,
                ctypes.byref(startup), ctypes.byref(process),
            )
        )  # fmt: skip
        return process.process

    def _read(self, handle: int) -> None:
        try:
            while printed := os.read(handle, 4096):
                self._seen += printed
        except OSError:
            return  # the console is gone with its program

    @property
    def text(self) -> str:
        """What was printed so far, without its escape codes."""
        return _ESCAPES.sub("", self._seen.decode("utf-8", "replace"))

    def type(self, keys: str) -> None:
        """Press keys."""
        raw, written = keys.encode(), wintypes.DWORD()
        _must(_kernel.WriteFile(self._typing, raw, len(raw), ctypes.byref(written), None))

    def ended(self, within: float) -> int:
        """The program's exit code, once it has ended."""
        code = wintypes.DWORD()
        _kernel.WaitForSingleObject(self.process, int(within * 1000))
        _must(_kernel.GetExitCodeProcess(self.process, ctypes.byref(code)))
        return code.value


def main() -> int:
    """Type the steps; see the module."""
    steps = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    console = Console([sys.executable, __file__, _INSIDE, *sys.argv[2:]])
    done = 0
    try:
        for wanted, keys in steps:
            deadline = time.monotonic() + _WITHIN
            while wanted not in console.text[done:]:
                if time.monotonic() > deadline:
                    print(f"NEVER CAME: {wanted}")
                    return NEVER_CAME
                time.sleep(0.05)
            done = len(console.text)
            console.type(keys)
        return console.ended(_WITHIN)
    finally:
        sys.stdout.buffer.write(console.text.encode("utf-8"))
        sys.stdout.flush()


def inside(module: str, arguments: list[str]) -> None:
    """The program itself: it has taken over our pipes, and turns to the console it stands in."""
    for name, numbers in (("CONIN$", (0,)), ("CONOUT$", (1, 2))):
        handle = os.open(name, os.O_RDWR)
        for number in numbers:
            os.dup2(handle, number)
    sys.stdin = os.fdopen(0, encoding="utf-8")
    sys.stdout, sys.stderr = (os.fdopen(number, "w", encoding="utf-8") for number in (1, 2))
    sys.argv = [module, *arguments]
    runpy.run_module(module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    if sys.argv[1] == _INSIDE:
        inside(sys.argv[2], sys.argv[3:])
        sys.exit(0)
    code = main()
    os._exit(code)  # the reading thread waits in the system and would hold the process
