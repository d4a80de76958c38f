"""Fault 10: a ledger's migration that is cut off anywhere is simply run again."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from enum import Enum
from pathlib import Path

import pytest

from shared_schema.ids import SignalId
from tests.execution.bench import Bench, signal_of
from windows_side.execution.ledger import new_meta
from windows_side.execution.migrations import SCHEMA, copy_name
from windows_side.execution.points import Point
from windows_side.execution.sqlite_ledger import SqliteLedger

STEPS = (
    Point.MIGRATION_BEFORE_BACKUP,
    Point.MIGRATION_BACKED_UP,
    Point.MIGRATION_BEFORE_COMMIT,
    Point.MIGRATION_COMMITTED,
)


class Killed(BaseException):
    """Stands for kill -9: nothing catches it."""


def old_ledger(path: Path) -> None:
    """A ledger of version 1 that holds one order handed to the broker."""
    ledger = open_here(path)
    bench = Bench(ledger=ledger)
    bench.drop(signal_of("s1"))
    ledger.close()
    with closing(sqlite3.connect(path)) as database:
        database.execute("DROP TABLE settled_ids")
        database.execute("PRAGMA user_version = 1")
        database.commit()


def open_here(path: Path, stop_at: Point | None = None) -> SqliteLedger:
    """Open it; ``stop_at`` ends the process there."""

    def reach(point: Enum) -> None:
        if point is stop_at:
            raise Killed

    return SqliteLedger(path, lambda: new_meta("simulate", "main", "test", "e0"), reach)


def version_of(path: Path) -> int:
    """The schema version the file says."""
    with closing(sqlite3.connect(path)) as database:
        return int(database.execute("PRAGMA user_version").fetchone()[0])


@pytest.mark.parametrize("point", STEPS, ids=lambda point: str(point.value))
def test_a_migration_cut_off_anywhere_is_finished_by_the_next_start(tmp_path: Path, point: Point) -> None:
    """Killed at each named step: the next start has every row, the new version, and the old copy beside."""
    path = tmp_path / "ledger.sqlite3"
    old_ledger(path)
    with pytest.raises(Killed):
        open_here(path, point)
    assert version_of(path) == (SCHEMA if point is Point.MIGRATION_COMMITTED else 1)
    ledger = open_here(path)
    row = ledger.order(SignalId("s1"))
    ledger.close()
    assert row is not None and row.calling_at, "the mark that forbids a second submit is gone"
    assert version_of(path) == SCHEMA
    assert version_of(copy_name(path, 1)) == 1, "no copy of the ledger as it was"
