"""Lifting at this host's dashboards what their executor does not hold: its keyboard can't."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

import typer

from commands.folder_view import Beat
from commands.own_files import OwnBooks, own_books
from mac_side.dashboard_processes import commands_path
from mac_side.engine_halts import SHOWN_WITHIN
from mac_side.screen_commands import Command, write_command
from mac_side.single_engine import runtime_folder
from shared_schema.clock import host_name
from shared_schema.drop_folder import DropFolder
from shared_schema.ids import StrategyName
from shared_schema.settings import Settings
from shared_schema.words import say

LOOK_EVERY = 0.05


@dataclass(frozen=True)
class HeldAlone:
    """A dashboard of this host that holds halts of others which its living executor does not show."""

    books: Path
    strategy: StrategyName
    names: tuple[str, ...]


def held_alone(books: list[OwnBooks], others: list[str], alive: list[Beat]) -> list[HeldAlone]:
    """The dashboards that a person is to lift ``others`` at; whether they do is for them to judge."""
    trading = {beat.body.instance for beat in alive if beat.body.halt_since is None}
    found = [
        HeldAlone(own.path, own.state.strategy, tuple(h.name for h in own.state.halts if h.name in others))
        for own in books
        if own.state.executor in trading
    ]
    return [held for held in found if held.names]


def lift_at_dashboards(
    settings: Settings, folder: DropFolder, dashboards: list[HeldAlone], reason: str, wait: float
) -> set[str]:
    """Ask each to lift what it holds alone, and say what came of it; the names of those it kept."""
    kept: set[str] = set()
    for held in dashboards:
        wish = Command(kind="resume", argument=reason, at=time.time(), by=f"operator@{host_name()}")
        path = write_command(commands_path(runtime_folder(settings, folder.path), held.strategy), wish)
        until = time.monotonic() + wait
        while path.exists() and time.monotonic() < until:
            time.sleep(LOOK_EVERY)
        if path.exists():
            path.unlink(missing_ok=True)
            typer.echo(say("operate.resume.dashboard_deaf", strategy=held.strategy))
            kept.update(held.names)
            continue
        # It forgets a wish only once its books are saved.
        books = own_books(settings, folder.path, time.time())
        still = {halt.name for own in books if own.path == held.books for halt in own.state.halts}
        if names := [name for name in held.names if name in still]:
            seconds = settings.sync.defaults.heartbeat_red_after + SHOWN_WITHIN
            text = {"strategy": held.strategy, "names": ", ".join(names), "seconds": f"{seconds:g}"}
            typer.echo(say("operate.resume.dashboard_waits", **text))
            kept.update(names)
        else:
            typer.echo(say("operate.resume.lifted_here", strategy=held.strategy, names=", ".join(held.names)))
    return kept
