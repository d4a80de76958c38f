"""``archive/YYYYMMDD/``: where the executor puts away what is done with, after the close.

Nothing in it is read while trading. It is looked into at start, where an earlier life must leave
traces, and by people's commands.
"""

from __future__ import annotations

import os
import re

from shared_schema.drop_folder.folder import DropFolder
from shared_schema.drop_folder.names import DONE_FOLDER, RESULTS_FOLDER
from shared_schema.errors import FolderError
from shared_schema.sessions import trading_day_of

ARCHIVE_FOLDER = "archive"
_DAY = re.compile(r"\d{8}\Z")


def archive_place(name: str, modified: float) -> str:
    """Where a file of this plain name goes; its own time (Unix seconds) names the day in Shanghai."""
    return f"{ARCHIVE_FOLDER}/{trading_day_of(modified).replace('-', '')}/{name}"


def archive_days(folder: DropFolder) -> list[str]:
    """The days put away, ``YYYYMMDD``, oldest first; none where nothing ever was. Raises FolderError."""
    place = folder.path / ARCHIVE_FOLDER
    try:
        return sorted(name for name in os.listdir(place) if _DAY.match(name))
    except FileNotFoundError:
        return []
    except OSError as problem:
        raise FolderError("folder.list_failed", place, detail=str(problem)) from problem


def signal_archives(folder: DropFolder, newest_days: int | None = None) -> list[str]:
    """Every consumed signal by its name from the folder's top, those put away first. Raises FolderError."""
    return [*_put_away(folder, ".done", newest_days), *_names(folder, DONE_FOLDER)]


def result_files(folder: DropFolder, newest_days: int | None = None) -> list[str]:
    """Every result likewise. Raises FolderError."""
    put_away = _put_away(folder, ".json", newest_days)
    results = [name for name in put_away if name.rpartition("/")[2].startswith("order_result_")]
    return [*results, *_names(folder, RESULTS_FOLDER)]


def put_away_as(folder: DropFolder, name: str) -> list[str]:
    """Where files of this plain name were put away, oldest first. Raises FolderError."""
    places = [f"{ARCHIVE_FOLDER}/{day}/{name}" for day in archive_days(folder)]
    return [place for place in places if folder.stat(place) is not None]


def _put_away(folder: DropFolder, ending: str, newest_days: int | None) -> list[str]:
    days = archive_days(folder)
    chosen = days if newest_days is None else days[max(0, len(days) - newest_days) :]
    names = [name for day in chosen for name in _names(folder, f"{ARCHIVE_FOLDER}/{day}")]
    return [name for name in names if name.endswith(ending)]


def _names(folder: DropFolder, place: str) -> list[str]:
    return [f"{place}/{entry.name}" for entry in folder.list_folder(place)]
