"""``miniqmt executor``: the order executor of this host."""

from __future__ import annotations

import typer

SUPERVISE = "--supervise"


def register(app: typer.Typer) -> None:
    """Add the command; it takes the very options of ``windows_side/order_executor.py``."""

    @app.command(
        "executor",
        context_settings={"ignore_unknown_options": True, "allow_extra_args": True, "help_option_names": []},
    )
    def executor(context: typer.Context) -> None:
        if SUPERVISE in context.args:
            from commands.supervise import supervise

            raise typer.Exit(supervise([word for word in context.args if word != SUPERVISE]))
        from windows_side.order_executor import main

        raise typer.Exit(main(context.args))
