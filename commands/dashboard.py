"""``miniqmt dashboard``: the strategy's engine and its screen."""

from __future__ import annotations

import sys

import typer


def register(app: typer.Typer) -> None:
    """Add the command; its arguments are those of ``mac_side/mac_dashboard.py``."""

    @app.command(
        "dashboard",
        context_settings={"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []},
    )
    def dashboard(context: typer.Context) -> None:
        from mac_side.mac_dashboard import main

        sys.exit(main(context.args))
