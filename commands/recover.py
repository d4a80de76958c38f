"""``miniqmt recover``: make the ledger again from what is left, and say what could not be known."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from commands.confirmation import confirmed_by_person
from commands.place import AccountOption, FolderOption, YesOption, place_of
from commands.time_text import stamp_text
from shared_schema.drop_folder import DropFolder
from shared_schema.exchange_folder import checked_exchange_folder
from shared_schema.ids import AccountAlias
from shared_schema.settings import Settings
from shared_schema.words import say, say_both
from windows_side.arming import chosen_mode
from windows_side.execution.rebuild import Evidence, Rebuilt, rebuild
from windows_side.execution.second_counter import SecondCounter
from windows_side.executor_places import counter_folder, files_of
from windows_side.ledger_opening import counter_path, diagnosis
from windows_side.recovery import Lost, gather, refuse_living_executor, replace_ledger
from windows_side.single_instance import hold_account, hold_single_instance

WORD = "RECOVER"


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("recover")(recover)


def recover(
    rebuild_anyway: Annotated[
        bool, typer.Option("--rebuild", help=say_both("recovery.help_rebuild"))
    ] = False,
    yes: YesOption = False,
    folder: FolderOption = None,
    account: AccountOption = "",
) -> None:
    """0: nothing was wrong, or all is known again; 1: given up, or something could not be known."""
    found, settings = place_of(folder, account)
    checked_exchange_folder(found.path)
    lost = lost_ledger(settings, found)
    with _executor_stays_out(settings, lost):
        reason = diagnosis(lost.path, lost.mode, lost.account, lost.folder, lost.counter)
        if not reason and not rebuild_anyway:
            typer.echo(say("recovery.recover.fine", path=lost.path))
            return
        now = time.time()
        evidence = gather(lost)
        refuse_living_executor(lost, evidence, settings.sync.defaults.heartbeat_red_after, now)
        rebuilt = rebuild(evidence, lost.account, now)
        typer.echo(say("recovery.recover.why", reason=reason or "--rebuild"))
        ids, rows = len(rebuilt.settled_ids), len(rebuilt.orders)
        typer.echo(say("recovery.recover.plan", rows=rows, unknown=len(rebuilt.unknown), ids=ids))
        if not confirmed_by_person(WORD, yes):
            typer.echo(say("operate.given_up"))
            raise typer.Exit(1)
        doubt_before = now + settings.limits.future_seconds
        stamp = time.strftime("%Y%m%d-%H%M%S", time.localtime(now))
        aside = replace_ledger(lost, evidence, rebuilt, doubt_before, stamp)
        _told(lost, evidence, rebuilt, doubt_before, aside, stamp)
    raise typer.Exit(1 if _is_open(evidence, rebuilt) else 0)


def lost_ledger(settings: Settings, folder: DropFolder) -> Lost:
    """The ledger of this host's executor as the settings say, whether it is there or not."""
    mode = chosen_mode(settings)
    account = AccountAlias(settings.account.alias)
    files = files_of(settings.runtime_dir, mode, account)
    counter = SecondCounter(counter_path(files.ledger, counter_folder(settings, mode)))
    return Lost(files.ledger, mode, account, folder, counter, files.simulated_books)


@contextlib.contextmanager
def _executor_stays_out(settings: Settings, lost: Lost) -> Iterator[None]:
    """Hold the executor's own locks; SettingsError says who runs."""
    with contextlib.ExitStack() as held:
        lock = hold_single_instance("executor", settings.runtime_dir, lost.folder.path)
        held.callback(lock.release)
        lock = hold_account(lost.mode, lost.account, settings.account.id, settings.runtime_dir)
        held.callback(lock.release)
        held.callback(lost.counter.close)
        yield


def _is_open(evidence: Evidence, rebuilt: Rebuilt) -> bool:
    return bool(rebuilt.unknown or rebuilt.strange_orders or rebuilt.settled_ids or evidence.unreadable)


def _told(
    lost: Lost, evidence: Evidence, rebuilt: Rebuilt, doubt_before: float, aside: Path, stamp: str
) -> None:
    """Print the report and keep it beside the ledger."""
    lines = _report(lost, evidence, rebuilt, doubt_before)
    path = lost.path.with_name(f"recover-{stamp}.txt")
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    for line in lines:
        typer.echo(line)
    kept = aside if aside.exists() else say("recovery.recover.no_old")
    typer.echo(say("recovery.recover.done", path=lost.path, aside=kept))
    typer.echo(say("recovery.recover.report", path=path))
    known = "not_known" if _is_open(evidence, rebuilt) else "all_known"
    typer.echo(say(f"recovery.recover.{known}"))


def _report(lost: Lost, evidence: Evidence, rebuilt: Rebuilt, doubt_before: float) -> list[str]:
    def line(name: str, **values: object) -> str:
        return say(f"recovery.recover.line.{name}", **values)

    lines = [line("title", at=stamp_text(time.time()), mode=lost.mode, account=lost.account)]
    old, signals, results = len(evidence.rows), len(evidence.signals), len(evidence.results)
    lines.append(line("rows", rows=len(rebuilt.orders), old=old, signals=signals, results=results))
    in_doubt = [order for order in rebuilt.orders if order.state == "unknown"]
    lines += [line("unknown", signal_id=order.signal_id, sentence=order.message) for order in in_doubt]
    if rebuilt.settled_ids:
        lines.append(line("ids", ids=", ".join(rebuilt.settled_ids)))
    lines += [line("strange", order_id=order_id) for order_id in rebuilt.strange_orders]
    lines += [line("unreadable", what=what) for what in evidence.unreadable]
    return [*lines, line("doubt", at=stamp_text(doubt_before))]
