"""The exchange folder itself: whether it is there and can be written, before anything relies on it."""

from __future__ import annotations

import uuid
from pathlib import Path

from shared_schema.drop_folder.names import OFFLINE_MARKER, folder_above
from shared_schema.errors import FolderError


def checked_exchange_folder(path: Path) -> Path:
    """``path`` itself where it is a folder that can be written; FolderError (exit code 2) otherwise.

    Writing is tried with a private temp name: permissions of shares are not to be had by asking.
    """
    probe = path / f".check.{uuid.uuid4().hex}.tmp"
    try:
        if not path.exists():
            raise FolderError("settings.folder_missing", path)
        if not path.is_dir():
            raise FolderError("settings.folder_not_a_folder", path)
        probe.write_bytes(b"")
        probe.unlink()
    except OSError as error:
        raise FolderError("settings.folder_unwritable", path, reason=error.strerror) from error
    return path


def is_offline_folder(path: Path) -> bool:
    """Whether the folder carries the marker OFFLINE, or the one above it where it is an account's room."""
    above = folder_above(path)
    return (path / OFFLINE_MARKER).exists() or (above is not None and is_offline_folder(above))
