"""A command's own notice: one message through the channels of the settings, said where it failed."""

from __future__ import annotations

import typer

from shared_schema.clock import host_name
from shared_schema.errors import SettingsError
from shared_schema.notice_channels import channels
from shared_schema.notices import Kind
from shared_schema.settings import Settings
from shared_schema.words import say


def tell(settings: Settings, kind: Kind, text: str) -> None:
    """Send ``text`` where channels are set and the kind is not off; a failure is a line, never an end."""
    how = getattr(settings.notices, kind)
    if not settings.notices.urls or how == "off":
        return
    title = say("notices.title", host=host_name(), count=1)
    try:
        sent = channels(settings.notices.urls)(title, text, silent=how == "silent")
    except SettingsError as problem:
        typer.echo(str(problem), err=True)
        return
    for channel in sent.failed:
        typer.echo(say("notices.not_taken", kind=channel), err=True)
