"""``miniqmt reconcile [DATE]``: the day's books against the broker's, fill by fill (I9)."""

from __future__ import annotations

import json
from datetime import date as calendar_date
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from commands.own_files import OwnLedger, own_ledgers
from commands.place import (
    EveryAccountOption,
    FolderOption,
    JsonOption,
    OperateError,
    further_settings,
    place_by,
    settings_for,
)
from commands.reconcile_report import as_json, show, write_csv
from commands.telling import tell
from commands.time_text import stamp_text
from shared_schema.drop_folder import DropFolder
from shared_schema.drop_folder.archive import result_files, signal_archives
from shared_schema.errors import FolderError, MessageError, SettingsError
from shared_schema.ids import AccountAlias, Mode, SignalId
from shared_schema.messages import OrderResult, decode_result, decode_signal
from shared_schema.settings import Settings
from shared_schema.words import say, say_both
from windows_side.brokers.money import Fees
from windows_side.day_files import DayFiles, day_folder
from windows_side.execution.reconcile import Evidence, Reconciliation, reconcile


class NoDate(SettingsError):
    """What was typed is no day: exit code 2."""


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("reconcile")(reconcile_command)


def reconcile_command(
    date: Annotated[str, typer.Argument(help=say_both("reconcile.help_date"))] = "",
    folder: FolderOption = None,
    account: EveryAccountOption = "",
    as_json_text: JsonOption = False,
) -> None:
    """0 where everything agrees, 1 where something differs or no broker's day was kept."""
    settings = settings_for(folder, account)
    day = _dashed(date) if date else ""
    reports = [
        (own, ledger, _report(found, own, ledger, day))
        for found, own in map(place_by, _used(settings))
        for ledger in own_ledgers(own.runtime_dir)
        if ledger.days()
    ]
    done = [(own, ledger, report) for own, ledger, report in reports if report is not None]
    if not done:
        raise OperateError("reconcile.nothing", settings.runtime_dir, date=date or say("reconcile.newest"))
    chosen = settings.executor
    fees = Fees(chosen.commission_rate, chosen.min_commission, chosen.stamp_duty_rate)
    if as_json_text:
        typer.echo(json.dumps([as_json(report, fees) for *_, report in done], ensure_ascii=False, indent=2))
    else:
        console = Console()
        for own, ledger, report in done:
            show(report, f"{ledger.mode} {ledger.account}", fees, console)
            place = _files(own, ledger).folder
            if not report.agrees:
                typer.echo(say("reconcile.kept_at", time=stamp_text(_kept_at(place, report.day))[:19]))
            typer.echo(say("reconcile.written", path=write_csv(report, fees, place)))
        told = [
            say(
                f"notices.{'day_agrees' if report.agrees else 'day_differs'}",
                day=report.day,
                account=f"{ledger.mode}/{ledger.account}",
                orders=len(report.lines),
                foreign=len(report.foreign),
                count=len(report.differences),
            )
            for _, ledger, report in done
        ]
        tell(settings, "reconcile", "\n".join(told))
    raise typer.Exit(0 if all(report.agrees for *_, report in done) else 1)


def _kept_at(folder: Path, day: str) -> float:
    """When the broker's orders and trades of ``day`` were written last, wall Unix seconds."""
    names = (f"{kind}_{day.replace('-', '')}.csv" for kind in ("orders", "trades", "positions"))
    return max((path.stat().st_mtime for path in map(folder.joinpath, names) if path.exists()), default=0.0)


def _used(settings: Settings) -> list[Settings]:
    """The settings asked for, and those of further accounts that have ever traded here."""
    return [settings, *(own for own in further_settings(settings) if own_ledgers(own.runtime_dir))]


def _report(
    folder: DropFolder, settings: Settings, ledger: OwnLedger, asked: str
) -> Reconciliation | None:
    day = asked or ledger.days()[-1]
    compact = day.replace("-", "")
    files = _files(settings, ledger)
    broker_day = files.read(compact)
    rows = ledger.rows_of(day)
    if broker_day is None:
        if rows:
            raise OperateError("reconcile.no_broker_day", files.folder, day=day, account=ledger.account)
        return None
    evidence = Evidence(
        rows=rows,
        orders=broker_day.orders,
        trades=broker_day.trades,
        results=_results(folder, {row.signal_id for row in rows}),
        signals=_signals(folder, ledger, day),
        positions=broker_day.positions,
        positions_before=files.positions_before(compact),
    )
    return reconcile(day, evidence)


def _files(settings: Settings, ledger: OwnLedger) -> DayFiles:
    mode: Mode = "live" if ledger.mode == "live" else "simulate"
    return DayFiles(day_folder(settings.runtime_dir, mode, AccountAlias(ledger.account)))


def _dashed(date: str) -> str:
    digits = date.replace("-", "").strip()
    dashed = f"{digits[:4]}-{digits[4:6]}-{digits[6:]}"
    try:
        return str(calendar_date.fromisoformat(dashed))
    except ValueError:
        raise NoDate("reconcile.bad_date", date) from None


def _results(folder: DropFolder, wanted: set[SignalId]) -> dict[SignalId, OrderResult]:
    """The newest readable result of each wanted signal; an unreadable one counts as missing."""
    found: dict[SignalId, OrderResult] = {}
    for name in result_files(folder):
        try:
            result = decode_result(folder.read(name) or b"", name, folder.key).body
        except (MessageError, FolderError):
            continue
        before = found.get(result.signal_id)
        if result.signal_id in wanted and (before is None or result.revision >= before.revision):
            found[result.signal_id] = result
    return found


def _signals(folder: DropFolder, ledger: OwnLedger, day: str) -> frozenset[SignalId]:
    """Ids of the signals of this account, mode and day that were consumed."""
    found = set()
    for name in signal_archives(folder):
        try:
            received = decode_signal(folder.read(name) or b"", name, folder.key)
        except (MessageError, FolderError):
            continue  # refused at the time with a reason of its own
        envelope = received.envelope
        if envelope is None or envelope.trading_day != day:
            continue
        if (envelope.mode, envelope.account) == (ledger.mode, ledger.account):
            found.add(received.body.signal_id)
    return frozenset(found)
