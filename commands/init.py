"""``miniqmt init``: a few questions, and the settings file of this host."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from commands.key import keep, tell
from commands.settings_file import filled_in, starting_text, write
from shared_schema import settings_values as check
from shared_schema.errors import SettingsError
from shared_schema.exchange_folder import checked_exchange_folder, is_offline_folder
from shared_schema.integrity import Key
from shared_schema.keys import key_from_text, key_path, new_key, read_key, write_key
from shared_schema.settings import Settings, load_settings
from shared_schema.settings_sections import ACCOUNT_TYPES, Limits
from shared_schema.settings_sources import user_config_file
from shared_schema.sync_defaults import SYNC_TOOLS
from shared_schema.words import say

ROLES = ("strategy", "trading", "both")
TRIAL_YUAN = 30_000.0
"""The largest buy suggested for the first days, yuan: one layer of the presets (200,000 / 9 x 1.2 = 26,667
at most) and never two. A smaller one refuses every layer until the strategy's money is made smaller too."""


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("init")(init)


@dataclass(frozen=True)
class Interview:
    """How a value is come by: an option, the default under ``--yes``, or a question."""

    yes: bool

    def ask(
        self, option: str, given: Any, words: str, test: check.Check, default: Any, **values: object
    ) -> Any:
        """The checked value of ``--option``, asked until it is good; SettingsError where nobody is asked."""
        if given is None and self.yes:
            if default is None:
                raise SettingsError("commands.init.needs", option=f"--{option}")
            given = default
        if given is not None:
            try:
                return test(given)
            except check.BadValue as problem:
                raise SettingsError(
                    "settings.wrong_value", name=f"--{option}", value=repr(given), expected=str(problem)
                ) from None
        while True:
            answer = typer.prompt(say(f"commands.init.{words}", **values), default=default)
            try:
                return test(answer)
            except check.BadValue as problem:
                typer.echo(str(problem))


def init(
    role: Annotated[str | None, typer.Option(help="strategy | trading | both")] = None,
    folder: Annotated[str | None, typer.Option(help="共享目录 / exchange folder")] = None,
    tool: Annotated[str | None, typer.Option(help=" | ".join(SYNC_TOOLS))] = None,
    alias: Annotated[str | None, typer.Option(help="账户别名 / account alias")] = None,
    account_id: Annotated[str | None, typer.Option(help="资金账号 / account number")] = None,
    account_type: Annotated[str | None, typer.Option(help="STOCK | CREDIT")] = None,
    qmt_path: Annotated[str | None, typer.Option(help="QMT userdata")] = None,
    codes: Annotated[str | None, typer.Option(help="159201.SZ,512890.SH")] = None,
    trial_yuan: Annotated[str | None, typer.Option(help="每笔买入最多，元 / largest buy, yuan")] = None,
    file: Annotated[Path | None, typer.Option(help="miniqmt.toml")] = None,
    key: Annotated[str | None, typer.Option(help="make | none | 密钥 / the other host's key")] = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="不再提问 / ask nothing")] = False,
    overwrite: Annotated[bool, typer.Option(help="改写已有的文件 / change an existing file")] = False,
) -> None:
    """Ask for role, folder, sync tool, account and limits, and write a commented file."""
    target = (file or user_config_file()).expanduser().absolute()
    if not _may_write(target, yes, overwrite):
        typer.echo(say("commands.init.kept"))
        raise typer.Exit(1)
    ask = Interview(yes).ask
    chosen_role = ask("role", role, "roles", check.one_of(*ROLES), "both")
    exchange = _exchange_folder(ask, folder, yes)
    if target.parent.resolve().is_relative_to(exchange.resolve()):
        raise SettingsError("commands.init.inside", target, usual=user_config_file())
    # One role a host means two hosts: "local", taken by Enter, would set the pace of one machine over a sync.
    usual_tool = "local" if yes or chosen_role == "both" else None
    chosen_tool = ask("tool", tool, "tool", check.one_of(*SYNC_TOOLS), usual_tool)
    answers: dict[str, object] = {
        "shared_dir": exchange,
        "sync.tool": chosen_tool,
        "account.alias": ask("alias", alias, "alias", check.name, "main"),
    }
    if chosen_role != "strategy":
        answers |= _trading_answers(ask, account_id, account_type, qmt_path, codes, trial_yuan)
    text = filled_in(starting_text(target), answers)
    backup = write(target, text, datetime.now())
    load_settings(environment={}, config_file=target)  # what was written must also read
    if backup is not None:
        typer.echo(say("commands.init.backup", file=backup))
    typer.echo(say("commands.init.written", file=target))
    if chosen_tool == "cloud" and not load_settings(config_file=target).sync.allow_orders:
        typer.echo(say("commands.init.cloud"))
    if not is_offline_folder(exchange):
        # The strategy host answers by itself: "none" taken by Enter would leave it without the other's key.
        usual = "none" if yes else None if chosen_role == "strategy" else "make"
        _settle_key(load_settings(config_file=target), ask, key, usual)
    typer.echo(say("commands.init.next"))


def _may_write(target: Path, yes: bool, overwrite: bool) -> bool:
    """Whether the target is free or may be changed; with ``--yes`` only ``--overwrite`` allows that."""
    if not target.exists() or overwrite:
        return True
    if yes:
        raise SettingsError("commands.init.exists", target)
    return typer.confirm(say("commands.init.overwrite", file=target), default=False)


def _exchange_folder(ask: Callable[..., Any], given: str | None, yes: bool) -> Path:
    """The exchange folder, made where the user says so, and checked."""
    folder: Path = ask("folder", given, "folder", check.path, None).absolute()
    if not folder.exists() and not yes and typer.confirm(say("commands.init.make_folder", folder=folder)):
        folder.mkdir(parents=True)
    return checked_exchange_folder(folder)


def _trading_answers(
    ask: Callable[..., Any],
    account_id: str | None,
    account_type: str | None,
    qmt_path: str | None,
    codes: str | None,
    trial_yuan: str | None,
) -> dict[str, object]:
    """What only the trading host needs. Account number and QMT may stay open: simulating needs neither."""
    usual = Limits()
    kinds = check.one_of(*ACCOUNT_TYPES, upper=True)
    kind = ask("account-type", account_type, "account_type", kinds, ACCOUNT_TYPES[0])
    answers: dict[str, object] = {"account.type": kind}
    number = ask("account-id", account_id, "account_id", _blank_or(check.account_number), "")
    if number:
        answers["account.id"] = number
    data_path = ask("qmt-path", qmt_path, "data_path", _blank_or(check.path), "")
    if data_path:
        answers["qmt.data_path"] = data_path
    allowed = ask("codes", codes, "codes", check.codes, ",".join(usual.allow_list))
    answers["limits.allow_list"] = list(allowed)
    limit = check.number(100, usual.max_buy_yuan)
    suggested = str(int(TRIAL_YUAN))
    answers["limits.max_buy_yuan"] = ask(
        "trial-yuan", trial_yuan, "trial_yuan", limit, suggested, usual=usual.max_buy_yuan
    )
    return answers


def _settle_key(settings: Settings, ask: Callable[..., Any], given: str | None, usual: str | None) -> None:
    """Make this host's signing key, or take over the other host's; one that is there stays."""
    path = key_path(settings)
    if given is None and read_key(path) is not None:
        typer.echo(say("keys.kept", path=path))
        return
    chosen = ask("key", given, "key", _key_choice, usual)
    if chosen == "make":
        key = new_key()
        write_key(path, key)
        typer.echo(say("keys.made", path=path))
        tell(key)
    elif chosen == "none":
        typer.echo(say("keys.doctor_none"))
    else:
        keep(path, chosen)


class _BadKey(check.BadValue):
    def __init__(self, problem: SettingsError) -> None:
        super().__init__("text")
        self.problem = problem

    def __str__(self) -> str:
        return say("keys.init_expected", problem=f"{self.problem.what}. {self.problem.why}")


def _key_choice(value: object) -> str | Key:
    """``make``, ``none``, or a key typed over."""
    text = str(value).strip()
    if text.lower() in ("make", "none"):
        return text.lower()
    try:
        return key_from_text(text)
    except SettingsError as problem:
        raise _BadKey(problem) from None


def _blank_or(test: check.Check) -> check.Check:
    def blank_or_good(value: object) -> Any:
        return "" if isinstance(value, str) and not value.strip() else test(value)

    return blank_or_good
