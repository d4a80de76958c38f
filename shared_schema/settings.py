"""The settings of one host: one TOML file, the environment, and where each value came from.

A command line wins over the environment, that over ``.env`` in the working folder, that over the TOML
file, that over the defaults. Relative paths start from the folder of the file they stand in. Names of
keys are the fields of the records below: ``limits.max_buy_shares`` is ``max_buy_shares`` in ``[limits]``.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields, is_dataclass, replace
from pathlib import Path, PureWindowsPath
from typing import Any, Literal

from shared_schema import settings_values as check
from shared_schema.errors import SettingsError
from shared_schema.exchange_folder import is_offline_folder
from shared_schema.ids import AccountAlias, Mode
from shared_schema.settings_accounts import FurtherAccount, accounts_of, settings_of, with_base
from shared_schema.settings_sections import (
    Account,
    Dashboard,
    Executor,
    Limits,
    Notices,
    Producer,
    Qmt,
    Strategy,
    Sync,
)
from shared_schema.settings_sources import (
    CRASH_VARIABLES,
    OTHER_VARIABLES,
    Origin,
    Written,
    config_file,
    read_dotenv,
    read_toml,
)
from shared_schema.settings_strategies import strategies_of
from shared_schema.settings_together import doubtful
from shared_schema.settings_values import BadValue, Rule, masked, nearest
from shared_schema.sync_defaults import sync_defaults
from shared_schema.words import say

OUR_PREFIXES = ("MINIQMT_", "ORDER_EXECUTOR_", "DASHBOARD_", "QMT_")
Role = Literal["dashboard", "producer", "executor"]


@dataclass(frozen=True)
class Settings:
    """Everything one host was told, checked; made by ``load_settings``."""

    shared_dir: Path | None = check.setting(None, check.path, "MINIQMT_SHARED_DIR", "SHARED_DIR")
    language: str = check.setting("zh", check.one_of("zh", "en"), "MINIQMT_LANGUAGE")
    mode: Mode | None = check.setting(None, check.one_of("live", "simulate"))
    """Pins the dashboard's mode; None = that of the executor it is bound to."""
    runtime_dir: Path = check.setting(Path(), check.path, "RUNTIME_DIR")
    """Ledger, books and everything that must never be synced."""
    log_dir: Path = check.setting(Path(), check.path, "LOG_DIR")
    key_file: Path | None = check.setting(None, check.path, "MINIQMT_KEY_FILE")
    """The signing key; None = ``signing.key`` in ``runtime_dir``, where there is one."""
    sync: Sync = field(default_factory=Sync)
    account: Account = field(default_factory=Account)
    accounts: Mapping[str, Any] = check.setting({}, check.table, secret=True)
    """Further accounts of this host by alias, each a table like ``[account]`` with limits of its own."""
    qmt: Qmt = field(default_factory=Qmt)
    limits: Limits = field(default_factory=Limits)
    executor: Executor = field(default_factory=Executor)
    producer: Producer = field(default_factory=Producer)
    strategy: Strategy = field(default_factory=Strategy)
    strategies: Mapping[str, Any] = check.setting({}, check.table)
    """Further strategies of this host by name, each a table like ``[strategy]``."""
    dashboard: Dashboard = field(default_factory=Dashboard)
    notices: Notices = field(default_factory=Notices)
    origins: Mapping[str, Origin] = field(default_factory=dict, repr=False)
    remarks: tuple[str, ...] = ()
    """Sentences about variables that look like settings but are none."""
    doubts: tuple[str, ...] = ()
    """Sentences about settings that contradict each other, though they let it start."""
    host: Settings | None = field(default=None, repr=False)
    """Where these are the settings of a further account: those of the host they were derived from."""

    def origin(self, key: str) -> str:
        """Where the value of the dotted ``key`` came from, as a sentence part."""
        return str(self.origins[key])

    def value(self, key: str) -> Any:
        """The value of the dotted ``key``."""
        value: Any = self
        for part in key.split("."):
            value = getattr(value, part)
        return value

    def exchange_folder(self, role: Role | None = None) -> Path:
        """The exchange folder of a role (unchecked); SettingsError where none is set."""
        chosen = self.dashboard.work_dir if role == "dashboard" else None
        chosen = chosen or self.shared_dir
        if chosen is None:
            raise SettingsError("settings.no_folder")
        return chosen

    @property
    def further_accounts(self) -> tuple[FurtherAccount, ...]:
        """The accounts beside the first."""
        return accounts_of(self, self.origins["accounts"].place)

    @property
    def aliases(self) -> tuple[AccountAlias, ...]:
        """Every account of this host, the first one first."""
        if self.host is not None:
            return self.host.aliases
        return tuple(map(AccountAlias, (self.account.alias, *self.accounts)))

    def for_account(self, alias: str) -> Settings:
        """The settings of one account of this host; the first account's are the host's own.

        Raises SettingsError naming the accounts there are.
        """
        host = self.host or self
        if alias == host.account.alias:
            return host
        for own in host.further_accounts:
            if own.account.alias == alias:
                return settings_of(host, own)
        raise SettingsError("settings.unknown_account", alias, known=", ".join(host.aliases))

    @property
    def all_strategies(self) -> tuple[Strategy, ...]:
        """The first strategy, then the further ones."""
        return strategies_of(self.strategy, self.strategies, self.origins["strategies"].place)

    def alone(self, name: str) -> Settings:
        """These settings with the strategy ``name`` as the only one; unchanged where there is none such."""
        found = next((strategy for strategy in self.all_strategies if strategy.name == name), None)
        return self if found is None else replace(self, strategy=found, strategies={})

    @property
    def quote_interval(self) -> float:
        """Seconds between two quote files: the producer's own setting, else the sync tool's."""
        return self.producer.interval or self.sync.defaults.quote_interval


def load_settings(
    *,
    environment: Mapping[str, str] | None = None,
    working_folder: Path | None = None,
    config_file: Path | None = None,
    overrides: Mapping[str, object] | None = None,
) -> Settings:
    """Read, check and join the settings of this host.

    ``overrides`` are dotted keys from a command line. Raises SettingsError (exit code 2) naming file,
    line and the nearest right name for a key that does not exist or a value that cannot be used.
    """
    environment = os.environ if environment is None else environment
    folder = (working_folder or Path.cwd()).absolute()
    rules = dict(known_settings())
    written, remarks = _gather(environment, folder, config_file, overrides or {}, rules)
    values: dict[str, Any] = {}
    origins: dict[str, Origin] = {key: Origin("default") for key in rules}
    for key, found in written.items():
        values[key] = _checked(key, found, rules[key])
        if key == "accounts":
            values[key] = with_base(values[key], found.base)
        origins[key] = found.origin
    _fill_derived_defaults(values, origins)
    settings: Settings = _assemble(Settings, "", values, origins=origins, remarks=tuple(remarks))
    _refuse_runtime_file(settings)
    _refuse_runtime_in_folder(settings)
    _refuse_secrets_in_folder(settings)
    # A wrong table is refused here, not in the middle of a start.
    _ = settings.all_strategies, settings.further_accounts
    return replace(settings, doubts=doubtful(settings))


def known_settings(record: type[Any] = Settings, prefix: str = "") -> Iterator[tuple[str, Rule]]:
    """Every dotted key with its rule, in the order of the records."""
    for item in fields(record):
        if "rule" in item.metadata:
            yield prefix + item.name, item.metadata["rule"]
        elif is_dataclass(item.default_factory):
            yield from known_settings(item.default_factory, f"{prefix}{item.name}.")


def _gather(
    environment: Mapping[str, str],
    folder: Path,
    named_file: Path | None,
    overrides: Mapping[str, object],
    rules: Mapping[str, Rule],
) -> tuple[dict[str, Written], list[str]]:
    """Every written value by key, the strongest source last, and remarks on odd variables."""
    file = named_file if named_file is not None else config_file(environment, folder)
    written = dict(read_toml(file)) if file is not None else {}
    written.update({key: Written(value, folder, Origin("override", key)) for key, value in overrides.items()})
    for key, found in written.items():
        if key not in rules:
            hint = _hint(key, tuple(rules))
            raise SettingsError("settings.unknown_key", found.origin.place, name=key, hint=hint)
    variables = {variable: key for key, rule in rules.items() for variable in rule.environment}
    dotenv_path = folder / ".env"
    dotenv = read_dotenv(dotenv_path)
    from_variables: dict[str, Written] = {}
    for variable, key in reversed(variables.items()):  # of two names of one setting the first wins
        if variable in dotenv and dotenv[variable][0].strip():
            value, line = dotenv[variable]
            place = f"{dotenv_path}:{line} {variable}"
            from_variables[key] = Written(value, folder, Origin("dotenv", place))
    for variable, key in reversed(variables.items()):
        if environment.get(variable, "").strip():
            from_variables[key] = Written(environment[variable], folder, Origin("environment", variable))
    given = {key: value for key, value in written.items() if key in overrides}
    known = (*variables, *OTHER_VARIABLES, *CRASH_VARIABLES)
    remarks = _odd_variables(dotenv, str(dotenv_path), known)
    remarks += _odd_variables(environment, say("settings.the_environment"), known)
    return {**written, **from_variables, **given}, remarks


def _odd_variables(variables: Mapping[str, object], place: str, known: tuple[str, ...]) -> list[str]:
    """Remarks on variables that nobody reads though their names look like ours."""
    return [
        say("settings.unknown_variable", name=variable, place=place, hint=_hint(variable, known))
        for variable in variables
        if variable not in known and variable.startswith(OUR_PREFIXES)
    ]


def _hint(wrong: str, right: tuple[str, ...]) -> str:
    close = nearest(wrong, right)
    return say("settings.nearest", name=close) if close else say("settings.no_nearest")


def _checked(key: str, found: Written, rule: Rule) -> Any:
    try:
        value = rule.check(found.value)
    except BadValue as problem:
        shown = masked(str(found.value)) if rule.secret else repr(found.value)
        expected = str(problem)
        place = found.origin.place
        raise SettingsError("settings.wrong_value", place, name=key, value=shown, expected=expected) from None
    if rule.is_path and not PureWindowsPath(value).drive:  # a Windows path stays itself on any host
        return found.base / value
    return value


def _fill_derived_defaults(values: dict[str, Any], origins: dict[str, Origin]) -> None:
    """Defaults that follow from the system or from another setting."""
    import platformdirs

    tool = values.get("sync.tool", "local")
    derived = (
        (
            "runtime_dir",
            platformdirs.user_data_path("miniqmt", appauthor=False) / "runtime",
            Origin("platform"),
        ),
        ("log_dir", platformdirs.user_log_path("miniqmt", appauthor=False), Origin("platform")),
        ("limits.expires_seconds", sync_defaults(tool).expires, Origin("sync", tool)),
    )
    for key, value, origin in derived:
        if key not in values:
            values[key] = value
            origins[key] = origin


def _assemble(record: type[Any], prefix: str, values: Mapping[str, Any], **further: Any) -> Any:
    """The record with the values given for it; the rest are its defaults."""
    content = dict(further)
    for item in fields(record):
        key = prefix + item.name
        if "rule" in item.metadata:
            if key in values:
                content[item.name] = values[key]
        elif is_dataclass(item.default_factory):
            content[item.name] = _assemble(item.default_factory, f"{key}.", values)
    return record(**content)


def _refuse_runtime_file(settings: Settings) -> None:
    """A file where the folder belongs is told here, once, not by whichever part writes there first."""
    if settings.runtime_dir.is_file():
        raise SettingsError("settings.runtime_is_file", settings.runtime_dir)


def _refuse_runtime_in_folder(settings: Settings) -> None:
    """The ledger never lives in the exchange folder, but for OFFLINE folders (``test_offline/.runtime``)."""
    for folder in (settings.shared_dir, settings.dashboard.work_dir):
        try:
            inside = (
                folder is not None
                and not is_offline_folder(folder)
                and settings.runtime_dir.resolve().is_relative_to(folder.resolve())
            )
        except (OSError, RuntimeError) as error:  # too long, a mount that is gone, a loop of links
            reason = getattr(error, "strerror", None) or str(error)
            raise SettingsError("settings.unreadable", str(folder)[:200], reason=reason) from error
        if inside:
            raise SettingsError("settings.runtime_inside", settings.runtime_dir, folder=folder)


def _refuse_secrets_in_folder(settings: Settings) -> None:
    """What travels with the folder is no secret any more."""
    origin = settings.origins["notices.urls"]
    if not settings.notices.urls or origin.kind not in ("file", "dotenv"):
        return
    written = Path(re.split(r":\d+(?: |$)", origin.place)[0])
    for folder in (settings.shared_dir, settings.dashboard.work_dir):
        if folder is not None and written.resolve().is_relative_to(folder.resolve()):
            raise SettingsError("settings.secret_inside", written, folder=folder)
