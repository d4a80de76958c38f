"""``miniqmt producer``: the bridge producer, as ``windows_side/bridge_producer.py`` by path."""

from __future__ import annotations

import typer


def register(app: typer.Typer) -> None:
    """Add the command; its options are the script's own, ``--help`` too."""
    passed_on = {
        "allow_extra_args": True,
        "ignore_unknown_options": True,
        "allow_interspersed_args": False,
        "help_option_names": [],
    }
    app.command("producer", context_settings=passed_on)(producer)


def producer(context: typer.Context) -> None:
    """Run the bridge producer until it is asked to stop."""
    from windows_side.bridge_producer import main

    raise typer.Exit(main(context.args))
