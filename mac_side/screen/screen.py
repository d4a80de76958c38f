"""The screen's process: shows the engine's view file, and leaves commands for the engine.

    python -m mac_side.screen.screen --view FILE

It reads one file and writes into one folder; the engine neither waits for it nor needs it.
"""

from __future__ import annotations

import argparse
import io
import signal
import sys
import time
from dataclasses import dataclass, replace
from pathlib import Path

from rich.console import Console, RenderableType
from rich.live import Live

from mac_side.screen.aging import aged, silence_of
from mac_side.screen.control import Control, pressed
from mac_side.screen.keys import KeyReader, key_reader
from mac_side.screen.layout import Shown, layout, nothing_yet
from mac_side.screen.lines import follow
from mac_side.screen.look import Look, can_show_chinese, look_for
from mac_side.screen.notices import SILENT_AFTER
from mac_side.screen_commands import FOLDER, Command, write_command
from mac_side.view import View, read_view
from shared_schema.clock import host_name
from shared_schema.errors import FolderError
from shared_schema.words import language, say, use_language

FASTEST = 0.5
"""Seconds between two pictures at least."""
SLOWEST = 1.0
"""Seconds after which the picture is drawn again although nothing came: the ages have grown."""
NOTE_STAYS = 6.0
"""Seconds an answer stands in the footer."""


@dataclass(frozen=True)
class Options:
    """What the screen was started with."""

    view: Path
    commands: Path
    read_only: bool = False
    ascii_only: bool = False
    colors: str = ""
    until_ended: bool = False
    """Leave when the engine wrote its last view (the demo)."""


class Screen:
    """Shows views until ``q``, Ctrl+C or the end of the terminal."""

    def __init__(self, options: Options, console: Console) -> None:
        self.options = options
        self.console = console
        self.control = Control()
        self._view: View | None = None
        self._stamp: tuple[int, int, int] | None = None
        self._stamp_drawn: tuple[int, int, int] | None = None
        self._note_until = 0.0

    def run(self, keys: KeyReader) -> None:
        """Until the person quits."""
        with keys, Live(console=self.console, screen=True, auto_refresh=False) as live:
            drawn = 0.0
            while self.control.wish != "quit" and not self._over():
                fresh = self.look_at_file()
                typed = keys.read(0.1 if fresh else FASTEST / 2)
                for key in typed:
                    self.press(key)
                since = time.monotonic() - drawn
                if typed or (fresh and since >= FASTEST) or since >= SLOWEST:
                    live.update(self.picture(time.time()), refresh=True)
                    drawn = time.monotonic()
                    self._stamp_drawn = self._stamp

    def _over(self) -> bool:
        return self.options.until_ended and self._view is not None and self._view.ended

    def look_at_file(self) -> bool:
        """Read the view where it was replaced; whether one waits that was not drawn yet."""
        try:
            status = self.options.view.stat()
        except OSError:
            return False  # being replaced or not there yet: what was read last stays, and grows old
        stamp = (status.st_mtime_ns, status.st_size, status.st_ino)
        if stamp != self._stamp:
            view = read_view(self.options.view)
            if view is not None:
                self._view, self._stamp = view, stamp
        return self._stamp != self._stamp_drawn

    def picture(self, wall: float) -> RenderableType:
        """What the terminal shows at ``wall`` (Unix seconds)."""
        look = self._look()
        width, height = self.console.size
        note = self.control.note if wall < self._note_until else ""
        if self._view is None:
            return nothing_yet(look, width, height, str(self.options.view), self.control.prompt or note)
        shown = Shown(self.control.page, silence_of(self._view, wall), self.control.prompt, note)
        return layout(aged(self._view, wall), look, width, height, shown)

    def press(self, key: str) -> None:
        """Do what one key asks for."""
        self.control = pressed(self.control, key, read_only=self.options.read_only)
        if self.control.wish == "language":
            use_language("zh" if language() == "en" and can_show_chinese(self.console.encoding) else "en")
        if self.control.wish == "halt":
            self.control = replace(self.control, note=self._ask_for_halt())
        if self.control.note:
            self._note_until = time.time() + NOTE_STAYS

    def _ask_for_halt(self) -> str:
        wall = time.time()
        by = f"screen@{host_name()}"
        command = Command(kind="halt", argument=self.control.reason, at=wall, by=by)
        try:
            write_command(self.options.commands, command)
        except FolderError as problem:
            return str(problem)
        deaf = self._view is None or self._view.ended or silence_of(self._view, wall) > SILENT_AFTER
        return say("screen.halt_deaf" if deaf else "screen.halt_asked")

    def _look(self) -> Look:
        color = self.console.color_system is not None and not self.console.no_color
        options = self.options
        return look_for(
            self.console.encoding, color=color, ascii_only=options.ascii_only, colors=options.colors
        )


def main(arguments: list[str] | None = None) -> int:
    """Run the screen, or print lines where there is no terminal; returns the exit code."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # the engine's words may not fit this terminal
    given = _arguments(arguments)
    console = Console(no_color=True if given.no_color else None)
    if given.language:
        use_language(given.language)
    if not can_show_chinese(console.encoding):
        use_language("en")
    options = Options(
        view=given.view,
        commands=given.commands or given.view.parent / FOLDER,
        read_only=given.read_only,
        ascii_only=given.ascii,
        colors=given.colors,
        until_ended=given.until_ended,
    )
    signal.signal(signal.SIGTERM, _leave)
    try:
        if given.lines or not console.is_terminal:
            follow(options.view, print_line=_print_line, stopped=lambda: False)
        else:
            Screen(options, console).run(key_reader())
    except (KeyboardInterrupt, BrokenPipeError):
        return 0  # the person or the terminal left; the engine goes on
    return 0


def _leave(number: int, frame: object) -> None:
    # Ended by the one who started it: the terminal has to be given back as it was.
    raise KeyboardInterrupt


def _print_line(line: str) -> None:
    print(line, flush=True)


def _arguments(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="screen", description=say("screen.about"))
    parser.add_argument("--view", type=Path, required=True, help=say("screen.option.view"))
    parser.add_argument("--commands", type=Path, help=say("screen.option.commands"))
    parser.add_argument("--language", choices=("zh", "en"), default="", help=say("screen.option.language"))
    parser.add_argument("--colors", choices=("zh", "en"), default="", help=say("screen.option.colors"))
    parser.add_argument("--lines", action="store_true", help=say("screen.option.lines"))
    parser.add_argument("--read-only", action="store_true", help=say("screen.option.read_only"))
    parser.add_argument("--ascii", action="store_true", help=say("screen.option.ascii"))
    parser.add_argument("--no-color", action="store_true", help=say("screen.option.no_color"))
    parser.add_argument("--until-ended", action="store_true", help=say("screen.option.until_ended"))
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
