"""``miniqmt resolve``: a person says what became of an order nobody can tell of (I4).

At the executor's own host; where that is lost, at the host whose books wait for its answer.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Annotated

import typer

from commands.confirmation import Executors, confirmed_by_person
from commands.folder_view import FolderView
from commands.halt_writing import OPERATOR, writer_of
from commands.own_files import OwnLedger, own_ledgers
from commands.place import AccountOption, FolderOption, OperateError, YesOption, place_of
from commands.resolve_in_books import WORD, resolve_in_books
from commands.time_text import stamp_text
from commands.typed_order import type_and_watch
from shared_schema.drop_folder import DropFolder
from shared_schema.ids import AccountAlias, OrderId, SignalId
from shared_schema.settings import Settings
from shared_schema.words import say, say_both
from windows_side.brokers.port import BrokerOrder
from windows_side.execution.ledger import Memory
from windows_side.execution.order import Order
from windows_side.execution.order_book import OrderBook
from windows_side.execution.resolve import candidates_of
from windows_side.keyboard import Typed

LOOK_EVERY = 0.05


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("resolve")(resolve)


def resolve(
    signal_id: Annotated[str, typer.Argument(help=say_both("recovery.help_signal_id"))],
    placed: Annotated[str, typer.Option("--placed", help=say_both("recovery.help_placed"))] = "",
    not_placed: Annotated[
        bool, typer.Option("--not-placed", help=say_both("recovery.help_not_placed"))
    ] = False,
    filled: Annotated[int | None, typer.Option("--filled", help=say_both("recovery.help_filled"))] = None,
    price: Annotated[float, typer.Option("--price", help=say_both("recovery.help_price"))] = 0.0,
    reason: Annotated[str, typer.Option("--reason", "-r", help=say_both("recovery.help_reason"))] = "",
    yes: YesOption = False,
    folder: FolderOption = None,
    account: AccountOption = "",
    wait: Annotated[float, typer.Option("--wait", help=say_both("recovery.help_wait"))] = 5.0,
) -> None:
    """Without options the candidates are shown. 0 once the executor has taken it; 1 where it did not."""
    found, settings = place_of(folder, account)
    identity = SignalId(signal_id)
    row = _row_of(settings, identity)
    if row is None:
        if filled is not None:
            detail = say("recovery.resolve_here.placed")
            raise OperateError("recovery.resolve_refused_here", identity, detail=detail)
        resolve_in_books(found, settings, identity, placed, not_placed, reason, yes)
        return
    ledger, order = row
    typer.echo(say("recovery.resolve.row", signal_id=identity, sentence=order.message or order.state))
    if order.broker_message and order.broker_message not in order.message:
        typer.echo(say("recovery.resolve.broker_said", told=order.broker_message))
    if not placed and not not_placed and filled is None:
        _show_candidates(found, ledger, order)
        return
    if filled is not None and filled <= 0:
        raise OperateError("recovery.resolve_nothing_filled", identity)
    said = (bool(placed), not_placed, filled is not None)
    if sum(said) != 1 or (not placed and not reason.strip()) or (filled is not None and not price > 0):
        raise OperateError("recovery.resolve_how", identity)
    executors = Executors.seen_now(found, settings.sync.defaults.heartbeat_red_after, time.time())
    if ledger.instance not in {beat.body.instance for beat in executors.alive()}:
        raise OperateError("recovery.resolve_no_executor", settings.runtime_dir)
    key = "will_place" if placed else "will_not" if not_placed else "will_fill"
    will = {"signal_id": identity, "order_id": placed, "filled": filled, "price": price}
    typer.echo(say(f"recovery.resolve.{key}", **will))
    if not confirmed_by_person(WORD, yes):
        typer.echo(say("operate.given_up"))
        raise typer.Exit(1)
    at = time.time()
    typed = Typed(
        kind="resolve" if filled is None else "resolve_filled",
        signal_id=identity,
        order_id=placed,
        filled=filled or 0,
        price=price,
        reason=reason.strip(),
        by=writer_of(OPERATOR),
        at=at,
    )
    if not type_and_watch(settings.runtime_dir, typed, wait):
        raise OperateError("operate.typed_not_taken", ledger.instance)
    _told(ledger, identity, at, wait)


def _row_of(settings: Settings, signal_id: SignalId) -> tuple[OwnLedger, Order] | None:
    """The ledger that holds the signal as unknown; None where none knows it. Raises OperateError."""
    for ledger in own_ledgers(settings.runtime_dir):
        order = ledger.order(signal_id)
        if order is None:
            continue
        if order.state != "unknown":
            raise OperateError("recovery.resolve_not_unknown", signal_id, state=order.state)
        return ledger, order
    return None


def _told(ledger: OwnLedger, signal_id: SignalId, since: float, wait: float) -> None:
    """Say what the executor made of it: the row moved on, or its journal says why not."""
    until = time.monotonic() + wait
    while time.monotonic() < until:
        order = ledger.order(signal_id)
        if order is not None and order.state != "unknown":
            typer.echo(say("recovery.resolve.done", signal_id=signal_id, state=order.state))
            return
        refused = [entry for entry in ledger.journal(signal_id) if entry.action == "resolve_refused"]
        if refused and refused[-1].at >= since - 1.0:
            raise OperateError("recovery.resolve_refused", signal_id, detail=refused[-1].detail)
        time.sleep(LOOK_EVERY)
    raise OperateError("operate.typed_not_taken", ledger.instance)


def _show_candidates(folder: DropFolder, ledger: OwnLedger, order: Order) -> None:
    """The orders of the account's snapshot that could be this one; the executor adopts none of them."""
    rows = ledger.orders_since(order.trading_day)
    book = OrderBook(Memory({row.signal_id: row for row in rows}, {}, dict(ledger.meta)))
    listed = list(_listed(folder, ledger))
    found = candidates_of(order, listed, book)
    for seen in found:
        text = say(
            "recovery.resolve.candidate",
            order_id=seen.order_id,
            direction=say(f"executor.{seen.direction}"),
            code=seen.code,
            shares=seen.shares,
            price=f"{seen.price:.3f}",
            filled=seen.filled_shares,
            time=stamp_text(seen.time),
        )
        typer.echo(text)
    if not found:
        typer.echo(say("recovery.resolve.no_candidates"))
    typer.echo(say("recovery.resolve.how", signal_id=order.signal_id))


def _listed(folder: DropFolder, ledger: OwnLedger) -> Iterator[BrokerOrder]:
    for received in FolderView(folder).accounts().values():
        if received.envelope is None or received.envelope.mode != ledger.mode:
            continue
        account = received.body.accounts.get(AccountAlias(ledger.account))
        for seen in account.orders if account is not None else ():
            yield BrokerOrder(
                OrderId(seen.order_id),
                seen.code,
                seen.direction,
                seen.price,
                seen.shares,
                seen.filled_shares,
                seen.status,
                seen.remark,
                "",
                seen.time,
            )
