"""``miniqmt``: finds the command that is asked for, runs it, and gives errors their sentence and exit code.

Each command is a module of this room, ``commands/<name>.py``, with ``register(app)``. Only the one asked
for is imported, so that ``status`` never waits for the packages of ``backtest``; help lines come from the
catalogue (``words/commands.toml``), so that ``--help`` imports none.
"""

from __future__ import annotations

import contextlib
import difflib
import importlib
import sys
import tomllib
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path
from typing import NoReturn

import typer

from commands.help_page import fold_long_words, heading_of, in_order
from commands.typed_line import INTERRUPTED, UsageError, end_broken_off, end_typed_wrongly
from shared_schema.console import print_utf8
from shared_schema.errors import FolderError, MiniqmtError, SettingsError
from shared_schema.words import say, say_both, use_language

COMMANDS = (
    "demo",
    "test",
    "init",
    "doctor",
    "config",
    "producer",
    "executor",
    "dashboard",
    "offline",
    "simulate",
    "backtest",
    "sweep",
    "data",
    "status",
    "checklist",
    "service",
    "trace",
    "halt",
    "resume",
    "rebind",
    "adjust",
    "plan",
    "pool",
    "resolve",
    "reconcile",
    "recover",
    "arm",
    "acceptance",
    "calendar",
    "key",
    "notice",
)
HELP = ("-h", "--help")


class NoSuchCommand(SettingsError):
    """What was typed is no command: exit code 2."""


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the command in ``arguments`` (default: those of this process) and end with its exit code."""
    print_utf8()
    # A settings file that cannot be read is reported by the command itself; help must work without one.
    with contextlib.suppress(SettingsError):
        choose_language()
    typed = list(sys.argv[1:] if arguments is None else arguments)
    try:
        ended = app_for(typed)(args=typed or ["--help"], prog_name="miniqmt", standalone_mode=False)
    except UsageError as problem:
        sys.exit(end_typed_wrongly(problem))
    except typer.Abort as stop:
        sys.exit(end_broken_off(stop))
    except MiniqmtError as error:
        print(f"miniqmt: {error}", file=sys.stderr)
        sys.exit(error.exit_code)
    except OSError as problem:
        if problem.filename is None:
            raise
        refused = FolderError("commands.disk", problem.filename, reason=problem.strerror)
        print(f"miniqmt: {refused}", file=sys.stderr)
        sys.exit(refused.exit_code)
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
    # Commands return nothing: a number is the code of a typer.Exit, 130 after Ctrl+C.
    sys.exit(ended if isinstance(ended, int) else 0)


def choose_language() -> None:
    """Speak the language of the settings."""
    from shared_schema.settings import load_settings

    use_language(load_settings().language)


def app_for(typed: Sequence[str]) -> typer.Typer:
    """The app with the one command that ``typed`` asks for; with every help line where it asks for none."""
    app = typer.Typer(
        add_completion=False,
        pretty_exceptions_enable=False,
        help=say_both("commands.miniqmt"),
        epilog=say("commands.first_steps"),
    )

    @app.callback(context_settings={"help_option_names": list(HELP)})
    def _group(
        version: bool = typer.Option(
            False, "--version", is_eager=True, callback=_version, help=say_both("commands.version_help")
        ),
    ) -> None:
        """Keeps the command's name on the command line where only one is registered."""

    asked = next((word for word in typed if not word.startswith("-")), None)
    if asked is None:
        for name in in_order():
            line = say_both(f"commands.help.{name}")
            app.command(name, help=line, rich_help_panel=heading_of(name))(_named_only)
    else:
        register_command(app, asked)
    if asked is None or app.registered_groups or not set(HELP).isdisjoint(typed):
        fold_long_words()
    return app


def _version(asked: bool) -> None:
    """Print what stands here and end, where ``--version`` was typed."""
    if asked:
        root = Path(__file__).resolve().parent.parent
        python = ".".join(str(part) for part in sys.version_info[:3])
        print(f"miniqmt {version_of(root)}, Python {python}, {root}")
        raise typer.Exit(0)


def version_of(root: Path) -> str:
    """The version of the checkout at ``root``, else of the installed package."""
    project = root / "pyproject.toml"
    if project.is_file():
        return str(tomllib.loads(project.read_text(encoding="utf-8"))["project"]["version"])
    return metadata.version("miniqmt")


def _named_only() -> None:
    """Stands for a command in the list of all; its module is loaded when it is asked for."""


def register_command(app: typer.Typer, name: str) -> None:
    """Import ``commands/<name>.py`` and let it register; the help line is the catalogue's."""
    if name not in COMMANDS:
        close = difflib.get_close_matches(name, COMMANDS, n=1)
        hint = say("commands.nearest", name=close[0]) if close else say("commands.see_help")
        raise NoSuchCommand("commands.unknown", name, hint=hint)
    module_name = f"commands.{name}"
    try:
        module = importlib.import_module(module_name)
    except ModuleNotFoundError as error:
        if error.name != module_name:
            raise
        raise NoSuchCommand("commands.absent", name) from None
    module.register(app)
    for command in app.registered_commands:
        command.help = say_both(f"commands.help.{name}")
    for group in app.registered_groups:
        group.help = say_both(f"commands.help.{name}")


if __name__ == "__main__":
    main()
