"""How a ledger of an older version becomes one of this version, a copy of the old one kept beside it.

Each step changes the tables and raises ``user_version`` in one transaction, so a kill at any moment
leaves the file at one version or the next, and a rerun goes on from there. A newer version than this
program's is never touched.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Mapping
from contextlib import closing
from pathlib import Path

from shared_schema.disk import LocalDisk
from shared_schema.errors import StateError
from shared_schema.points import Reach, pass_by
from windows_side.execution.points import Point

SCHEMA = 2
SETTLED_IDS = """
CREATE TABLE settled_ids (signal_id TEXT PRIMARY KEY, at REAL NOT NULL) WITHOUT ROWID;
"""
"""Ids that are settled and of which a rebuilt ledger holds nothing else."""

Step = Callable[[sqlite3.Connection], None]


def _with_settled_ids(database: sqlite3.Connection) -> None:
    database.execute(SETTLED_IDS)


MIGRATIONS: Mapping[int, Step] = {1: _with_settled_ids}
"""From a version to the next: what is done inside its transaction."""


def migrate(
    path: Path,
    database: sqlite3.Connection,
    reach: Reach = pass_by,
    steps: Mapping[int, Step] = MIGRATIONS,
    newest: int = SCHEMA,
) -> None:
    """Bring the open ledger at ``path`` to ``newest``. Raises StateError where it can't be."""
    while (version := _version(database)) != newest:
        if version == 0:
            raise StateError("executor.ledger_damaged", path, detail="the file is empty")
        if version not in steps:
            raise StateError("executor.ledger_version", path, version=version, known=newest)
        reach(Point.MIGRATION_BEFORE_BACKUP)
        _keep_copy(path, database, version)
        reach(Point.MIGRATION_BACKED_UP)
        database.execute("BEGIN IMMEDIATE")
        try:
            steps[version](database)
            database.execute(f"PRAGMA user_version = {version + 1}")
            reach(Point.MIGRATION_BEFORE_COMMIT)
            database.execute("COMMIT")
        except BaseException:
            if database.in_transaction:
                database.execute("ROLLBACK")
            raise
        reach(Point.MIGRATION_COMMITTED)


def copy_name(path: Path, version: int) -> Path:
    """Where the copy of a ledger of ``version`` lies."""
    return path.with_name(f"{path.name}.v{version}.copy")


def _keep_copy(path: Path, database: sqlite3.Connection, version: int) -> None:
    """A whole copy under its name, or none: an interrupted one is made again."""
    disk, place = LocalDisk(), copy_name(path, version)
    half = place.with_name(place.name + ".tmp")
    disk.remove(half)
    with closing(sqlite3.connect(half)) as copy:
        database.backup(copy)
    with half.open("rb+") as file:
        os.fsync(file.fileno())
    disk.replace(half, place)
    disk.sync_folder(place.parent)


def _version(database: sqlite3.Connection) -> int:
    return int(database.execute("PRAGMA user_version").fetchone()[0])
