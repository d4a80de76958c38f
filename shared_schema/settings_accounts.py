"""Several accounts on one host: ``[account]`` is the first, each ``[accounts.<alias>]`` a further one.

A further account has its own room in the exchange folder (``accounts/<alias>/``, an exchange folder in
itself) and its own local memory (``RUNTIME_DIR/accounts/<alias>``, logs likewise). The settings of one
account are derived from those of the host, and whatever serves an account works from them alone: nothing
below knows that there are several.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path, PureWindowsPath
from typing import TYPE_CHECKING, Any

from shared_schema import settings_values as check
from shared_schema.drop_folder.names import ROOMS_FOLDER, room_name
from shared_schema.errors import SettingsError
from shared_schema.ids import AccountAlias, is_file_safe
from shared_schema.settings_sections import FIRST_SESSION, SESSIONS_EACH, Account, Limits, Qmt
from shared_schema.settings_values import BadValue, Rule, nearest
from shared_schema.words import say

if TYPE_CHECKING:
    from shared_schema.settings import Settings

_LIMITS = "limits"


@dataclass(frozen=True)
class FurtherAccount:
    """One ``[accounts.<alias>]``: terminal and limits are those of the host but for what it says itself."""

    account: Account
    qmt: Qmt
    limits: Limits


def accounts_of(settings: Settings, place: str = "") -> tuple[FurtherAccount, ...]:
    """The further accounts in the order of the file.

    Raises SettingsError for an unknown key, a value that can't be used, an alias or account number given
    twice, and session ids so near that two accounts would meet at one terminal.
    """
    found: list[FurtherAccount] = []
    for alias, content in settings.accounts.items():
        found.append(_further(settings, alias, content, place, len(found) + 1))
    every = [settings.account, *(own.account for own in found)]
    # Files of one alias must not be those of another on a disk that knows no case.
    _refuse_twice([account.alias.casefold() for account in every], [a.alias for a in every], place)
    _refuse_twice([a.id for a in every if a.id], [check.masked(a.id) for a in every if a.id], place)
    _refuse_near([settings.qmt, *(own.qmt for own in found)], every, place)
    return tuple(found)


def settings_of(host: Settings, own: FurtherAccount) -> Settings:
    """The settings of a further account: its own room, memory, logs, number, session ids and limits."""
    alias = AccountAlias(own.account.alias)
    room, work_dir = room_name(alias), host.dashboard.work_dir
    return replace(
        host,
        host=host,
        accounts={},
        account=own.account,
        qmt=own.qmt,
        limits=own.limits,
        shared_dir=None if host.shared_dir is None else host.shared_dir / room,
        runtime_dir=host.runtime_dir / room,
        log_dir=host.log_dir / room,
        dashboard=replace(host.dashboard, work_dir=None if work_dir is None else work_dir / room),
    )


def with_base(accounts: Mapping[str, Any], base: Path) -> Mapping[str, Any]:
    """``accounts`` as written, paths in it starting from ``base``; what can't be one is left to the check."""

    def rooted(content: Any) -> Any:
        path = content.get("data_path") if isinstance(content, Mapping) else None
        if not isinstance(path, str) or not path.strip() or PureWindowsPath(path).drive or path[:1] == "~":
            return content
        return {**content, "data_path": str(base / path.strip())}

    return {alias: rooted(content) for alias, content in accounts.items()}


def shown_accounts(accounts: Mapping[str, Any]) -> dict[str, Any]:
    """``accounts`` as they may be shown: numbers masked."""

    def shown(content: Any) -> Any:
        if not isinstance(content, Mapping) or "id" not in content:
            return content
        return {**content, "id": check.masked(str(content["id"]))}

    return {alias: shown(content) for alias, content in accounts.items()}


def _further(host: Settings, alias: str, content: object, place: str, number: int) -> FurtherAccount:
    prefix = f"{ROOMS_FOLDER}.{alias}"
    alias = _checked(prefix, alias, check.name, place)
    if not is_file_safe(alias):
        raise SettingsError("settings.account_alias", place, name=alias)
    table = dict(_checked(prefix, content, check.table, place))
    written_limits = _checked(f"{prefix}.{_LIMITS}", table.pop(_LIMITS, {}), check.table, place)
    rules = dict([*_rules(Account), *_rules(Qmt)])
    del rules["alias"], rules["xtquant"]  # the one is the table's name, the other one for the whole process
    values = _values(prefix, table, rules, (_LIMITS,), place)
    limits = _values(f"{prefix}.{_LIMITS}", written_limits, dict(_rules(Limits)), (), place)
    first = host.qmt.session_id or FIRST_SESSION
    return FurtherAccount(
        Account(alias, values.get("id"), values.get("type", "STOCK")),
        replace(
            host.qmt,
            data_path=values.get("data_path", host.qmt.data_path),
            session_id=values.get("session_id", first + number * SESSIONS_EACH),
        ),
        replace(host.limits, **limits),
    )


def _rules(record: type[Any]) -> list[tuple[str, Rule]]:
    return [(item.name, item.metadata["rule"]) for item in fields(record)]


def _values(
    prefix: str, table: Mapping[str, Any], rules: Mapping[str, Rule], further: tuple[str, ...], place: str
) -> dict[str, Any]:
    """The checked values of a table. Raises SettingsError naming the nearest right name."""
    for key in table:
        if key not in rules:
            close = nearest(key, (*rules, *further))
            hint = say("settings.nearest", name=close) if close else say("settings.no_nearest")
            raise SettingsError("settings.unknown_key", place, name=f"{prefix}.{key}", hint=hint)
    return {
        key: _checked(f"{prefix}.{key}", value, rules[key].check, place, secret=rules[key].secret)
        for key, value in table.items()
    }


def _checked(key: str, value: object, rule: check.Check, place: str, *, secret: bool = False) -> Any:
    try:
        return rule(value)
    except BadValue as problem:
        shown = check.masked(str(value)) if secret else repr(value)
        raise SettingsError(
            "settings.wrong_value", place, name=key, value=shown, expected=str(problem)
        ) from None


def _refuse_twice(values: Sequence[str], shown: Sequence[str], place: str) -> None:
    for at, value in enumerate(values):
        if value in values[:at]:
            raise SettingsError("settings.account_twice", place, value=shown[at])


def _refuse_near(terminals: Sequence[Qmt], accounts: Sequence[Account], place: str) -> None:
    """Two accounts whose ids overlap at one terminal would throw each other out."""
    for at, own in enumerate(terminals):
        for other in range(at):
            near = abs(_first_id(own) - _first_id(terminals[other])) < SESSIONS_EACH
            if near and own.data_path == terminals[other].data_path:
                names = f"{accounts[other].alias}, {accounts[at].alias}"
                raise SettingsError("settings.account_sessions", place, names=names, apart=SESSIONS_EACH)


def _first_id(qmt: Qmt) -> int:
    return qmt.session_id or FIRST_SESSION
