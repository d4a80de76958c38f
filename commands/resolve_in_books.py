"""``miniqmt resolve`` at the books' host: a signal whose executor was lost before it answered."""

from __future__ import annotations

import time

import typer

from commands.confirmation import Executors, confirmed_by_person
from commands.halt_writing import OPERATOR, writer_of
from commands.own_files import OwnBooks, own_books
from commands.place import OperateError
from commands.resting_books import resting_books
from mac_side.bridge_client.entry import OutboxEntry
from mac_side.never_placed import EXPIRED_FOR, addressed_to, deadline_of, settle_never_placed, why_not
from mac_side.single_engine import LOG_NAME, runtime_folder, runtime_name
from shared_schema.clock import Moment
from shared_schema.drop_folder import DropFolder
from shared_schema.drop_folder.names import RESULT_SLOT, RESULTS_FOLDER, result_name
from shared_schema.ids import SignalId
from shared_schema.logs import open_log
from shared_schema.sessions import shanghai
from shared_schema.settings import Settings
from shared_schema.words import say

WORD = "RESOLVE"


def resolve_in_books(
    folder: DropFolder,
    settings: Settings,
    signal_id: SignalId,
    placed: str,
    not_placed: bool,
    reason: str,
    yes: bool,
) -> None:
    """Settle it as never placed by a person's word. Raises OperateError where it may still be placed."""
    strategy = _books_of(folder, settings, signal_id)[0].state.strategy
    with resting_books(settings, folder, strategy, "recovery.resolve_engine_running"):
        own, entry = _books_of(folder, settings, signal_id)  # as they stand now that nobody else has them
        _refuse_what_may_be_placed(folder, settings, own, entry)
        typer.echo(_shown(entry))
        if not placed and not not_placed:
            typer.echo(say("recovery.resolve.how_here", signal_id=signal_id))
            return
        if placed:
            raise OperateError(
                "recovery.resolve_refused_here", signal_id, detail=say("recovery.resolve_here.placed")
            )
        if not reason.strip():
            raise OperateError("recovery.resolve_how", signal_id)
        if not confirmed_by_person(WORD, yes):
            typer.echo(say("operate.given_up"))
            raise typer.Exit(1)
        _settle(settings, own, signal_id, reason.strip())


def _settle(settings: Settings, own: OwnBooks, signal_id: SignalId, reason: str) -> None:
    now = time.time()
    message = say("recovery.resolved_not_placed", reason=reason)
    copy = settle_never_placed(own.path, own.state, signal_id, message, Moment(now, now))
    log = open_log(runtime_name(LOG_NAME, own.state.strategy), settings.log_dir, console=False)
    try:
        by = writer_of(OPERATOR)
        log.say("warning", "resolved_by_hand", signal_id=signal_id, reason=reason, by=by, copy=copy)
    finally:
        log.close()
    typer.echo(say("recovery.resolve.done_here", signal_id=signal_id, copy=copy))


def _books_of(folder: DropFolder, settings: Settings, signal_id: SignalId) -> tuple[OwnBooks, OutboxEntry]:
    for own in own_books(settings, folder.path, time.time()):
        entry = own.state.outbox.get(signal_id)
        if entry is not None:
            return own, entry
    raise OperateError("recovery.resolve_no_executor", runtime_folder(settings, folder.path))


def _refuse_what_may_be_placed(
    folder: DropFolder, settings: Settings, own: OwnBooks, entry: OutboxEntry
) -> None:
    now, bound = time.time(), own.state.executor or "-"
    reason: str | None = why_not(own.state, entry, now)
    instance, at = "-", ""
    if reason in (None, "not_expired"):
        instance = addressed_to(entry) or "-"
        at = shanghai(deadline_of(entry) + EXPIRED_FOR).strftime("%m-%d %H:%M:%S")
        executors = Executors.seen_now(folder, settings.sync.defaults.heartbeat_red_after, now)
        if _answer_waits(folder, entry.signal_id):
            reason = "answer_waits"
        elif instance in {beat.body.instance for beat in executors.alive()}:
            reason = "running"
    if reason is not None:
        detail = say(
            f"recovery.resolve_here.{reason}", state=entry.state, bound=bound, instance=instance, at=at
        )
        raise OperateError("recovery.resolve_refused_here", entry.signal_id, detail=detail)


def _answer_waits(folder: DropFolder, signal_id: SignalId) -> bool:
    """Whether a result of it lies there, whole or not, that the books have not taken."""
    if folder.stat(f"{RESULTS_FOLDER}/{result_name(signal_id)}") is not None:
        return True
    return signal_id.encode() in (folder.read(RESULT_SLOT) or b"")


def _shown(entry: OutboxEntry) -> str:
    return say(
        "recovery.resolve.will_not_here",
        signal_id=entry.signal_id,
        direction=say(f"executor.{entry.direction}"),
        code=entry.code,
        shares=f"{entry.intention.shares:,}",
        price=f"{entry.intention.price:.3f}",
        instance=addressed_to(entry),
    )
