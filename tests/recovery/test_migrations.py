"""A ledger of an older version becomes one of this, a copy is kept, a crash in the middle changes nothing."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from enum import Enum
from pathlib import Path

import pytest

from shared_schema.errors import StateError
from shared_schema.ids import SignalId
from tests.execution.ledger_contract import row
from windows_side.execution.ledger import SETTLED_BEFORE, Change, new_meta
from windows_side.execution.migrations import MIGRATIONS, SCHEMA, Step, copy_name, migrate
from windows_side.execution.points import Point
from windows_side.execution.sqlite_ledger import SqliteLedger

STEPS = [point for point in Point if point.value.startswith("migration_")]


class Killed(BaseException):
    """Stands for kill -9."""


class KillAt:
    """Dies at the n-th arrival at a point."""

    def __init__(self, point: Point, number: int = 1) -> None:
        self.point, self.left = point, number

    def __call__(self, point: Enum) -> None:
        """Count."""
        if point is self.point:
            self.left -= 1
            if self.left == 0:
                raise Killed


def ledger_of_version_1(path: Path) -> None:
    """A ledger as the first version made it: no table of settled ids."""
    ledger = SqliteLedger(path, lambda: new_meta("simulate", "main", "test", "e0"))
    ledger.commit(Change(tuple(row(f"s{number}") for number in range(20))))
    ledger.close()
    with closing(sqlite3.connect(path)) as database:
        database.execute("DROP TABLE settled_ids")
        database.execute("PRAGMA user_version = 1")


def content(path: Path) -> tuple[object, ...]:
    """Everything in a database: tables and rows."""
    with closing(sqlite3.connect(path)) as database:
        names = [
            name
            for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY 1")
        ]
        rows = tuple((name, tuple(database.execute(f"SELECT * FROM {name} ORDER BY 1"))) for name in names)
        return database.execute("PRAGMA user_version").fetchone(), rows


def no_meta() -> dict[str, object]:
    """For a ledger that must not be made anew."""
    raise AssertionError("an existing ledger was made anew")


def test_an_older_ledger_is_brought_up_and_nothing_is_lost(tmp_path: Path) -> None:
    """Same rows, same commits, the new table there, and the old file kept whole beside it."""
    path = tmp_path / "ledger.sqlite3"
    ledger_of_version_1(path)
    before = content(path)
    ledger = SqliteLedger(path, no_meta)
    assert len(ledger.load().known) == 20 and ledger.commits == 1
    ledger.commit(Change(settled_ids=(SignalId("old"),)))
    assert ledger.load().known[SignalId("old")] == SETTLED_BEFORE
    ledger.close()
    assert content(copy_name(path, 1)) == before


@pytest.mark.parametrize("point", STEPS, ids=lambda point: point.value)
def test_a_kill_at_each_step_leaves_the_same_end(point: Point, tmp_path: Path) -> None:
    """Fault 10: killed once or twice at a step, the rerun ends where an undisturbed run ends."""
    undisturbed, path = tmp_path / "a.sqlite3", tmp_path / "b.sqlite3"
    for each in (undisturbed, path):
        ledger_of_version_1(each)
    with closing(sqlite3.connect(undisturbed)) as source, closing(sqlite3.connect(path)) as target:
        source.backup(target)
    SqliteLedger(undisturbed, no_meta).close()
    for _ in range(2):
        try:
            SqliteLedger(path, no_meta, KillAt(point)).close()
        except Killed:
            continue
    SqliteLedger(path, no_meta).close()
    assert content(path) == content(undisturbed)
    assert content(copy_name(path, 1))[0] == (1,)


def test_several_versions_are_walked_one_by_one(tmp_path: Path) -> None:
    """Each step has its own copy; a kill between two goes on from where it was."""

    def add(name: str) -> Step:
        def step(database: sqlite3.Connection) -> None:
            database.execute(f"CREATE TABLE {name} (x)")

        return step

    path = tmp_path / "ledger.sqlite3"
    ledger_of_version_1(path)
    steps = {**MIGRATIONS, SCHEMA: add("second"), SCHEMA + 1: add("third")}
    for number in (1, 1, 1):
        with closing(sqlite3.connect(path, isolation_level=None)) as database, pytest.raises(Killed):
            migrate(path, database, KillAt(Point.MIGRATION_COMMITTED, number), steps, SCHEMA + 2)
    assert content(path)[0] == (SCHEMA + 2,)
    assert [copy_name(path, version).exists() for version in (1, 2, 3)] == [True] * 3


def test_a_step_that_fails_changes_nothing(tmp_path: Path) -> None:
    """Rolled back whole, the version stays."""

    def fails(database: sqlite3.Connection) -> None:
        database.execute("CREATE TABLE half (x)")
        raise sqlite3.OperationalError("disk I/O error")

    path = tmp_path / "ledger.sqlite3"
    ledger_of_version_1(path)
    before = content(path)
    with (
        closing(sqlite3.connect(path, isolation_level=None)) as database,
        pytest.raises(sqlite3.OperationalError),
    ):
        migrate(path, database, steps={1: fails})
    assert content(path) == before


@pytest.mark.parametrize("version", [SCHEMA + 1, 99])
def test_a_newer_version_is_left_alone(version: int, tmp_path: Path) -> None:
    """Fault 75: an old program neither reads nor changes a new ledger."""
    path = tmp_path / "ledger.sqlite3"
    ledger_of_version_1(path)
    with closing(sqlite3.connect(path)) as database:
        database.execute(f"PRAGMA user_version = {version}")
    before = content(path)
    with pytest.raises(StateError) as raised:
        SqliteLedger(path, no_meta)
    assert str(version) in str(raised.value) and content(path) == before
