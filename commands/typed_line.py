"""What was typed wrongly, and what was broken off: said in the catalogue's words, with their exit code."""

from __future__ import annotations

import re
import sys

import typer
from typer._click.exceptions import (  # typer carries its own click since 0.29 and its version is pinned
    MissingParameter,
    NoArgsIsHelpError,
    NoSuchOption,
    UsageError,
)

from shared_schema.errors import SettingsError
from shared_schema.words import say

INTERRUPTED = 130
"""The exit code after Ctrl+C, as shells use it."""

NO_COMMAND = re.compile(r"No such command '([^']*)'")


class TypedWrongly(SettingsError):
    """The command line cannot be read: exit code 2."""


def end_typed_wrongly(problem: UsageError) -> int:
    """Say what typer found wrong; a group of commands typed alone has shown its help already."""
    error = said(problem)
    if not isinstance(problem, NoArgsIsHelpError):
        print(f"miniqmt: {error}", file=sys.stderr)
    return error.exit_code


def said(problem: UsageError) -> TypedWrongly:
    """The sentence for what typer found wrong, with the command whose ``--help`` tells what is right."""
    command = problem.ctx.command_path if problem.ctx is not None else "miniqmt"
    if isinstance(problem, NoSuchOption):
        nearest = tuple(problem.possibilities or ())[:1]
        hint = say("commands.nearest", name=nearest[0]) if nearest else say("commands.elsewhere")
        return TypedWrongly("commands.no_option", problem.option_name, hint=hint, command=command)
    if isinstance(problem, MissingParameter) and problem.param is not None:
        is_option = problem.param.param_type_name == "option"
        name = problem.param.opts[-1] if is_option else str(problem.param.name)
        return TypedWrongly("commands.missing", name, command=command)
    if (foreign := NO_COMMAND.match(problem.message)) is not None:
        return TypedWrongly("commands.unknown", foreign[1], hint=say("commands.see_parts", command=command))
    return TypedWrongly("commands.typed", reason=problem.format_message().rstrip("."), command=command)


def end_broken_off(stop: typer.Abort) -> int:
    """Say that a question was left without an answer; 130 for Ctrl+C, 1 where there is no keyboard."""
    by_hand = not isinstance(stop.__context__, EOFError) and not isinstance(stop.__cause__, EOFError)
    print(file=sys.stderr)
    print(f"miniqmt: {say('commands.broken_off' if by_hand else 'commands.no_keyboard')}", file=sys.stderr)
    return INTERRUPTED if by_hand else 1
