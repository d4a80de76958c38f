"""The screen's process: shows the engines' view files, and leaves commands for the engines.

    python -m mac_side.screen.screen --view FILE [--view FILE ...]

It reads files and writes into private folders; no engine waits for it or needs it.
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

from mac_side.screen.blocks import Drawings
from mac_side.screen.control import Control, pressed
from mac_side.screen.header import CodeTab
from mac_side.screen.keys import GONE, KeyReader, key_reader
from mac_side.screen.layout import Shown, layout, nothing_yet
from mac_side.screen.lines import follow
from mac_side.screen.look import Look, can_show_chinese, look_for
from mac_side.screen.notices import SILENT_AFTER, notices
from mac_side.screen.watched import WatchedView
from mac_side.screen_commands import FOLDER, Command, write_command
from shared_schema.clock import host_name
from shared_schema.errors import FolderError
from shared_schema.words import language, say, use_language

FASTEST = 0.5
"""Seconds between two pictures at least; a key is answered at once."""
SLOWEST = 1.0
"""Seconds after which the picture is drawn again although nothing came: the ages have grown."""
NOBODY_QUIT = 4
"""The exit code where the terminal went away: what runs behind the screen goes on."""
NOTE_STAYS = 6.0
"""Seconds an answer stands in the footer."""


@dataclass(frozen=True)
class Options:
    """What the screen was started with."""

    views: tuple[Path, ...]
    commands: tuple[Path, ...]
    """One folder for each view."""
    read_only: bool = False
    ascii_only: bool = False
    colors: str = ""
    until_ended: bool = False
    """Leave when the engines wrote their last views (the demo)."""


class Screen:
    """Shows views until ``q``, Ctrl+C or the end of the terminal."""

    def __init__(self, options: Options, console: Console) -> None:
        self.options = options
        self.console = console
        self.control = Control()
        self.watched = [
            WatchedView(view, commands)
            for view, commands in zip(options.views, options.commands, strict=True)
        ]
        self._drawings = Drawings()
        self._note_until = 0.0
        self.terminal_gone = False

    @property
    def chosen(self) -> WatchedView:
        """The code that is shown."""
        return self.watched[self.control.code]

    def run(self, keys: KeyReader) -> None:
        """Until the person quits."""
        with keys, Live(console=self.console, screen=True, auto_refresh=False) as live:
            drawn, size, waiting = 0.0, self.console.size, True
            while self.control.wish != "quit" and not self._over():
                waiting = self.look() or waiting
                since = time.monotonic() - drawn
                resized = self.console.size != size
                if resized or since >= (FASTEST if waiting else SLOWEST):
                    live.update(self.picture(time.time()), refresh=True)
                    drawn, size, waiting = time.monotonic(), self.console.size, False
                for key in (pressed_keys := keys.read(FASTEST / 4)):
                    self.terminal_gone = self.terminal_gone or key == GONE
                    self.press(key)
                if pressed_keys:
                    drawn = 0.0

    def _over(self) -> bool:
        return self.options.until_ended and all(watched.ended for watched in self.watched)

    def look(self) -> bool:
        """Read the views that were replaced; whether any was."""
        return any([watched.look() for watched in self.watched])

    def picture(self, wall: float) -> RenderableType:
        """What the terminal shows at ``wall`` (Unix seconds)."""
        look = self._look()
        width, height = self.console.size
        control = self.control
        note = control.note if wall < self._note_until else ""
        view = self.chosen.aged(wall)
        if view is None:
            where, told = str(self.chosen.path), control.prompt or note
            return nothing_yet(look, width, height, where, told, read_only=self.options.read_only)
        shown = Shown(
            page=control.page,
            silence=self.chosen.silence(wall),
            prompt=control.prompt,
            note=note,
            wanted=control.filter,
            offset=control.offset,
            offered=control.offered,
            tabs=self._tabs(wall),
            read_only=self.options.read_only,
        )
        return layout(view, look, width, height, shown, self._drawings)

    def _tabs(self, wall: float) -> tuple[CodeTab, ...]:
        if len(self.watched) < 2:
            return ()
        return tuple(
            CodeTab(
                code=view.code if view is not None else "?",
                chosen=watched is self.chosen,
                alarmed=view is None
                or any(notice.level == "red" for notice in notices(view, watched.silence(wall))),
            )
            for watched in self.watched
            for view in (watched.aged(wall),)
        )

    def press(self, key: str) -> None:
        """Do what one key asks for."""
        self.control = pressed(
            self.control,
            key,
            self.chosen.view,
            codes=len(self.watched),
            read_only=self.options.read_only,
        )
        if self.control.wish == "language":
            use_language("zh" if language() == "en" and can_show_chinese(self.console.encoding) else "en")
        if self.control.wish == "command":
            self.control = replace(self.control, note=self._command())
        if self.control.note:
            self._note_until = time.time() + NOTE_STAYS

    def _command(self) -> str:
        """Leave the command for the engine of the code shown; what to tell the person."""
        wall, control = time.time(), self.control
        command = Command(
            kind=control.command, argument=control.argument, at=wall, by=f"screen@{host_name()}"
        )
        try:
            write_command(self.chosen.commands, command)
        except FolderError as problem:
            return str(problem)
        if self.chosen.ended or self.chosen.silence(wall) > SILENT_AFTER:
            return say("screen.halt_deaf" if control.command == "halt" else "screen.command_deaf")
        return say(f"screen.{control.command}_asked", signal_id=control.argument)

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
    commands = given.commands or [view.parent / FOLDER for view in given.view]
    options = Options(
        views=tuple(given.view),
        commands=tuple(commands),
        read_only=given.read_only,
        ascii_only=given.ascii,
        colors=given.colors,
        until_ended=given.until_ended,
    )
    signal.signal(signal.SIGTERM, _leave)
    try:
        if given.lines or not console.is_terminal:
            follow(options.views, print_line=_print_line, stopped=lambda: False)
        else:
            screen = Screen(options, console)
            screen.run(key_reader())
            return NOBODY_QUIT if screen.terminal_gone else 0
    except KeyboardInterrupt:
        return 0  # asked to end by whoever started us
    except BrokenPipeError:
        return NOBODY_QUIT
    except OSError:
        if sys.stdin.isatty():
            raise
        return NOBODY_QUIT  # a closed SSH session: writing to its terminal fails
    return 0


def _leave(number: int, frame: object) -> None:
    # Ended by the one who started it: the terminal has to be given back as it was.
    raise KeyboardInterrupt


def _print_line(line: str) -> None:
    print(line, flush=True)


def _arguments(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="screen", description=say("screen.about"))
    parser.add_argument("--view", type=Path, required=True, action="append", help=say("screen.option.view"))
    parser.add_argument("--commands", type=Path, action="append", help=say("screen.option.commands"))
    parser.add_argument("--language", choices=("zh", "en"), default="", help=say("screen.option.language"))
    parser.add_argument("--colors", choices=("zh", "en"), default="", help=say("screen.option.colors"))
    parser.add_argument("--lines", action="store_true", help=say("screen.option.lines"))
    parser.add_argument("--read-only", action="store_true", help=say("screen.option.read_only"))
    parser.add_argument("--ascii", action="store_true", help=say("screen.option.ascii"))
    parser.add_argument("--no-color", action="store_true", help=say("screen.option.no_color"))
    parser.add_argument("--until-ended", action="store_true", help=say("screen.option.until_ended"))
    given = parser.parse_args(arguments)
    if given.commands and len(given.commands) != len(given.view):
        parser.error(say("screen.option.as_many"))
    return given


if __name__ == "__main__":
    sys.exit(main())
