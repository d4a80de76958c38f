"""The risk: SQLite keeps no checksum of its pages, and a rotten bit is read as an order that never was."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from shared_schema.errors import StateError
from shared_schema.ids import SignalId
from tests.execution.test_ledgers import meta, row
from windows_side.execution.ledger import Change
from windows_side.execution.sqlite_ledger import SqliteLedger


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A ledger of two days: old settled, new settled and open rows."""
    place = tmp_path / "ledger.sqlite3"
    ledger = SqliteLedger(place, meta)
    ledger.commit(Change((row("old", "filled", "2026-11-16"), row("older", "filled", "2026-11-16"))))
    ledger.commit(Change((row("new", "filled"), row("open", "submitted"))))
    ledger.commit(Change((row("open", "partly_filled"),), {"halt": {"active": {}}}))
    ledger.close()
    return place


def no_meta() -> dict[str, object]:
    raise AssertionError("a ledger was there")


def test_what_was_written_is_read(path: Path) -> None:
    """Rows written again, and days gone by, do not break the sum."""
    memory = SqliteLedger(path, no_meta).load()
    assert set(memory.orders) == {"new", "open"} and set(memory.known) == {"old", "older", "new", "open"}
    assert "seal" not in memory.meta


@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE orders SET row = replace(row, 'partly_filled', 'partly_fille0') WHERE signal_id = 'open'",
        "UPDATE orders SET row = replace(row, '\"shares\":1', '\"shares\":9') WHERE signal_id = 'open'",
        "UPDATE orders SET terminal = 1, trading_day = '2026-11-16' WHERE signal_id = 'open'",
        "UPDATE orders SET signal_id = 'olb' WHERE signal_id = 'old'",
        "UPDATE orders SET digest = digest || '0' WHERE signal_id = 'old'",
        "UPDATE orders SET tag = 'mq' WHERE signal_id = 'old'",
        "DELETE FROM orders WHERE signal_id = 'old'",
        "DELETE FROM orders WHERE signal_id = 'open'",
        "INSERT INTO settled_ids VALUES ('foreign', 0.0)",
        "UPDATE meta SET value = replace(value, 'active', 'bctive') WHERE name = 'halt'",
    ],
)
def test_a_ledger_that_says_something_else_stops_the_executor(path: Path, damage: str) -> None:
    """Changed rows, ids, digests, tags and meta, rows gone or come: StateError, never another memory."""
    database = sqlite3.connect(path)
    changed = database.execute(damage).rowcount
    database.commit()
    database.close()
    assert changed == 1
    with pytest.raises(StateError):
        SqliteLedger(path, no_meta).load()


def test_an_old_row_asked_for_is_checked_too(path: Path) -> None:
    """Rows of days gone by are read one by one, and each vouches for itself."""
    database = sqlite3.connect(path)
    database.execute(
        "UPDATE orders SET row = (SELECT row FROM orders WHERE signal_id = 'older') WHERE signal_id = 'old'"
    )
    database.execute("UPDATE orders SET row = replace(row, '2026', '2036') WHERE signal_id = 'older'")
    database.commit()
    database.close()
    ledger = SqliteLedger(path, no_meta)
    for signal_id in ("old", "older"):
        with pytest.raises(StateError):
            ledger.order(SignalId(signal_id))


def test_a_ledger_from_before_the_seal_gets_one(path: Path) -> None:
    """Without a sum it is taken as it stands, and from the next commit on nothing goes missing unseen."""
    database = sqlite3.connect(path)
    database.execute("DELETE FROM meta WHERE name = 'seal'")
    database.execute("UPDATE orders SET row = json_remove(row, '$.seal')")
    database.commit()
    ledger = SqliteLedger(path, no_meta)
    assert len(ledger.load().known) == 4
    ledger.commit(Change((row("next"),)))
    ledger.close()
    assert len(SqliteLedger(path, no_meta).load().known) == 5
    database.execute("DELETE FROM orders WHERE signal_id = 'old'")
    database.commit()
    database.close()
    with pytest.raises(StateError):
        SqliteLedger(path, no_meta).load()
