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
from collections.abc import Sequence
from typing import NoReturn

import typer

from shared_schema.console import print_utf8
from shared_schema.errors import MiniqmtError, SettingsError
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
INTERRUPTED = 130
"""The exit code after Ctrl+C, as shells use it."""


class UsageError(SettingsError):
    """What was typed is no command: exit code 2."""


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the command in ``arguments`` (default: those of this process) and end with its exit code."""
    print_utf8()
    # A settings file that cannot be read is reported by the command itself; help must work without one.
    with contextlib.suppress(SettingsError):
        choose_language()
    typed = list(sys.argv[1:] if arguments is None else arguments)
    try:
        app_for(typed)(args=typed or ["--help"], prog_name="miniqmt")
    except MiniqmtError as error:
        print(f"miniqmt: {error}", file=sys.stderr)
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
    except SystemExit as end:
        # typer turns Ctrl+C into an exit of 1; whoever started us must be able to tell it from a failure.
        cause = getattr(end.__context__, "__cause__", None)
        sys.exit(INTERRUPTED if isinstance(cause, KeyboardInterrupt) else end.code)
    sys.exit(0)


def choose_language() -> None:
    """Speak the language of the settings."""
    from shared_schema.settings import load_settings

    use_language(load_settings().language)


def app_for(typed: Sequence[str]) -> typer.Typer:
    """The app with the one command that ``typed`` asks for; with every help line where it asks for none."""
    app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, help=say_both("commands.miniqmt"))

    @app.callback(context_settings={"help_option_names": ["-h", "--help"]})
    def _group() -> None:
        """Keeps the command's name on the command line where only one is registered."""

    asked = next((word for word in typed if not word.startswith("-")), None)
    if asked is None:
        for name in COMMANDS:
            app.command(name, help=say_both(f"commands.help.{name}"))(_named_only)
    else:
        register_command(app, asked)
    return app


def _named_only() -> None:
    """Stands for a command in the list of all; its module is loaded when it is asked for."""


def register_command(app: typer.Typer, name: str) -> None:
    """Import ``commands/<name>.py`` and let it register; the help line is the catalogue's."""
    if name not in COMMANDS:
        close = difflib.get_close_matches(name, COMMANDS, n=1)
        hint = say("commands.nearest", name=close[0]) if close else say("commands.see_help")
        raise UsageError("commands.unknown", name, hint=hint)
    module_name = f"commands.{name}"
    try:
        module = importlib.import_module(module_name)
    except ModuleNotFoundError as error:
        if error.name != module_name:
            raise
        raise UsageError("commands.absent", name) from None
    module.register(app)
    for command in app.registered_commands:
        command.help = say_both(f"commands.help.{name}")
    for group in app.registered_groups:
        group.help = say_both(f"commands.help.{name}")


if __name__ == "__main__":
    main()
