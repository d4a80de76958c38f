"""The ledger in SQLite: write-ahead log, ``synchronous=FULL``, on a local disk outside the folder."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import orjson

from shared_schema.disk import LocalDisk
from shared_schema.errors import StateError
from shared_schema.ids import LedgerId, SignalId
from shared_schema.messages.result import TERMINAL_STATES
from shared_schema.points import Reach, pass_by
from windows_side.execution.ledger import (
    COMMITS,
    LEDGER_ID,
    RESULT_SEQ,
    SETTLED_BEFORE,
    Change,
    Memory,
    order_from_json,
    order_to_json,
)
from windows_side.execution.ledger_seal import SEAL, SUMMED, LedgerSeal
from windows_side.execution.migrations import SCHEMA, SETTLED_IDS, migrate
from windows_side.execution.order import Order

_TABLES = f"""{SETTLED_IDS}
CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE orders (
    signal_id TEXT PRIMARY KEY,
    digest TEXT NOT NULL,
    state TEXT NOT NULL,
    terminal INTEGER NOT NULL,
    trading_day TEXT NOT NULL,
    received_at REAL NOT NULL,
    changed_at REAL NOT NULL,
    tag TEXT NOT NULL,
    order_id TEXT NOT NULL,
    result_seq INTEGER NOT NULL,
    row TEXT NOT NULL
) WITHOUT ROWID;
CREATE INDEX orders_open ON orders (terminal) WHERE terminal = 0;
CREATE INDEX orders_day ON orders (trading_day);
CREATE TABLE journal (
    number INTEGER PRIMARY KEY,
    at REAL NOT NULL,
    signal_id TEXT NOT NULL,
    action TEXT NOT NULL,
    detail TEXT NOT NULL
);
"""


class SqliteLedger:
    """One account's ledger of one mode. Used by one thread of one process."""

    def __init__(self, path: Path, make_meta: Callable[[], dict[str, Any]], reach: Reach = pass_by) -> None:
        """Open the ledger at ``path``, or make a first one with ``make_meta()``."""
        self.path = path
        with self._guarded():
            path.parent.mkdir(parents=True, exist_ok=True)
            if not path.exists():
                self._make(make_meta())
            self._database = _connect(path)
            migrate(path, self._database, reach)
            self._database.execute("PRAGMA journal_mode = WAL")
            self._database.execute("PRAGMA synchronous = FULL")
            self._seal = LedgerSeal(self._database)
            meta = self._meta()
            # Moving the log into the file waits for a quiet moment: it would stall a signal for milliseconds.
            self._database.execute("PRAGMA wal_autocheckpoint = 20000")
            self._commits = int(meta[COMMITS])
            self._result_seq = int(meta.get(RESULT_SEQ, 0))
            self._ledger_id = LedgerId(meta[LEDGER_ID])

    def _make(self, meta: dict[str, Any]) -> None:
        """Made beside its place and moved there whole: a kill in between leaves no half ledger."""
        log = self.path.with_name(self.path.name + "-wal")
        if log.exists():
            raise StateError("executor.ledger_damaged", self.path, detail=f"missing, yet {log.name} is there")
        disk, new = LocalDisk(), self.path.with_name(self.path.name + ".new")
        for left in (new, new.with_name(new.name + "-journal")):
            disk.remove(left)
        database = _connect(new)
        try:
            database.execute("PRAGMA synchronous = FULL")
            database.execute("BEGIN IMMEDIATE")
            for statement in _TABLES.split(";"):
                database.execute(statement)
            _write_meta(database, meta)
            database.execute(f"PRAGMA user_version = {SCHEMA}")
            database.execute("COMMIT")
        finally:
            database.close()
        disk.replace(new, self.path)
        disk.sync_folder(self.path.parent)

    def load(self) -> Memory:
        with self._guarded():
            last_day = self._database.execute("SELECT max(trading_day) FROM orders").fetchone()[0]
            rows = self._database.execute(
                "SELECT row FROM orders WHERE terminal = 0 "
                "UNION SELECT row FROM orders WHERE trading_day = ?",
                (last_day,),
            ).fetchall()
            every = self._database.execute(f"SELECT {SUMMED} FROM orders").fetchall()
            settled = self._database.execute("SELECT signal_id FROM settled_ids").fetchall()
            self._seal.check(every, settled)
            meta = self._meta()
            if not self._result_seq:  # a ledger from before the count was kept
                highest = self._database.execute("SELECT max(result_seq) FROM orders").fetchone()[0]
                self._result_seq = highest or 0
        orders = [order_from_json(row, self.path) for (row,) in rows]
        newest = max((day for *_, day, _ in every), default=None)
        wanted = {signal_id for signal_id, _, _, day, terminal in every if not terminal or day == newest}
        if wanted != {order.signal_id for order in orders}:
            # An index that rotted leads past rows; the sum above vouches for the ids themselves.
            raise StateError("executor.ledger_damaged", self.path, detail="open rows are missing")
        known = {signal_id: SETTLED_BEFORE for (signal_id,) in settled}
        known |= {signal_id: digest for signal_id, digest, *_ in every}
        tags = frozenset(tag for _, _, tag, *_ in every if tag)
        return Memory({order.signal_id: order for order in orders}, known, meta, self._result_seq, tags)

    def commit(self, change: Change) -> None:
        with self._guarded():
            self._database.execute("BEGIN IMMEDIATE")
            try:
                self._write(change)
                self._database.execute("COMMIT")
            except BaseException:
                if self._database.in_transaction:
                    self._database.execute("ROLLBACK")
                raise
        self._commits += 1

    def _write(self, change: Change) -> None:
        columns = {order.signal_id: _columns(order) for order in change.orders}
        self._seal.replacing((row[0], row[1], row[7], row[4], row[3]) for row in columns.values())
        self._database.executemany(
            "INSERT OR REPLACE INTO orders VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", list(columns.values())
        )
        self._database.executemany(
            "INSERT INTO journal (at, signal_id, action, detail) VALUES (?, ?, ?, ?)",
            [(entry.at, entry.signal_id, entry.action, entry.detail) for entry in change.journal],
        )
        at = max((order.changed_at for order in change.orders), default=time.time())
        self._seal.adding_settled(change.settled_ids)
        self._database.executemany(
            "INSERT OR IGNORE INTO settled_ids VALUES (?, ?)",
            [(signal_id, at) for signal_id in change.settled_ids],
        )
        self._result_seq = max([self._result_seq, *(order.result_seq for order in change.orders)])
        counted = {COMMITS: self._commits + 1, RESULT_SEQ: self._result_seq}
        texts = _texts({**change.meta, **counted})
        self._database.executemany(
            "INSERT OR REPLACE INTO meta VALUES (?, ?)", [*texts.items(), self._seal.meta_entry(texts)]
        )

    def tidy(self) -> None:
        with self._guarded():
            self._database.execute("PRAGMA wal_checkpoint(PASSIVE)")

    def order(self, signal_id: SignalId) -> Order | None:
        with self._guarded():
            found = self._database.execute(
                "SELECT row FROM orders WHERE signal_id = ?", (signal_id,)
            ).fetchone()
        order = order_from_json(found[0], self.path) if found else None
        if order is not None and order.signal_id != signal_id:
            detail = f"{signal_id} leads to {order.signal_id}"
            raise StateError("executor.ledger_damaged", self.path, detail=detail)
        return order

    def settled_since(self, at: float) -> list[SignalId]:
        with self._guarded():
            rows = self._database.execute(
                "SELECT signal_id FROM (SELECT signal_id, at FROM settled_ids UNION ALL "
                "SELECT signal_id, changed_at FROM orders WHERE terminal = 1) WHERE at >= ? ORDER BY at",
                (at,),
            ).fetchall()
        return [signal_id for (signal_id,) in rows]

    def settled_at(self, signal_ids: Sequence[SignalId]) -> dict[SignalId, float]:
        marks = ", ".join("?" * len(signal_ids))
        with self._guarded():
            rows = self._database.execute(
                f"SELECT signal_id, changed_at FROM orders WHERE terminal = 1 AND signal_id IN ({marks})",
                tuple(signal_ids),
            ).fetchall()
        return dict(rows)

    @property
    def ledger_id(self) -> LedgerId:
        """Made with the ledger, never changed."""
        return self._ledger_id

    @property
    def commits(self) -> int:
        """How many changes this ledger has taken in its life."""
        return self._commits

    def close(self) -> None:
        self._database.close()

    def _meta(self) -> dict[str, Any]:
        rows = self._database.execute("SELECT name, value FROM meta").fetchall()
        return {name: orjson.loads(value) for name, value in rows if name != SEAL}

    @contextmanager
    def _guarded(self) -> Iterator[None]:
        try:
            yield
        except (sqlite3.Error, OSError, ValueError, TypeError, KeyError) as problem:
            raise StateError("executor.ledger_damaged", self.path, detail=str(problem)) from problem


def _connect(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(path, isolation_level=None, check_same_thread=False)


def _write_meta(database: sqlite3.Connection, meta: Mapping[str, Any]) -> None:
    database.executemany("INSERT OR REPLACE INTO meta VALUES (?, ?)", list(_texts(meta).items()))


def _texts(meta: Mapping[str, Any]) -> dict[str, str]:
    return {name: orjson.dumps(value).decode() for name, value in meta.items()}


def _columns(order: Order) -> tuple[Any, ...]:
    return (
        order.signal_id,
        order.digest,
        order.state,
        int(order.state in TERMINAL_STATES),
        order.trading_day,
        order.received_at,
        order.changed_at,
        order.tag,
        order.order_id,
        order.result_seq,
        order_to_json(order).decode(),
    )


def read_only(path: Path) -> sqlite3.Connection:
    """A connection for looking (trace, status, the demo's comparison); never creates or changes a ledger."""
    return sqlite3.connect(f"file:{path.as_posix()}?mode=ro", uri=True, timeout=5.0)
