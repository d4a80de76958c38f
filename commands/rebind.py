"""``miniqmt rebind``: who works with whom, changed by a person and never by silence (rule 15)."""

from __future__ import annotations

import time
from typing import Annotated

import typer

from commands.confirmation import Executors, confirmed_by_person
from commands.folder_view import Beat
from commands.halt_writing import OPERATOR, writer_of
from commands.own_files import OwnBooks, own_books, own_ledgers
from commands.place import AccountOption, FolderOption, OperateError, YesOption, place_of
from commands.resting_books import resting_books
from commands.time_text import age_text
from commands.typed_order import type_and_watch
from mac_side.rebind import rebind_books
from shared_schema.clock import Moment
from shared_schema.drop_folder import DropFolder
from shared_schema.ids import InstanceId, StrategyName
from shared_schema.settings import Settings
from shared_schema.words import say, say_both
from windows_side.keyboard import Typed

WORD = "REBIND"


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("rebind")(rebind)


def rebind(
    strategy: Annotated[str, typer.Option("--strategy", help=say_both("operate.help_strategy"))] = "",
    executor: Annotated[str, typer.Option("--executor", help=say_both("operate.help_executor"))] = "",
    yes: YesOption = False,
    folder: FolderOption = None,
    account: AccountOption = "",
    wait: Annotated[float, typer.Option("--wait", help=say_both("operate.help_wait"))] = 5.0,
) -> None:
    """Bind this host's dashboard to another executor, or a strategy name to its next writer."""
    found, settings = place_of(folder, account)
    if strategy:
        _rebind_writer(found, settings, strategy, yes, wait)
    else:
        _rebind_dashboard(found, settings, executor, yes)


def _rebind_writer(folder: DropFolder, settings: Settings, strategy: str, yes: bool, wait: float) -> None:
    """At the executor's host: let the next writer of ``strategy`` be the bound one."""
    alive = _running(folder, settings)
    running = {beat.body.instance for beat in alive}
    ledgers = own_ledgers(settings.runtime_dir)
    ledger = next((ledger for ledger in ledgers if ledger.instance in running), None)
    if ledger is None:
        raise OperateError("operate.rebind_no_executor_here", settings.runtime_dir)
    if strategy not in ledger.writers:
        known = ", ".join(sorted(ledger.writers)) or "-"
        raise OperateError("operate.rebind_no_strategy", strategy, known=known)
    writer = ledger.writers[strategy]
    typer.echo(say("operate.rebind.writer", strategy=strategy, writer=writer, instance=ledger.instance))
    if not confirmed_by_person(WORD, yes):
        typer.echo(say("operate.given_up"))
        raise typer.Exit(1)
    typed = Typed(kind="rebind", strategy=strategy, by=writer_of(OPERATOR), at=time.time())
    if not type_and_watch(settings.runtime_dir, typed, wait):
        raise OperateError("operate.typed_not_taken", ledger.instance)
    typer.echo(say("operate.rebind.writer_done", strategy=strategy))


def _rebind_dashboard(folder: DropFolder, settings: Settings, wanted: str, yes: bool) -> None:
    """At the dashboard's host: write the executor's instance into the books, while no engine has them."""
    strategy = StrategyName(settings.strategy.name)
    with resting_books(settings, folder, strategy, "operate.rebind_running"):
        alive = _running(folder, settings)
        books = own_books(settings, folder.path, time.time())
        own, beat = _chosen([b for b in books if b.state.strategy == strategy], alive, wanted)
        if own.state.executor == beat.body.instance:
            typer.echo(say("operate.rebind.already", instance=beat.body.instance))
            return
        _show(own, beat)
        if not confirmed_by_person(WORD, yes):
            typer.echo(say("operate.given_up"))
            raise typer.Exit(1)
        _write(own, beat.body.instance)


def _running(folder: DropFolder, settings: Settings) -> list[Beat]:
    return Executors.seen_now(folder, settings.sync.defaults.heartbeat_red_after, time.time()).alive()


def _chosen(books: list[OwnBooks], alive: list[Beat], wanted: str) -> tuple[OwnBooks, Beat]:
    """The one pair that fits by mode and account. Raises OperateError where there is none or several."""
    if not books:
        raise OperateError("operate.rebind_no_books")
    if wanted:
        alive = [beat for beat in alive if beat.body.instance == wanted]
    fitting = [
        (own, beat)
        for own in books
        for beat in alive
        if (own.state.mode, own.state.account) == (beat.envelope.mode, beat.envelope.account)
    ]
    if len(fitting) > 1:
        fitting = [pair for pair in fitting if pair[0].state.executor != pair[1].body.instance]
    if len(fitting) != 1:
        seen = ", ".join(_described(beat) for beat in alive) or "-"
        key = "operate.rebind_several" if fitting else "operate.rebind_none_seen"
        raise OperateError(key, seen=seen, books=", ".join(str(own.path) for own in books))
    return fitting[0]


def _described(beat: Beat) -> str:
    age = age_text(beat.age(time.time()))
    envelope = beat.envelope
    return f"{beat.body.instance} ({envelope.writer}, {envelope.mode}/{envelope.account}, {age})"


def _show(own: OwnBooks, beat: Beat) -> None:
    typer.echo(say("operate.rebind.books", path=own.path))
    typer.echo(say("operate.rebind.from", instance=own.state.executor or "-"))
    typer.echo(say("operate.rebind.to", instance=_described(beat)))
    waiting = [entry.signal_id for entry in own.state.outbox.unanswered]
    if waiting:
        typer.echo(say("operate.rebind.open", count=len(waiting), ids=", ".join(waiting[:5])))


def _write(own: OwnBooks, instance: InstanceId) -> None:
    now = time.time()
    rebound = rebind_books(own.path, own.state, instance, Moment(now, now))
    typer.echo(say("operate.rebind.done", instance=instance, copy=rebound.copy))
