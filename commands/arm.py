"""``miniqmt arm``: a person allows live trading once; account, limits and the word LIVE are typed."""

from __future__ import annotations

import time
from contextlib import closing

import typer

from commands.own_files import own_ledgers
from commands.place import AccountOption, settings_for
from shared_schema.drop_folder import DropFolder
from shared_schema.errors import SettingsError, StateError
from shared_schema.exchange_folder import checked_exchange_folder
from shared_schema.ids import AccountAlias
from shared_schema.keys import folder_key
from shared_schema.settings import Settings
from shared_schema.settings_values import masked
from shared_schema.words import say
from windows_side.account_number import NUMBER, bind_number, number_digest
from windows_side.arming import ALWAYS_SHOWN, Agreement, read_agreement, wanted_agreement, write_agreement
from windows_side.brokers.qmt_diagnosis import path_findings
from windows_side.execution.ledger import BOUND_TO, DOUBT_BEFORE
from windows_side.execution.second_counter import SecondCounter
from windows_side.executor_places import counter_folder, files_of
from windows_side.ledger_opening import counter_path, open_guarded
from windows_side.single_instance import hold_account

WORD = "LIVE"


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("arm")(arm)


def arm(account: AccountOption = "") -> None:
    """Show account and limits, have them typed, keep the agreement, make the first live ledger."""
    settings = settings_for(account=account)
    wanted = wanted_agreement(settings)
    path = checked_exchange_folder((settings.host or settings).exchange_folder("executor"))
    if settings.host is not None:
        path = settings.exchange_folder("executor")
        path.mkdir(parents=True, exist_ok=True)
    folder = DropFolder(path, key=folder_key(settings, path))
    if folder.is_offline():
        raise SettingsError("arming.offline_folder", path)
    agreed = read_agreement(settings)
    _refuse_other_account(settings, wanted, agreed)
    _show(settings, wanted, agreed)
    is_new = agreed is None or bool(agreed.changes_to(wanted))
    if is_new:
        _have_typed(settings)
    else:
        typer.echo(say("arming.already"))
    ledger = _ledger(settings, folder)
    if is_new:
        write_agreement(settings, wanted, time.time())
    typer.echo(say("arming.done", ledger=ledger))


def _refuse_other_account(settings: Settings, wanted: Agreement, agreed: Agreement | None) -> None:
    """Raise StateError where the live ledger holds orders of another account number."""
    alias = AccountAlias(settings.account.alias)
    path = files_of(settings.runtime_dir, "live", alias).ledger
    ledger = next((own for own in own_ledgers(settings.runtime_dir) if own.path == path), None)
    if ledger is None or not (ledger.ids() or DOUBT_BEFORE in ledger.meta):
        return
    kept = ledger.meta[BOUND_TO].get(NUMBER)
    if kept is not None:
        is_other = kept != number_digest(alias, settings.account.id or "")
    else:  # of before the number was kept: the last arming tells it
        is_other = agreed is not None and agreed.account != wanted.account
    if is_other:
        raise StateError("arming.other_account", path, alias=alias)


def _show(settings: Settings, wanted: Agreement, agreed: Agreement | None) -> None:
    number = masked(settings.account.id or "")
    typer.echo(say("arming.title", alias=settings.account.alias, number=number, type=wanted.type))
    typer.echo(say("arming.terminal", path=settings.qmt.data_path or "-"))
    for finding in path_findings(settings.qmt.data_path):
        typer.echo(say("arming.note_path", finding=finding))
    typer.echo(say("arming.limits"))
    for name in ("allow_list", *ALWAYS_SHOWN):
        typer.echo(say("arming.limit", name=name, value=wanted.limits[name]))
    changes = agreed.changes_to(wanted) if agreed is not None else []
    if changes:
        typer.echo(say("arming.changed_since", changes="; ".join(changes)))


def _have_typed(settings: Settings) -> None:
    """End with 1 unless number, largest buy and LIVE are typed as the settings have them."""
    if _typed("type_number") != settings.account.id or not _is_amount(
        _typed("type_buy"), settings.limits.max_buy_yuan
    ):
        typer.echo(say("arming.not_equal"))
        raise typer.Exit(1)
    if _typed("type_live") != WORD:
        typer.echo(say("arming.given_up"))
        raise typer.Exit(1)


def _typed(question: str) -> str:
    return str(typer.prompt(say(f"arming.{question}"), default="", show_default=False)).strip()


def _is_amount(typed: str, amount: float) -> bool:
    try:
        return float(typed.replace(",", "")) == amount
    except ValueError:
        return False


def _ledger(settings: Settings, folder: DropFolder) -> str:
    """The live ledger's place, made where there never was one. Raises StateError, SettingsError."""
    alias = AccountAlias(settings.account.alias)
    path = files_of(settings.runtime_dir, "live", alias).ledger
    if not path.exists():
        folder.prepare()
        counter = SecondCounter(counter_path(path, counter_folder(settings, "live")))
        lock = hold_account("live", alias, settings.account.id, settings.runtime_dir)
        try:
            with closing(open_guarded(path, "live", alias, folder, counter).ledger) as ledger:
                bind_number(ledger, ledger.load(), alias, settings.account.id or "", path)
        finally:
            counter.close()
            lock.release()
    return str(path)
