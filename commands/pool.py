"""``miniqmt pool``: what strategies use of the cash pool, and freeing what is not theirs any more."""

from __future__ import annotations

import time
from typing import Annotated

import typer

from commands.confirmation import Executors, confirmed_by_person
from commands.halt_writing import OPERATOR, writer_of
from commands.own_files import own_ledgers
from commands.place import AccountOption, FolderOption, OperateError, YesOption, place_of
from commands.typed_order import type_and_watch
from shared_schema.drop_folder import DropFolder
from shared_schema.drop_folder.names import POOL
from shared_schema.instruments import parse_code
from shared_schema.messages import Received, SharedPool
from shared_schema.messages.record import decode
from shared_schema.sessions import shanghai
from shared_schema.words import say, say_both
from windows_side.keyboard import Typed

WORD = "FREE"


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("pool")(pool)


def pool(
    free: Annotated[str, typer.Option("--free", help=say_both("pool.help_free"))] = "",
    reason: Annotated[str, typer.Option("--reason", help=say_both("pool.help_reason"))] = "",
    yes: YesOption = False,
    folder: FolderOption = None,
    account: AccountOption = "",
    wait: Annotated[float, typer.Option("--wait", help=say_both("operate.help_wait"))] = 5.0,
) -> None:
    """Show the pool; with ``--free`` let the executor of this host free a code. 1 where it is refused."""
    found, settings = place_of(folder, account)
    shown = _shown(found)
    for line in lines(shown):
        typer.echo(line)
    if not free:
        return
    code = parse_code(free)
    if not reason.strip():
        raise OperateError("pool.no_reason", code)
    red_after = settings.sync.defaults.heartbeat_red_after
    running = {beat.body.instance for beat in Executors.seen_now(found, red_after, time.time()).alive()}
    if not any(ledger.instance in running for ledger in own_ledgers(settings.runtime_dir)):
        raise OperateError("pool.no_executor", settings.runtime_dir)
    used = _amount(shown.body, f"used_{code[:6]}") if shown is not None else 0.0
    typer.echo(say("pool.freeing", code=code, used=f"{used:,.2f}"))
    if not confirmed_by_person(WORD, yes):
        typer.echo(say("operate.given_up"))
        raise typer.Exit(1)
    typed = Typed(kind="free_pool", code=code, reason=reason, by=writer_of(OPERATOR), at=time.time())
    if not type_and_watch(settings.runtime_dir, typed, wait):
        raise OperateError("operate.typed_not_taken", settings.runtime_dir)
    typer.echo(say("pool.freed", code=code))


def lines(shown: Received[SharedPool] | None) -> list[str]:
    """The pool in words."""
    if shown is None or not shown.body.pool_total:
        return [say("pool.none")]
    body, fields = shown.body, shown.body.model_extra or {}
    codes = sorted({name.rpartition("_")[2] for name in fields})
    use = {part: {code: _amount(body, f"{part}_{code}") for code in codes} for part in _PARTS}
    used = sum(use["used"].values()) + sum(use["frozen"].values())
    found = [
        say(
            "pool.total",
            total=f"{body.pool_total:,.0f}",
            cap=f"{body.pool_code_cap:,.0f}",
            used=f"{used:,.2f}",
            share=f"{used / body.pool_total:.0%}",
            at=shanghai(body.updated_at).strftime("%m-%d %H:%M:%S"),
        )
    ]
    for code in codes:
        amounts = {part: f"{use[part][code]:,.2f}" for part in ("used", "frozen")}
        found.append(say("pool.code", code=code, alpha=f"{use['acc_alpha'][code]:,.2f}", **amounts))
    return [*found, say("pool.wide")] if body.steps_widened else found


_PARTS = ("used", "frozen", "acc_alpha")


def _amount(body: SharedPool, name: str) -> float:
    value = (body.model_extra or {}).get(name, 0.0)
    return float(value) if isinstance(value, int | float) else 0.0


def _shown(folder: DropFolder) -> Received[SharedPool] | None:
    raw = folder.read(POOL)
    return decode(raw, SharedPool, where=POOL, key=folder.key) if raw is not None else None
