"""What a script's bridge takes from this host's settings, where nothing else was given."""

from __future__ import annotations

from pathlib import Path

from shared_schema.drop_folder.names import room_name
from shared_schema.ids import AccountAlias
from shared_schema.integrity import Key


def room_for(folder: Path, account: str | None) -> Path:
    """The room of ``account`` in ``folder`` where there is one, else the folder itself: whose executor then
    has another account is told so, and nothing is sent."""
    room = folder / room_name(AccountAlias(account)) if account else folder
    return room if room.is_dir() else folder


def key_for(folder: Path, runtime_dir: Path | None) -> Key | None:
    """The signing key of this host, as for the dashboard; with ``runtime_dir`` the one kept there."""
    from shared_schema.keys import KEY_FILE, folder_key, read_key
    from shared_schema.settings import load_settings

    return folder_key(load_settings(), folder) if runtime_dir is None else read_key(runtime_dir / KEY_FILE)


def runtime_for(folder: Path, offline: bool) -> Path:
    """``RUNTIME_DIR``; an OFFLINE folder without one keeps its own in ``.runtime``."""
    from shared_schema.settings import load_settings

    settings = load_settings()
    if offline and settings.origins["runtime_dir"].kind == "platform":
        return folder / ".runtime"
    return settings.runtime_dir
