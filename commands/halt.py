"""``miniqmt halt``: stop trading, from either host, whatever else is broken."""

from __future__ import annotations

import time
from typing import Annotated

import typer

from commands.confirmation import Executors
from commands.folder_view import Beat
from commands.halt_writing import OPERATOR, write_halt, writer_of
from commands.place import EveryAccountOption, FolderOption, Place, place_despite_settings, rooms_in
from commands.time_text import clock_text
from shared_schema.drop_folder import DropFolder
from shared_schema.errors import FolderError
from shared_schema.ids import Mode
from shared_schema.words import say, say_both

SHORTEST_WAIT, LONGEST_WAIT = 5.0, 30.0


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("halt")(halt)


def halt(
    reason: Annotated[str, typer.Option("--reason", "-r", help=say_both("operate.help_reason"))] = "",
    role: Annotated[str, typer.Option("--role", help=say_both("operate.help_role"))] = OPERATOR,
    folder: FolderOption = None,
    account: EveryAccountOption = "",
    wait: Annotated[float | None, typer.Option("--wait", help=say_both("operate.help_wait"))] = None,
) -> None:
    """Write the halt at once, then wait for the executors' confirmation; 1 where one did not come.

    It holds every account, in their rooms as well; with ``--account`` that one alone.
    """
    place = place_despite_settings(folder, account)
    red_after = place.defaults.heartbeat_red_after
    rooms, unread = _rooms(place)
    executors = Executors.seen_now(place.folder, red_after, time.time(), *rooms)
    now = time.time()
    try:
        name = write_halt(place.folder, writer_of(role), reason, _mode(place, executors), now)
    except FolderError:
        typer.echo(say("operate.halt.not_written"), err=True)
        raise
    typer.echo(say("operate.halt.written", at=clock_text(now), path=place.folder.path / "control" / name))
    if account:
        typer.echo(say("operate.halt.one_account", account=account))
    elif len(executors.folders) > 1:
        names = ", ".join(room.path.name for room in rooms)
        typer.echo(say("operate.halt.every_account", rooms=names))
    if place.problem is not None:
        typer.echo(say("operate.halt.despite", problem=place.problem))
    seconds = wait if wait is not None else min(LONGEST_WAIT, max(SHORTEST_WAIT, red_after))
    typer.echo(say("operate.halt.waiting", seconds=f"{seconds:g}"))
    alive = executors.wait(_is_halted, seconds)
    code = _told(executors, alive)
    if unread is not None:
        typer.echo(say("operate.halt.rooms_unread", problem=unread))
        code = 1
    raise typer.Exit(code)


def _rooms(place: Place) -> tuple[list[DropFolder], FolderError | None]:
    """The rooms the halt holds as well; a listing that fails keeps no halt back and confirms no room."""
    try:
        return rooms_in(place.folder), None
    except FolderError as problem:
        return [], problem


def _is_halted(beat: Beat) -> bool:
    return beat.body.halt_since is not None


def _told(executors: Executors, alive: list[Beat]) -> int:
    """Say who confirmed and who did not; the exit code."""
    confirmed = 0
    for beat in alive:
        who = f"{beat.body.instance} ({beat.envelope.writer}, {beat.envelope.mode}/{beat.envelope.account})"
        since = beat.body.halt_since
        if since is None or not executors.has_moved(beat):
            typer.echo(say("operate.halt.not_confirmed", who=who))
            continue
        confirmed += 1
        old = executors.before.get(beat.body.instance)
        was_halted = old is not None and old.body.halt_since == since
        key = "operate.halt.already" if was_halted else "operate.halt.confirmed"
        typer.echo(say(key, who=who, at=clock_text(since)))
    if not alive:
        typer.echo(say("operate.halt.nobody"))
    if not alive or confirmed < len(alive):
        typer.echo(say("operate.halt.what_to_do"))
        return 1
    typer.echo(say("operate.halt.orders_stay"))
    return 0


def _mode(place: Place, executors: Executors) -> Mode:
    """A halt holds in every mode; its envelope names that of the folder's executor where one is seen."""
    modes: list[Mode] = [beat.envelope.mode for beat in executors.before.values()]
    pinned = place.settings.mode if place.settings is not None else None
    return pinned or (modes[-1] if modes else "live")
