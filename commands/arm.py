"""``miniqmt arm``: allows live trading once; it comes with the live broker."""

from __future__ import annotations

import typer

from shared_schema.errors import SettingsError


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("arm")(arm)


def arm() -> None:
    """End with 2: this version trades in simulation only."""
    raise SettingsError("operate.arm_not_yet")
