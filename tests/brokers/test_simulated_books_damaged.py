"""Books of the simulated broker that are damaged, another account's or another mode's: never new books."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from shared_schema.clock import Moment
from shared_schema.errors import StateError
from shared_schema.ids import AccountAlias
from tests.brokers.simulated_bench import MORNING, Bench
from windows_side.brokers.simulated import SimulatedBroker


@pytest.fixture
def books_path(tmp_path: Path) -> Path:
    return tmp_path / "main.simulate.sqlite3"


@pytest.fixture
def bench(books_path: Path) -> Bench:
    return Bench(books_path)


def truncated(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:1000])


def empty(path: Path) -> None:
    path.write_bytes(b"")


def text(path: Path) -> None:
    path.write_text("{}" * 5000)


def foreign_database(path: Path) -> None:
    path.unlink()
    with sqlite3.connect(path) as other:
        other.execute("CREATE TABLE orders (x)")
    other.close()


def without_purse(path: Path) -> None:
    with sqlite3.connect(path) as other:
        other.execute("DELETE FROM purse")
    other.close()


def torn_page(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[4096 : 4096 * 3] = b"\xff" * 8192
    path.write_bytes(bytes(content))


def newer(path: Path) -> None:
    with sqlite3.connect(path) as other:
        other.execute("PRAGMA user_version = 99")
    other.close()


def lost_beside_its_log(path: Path) -> None:
    path.rename(path.with_name("moved"))
    path.with_name(path.name + "-wal").write_bytes(b"log")


@pytest.mark.parametrize(
    "damage",
    [truncated, empty, text, foreign_database, without_purse, torn_page, newer, lost_beside_its_log],
)
def test_damaged_books_are_never_new_books(
    bench: Bench, books_path: Path, damage: Callable[[Path], None]
) -> None:
    """Unreadable is an error that names the file, and the file is left as it was (I8)."""
    bench.place("BUY", 100, 1.05)
    bench.broker.close()
    damage(books_path)
    before = books_path.read_bytes() if books_path.exists() else None
    with pytest.raises(StateError) as problem:
        Bench(books_path)
    assert problem.value.where == str(books_path)
    assert str(problem.value)
    assert (books_path.read_bytes() if books_path.exists() else None) == before


def test_books_belong_to_one_account(bench: Bench, books_path: Path) -> None:
    """Another account's books are not ours to trade on."""
    bench.broker.close()
    with pytest.raises(StateError) as problem:
        SimulatedBroker(books_path, account=AccountAlias("other"), now=lambda: Moment(MORNING, MORNING))
    assert problem.value.key == "broker.books_foreign"


def test_books_belong_to_one_mode(bench: Bench, books_path: Path) -> None:
    """Live books are never opened by a simulation."""
    bench.broker.close()
    with sqlite3.connect(books_path) as other:
        other.execute("UPDATE about SET value = 'live' WHERE key = 'mode'")
    other.close()
    with pytest.raises(StateError) as problem:
        Bench(books_path)
    assert problem.value.key == "broker.books_foreign"
