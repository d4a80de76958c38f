"""The real executor in this process, simulated, over one OFFLINE folder; and what must hold of one signal."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from shared_schema.drop_folder import DropFolder
from shared_schema.drop_folder.names import (
    DONE_FOLDER,
    EXECUTED,
    HEARTBEAT_FOLDER,
    QUARANTINE_FOLDER,
    RESULTS_FOLDER,
    SIGNAL_SLOT,
    done_name,
    result_name,
)
from shared_schema.ids import SignalId, is_file_safe
from shared_schema.settings import Settings
from shared_schema.settings_sections import Executor as ExecutorSettings
from shared_schema.settings_sections import Limits
from test_offline.phases.checks import Check, check, equal
from test_offline.phases.offline_folder import ACCOUNT, read_json, to_bytes, wait_until
from windows_side import order_executor
from windows_side.execution.sqlite_ledger import read_only
from windows_side.executor_places import files_of

ANSWERED_WITHIN = 120.0
"""Seconds; an unreadable file is given 5 to become whole before it is put aside."""
SEED_FIELDS = ("signal_id", "code", "direction", "price", "shares", "timestamp", "reason")
_NEEDED = tuple(name for name in SEED_FIELDS if name != "reason")


@dataclass(frozen=True)
class Bench:
    """One OFFLINE folder with the local files of its executor."""

    path: Path
    runtime: Path

    @property
    def folder(self) -> DropFolder:
        """The exchange folder."""
        return DropFolder(self.path)

    @property
    def settings(self) -> Settings:
        """The product's defaults, simulated; nothing of this host's own settings."""
        return Settings(
            shared_dir=self.path,
            runtime_dir=self.runtime,
            log_dir=self.runtime / "logs",
            executor=ExecutorSettings(simulate=True),
        )

    @contextmanager
    def executor(self) -> Iterator[None]:
        """The executor runs inside the block; what stopped it is raised."""
        stop = threading.Event()
        with ThreadPoolExecutor(1, "executor") as pool:
            running: Future[None] = pool.submit(order_executor.run, self.settings, stop, console=False)
            try:
                yield
                # Stopped only once it stands: an executor ended while it connects has nothing to show.
                wait_until(lambda: self._is_ready() or running.done(), ANSWERED_WITHIN)
            finally:
                stop.set()
            running.result()

    def _is_ready(self) -> bool:
        beats = (self.path / HEARTBEAT_FOLDER).glob("executor-*.json")
        return any((read_json(beat) or {}).get("ready") for beat in beats)

    def drop(self, payload: dict[str, Any]) -> bytes:
        """Put a signal into ``order_signal.json``; its bytes."""
        raw = to_bytes(payload)
        self.folder.publish(SIGNAL_SLOT, raw)
        return raw

    def result(self, signal_id: str) -> dict[str, Any] | None:
        """The newest result of a signal."""
        return read_json(self.path / RESULTS_FOLDER / result_name(SignalId(signal_id)))

    def is_gone(self) -> bool:
        """Whether ``order_signal.json`` was consumed."""
        return not (self.path / SIGNAL_SLOT).exists()

    def is_answered(self, signal_id: str) -> bool:
        """Whether the signal was consumed and its result is terminal, in both files."""
        result = self.result(signal_id)
        return self.is_gone() and result is not None and result["status"] != "pending"

    def is_done(self, signal_id: str) -> bool:
        """Whether the consumed signal lies in ``order_signal_done/``."""
        return (self.path / DONE_FOLDER / done_name(SignalId(signal_id))).exists()

    def archived_as(self, signal_id: str) -> int:
        """Which file lies in ``order_signal_done/`` under the id: another number after another move."""
        path = self.path / DONE_FOLDER / done_name(SignalId(signal_id))
        return path.stat().st_ino if path.exists() else 0

    def is_listed(self, signal_id: str) -> bool:
        """Whether ``executed_signals.json`` names the id; it is written at most once a second."""
        return signal_id in (read_json(self.path / EXECUTED) or {}).get("signal_ids", ())

    def is_known(self, signal_id: str) -> bool:
        """Whether the ledger has settled this id in an earlier run."""
        ledger = files_of(self.runtime, "simulate", ACCOUNT).ledger
        if not ledger.exists():
            return False
        with closing(read_only(ledger)) as rows:
            found = rows.execute("SELECT 1 FROM orders WHERE signal_id = ?", (signal_id,)).fetchone()
        return found is not None

    def orders_at_broker(self) -> int:
        """How many orders the simulated broker has ever been given: its own books, not the executor's."""
        books = files_of(self.runtime, "simulate", ACCOUNT).simulated_books
        if not books.exists():
            return 0
        with closing(sqlite3.connect(f"{books.resolve().as_uri()}?mode=ro", uri=True, timeout=5.0)) as rows:
            return int(rows.execute("SELECT count(*) FROM orders").fetchone()[0])

    def quarantined(self) -> dict[str, str]:
        """The reasons in ``quarantine/`` by file name."""
        found = {}
        for entry in self.folder.list_folder(QUARANTINE_FOLDER):
            if entry.name.endswith(".reason.json"):
                told = read_json(self.path / QUARANTINE_FOLDER / entry.name) or {}
                found[entry.name] = str(told.get("reason"))
        return found


def expected_refusal(payload: dict[str, Any], limits: Limits, now: float) -> str:
    """The error code a signal should get, judged here and not by the executor; "" for a good one."""
    if any(name not in payload for name in _NEEDED):
        return "missing_field"
    expires = payload.get("expires_at") or payload["timestamp"] + limits.expires_seconds
    if now > expires:
        return "expired"
    if payload["code"] not in limits.allow_list:
        return "code_not_allowed"
    shares, buys = payload["shares"], payload["direction"] == "BUY"
    if buys and shares % 100:
        return "bad_quantity"
    if shares > (limits.max_buy_shares if buys else limits.max_sell_shares):
        return "too_many_shares"
    most = limits.max_buy_yuan if buys else limits.max_sell_yuan
    return "too_much_money" if shares * payload["price"] > most else ""


def lying_signal_checks(bench: Bench) -> list[Check]:
    """The ``order_signal.json`` that lies in the folder is answered as it must be, and executed once."""
    raw = (bench.path / SIGNAL_SLOT).read_bytes()
    payload = read_json(bench.path / SIGNAL_SLOT)
    signal_id = str((payload or {}).get("signal_id", ""))
    if payload is None or not is_file_safe(signal_id):
        return _put_aside(bench)
    known, refusal = bench.is_known(signal_id), expected_refusal(payload, bench.settings.limits, time.time())
    before, put_aside = bench.orders_at_broker(), bench.quarantined()
    archived = bench.archived_as(signal_id)

    def has_landed() -> bool:
        moved = bench.archived_as(signal_id) != archived
        return bench.is_gone() and (moved or bool(bench.quarantined().keys() - put_aside.keys()))

    with bench.executor():
        gone = wait_until(has_landed, ANSWERED_WITHIN)
        reasons = [reason for name, reason in bench.quarantined().items() if name not in put_aside]
        if not gone or reasons:
            return [check("signal_consumed", gone), check("signal_usable", not reasons, ", ".join(reasons))]
        wait_until(lambda: bench.is_answered(signal_id) and bench.is_listed(signal_id), ANSWERED_WITHIN)
        checks = answer_checks(bench, payload, "" if known else refusal)
        orders = bench.orders_at_broker() - before
        if known:
            checks.append(equal("known_not_executed", orders, 0, signal_id=signal_id))
        else:
            checks.append(equal("executed_times", orders, 0 if refusal else 1, signal_id=signal_id))
        return checks + again_checks(bench, raw, signal_id)


def answer_checks(bench: Bench, payload: dict[str, Any], refusal: str) -> list[Check]:
    """Result, consumed signal, ``.done`` and executed list of one signal; ``refusal`` "" means success."""
    signal_id = str(payload["signal_id"])
    result = bench.result(signal_id) or {}
    common = [
        check("signal_consumed", bench.is_gone()),
        check("signal_done", bench.is_done(signal_id), f"{DONE_FOLDER}/{done_name(SignalId(signal_id))}"),
        check("id_listed", bench.is_listed(signal_id)),
    ]
    if refusal:
        found = (result.get("status"), result.get("error_code"), result.get("filled_shares"))
        reason = result.get("message", "")
        return [
            equal("result_failed", found, ("failed", refusal, 0)),
            check("result_reason", reason, reason),
            *common,
        ]
    shares = (result.get("requested_shares"), result.get("filled_shares"))
    return [
        check(
            "result_success", result.get("status") == "success", result.get("message") or result.get("status")
        ),
        equal("result_shares", shares, (payload.get("shares"),) * 2),
        *common,
    ]


def again_checks(bench: Bench, raw: bytes, signal_id: str) -> list[Check]:
    """The same file dropped once more is consumed, and its order is not placed again."""
    before, orders = bench.result(signal_id), bench.orders_at_broker()
    bench.folder.publish(SIGNAL_SLOT, raw)
    consumed = wait_until(bench.is_gone, ANSWERED_WITHIN)
    return [
        check("again_consumed", consumed),
        check("again_not_executed", bench.orders_at_broker() == orders and bench.result(signal_id) == before),
    ]


def _put_aside(bench: Bench) -> list[Check]:
    before = set(bench.quarantined())
    with bench.executor():
        wait_until(lambda: bench.is_gone() and bool(set(bench.quarantined()) - before), ANSWERED_WITHIN)
        reasons = [reason for name, reason in bench.quarantined().items() if name not in before]
    return [check("signal_consumed", bench.is_gone()), check("put_aside", reasons, ", ".join(reasons))]
