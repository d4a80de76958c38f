"""Where a command works: the exchange folder of this host, and its settings where they can be read."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from shared_schema.drop_folder import DropFolder
from shared_schema.drop_folder.names import ROOMS_FOLDER, room_name
from shared_schema.errors import FolderError, MiniqmtError, SettingsError
from shared_schema.ids import AccountAlias
from shared_schema.keys import folder_key
from shared_schema.settings import Settings, load_settings
from shared_schema.settings_sources import config_file, read_dotenv, read_toml
from shared_schema.sync_defaults import SyncDefaults, sync_defaults
from shared_schema.words import say_both

FOLDER_VARIABLES = ("MINIQMT_SHARED_DIR", "SHARED_DIR", "DASHBOARD_WORK_DIR")
FOLDER_KEYS = ("shared_dir", "dashboard.work_dir")

FolderOption = Annotated[Path | None, typer.Option("--folder", help=say_both("operate.help_folder"))]
AccountOption = Annotated[str, typer.Option("--account", help=say_both("operate.help_account"))]
EveryAccountOption = Annotated[str, typer.Option("--account", help=say_both("operate.help_every_account"))]
JsonOption = Annotated[bool, typer.Option("--json", help=say_both("operate.help_json"))]
YesOption = Annotated[bool, typer.Option("--yes", help=say_both("operate.help_yes"))]


class OperateError(MiniqmtError):
    """What was asked for can't be done as things stand: exit code 1."""


@dataclass(frozen=True)
class Place:
    """The folder, and the settings; None where those are broken (``problem`` says how)."""

    folder: DropFolder
    settings: Settings | None
    problem: SettingsError | None = None

    @property
    def defaults(self) -> SyncDefaults:
        """The pace of the sync tool; of a local folder where nobody can tell."""
        return self.settings.sync.defaults if self.settings is not None else sync_defaults("local")


def settings_for(folder: Path | None = None, account: str = "") -> Settings:
    """The settings of this host, or of one account of it. Raises SettingsError naming the accounts."""
    overrides = {"shared_dir": str(folder.absolute())} if folder is not None else {}
    settings = load_settings(overrides=overrides)
    return settings.for_account(account) if account else settings


def place_of(folder: Path | None, account: str = "") -> tuple[DropFolder, Settings]:
    """Folder and settings of this host, or of one account of it: its room.

    Raises SettingsError; FolderError where the folder is missing.
    """
    return place_by(settings_for(folder, account))


def place_by(settings: Settings) -> tuple[DropFolder, Settings]:
    """The folder of ``settings``, with them. Raises SettingsError, FolderError."""
    path = _there(settings.shared_dir or settings.exchange_folder("dashboard"))
    return DropFolder(path, key=folder_key(settings, path)), settings


def further_settings(settings: Settings) -> list[Settings]:
    """Those of every further account, where ``settings`` are the host's own."""
    return [settings.for_account(alias) for alias in settings.aliases[1:]] if settings.host is None else []


def rooms_in(folder: DropFolder) -> list[DropFolder]:
    """The rooms of further accounts that stand in ``folder``, whatever the settings of this host know."""
    try:
        places = sorted(path for path in (folder.path / ROOMS_FOLDER).iterdir() if path.is_dir())
    except FileNotFoundError:
        return []
    except OSError as problem:
        raise FolderError("folder.list_failed", folder.path / ROOMS_FOLDER, detail=str(problem)) from problem
    return [DropFolder(path, key=folder.key) for path in places]


def place_despite_settings(folder: Path | None, account: str = "") -> Place:
    """As ``place_of``, but broken settings do not stop it where the folder can be told without them.

    A key that can't be used is as bad: what is written then goes unsigned, which is enough to halt. The
    room of an account that is not there is an error: to halt another one instead would be worse.
    """
    try:
        found, settings = place_of(folder, account)
    except SettingsError as problem:
        known = folder or _folder_without_settings(os.environ, Path.cwd())
        if known is None or problem.key == "settings.unknown_account":
            raise
        path = known.absolute() / room_name(AccountAlias(account)) if account else known.absolute()
        return Place(DropFolder(_there(path)), None, problem)
    return Place(found, settings)


def _folder_without_settings(environment: Mapping[str, str], working_folder: Path) -> Path | None:
    """The folder as the environment, ``.env`` or the TOML file has it; other keys are not looked at."""
    for variable in FOLDER_VARIABLES:
        if environment.get(variable, "").strip():
            return Path(environment[variable].strip()).expanduser()
    try:
        written = read_dotenv(working_folder / ".env")
        for variable in FOLDER_VARIABLES:
            if variable in written and written[variable][0]:
                return working_folder / Path(written[variable][0]).expanduser()
        file = config_file(environment, working_folder)
        values = read_toml(file) if file is not None else {}
    except SettingsError:
        return None  # the caller raises what load_settings said of the same file
    for key in FOLDER_KEYS:
        if key in values and isinstance(values[key].value, str):
            return values[key].base / Path(str(values[key].value)).expanduser()
    return None


def _there(path: Path) -> Path:
    try:
        if path.is_dir():
            return path
        missing = not path.exists()
    except OSError as problem:
        raise FolderError("folder.list_failed", path, detail=str(problem)) from problem
    raise FolderError("settings.folder_missing" if missing else "settings.folder_not_a_folder", path)
