"""``miniqmt key``: the secret that signs what crosses the folder, made here and carried over by hand."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from shared_schema.errors import SettingsError
from shared_schema.integrity import Key
from shared_schema.keys import fingerprint, key_from_text, key_path, key_text, new_key, read_key, write_key
from shared_schema.settings import load_settings
from shared_schema.words import say, say_both

key_app = typer.Typer(no_args_is_help=True)

ReplaceOption = Annotated[bool, typer.Option("--replace", help=say_both("keys.help_replace"))]


def register(app: typer.Typer) -> None:
    """Add the ``key`` commands to ``app``."""
    app.add_typer(key_app, name="key")


@key_app.command("make", help=say_both("keys.help_make"))
def make(replace: ReplaceOption = False) -> None:
    """Make a key for this host and tell how it gets to the other one."""
    path = key_path(load_settings())
    if path.exists() and not replace:
        raise SettingsError("keys.exists", path)
    key = new_key()
    write_key(path, key, replace=replace)
    typer.echo(say("keys.made", path=path))
    tell(key)


@key_app.command("show", help=say_both("keys.help_show"))
def show() -> None:
    """Print this host's key; 1 where it has none."""
    path = key_path(load_settings())
    key = read_key(path)
    if key is None:
        typer.echo(say("keys.none"))
        raise typer.Exit(1)
    tell(key)


@key_app.command("import", help=say_both("keys.help_import"))
def take_over(
    text: Annotated[str, typer.Argument(help=say_both("keys.help_text"))] = "", replace: ReplaceOption = False
) -> None:
    """Keep the key typed over from the other host."""
    path = key_path(load_settings())
    key = key_from_text(text or typer.prompt(say("keys.ask")))
    keep(path, key, replace=replace)


def keep(path: Path, key: Key, *, replace: bool = False) -> None:
    """Write a key that came from the other host, and say so."""
    write_key(path, key, replace=replace)
    typer.echo(say("keys.imported", path=path))
    typer.echo(say("keys.fingerprint", fingerprint=fingerprint(key)))
    typer.echo(say("keys.restart"))


def tell(key: Key) -> None:
    """Print a key with its fingerprint and what to do with it."""
    typer.echo(say("keys.key", text=key_text(key)))
    typer.echo(say("keys.fingerprint", fingerprint=fingerprint(key)))
    typer.echo(say("keys.carry"))
