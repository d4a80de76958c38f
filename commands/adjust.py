"""``miniqmt adjust``: a person says how anchor and lots follow a corporate action (fault 62)."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Annotated

import typer

from commands.confirmation import confirmed_by_person
from commands.own_files import OwnBooks, own_books
from commands.place import AccountOption, FolderOption, OperateError, YesOption, place_of
from mac_side.books import Books
from mac_side.dashboard_processes import commands_path
from mac_side.ex_date import ANSWERS, LEAST, MOST, Answer, ExDate, answered, with_factor
from mac_side.screen_commands import Command, write_command
from mac_side.single_engine import runtime_folder
from shared_schema.clock import host_name
from shared_schema.drop_folder import DropFolder
from shared_schema.ids import Code
from shared_schema.settings import Settings
from shared_schema.words import say, say_both

WORD = "ADJUST"
FactorOption = Annotated[
    float | None, typer.Option("--factor", min=LEAST, max=MOST, help=say_both("plan.help_factor"))
]
LOOK_EVERY = 0.1


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("adjust")(adjust)


def adjust(
    answer: Annotated[str, typer.Argument(help=say_both("operate.help_adjust"))] = "",
    strategy: Annotated[str, typer.Option("--strategy", help=say_both("operate.help_strategy"))] = "",
    yes: YesOption = False,
    folder: FolderOption = None,
    account: AccountOption = "",
    wait: Annotated[float, typer.Option("--wait", help=say_both("operate.help_wait"))] = 5.0,
    factor: FactorOption = None,
) -> None:
    """Show what waits; with an answer adjust the books. 0 done or nothing waits, 1 it waits."""
    found, settings = place_of(folder, account)
    own, waits = _waiting(found, settings, strategy)
    if waits is None:
        typer.echo(say("operate.adjust.nothing"))
        return
    code = own.code(settings)
    seen = "operate.adjust.seen_away" if waits.days else "operate.adjust.seen"
    shown = {"day": waits.day, "code": code, "close": waits.close, "pre": waits.pre_close}
    typer.echo(say(seen, **shown, days=waits.days))
    waits = with_factor(waits, factor, code)
    chosen = next((known for known in ANSWERS if known == answer), None)
    if chosen is None:
        for choice in ANSWERS:
            typer.echo(told(choice, own.state.books, waits, code))
        raise typer.Exit(2 if answer else 1)
    typer.echo(told(chosen, own.state.books, waits, code))
    if answered(own.state.books, waits, chosen, code) is None:
        raise OperateError("operate.adjust_needs_factor", own.path)
    if not confirmed_by_person(WORD, yes):
        typer.echo(say("operate.given_up"))
        raise typer.Exit(1)
    said = chosen if factor is None else f"{chosen} {factor}"
    wish = Command(kind="adjust", argument=said, at=time.time(), by=f"adjust@{host_name()}")
    path = write_command(commands_path(runtime_folder(settings, found.path), own.state.strategy), wish)
    if not _until(lambda: _waiting(found, settings, own.state.strategy)[1] is None, wait):
        path.unlink(missing_ok=True)
        raise OperateError("operate.adjust_not_taken", own.path)
    typer.echo(say("operate.adjust.done"))


def _waiting(folder: DropFolder, settings: Settings, strategy: str) -> tuple[OwnBooks, ExDate | None]:
    """The books meant, and what waits in them. Raises OperateError where there are none, or several."""
    books = own_books(settings, folder.path, time.time())
    if strategy:
        books = [own for own in books if own.state.strategy == strategy]
    if not books:
        raise OperateError("operate.adjust_no_books", runtime_folder(settings, folder.path))
    waiting = [own for own in books if own.state.ex_date is not None]
    if len(waiting) > 1:
        names = ", ".join(own.state.strategy for own in waiting)
        raise OperateError("operate.adjust_several", names)
    own = waiting[0] if waiting else books[0]
    return own, own.state.ex_date


def told(choice: Answer, books: Books, waits: ExDate, code: Code) -> str:
    """One line: what the books would be after ``choice``."""
    after = answered(books, waits, choice, code)
    if after is None:
        return say(f"operate.adjust.{choice}_unknown")
    return say(
        f"operate.adjust.{choice}",
        anchor=f"{books.anchor:.3f} → {after.anchor:.3f}" if books.anchor and after.anchor else "-",
        lots="  ".join(
            f"{old.shares}@{old.buy_price:.4f} → {new.shares}@{new.buy_price:.4f}"
            for old, new in zip(books.lots, after.lots, strict=False)
        )
        or "-",
        fixed=f"{books.fixed_volume} → {after.fixed_volume}",
    )


def _until(is_done: Callable[[], bool], seconds: float) -> bool:
    until = time.monotonic() + seconds
    while not is_done():
        if time.monotonic() >= until:
            return False
        time.sleep(LOOK_EVERY)
    return True
