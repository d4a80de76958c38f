"""``miniqmt plan begin``: empty books on purpose, where the folder knows signals but the books are gone."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated, get_args

import typer

from commands.confirmation import confirmed_by_person
from commands.folder_view import FolderView
from commands.place import AccountOption, FolderOption, OperateError, YesOption, settings_for
from commands.resting_books import resting_books
from mac_side.mac_dashboard import writer_of
from mac_side.single_engine import runtime_folder
from mac_side.state_file import StateFile, new_state, state_path
from shared_schema.clock import Moment
from shared_schema.drop_folder import DropFolder
from shared_schema.exchange_folder import checked_exchange_folder
from shared_schema.ids import AccountAlias, Mode, StrategyName
from shared_schema.keys import folder_key
from shared_schema.sessions import trading_day_of
from shared_schema.settings import Settings
from shared_schema.words import say, say_both

WORD = "BEGIN"


def begin(
    strategy: Annotated[str, typer.Option("--strategy", help=say_both("plan.help_strategy"))] = "",
    mode: Annotated[str, typer.Option("--mode", help=say_both("plan.help_begin_mode"))] = "",
    yes: YesOption = False,
    folder: FolderOption = None,
    account: AccountOption = "",
) -> None:
    """Write empty books where the dashboard will look for them: 0; 1 where it was not confirmed."""
    settings = settings_for(folder, account)
    path = checked_exchange_folder(settings.exchange_folder("dashboard"))  # as the dashboard will find it
    found = DropFolder(path, key=folder_key(settings, path))
    wanted = mode or settings.mode
    chosen = next((known for known in get_args(Mode) if known == wanted), None)
    if chosen is None:
        raise OperateError("plan.which_mode", wanted or "--mode")
    name = StrategyName(strategy or settings.strategy.name)
    if name not in (known := [each.name for each in settings.all_strategies]):
        raise OperateError("plan.no_such_strategy", name, known=", ".join(known))
    runtime = runtime_folder(settings, path)
    with resting_books(settings, found, name, "plan.engine_running"):
        _write_empty(settings, found, runtime, name, chosen, yes)


def _write_empty(
    settings: Settings, folder: DropFolder, runtime: Path, strategy: StrategyName, mode: Mode, yes: bool
) -> None:
    in_folder = settings.dashboard.work_dir is not None
    path = state_path(folder.path, runtime, mode, strategy, offline=folder.is_offline(), in_folder=in_folder)
    account = _account(settings, folder, mode)
    now = Moment(time.time(), time.time())
    fresh = new_state(now, mode, account, strategy, writer_of(strategy))
    books = StateFile(path)
    if books.load(fresh) is not fresh:  # raises where only its last good copy is left: that is no beginning
        raise OperateError("plan.has_books", path)
    typer.echo(say("plan.beginning", path=path, whose=f"{strategy}, {mode}/{account}"))
    if not confirmed_by_person(WORD, yes):
        typer.echo(say("operate.given_up"))
        raise typer.Exit(1)
    books.save(fresh, now, trading_day_of(now.market))
    typer.echo(say("plan.begun", path=path))


def _account(settings: Settings, folder: DropFolder, mode: Mode) -> AccountAlias:
    """The account of the newest executor of ``mode`` in the folder, as the dashboard takes it; else ours."""
    beats = [beat for beat in FolderView(folder).executors() if beat.envelope.mode == mode]
    newest = max(beats, key=lambda beat: beat.envelope.written_at, default=None)
    return newest.envelope.account if newest is not None else AccountAlias(settings.account.alias)
