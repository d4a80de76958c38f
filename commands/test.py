"""``miniqmt test``: every test of the project, with pytest's own exit code."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import typer

from shared_schema.errors import FolderError

ROOT = Path(__file__).resolve().parent.parent


def register(app: typer.Typer) -> None:
    """Add the command; everything after ``test`` that is not its own goes to pytest."""
    app.command(
        "test",
        context_settings={"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []},
    )(test)


def test(context: typer.Context) -> None:
    """Run pytest over ``tests/`` and ``test_offline/``, or over what the arguments name."""
    raise typer.Exit(run_tests(context.args))


def run_tests(arguments: list[str], root: Path = ROOT) -> int:
    """Run pytest in the checkout with ``arguments``; returns its exit code."""
    if not (root / "tests").is_dir():
        raise FolderError("commands.no_tests", root)
    return subprocess.call([sys.executable, "-m", "pytest", "-q", *arguments], cwd=root)
