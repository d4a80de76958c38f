"""``miniqmt plan``: what of a position is fixed and what the strategy works with; people change it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated

import typer

from commands.adjust import WORD as ADJUST_WORD
from commands.adjust import FactorOption, told
from commands.adjust import adjust as adjust_waiting
from commands.begin_anew import begin
from commands.confirmation import confirmed_by_person
from commands.own_files import OwnBooks, own_books
from commands.place import AccountOption, FolderOption, OperateError, YesOption, place_of
from commands.resting_books import resting_books
from mac_side import plan as plans
from mac_side.books import Books
from mac_side.ex_date import ANSWERS, ExDate, answered, with_factor
from mac_side.shared_pool import SeenPool
from mac_side.single_engine import runtime_folder
from shared_schema.clock import Moment
from shared_schema.drop_folder import DropFolder
from shared_schema.drop_folder.names import ACCOUNT_LIVE, ACCOUNT_SIMULATE, POOL, QUOTE
from shared_schema.errors import FolderError, MessageError
from shared_schema.ids import Code
from shared_schema.messages import Position, SharedPool, decode_account, decode_quote
from shared_schema.messages.record import decode
from shared_schema.sessions import shanghai, trading_day_of
from shared_schema.settings import Settings
from shared_schema.trading_calendar import calendar_of_this_host
from shared_schema.words import say, say_both

plan_app = typer.Typer(help=say_both("commands.help.plan"), no_args_is_help=True)

StrategyOption = Annotated[str, typer.Option("--strategy", help=say_both("plan.help_strategy"))]
ModeOption = Annotated[str, typer.Option("--mode", help=say_both("plan.help_mode"))]
HeldOption = Annotated[int | None, typer.Option("--held", min=0, help=say_both("plan.help_held"))]
CostOption = Annotated[float | None, typer.Option("--cost", min=0.001, help=say_both("plan.help_cost"))]
AnchorOption = Annotated[float | None, typer.Option("--anchor", min=0.001, help=say_both("plan.help_anchor"))]
SNAPSHOT_DAYS = 4
"""Days (a weekend and one more) after which an account snapshot says nothing of today's position."""


@dataclass(frozen=True)
class Plan:
    """The books meant, and what the folder tells of their code."""

    settings: Settings
    folder: DropFolder
    own: OwnBooks
    code: Code
    position: Position | None
    """None where no complete, recent snapshot of the books' mode and account tells it."""
    asked_at: float
    price: float | None
    pool: SeenPool | None

    @property
    def books(self) -> Books:
        """As on disk."""
        return self.own.state.books


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.add_typer(plan_app, name="plan")
    plan_app.command("begin", help=say_both("plan.help_begin"))(begin)


@plan_app.command("show", help=say_both("plan.help_show"))
def show(
    strategy: StrategyOption = "",
    mode: ModeOption = "",
    folder: FolderOption = None,
    account: AccountOption = "",
) -> None:
    """Print the plan of the books, and what the account holds."""
    plan = _plan(folder, account, strategy, mode)
    for line in _lines(plan, plan.books):
        typer.echo(line)


@plan_app.command("split", help=say_both("plan.help_split"))
def split(
    fixed: Annotated[
        float, typer.Option("--fixed-percent", min=0.0, max=100.0, help=say_both("plan.help_fixed_percent"))
    ] = plans.FIXED_PERCENT,
    held: HeldOption = None,
    cost: CostOption = None,
    anchor: AnchorOption = None,
    strategy: StrategyOption = "",
    mode: ModeOption = "",
    yes: YesOption = False,
    folder: FolderOption = None,
    account: AccountOption = "",
) -> None:
    """Part a held position: most of it fixed, whole hundreds of the rest one lot of the strategy."""
    plan = _plan(folder, account, strategy, mode)
    with _quiet(plan):
        if plan.books.lots:
            raise OperateError("plan.has_lots", plan.own.path, layers=len(plan.books.lots))
        shares = held if held is not None else _held(plan)
        per_share = cost or (plan.position.open_price if plan.position is not None else 0.0)
        begin = anchor or plan.price
        if shares <= 0:
            raise OperateError("plan.nothing_held", plan.code)
        if not per_share or not begin:
            raise OperateError("plan.no_price", plan.code, option="--cost" if not per_share else "--anchor")
        _change(plan, plans.split(plan.books, shares, per_share, begin, fixed), "SPLIT", yes)


@plan_app.command("reset", help=say_both("plan.help_reset"))
def reset(
    held: HeldOption = None,
    strategy: StrategyOption = "",
    mode: ModeOption = "",
    yes: YesOption = False,
    folder: FolderOption = None,
    account: AccountOption = "",
) -> None:
    """Forget lots and anchor: everything held is the fixed position again."""
    plan = _plan(folder, account, strategy, mode)
    with _quiet(plan):
        shares = held if held is not None else _held(plan)
        _change(plan, plans.reset(plan.books, shares), "RESET", yes)


@plan_app.command("adjust", help=say_both("plan.help_adjust"))
def adjust(
    answer: Annotated[str, typer.Argument(help=say_both("operate.help_adjust"))] = "",
    factor: FactorOption = None,
    strategy: StrategyOption = "",
    mode: ModeOption = "",
    yes: YesOption = False,
    folder: FolderOption = None,
    account: AccountOption = "",
    wait: Annotated[float, typer.Option("--wait", help=say_both("operate.help_wait"))] = 5.0,
) -> None:
    """Scale anchor and lots after an ex-date: one that waits, or by a factor where nobody saw it."""
    if factor is None:
        adjust_waiting(answer, strategy, yes, folder, account, wait)
        return
    plan = _plan(folder, account, strategy, mode)
    chosen = next((known for known in ANSWERS if known == answer), None)
    if chosen is None:
        raise OperateError("plan.which_answer", answer, known=", ".join(ANSWERS))
    if plan.own.state.ex_date is not None:  # the dashboard asks, and takes the answer
        adjust_waiting(answer, plan.own.state.strategy, yes, folder, account, wait, factor)
        return
    ex_date = with_factor(ExDate(trading_day_of(time.time()), 1.0, 1.0), factor, plan.code)
    after = answered(plan.books, ex_date, chosen, plan.code)
    typer.echo(told(chosen, plan.books, ex_date, plan.code))
    if after is None:
        raise OperateError("operate.adjust_needs_factor", plan.own.path)
    with _quiet(plan):
        _change(plan, after, ADJUST_WORD, yes)


# What the commands share


def _plan(folder_path: Path | None, account: str, strategy: str, mode: str) -> Plan:
    folder, settings = place_of(folder_path, account)
    own = _books(settings, folder, strategy, mode)
    code = own.code(settings)
    position, asked_at = _position(folder, own, code)
    return Plan(settings, folder, own, code, position, asked_at, _price(folder, code), _pool(folder, own))


def _books(settings: Settings, folder: DropFolder, strategy: str, mode: str) -> OwnBooks:
    """The one set of books meant. Raises OperateError where there are none, or several."""
    found = own_books(settings, folder.path, time.time())
    if folder.is_offline():  # a seed's file there is simulated, whatever its name
        found = [OwnBooks(own.path, replace(own.state, mode="simulate")) for own in found]
    if not found:
        raise OperateError("operate.adjust_no_books", runtime_folder(settings, folder.path))
    wanted = strategy or (settings.strategy.name if len(found) > 1 else "")
    fitting = [
        own
        for own in found
        if (not wanted or own.state.strategy == wanted) and (not mode or own.state.mode == mode)
    ]
    if len(fitting) != 1:
        known = ", ".join(f"{own.state.strategy} ({own.state.mode})" for own in found)
        raise OperateError("plan.which_books", strategy or mode, known=known)
    return fitting[0]


def _position(folder: DropFolder, own: OwnBooks, code: Code) -> tuple[Position | None, float]:
    """What the newest snapshot of the books' mode and account holds of ``code``, and when it was asked."""
    name = ACCOUNT_SIMULATE if own.state.mode == "simulate" else ACCOUNT_LIVE
    try:
        raw = folder.read_large(name)
        received = decode_account(raw, name, folder.key) if raw is not None else None
    except (FolderError, MessageError):
        return None, 0.0  # the caller says that nobody tells the position
    envelope = received.envelope if received is not None else None
    if received is None or envelope is None or envelope.mode != own.state.mode:
        return None, 0.0
    account = received.body.accounts.get(own.state.account)
    old = time.time() - envelope.written_at > SNAPSHOT_DAYS * 86_400
    if account is None or not account.complete or old:
        return None, 0.0
    return account.positions.get(code, Position()), envelope.written_at


def _held(plan: Plan) -> int:
    if plan.position is None:
        raise OperateError("plan.position_unknown", plan.code)
    settled = [entry.settled_at or 0.0 for entry in plan.own.state.outbox.entries]
    if max(settled, default=0.0) > plan.asked_at:
        raise OperateError("plan.position_old", plan.code)
    return plan.position.volume


def _price(folder: DropFolder, code: Code) -> float | None:
    try:
        raw = folder.read_large(QUOTE)
        body = decode_quote(raw, QUOTE, folder.key).body if raw is not None else None
    except (FolderError, MessageError):
        return None
    if body is None:
        return None
    known = body.quotes.get(code)
    price = known.price if known is not None else body.price if body.code == code else 0.0
    return price or None


def _pool(folder: DropFolder, own: OwnBooks) -> SeenPool | None:
    try:
        raw = folder.read(POOL)
        received = decode(raw, SharedPool, where=POOL, key=folder.key) if raw is not None else None
    except (FolderError, MessageError):
        return None
    envelope = received.envelope if received is not None else None
    if received is None or envelope is None or envelope.mode != own.state.mode:
        return None
    return SeenPool(received.body, envelope)


@contextmanager
def _quiet(plan: Plan) -> Iterator[None]:
    """Hold the books: no engine has them, the market is closed, no signal of theirs is open."""
    if not plan.folder.is_offline() and not plans.may_change(time.time(), calendar_of_this_host()):
        raise OperateError("plan.in_session", shanghai(time.time()).strftime("%m-%d %H:%M"))
    with resting_books(plan.settings, plan.folder, plan.own.state.strategy, "plan.engine_running"):
        waiting = [entry.signal_id for entry in plan.own.state.outbox.unanswered]
        if waiting:
            raise OperateError("plan.signals_open", plan.own.path, ids=", ".join(waiting[:5]))
        yield


def _change(plan: Plan, after: Books, word: str, yes: bool) -> None:
    typer.echo(say("plan.before"))
    for line in _lines(plan, plan.books):
        typer.echo(line)
    typer.echo(say("plan.after"))
    for line in _lines(plan, after):
        typer.echo(line)
    if not confirmed_by_person(word, yes):
        typer.echo(say("operate.given_up"))
        raise typer.Exit(1)
    now = time.time()
    label = f"before-{word.lower()}"
    copy = plans.change_books(plan.own.path, plan.own.state, lambda _: after, label, Moment(now, now))
    typer.echo(say("plan.done", copy=copy))


def _lines(plan: Plan, books: Books) -> list[str]:
    state = plan.own.state
    whose = f"{state.strategy}, {state.mode}/{state.account}"
    lines = [
        say("plan.books", path=plan.own.path, whose=whose),
        say("plan.fixed", shares=f"{books.fixed_volume:,}"),
        say("plan.flow", shares=f"{books.shares:,}", layers=len(books.lots), cost=f"{books.cost:,.2f}"),
    ]
    lines += [
        say("plan.lot", layer=place + 1, shares=f"{lot.shares:,}", price=f"{lot.buy_price:.4f}")
        for place, lot in enumerate(books.lots)
    ]
    lines.append(say("plan.anchor", anchor=f"{books.anchor:.4f}" if books.anchor else "-"))
    if plan.position is not None:
        at = shanghai(plan.asked_at).strftime("%m-%d %H:%M")
        held, can_use = f"{plan.position.volume:,}", f"{plan.position.can_use_volume:,}"
        lines.append(say("plan.account", code=plan.code, held=held, can_use=can_use, at=at))
        if plan.position.volume < books.expected_shares:
            lines.append(say("plan.short", expected=f"{books.expected_shares:,}"))
    else:
        lines.append(say("plan.account_unknown", code=plan.code))
    if plan.pool is not None and plan.pool.terms.total:
        use, total = plan.pool.use.total, plan.pool.terms.total
        share = f"{use / total:.0%}"
        lines.append(say("plan.pool", used=f"{use:,.2f}", total=f"{total:,.0f}", share=share))
    return lines
