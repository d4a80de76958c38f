"""The file of the simulated broker's books: made whole, opened with checks.

It is made under another name and then renamed, so that a file that is there is complete: an
empty, torn or foreign one is an error, never a fresh start.
"""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Literal

from shared_schema.disk import LocalDisk
from shared_schema.errors import StateError
from shared_schema.ids import AccountAlias
from windows_side.brokers.money import amount_of, money
from windows_side.brokers.port import AccountState, BrokerStatus

MODE: Literal["simulate"] = "simulate"
VERSION = 1
_APPLICATION = 0x6D716273
"""Marks the file as ours: "mqbs"."""
OPEN = f"status IN ({BrokerStatus.REPORTED:d}, {BrokerStatus.PART_FILLED:d})"
_SCHEMA = f"""
CREATE TABLE about (key TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE purse (one INTEGER PRIMARY KEY CHECK (one = 1), cash INTEGER NOT NULL);
CREATE TABLE orders (
    order_id INTEGER PRIMARY KEY AUTOINCREMENT,
    day TEXT NOT NULL, code TEXT NOT NULL, direction TEXT NOT NULL CHECK (direction IN ('BUY', 'SELL')),
    price REAL NOT NULL, shares INTEGER NOT NULL CHECK (shares > 0),
    filled INTEGER NOT NULL DEFAULT 0 CHECK (filled BETWEEN 0 AND shares),
    amount INTEGER NOT NULL DEFAULT 0, fee INTEGER NOT NULL DEFAULT 0,
    frozen INTEGER NOT NULL DEFAULT 0 CHECK (frozen >= 0),
    status INTEGER NOT NULL, remark TEXT NOT NULL, message TEXT NOT NULL, time REAL NOT NULL);
CREATE INDEX open_orders ON orders (order_id) WHERE {OPEN};
CREATE INDEX orders_by_day ON orders (day);
CREATE TABLE trades (
    trade_id INTEGER PRIMARY KEY AUTOINCREMENT,
    order_id INTEGER NOT NULL REFERENCES orders, day TEXT NOT NULL, price REAL NOT NULL,
    shares INTEGER NOT NULL CHECK (shares > 0), fee INTEGER NOT NULL, time REAL NOT NULL);
CREATE INDEX trades_by_day ON trades (day);
CREATE TABLE positions (
    code TEXT PRIMARY KEY, volume INTEGER NOT NULL CHECK (volume >= 0),
    can_use INTEGER NOT NULL CHECK (can_use BETWEEN 0 AND volume),
    cost INTEGER NOT NULL, last_price REAL NOT NULL);
"""


def open_file(path: Path, account: AccountAlias | None) -> sqlite3.Connection:
    """The books at ``path``, durable at every commit; ``account`` None takes whosever they are.

    Errors: StateError for a missing, unreadable or damaged file, for one that is not ours,
    and for one of another version, account or mode.
    """
    try:
        connection = _connected(path)
    except (sqlite3.Error, OSError) as problem:
        raise StateError("broker.books_unreadable", path, detail=problem) from problem
    try:
        _check(connection, path, account)
        # Only now that the file is known to be ours: these write into it.
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA foreign_keys = ON")
    except BaseException as problem:
        connection.close()
        if isinstance(problem, (sqlite3.Error, TypeError)):
            # TypeError: a row that must be there is not.
            raise StateError("broker.books_unreadable", path, detail=problem) from problem
        raise
    return connection


def _check(connection: sqlite3.Connection, path: Path, account: AccountAlias | None) -> None:
    found = connection.execute("PRAGMA application_id").fetchone()[0]
    if found != _APPLICATION:
        raise StateError("broker.books_unreadable", path, detail=f"application_id {found:#x}")
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    if version != VERSION:
        raise StateError("broker.books_version", path, found=version, known=VERSION)
    verdict = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
    if verdict != "ok":
        raise StateError("broker.books_unreadable", path, detail=verdict)
    connection.execute("SELECT cash FROM purse").fetchone()[0]
    about = dict(connection.execute("SELECT key, value FROM about"))
    missing = {"account", "mode", "day", "day_before"} - set(about)
    if missing:
        raise StateError("broker.books_unreadable", path, detail=", ".join(sorted(missing)))
    owner = f"{about['account']}/{about['mode']}"
    wanted = f"{account if account is not None else about['account']}/{MODE}"
    if owner != wanted:
        raise StateError("broker.books_foreign", path, found=owner, wanted=wanted)


def _connected(path: Path) -> sqlite3.Connection:
    if path.stat().st_size == 0:
        raise OSError("0 bytes")  # SQLite would take it for a new database
    return sqlite3.connect(
        f"{path.resolve().as_uri()}?mode=rw",
        uri=True,
        isolation_level=None,
        check_same_thread=False,
        timeout=2.0,
    )


def make_file(path: Path, account: AccountAlias, day: str, cash: float, start: AccountState | None) -> None:
    """Make the books whole under another name, then give them their own. Errors: StateError."""
    if any(path.with_name(path.name + tail).exists() for tail in ("-wal", "-journal")):
        # What was committed last stands in the log beside it: the file itself was lost or moved.
        raise StateError("broker.books_unreadable", path, detail="-wal")
    disk = LocalDisk()
    own_name = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        disk.make_folder(path.parent)
        disk.remove(own_name)
        with closing(sqlite3.connect(own_name)) as connection:
            connection.execute("PRAGMA synchronous = FULL")
            connection.executescript(_SCHEMA)
            connection.execute(f"PRAGMA application_id = {_APPLICATION}")
            connection.execute(f"PRAGMA user_version = {VERSION}")
            _first_rows(connection, account, day, cash, start)
            connection.commit()
        disk.replace(own_name, path)
        disk.sync_folder(path.parent)
    except (sqlite3.Error, OSError) as problem:
        raise StateError("broker.books_unreadable", path, detail=problem) from problem


def _first_rows(
    connection: sqlite3.Connection, account: AccountAlias, day: str, cash: float, start: AccountState | None
) -> None:
    facts = {"account": account, "mode": MODE, "day": day, "day_before": day}
    connection.executemany("INSERT INTO about VALUES (?, ?)", facts.items())
    owned = money(cash) if start is None else money(start.asset.cash) + money(start.asset.frozen_cash)
    connection.execute("INSERT INTO purse VALUES (1, ?)", (owned,))
    for held in start.positions if start is not None else ():
        last_price = held.market_value / held.volume if held.volume else held.open_price
        connection.execute(
            "INSERT INTO positions VALUES (?, ?, ?, ?, ?)",
            (
                held.code,
                held.volume,
                max(0, min(held.can_use_volume, held.volume)),
                amount_of(held.open_price, held.volume),
                last_price,
            ),
        )
