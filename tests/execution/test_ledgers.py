"""Both ledgers keep the contract; the one on disk fails closed when its file is not what it was."""

from __future__ import annotations

import sqlite3
import time
from pathlib import Path

import pytest

from shared_schema.errors import StateError
from shared_schema.ids import AccountAlias
from tests.execution.ledger_contract import LedgerContract, row
from windows_side.execution.ledger import Change, Ledger, new_meta
from windows_side.execution.memory_ledger import MemoryLedger
from windows_side.execution.sqlite_ledger import SqliteLedger, read_only
from windows_side.ledger_opening import open_ledger


def meta() -> dict[str, object]:
    """Of a new ledger."""
    return new_meta("simulate", "main", "test", "e0")


def no_meta() -> dict[str, object]:
    """For a ledger that must not be made anew."""
    raise AssertionError("an existing ledger was made anew")


class TestMemoryLedger(LedgerContract):
    """The twin."""

    def open(self) -> Ledger:
        return MemoryLedger(meta())

    def again(self, ledger: Ledger) -> Ledger:
        return ledger


class TestSqliteLedger(LedgerContract):
    """The real one."""

    @pytest.fixture(autouse=True)
    def _place(self, tmp_path: Path) -> None:
        self.path = tmp_path / "deep" / "ledger.sqlite3"

    def open(self) -> Ledger:
        return SqliteLedger(self.path, meta)

    def again(self, ledger: Ledger) -> Ledger:
        ledger.close()
        return SqliteLedger(self.path, no_meta)


def filled_ledger(path: Path, rows: int = 50) -> None:
    """A closed ledger with some rows."""
    ledger = SqliteLedger(path, meta)
    ledger.commit(Change(tuple(row(f"s{number}") for number in range(rows))))
    ledger.close()


@pytest.mark.parametrize(
    "damage",
    [
        lambda raw: b"",
        lambda raw: raw[: len(raw) // 2],
        lambda raw: b"\0" * len(raw),
        lambda raw: b"not a database" * 500,
        lambda raw: raw[:4096] + b"\xff" * (len(raw) - 4096),
    ],
    ids=["empty", "truncated", "zeros", "text", "pages overwritten"],
)
def test_a_damaged_file_is_an_error_and_never_an_empty_ledger(damage: object, tmp_path: Path) -> None:
    """I8, fault 21: opening or loading raises StateError naming the file, and the bytes stay for a person."""
    path = tmp_path / "ledger.sqlite3"
    filled_ledger(path)
    path.write_bytes(damage(path.read_bytes()))  # type: ignore[operator]
    before = path.read_bytes()
    with pytest.raises(StateError) as raised:
        SqliteLedger(path, no_meta).load()
    assert str(path) in str(raised.value)
    assert path.read_bytes() == before


def test_a_row_that_is_no_json_is_an_error(tmp_path: Path) -> None:
    """One unreadable row stops everything: nobody knows what it said."""
    path = tmp_path / "ledger.sqlite3"
    filled_ledger(path)
    database = sqlite3.connect(path)
    database.execute("UPDATE orders SET row = '{' WHERE signal_id = 's7'")
    database.commit()
    database.close()
    with pytest.raises(StateError):
        SqliteLedger(path, no_meta).load()


def test_a_ledger_of_a_later_version_is_left_alone(tmp_path: Path) -> None:
    """Fault 75: an old program does not write into a new ledger."""
    path = tmp_path / "ledger.sqlite3"
    filled_ledger(path)
    database = sqlite3.connect(path)
    database.execute("PRAGMA user_version = 99")
    database.close()
    with pytest.raises(StateError) as raised:
        SqliteLedger(path, no_meta)
    assert "99" in str(raised.value)


def test_a_ledger_whose_making_was_interrupted_is_made(tmp_path: Path) -> None:
    """A kill in the first milliseconds of the first start must not lock the executor out for ever."""

    class Killed(BaseException):
        pass

    def die() -> dict[str, object]:
        raise Killed

    path = tmp_path / "ledger.sqlite3"
    with pytest.raises(Killed):
        SqliteLedger(path, die)
    assert SqliteLedger(path, meta).commits == 0


def test_a_ledger_serves_its_account_and_mode_only(tmp_path: Path) -> None:
    """A file copied to another account's name is refused."""
    path = tmp_path / "ledger.sqlite3"
    open_ledger(path, "simulate", AccountAlias("main")).close()
    open_ledger(path, "simulate", AccountAlias("main")).close()
    with pytest.raises(StateError):
        open_ledger(path, "simulate", AccountAlias("second"))
    with pytest.raises(StateError):
        open_ledger(path, "live", AccountAlias("main"))


def test_looking_changes_nothing_and_makes_nothing(tmp_path: Path) -> None:
    """``trace`` and ``status`` read only."""
    with pytest.raises(sqlite3.OperationalError):
        read_only(tmp_path / "none.sqlite3").execute("SELECT 1 FROM orders")
    assert list(tmp_path.iterdir()) == []
    path = tmp_path / "ledger.sqlite3"
    filled_ledger(path)
    with pytest.raises(sqlite3.OperationalError):
        read_only(path).execute("DELETE FROM orders")


def test_a_commit_survives_without_a_clean_close(tmp_path: Path) -> None:
    """Durable when ``commit`` returns: a second reader sees it while the first still holds the file."""
    path = tmp_path / "ledger.sqlite3"
    ledger = SqliteLedger(path, meta)
    ledger.commit(Change((row(),)))
    assert read_only(path).execute("SELECT count(*) FROM orders").fetchone() == (1,)
    assert ledger._database.execute("PRAGMA synchronous").fetchone() == (2,)
    assert ledger._database.execute("PRAGMA journal_mode").fetchone() == ("wal",)


@pytest.mark.slow
def test_a_long_life_loads(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """100,000 settled ids are known after a start; the time is printed, the disk decides it."""
    path = tmp_path / "ledger.sqlite3"
    ledger = SqliteLedger(path, meta)
    ledger.commit(Change((row("s0", "filled", "2026-11-16"),)))
    ledger._database.execute(
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 99999) "
        "INSERT INTO orders SELECT 's' || i, digest, state, terminal, trading_day, received_at, changed_at, "
        "tag || i, order_id, result_seq, row FROM orders, n WHERE signal_id = 's0'"
    )
    # Rows that no commit wrote: without the sum it is a ledger from before there was one.
    ledger._database.execute("DELETE FROM meta WHERE name = 'seal'")
    ledger.close()
    ledger = SqliteLedger(path, no_meta)
    ledger.commit(Change((row("today"),)))
    ledger.close()
    began = time.perf_counter()
    memory = SqliteLedger(path, no_meta).load()
    with capsys.disabled():
        print(f" [100,001 ids loaded in {time.perf_counter() - began:.2f} s]", end="")
    assert len(memory.known) == 100_001 and set(memory.orders) == {"today"}
