"""A small market morning for one real executor: an order fills, one rests and is cancelled, others are bad.

``Scene.check`` is the oracle: ledger, broker's books and folder tell the same of every signal.
"""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import orjson

from shared_schema.drop_folder import DropFolder
from shared_schema.drop_folder.names import (
    DONE_FOLDER,
    EXECUTED,
    HEARTBEAT_FOLDER,
    QUARANTINE_FOLDER,
    QUOTE,
    RESULTS_FOLDER,
    done_name,
    heartbeat_name,
    result_name,
    signal_name,
)
from shared_schema.ids import SignalId
from shared_schema.messages import OrderResult, Quote, QuoteSnapshot, decode_heartbeat, decode_result, encode
from shared_schema.sessions import trading_day_of
from tests.execution.bench import FUND, envelope_of, signal_of
from windows_side.brokers.simulated_books import SimulatedBooks
from windows_side.execution.ledger import INSTANCE
from windows_side.execution.second_counter import SecondCounter
from windows_side.executor_places import files_of
from windows_side.ledger_opening import counter_path, open_guarded

WAIT = 120.0
SIGNALS = ("fills", "rests", "bad", "takes_back")


class ForkServer:
    """The process that forks executors."""

    def __init__(self) -> None:
        script = Path(__file__).with_name("fork_server.py")
        self._process = subprocess.Popen(
            [sys.executable, str(script)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def start(self, variables: dict[str, str]) -> int:
        """Start one executor; its process id."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(variables) + "\n")
        self._process.stdin.flush()
        return int(self._line())

    def ended(self) -> int:
        """Wait for its end; the exit status."""
        return int(self._line())

    def _line(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline()

    def stop(self) -> None:
        """End the server."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(WAIT)


class Scene:
    """Folder, runtime and signals of one run."""

    def __init__(self, place: Path, server: ForkServer) -> None:
        self.place, self._server = place, server
        self.signals: list[str] = list(SIGNALS)
        """Ids of all that was sent."""
        for name in ("exchange", "runtime", "logs"):
            (place / name).mkdir()
        self.folder = DropFolder(place / "exchange")
        self.folder.prepare()
        (place / "miniqmt.toml").write_text("[limits]\norders_per_second = 50\n")
        self.files = files_of(place / "runtime", "simulate", "main")
        self._make_ledger()
        self._drop()

    def _make_ledger(self) -> None:
        counter = SecondCounter(counter_path(self.files.ledger, self.place / "runtime_counter"))
        opened = open_guarded(self.files.ledger, "simulate", "main", self.folder, counter)  # type: ignore[arg-type]
        self.instance = opened.ledger.load().meta[INSTANCE]
        opened.ledger.close()
        counter.close()

    def _drop(self) -> None:
        now = time.time()
        stamp = {"written_at": now, "market_time": now, "trading_day": trading_day_of(now)}
        quote = Quote(
            price=1.25, pre_close=1.25, tick_time=now, ask=(1.25,), ask_volume=(10_000_000,), bid=(1.249,)
        )
        self.folder.publish(
            QUOTE, encode(envelope_of(**stamp), QuoteSnapshot(code=FUND, price=1.25, quotes={FUND: quote}))
        )
        common = {"timestamp": now, "executor": self.instance}
        signals = [
            signal_of("fills", price=1.26, shares=1000, **common),
            signal_of("rests", price=1.2, shares=700, **common),
            signal_of("bad", shares=150, **common),
            signal_of(
                "takes_back", action="cancel", target_signal_id="rests", price=1.2, shares=700, **common
            ),
        ]
        for number, sent in enumerate(signals):
            raw = encode(envelope_of(number + 1, **stamp), sent)
            self.folder.publish(signal_name(sent.signal_id), raw)
        self.folder.publish("order_signal_fills (1).json", raw)

    def downgrade(self) -> None:
        """Make the ledger one of version 1, so that the next start migrates it."""
        with closing(sqlite3.connect(self.files.ledger)) as database:
            database.execute("DROP TABLE settled_ids")
            database.execute("PRAGMA user_version = 1")

    def variables(self, **more: str) -> dict[str, str]:
        """The environment of its executor."""
        return {
            "MINIQMT_CONFIG": str(self.place / "miniqmt.toml"),
            "MINIQMT_SHARED_DIR": str(self.folder.path),
            "RUNTIME_DIR": str(self.place / "runtime"),
            "LOG_DIR": str(self.place / "logs"),
            **more,
        }

    @contextmanager
    def executor(self, **more: str) -> Iterator[int]:
        """One executor process; ended by SIGTERM unless it ended before. Yields its process id."""
        self._began = time.time()
        process = self._server.start(self.variables(**more))
        self.status: int | None = None
        try:
            yield process
        finally:
            with suppress(ProcessLookupError):  # it ended by itself
                os.kill(process, signal.SIGTERM)
            self.status = self._server.ended()

    @staticmethod
    def is_alive(process: int) -> bool:
        """Whether the process has not ended (the server reaps it at once)."""
        try:
            os.kill(process, 0)
        except ProcessLookupError:
            return False
        return True

    def is_ready(self) -> bool:
        """Whether the executor started last shows itself ready (and so listens to SIGTERM)."""
        path = self.folder.path / HEARTBEAT_FOLDER / heartbeat_name("executor", self.instance)
        beat = decode_heartbeat(path.read_bytes()) if path.exists() else None
        fresh = beat is not None and beat.envelope is not None and beat.envelope.written_at > self._began
        return fresh and beat is not None and beat.body.state == "ready"

    def results(self) -> dict[str, OrderResult]:
        """What the folder shows of each signal."""
        found = {}
        for name in self.signals:
            path = self.folder.path / RESULTS_FOLDER / result_name(SignalId(name))
            if path.exists():
                found[name] = decode_result(path.read_bytes()).body
        return found

    def is_settled(self) -> bool:
        """Whether every signal has its terminal result and is archived."""
        results = self.results()
        done = {path.name for path in (self.folder.path / DONE_FOLDER).iterdir()}
        return (
            len(results) == len(self.signals)
            and all(result.is_terminal for result in results.values())
            and {done_name(SignalId(name)) for name in self.signals} <= done
            and not self._left_in_folder()
        )

    def _left_in_folder(self) -> list[Path]:
        """Signals and conflict copies of them that nobody has taken or moved aside."""
        return [path for path in self.folder.path.glob("order_signal*") if path.is_file()]

    def wait(self, reached: Callable[[], bool]) -> None:
        """Until ``reached``, or fail."""
        until = time.monotonic() + WAIT
        while not reached():
            assert time.monotonic() < until, f"waited in vain: {self.results()} {self.said()}"
            time.sleep(0.01)

    def said(self) -> str:
        """The end of its log and of what it printed: a refused start says why there only."""
        files = (self.place / "logs" / name for name in ("order_executor.log", "console.txt"))
        return "\n".join(path.read_text("utf-8")[-1500:] for path in files if path.exists())

    def agree(self) -> int:
        """Ledger, broker and folder tell the same of every signal, each order stands once (I1, I2, I5).

        How many orders the broker has."""
        books = SimulatedBooks.existing(self.files.simulated_books)
        orders, trades = books.orders(since="0"), books.trades(since="0")
        books.close()
        tags = [order.remark for order in orders]
        assert len(tags) == len(set(tags)), f"I1: {tags}"
        results = self.results()
        with closing(sqlite3.connect(self.files.ledger)) as database:
            rows = {
                name: orjson.loads(row) for name, row in database.execute("SELECT signal_id, row FROM orders")
            }
        assert set(rows) == set(self.signals)
        for name in self.signals:
            row, result = rows[name], results[name]
            assert (row["state"], row["revision"]) == (result.state, result.revision), name
            filled = sum(trade.shares for trade in trades if trade.remark == (row["tag"] or "-"))
            assert result.filled_shares == filled == sum(trade["shares"] for trade in row["trades"]), name
            placed = row["tag"] in tags
            assert not placed or result.state not in ("rejected", "not_placed", "expired"), name
        assert not self._left_in_folder()
        listed = orjson.loads((self.folder.path / EXECUTED).read_bytes())["signal_ids"]
        assert sorted(listed) == sorted(self.signals), "the list is written at the clean end at the latest"
        return len(orders)

    def check(self) -> None:
        """All agree, and each signal ended as it had to; nothing is unknown."""
        assert self.agree() <= 2
        results = self.results()
        assert results["bad"].state == "rejected"
        assert results["fills"].state in ("filled", "not_placed")
        assert results["rests"].state in ("cancelled", "not_placed")
        kept = [path.name for path in (self.folder.path / QUARANTINE_FOLDER).iterdir()]
        assert any("fills (1)" in name for name in kept)
