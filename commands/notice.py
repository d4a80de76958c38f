"""``miniqmt notice test``: one message to each channel of the settings, and which of them took it."""

from __future__ import annotations

import typer

from shared_schema.clock import host_name
from shared_schema.errors import SettingsError
from shared_schema.notice_channels import channels, scheme_of
from shared_schema.settings import load_settings
from shared_schema.words import say, say_both

notice_app = typer.Typer(no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Add the ``notice`` command to ``app``."""
    app.add_typer(notice_app, name="notice")


@notice_app.callback()
def _group() -> None:
    """Keeps ``test`` a word of its own."""


@notice_app.command("test", help=say_both("notices.help_test"))
def test() -> None:
    """Send; 0 where every channel took it, 1 where one did not, 2 where none is set or one is unknown."""
    wanted = load_settings().notices
    if not wanted.urls:
        raise SettingsError("notices.none")
    lost = 0
    title = say("notices.title", host=host_name(), count=1)
    for url in wanted.urls:
        sent = channels((url,))(title, say("notices.test"), silent=False)
        typer.echo(say("notices.not_taken" if sent.failed else "notices.taken", kind=scheme_of(url)))
        lost += bool(sent.failed)
    for kind in ("fills", "rejections", "unknown", "halt", "link", "reconcile", "alarms"):
        typer.echo(f"  {kind} = {getattr(wanted, kind)}")
    raise typer.Exit(1 if lost else 0)
