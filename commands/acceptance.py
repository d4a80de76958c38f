"""``miniqmt acceptance``: asks a real terminal what only it can answer, with orders a person agrees to."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated, Any

import typer

from commands.place import AccountOption, settings_for
from shared_schema.errors import BrokerError, SettingsError
from shared_schema.ids import AccountAlias, Code
from shared_schema.instruments import instrument, parse_code
from shared_schema.settings import Settings
from shared_schema.settings_values import masked
from shared_schema.words import say, say_both
from windows_side.acceptance.questions import QUESTIONS, Interview, Market, Question
from windows_side.acceptance.recorder import Recorder
from windows_side.acceptance.report import earlier_ids, write_report
from windows_side.acceptance.talk import SmallOrder, Talk
from windows_side.brokers.qmt import QmtAccount
from windows_side.brokers.qmt_diagnosis import connect_findings, path_findings
from windows_side.brokers.qmt_package import load_package, xtdata
from windows_side.brokers.qmt_session import SessionRefused
from windows_side.brokers.qmt_session_ids import SessionIds
from windows_side.single_instance import hold_account

WORD = "ACCEPT"
FAR = 0.91
"""Part of the last price that an order is far away at, where the day's lower limit is not told."""


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("acceptance")(acceptance)


def acceptance(
    code: Annotated[str, typer.Option("--code", help=say_both("acceptance.help_code"))] = "",
    record: Annotated[Path | None, typer.Option("--record", help=say_both("acceptance.help_record"))] = None,
    only: Annotated[str, typer.Option("--only", help=say_both("acceptance.help_only"))] = "",
    named: AccountOption = "",
) -> None:
    """0 when every order was taken back, 1 when one is still open at the terminal."""
    settings = settings_for(account=named)
    chosen = parse_code(code or settings.limits.allow_list[0])
    questions = _questions(only)
    account = _account(settings)
    alias = AccountAlias(settings.account.alias)
    lock = hold_account("live", alias, account.number, settings.runtime_dir)
    recorder = Recorder(record)
    try:
        package = load_package(settings.qmt.xtquant, settings.qmt.data_path)
        typer.echo(say("acceptance.about", number=masked(account.number), code=chosen, count=len(questions)))
        if typer.prompt(say("acceptance.type_word"), default="", show_default=False).strip() != WORD:
            typer.echo(say("acceptance.given_up"))
            raise typer.Exit(1)
        talk = Talk(account, SessionIds(settings.runtime_dir, "executor", settings.qmt.session_id), recorder)
        _connect(talk)
        header = {"xtquant": package.version, "digest": package.digest, "account": masked(account.number)}
        left = _interview(settings, talk, _market(chosen), questions, header)
        raise typer.Exit(1 if left else 0)
    finally:
        recorder.close()
        lock.release()


def _questions(only: str) -> list[Question]:
    wanted = [name.strip() for name in only.split(",") if name.strip()]
    names = [question.name for question in QUESTIONS]
    unknown = [name for name in wanted if name not in names]
    if unknown:
        raise SettingsError("acceptance.unknown_question", unknown[0], names=", ".join(names))
    return [question for question in QUESTIONS if not wanted or question.name in wanted]


def _account(settings: Settings) -> QmtAccount:
    found = path_findings(settings.qmt.data_path)
    if found or not settings.account.id:
        reasons = " ".join(map(str, found)) or say("acceptance.no_account")
        raise SettingsError("acceptance.not_possible", settings.qmt.data_path or "", reasons=reasons)
    return QmtAccount(settings.qmt.data_path, settings.account.id, settings.account.type)


def _connect(talk: Talk) -> None:
    try:
        talk.connect()
    except SessionRefused as refused:
        reasons = " ".join(map(str, connect_findings(talk.account.data_path, float("inf"))))
        raise SettingsError("acceptance.not_possible", talk.account.data_path, reasons=reasons) from refused


def _market(code: Code) -> Market:
    """Where the market stands, from the terminal's own quotes."""
    tick = _ticks([code]).get(code) or {}
    detail = xtdata().get_instrument_detail(code) or {}
    last = float(tick.get("lastPrice") or tick.get("lastClose") or 0.0)
    if last <= 0:
        raise SettingsError("acceptance.no_quote", code, detail="lastPrice 0")
    known = instrument(code)
    low = float(detail.get("DownStopPrice") or 0.0) or last * FAR
    high = float(detail.get("UpStopPrice") or 0.0) or last / FAR
    digits = 3 if known.tick_size < 0.01 else 2
    return Market(code, last, round(low, digits), known.lot, round(high * 1.1, digits))


def _ticks(codes: list[str]) -> dict[str, Any]:
    try:
        return dict(xtdata().get_full_tick(codes) or {})
    except Exception as problem:
        # xtdata raises bare exceptions; after a terminal restart the first call fails and the next connects.
        try:
            return dict(xtdata().get_full_tick(codes) or {})
        except Exception:
            raise SettingsError("acceptance.no_quote", ", ".join(codes), detail=problem) from problem


def _interview(
    settings: Settings, talk: Talk, market: Market, questions: list[Question], header: dict[str, Any]
) -> list[int]:
    folder = settings.runtime_dir / "acceptance"
    interview = Interview(
        talk, market, _agree, _have_done, _ticks, earlier_ids(folder, time.strftime("%Y%m%d"))
    )  # fmt: skip
    answers: list[tuple[str, dict[str, Any]]] = []
    try:
        for question in questions:
            typer.echo("\n" + say(f"acceptance.question.{question.name}"))
            answers.append((question.name, _asked(question, interview)))
            for name, value in answers[-1][1].items():
                typer.echo(f"  {name}: {value}")
    finally:
        # Whatever happened: nothing of ours stays at the terminal without a person knowing it.
        left = talk.take_back_everything()
        sent = [number for _, number in talk.sent]
        path = write_report(folder, time.strftime("%Y%m%d_%H%M%S"), header, answers, sent, left)
        key = "still_open" if left else "all_taken_back"
        typer.echo("\n" + say(f"acceptance.{key}", ids=", ".join(map(str, left))))
        typer.echo(say("acceptance.written", path=path))
        talk.hang_up()
    return left


def _asked(question: Question, interview: Interview) -> dict[str, Any]:
    try:
        return question.ask(interview)
    except (BrokerError, SessionRefused, AttributeError, TypeError, ValueError) as problem:
        # What a terminal gives may be anything: that it is so strange is the answer.
        return {"problem": f"{type(problem).__name__}: {problem}"}


def _agree(order: SmallOrder) -> bool:
    return typer.confirm(say("acceptance.send", order=order.text), default=False)


def _have_done(name: str) -> bool:
    return typer.confirm(say(f"acceptance.please.{name}"), default=False)
