"""A whole executor in one process: real files, real ledger, simulated broker, real worker thread."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import orjson

from shared_schema.clock import ReplayFollower, Stamper
from shared_schema.drop_folder import DropFolder
from shared_schema.drop_folder.names import RESULTS_FOLDER, result_name, signal_name
from shared_schema.ids import AccountAlias, Epoch, InstanceId, SignalId
from shared_schema.log_lines import Line
from shared_schema.logs import Log
from shared_schema.messages import OrderResult, OrderSignal, decode_result, encode
from shared_schema.points import Reach, pass_by
from shared_schema.sessions import trading_day_of
from shared_schema.watch import FolderWatch
from tests.execution.bench import CALENDAR, envelope_of, limits_of, signal_of
from tests.shared_schema.faulty_disk import FaultyDisk
from windows_side.brokers.simulated import SimulatedBroker
from windows_side.brokers.worker import BrokerWorker
from windows_side.day_files import DayFiles, day_folder
from windows_side.day_keeper import DayKeeper
from windows_side.execution.core import ExecutorCore
from windows_side.execution.ledger import EPOCH, INSTANCE
from windows_side.execution.rules import Rules
from windows_side.execution.second_counter import SecondCounter
from windows_side.executor import Executor
from windows_side.executor_places import files_of
from windows_side.executor_views import ExecutorViews
from windows_side.keyboard import Keyboard
from windows_side.ledger_opening import counter_path, open_guarded

ACCOUNT = AccountAlias("main")
WAIT = 10.0
"""Seconds after which a test gives up waiting for the worker; reached only by a fault."""


class Lines:
    """Keeps what the executor says."""

    def __init__(self) -> None:
        self.actions: list[str] = []

    def write(self, line: Line) -> None:
        """Take one line."""
        self.actions.append(line.action)

    def close(self) -> None:
        """Nothing to close."""


class Shell:
    """One executor over ``place``; ``restart`` begins a new process over the same files."""

    def __init__(self, place: Path, *, instant: bool = True, **rules: object) -> None:
        self.place = place
        self.disk = FaultyDisk()
        self.folder = DropFolder(place / "exchange", self.disk)
        self.folder.disk.make_folder(self.folder.path)
        self.folder.prepare()
        self.skip = 0.0
        self.ahead = 0.0
        """Seconds by which the executor's wall clock is ahead of this host's."""
        self.lines = Lines()
        self.instant = instant
        self.reach: Reach = pass_by
        self._rules = rules
        self._begin()

    def _begin(self) -> None:
        self.files = files_of(self.place, "simulate", ACCOUNT)
        self.counter = SecondCounter(counter_path(self.files.ledger, self.place / "elsewhere"))
        opened = open_guarded(self.files.ledger, "simulate", ACCOUNT, self.folder, self.counter, self.reach)
        self.ledger, memory = opened.ledger, opened.ledger.load()
        self.instance = InstanceId(memory.meta[INSTANCE])
        plain = Rules(
            "simulate", ACCOUNT, self.instance, CALENDAR, limits_of(orders_per_second=50),
            enforce_sessions=False, needs_quote=False, final_read=0.0, absence_is_proof=True,
        )  # fmt: skip
        rules = replace(plain, **self._rules)  # type: ignore[arg-type]
        clock = self.clock = ReplayFollower(lambda: time.time() + self.ahead)
        self.core = ExecutorCore(rules, memory)
        self.watch = FolderWatch(self.folder.path, 0.02, use_watcher=False)
        log = Log("order_executor", [self.lines])
        self.broker = SimulatedBroker(
            self.files.simulated_books,
            account=ACCOUNT,
            now=clock.now,
            instant_fill=lambda _: self.instant,
        )
        stamper = Stamper("executor@test", Epoch("x"), "simulate", ACCOUNT)
        epoch = Epoch(memory.meta[EPOCH])
        shows = self.broker.account_snapshot
        views = ExecutorViews(self.folder, self.ledger, rules, stamper, epoch, 1.0, shows, self.reach)
        self.executor = Executor(
            folder=self.folder,
            ledger=self.ledger,
            core=self.core,
            rules=rules,
            views=views,
            watch=self.watch,
            keyboard=Keyboard(self.place, self.folder, log),
            clock=clock,
            log=log,
            monotonic=self.monotonic,
            counter=self.counter,
            put_back=opened.put_back,
            reach=self.reach,
            days=DayKeeper(DayFiles(day_folder(self.place, "simulate", ACCOUNT)), log),
        )
        self.worker = BrokerWorker(self.broker, self.executor.broker.heard)
        self.executor.broker.attach(self.worker, self.broker)
        self.executor.start()

    def monotonic(self) -> float:
        """The process's own clock, which a test may push forward."""
        return time.monotonic() + self.skip

    def kill(self) -> None:
        """End without the clean end: the ledger and the books are as the last commit left them."""
        self.worker.stop()
        self.broker.close()
        self.ledger.close()
        self.counter.close()

    def restart(self) -> None:
        """A new process over the same files."""
        self.kill()
        self._begin()

    def until(self, reached: Callable[[], object]) -> None:
        """Turn until ``reached`` says so; the worker's events wake the loop."""
        deadline = time.monotonic() + WAIT
        while not reached():
            assert time.monotonic() < deadline, f"waited in vain; said: {self.lines.actions[-20:]}"
            self.executor.turn()
            self.watch.wait(0.02)

    def ready(self) -> Shell:
        """Turn until signals are taken."""
        self.until(lambda: self.core.ready)
        return self

    def signal(self, signal_id: str = "s1", **changes: object) -> OrderSignal:
        """A signal of this moment for this executor."""
        fresh = {"timestamp": time.time(), "executor": self.instance}
        return signal_of(signal_id, **(fresh | changes))

    def bytes_of(self, signal: OrderSignal) -> bytes:
        """Its file."""
        now = time.time()
        day = trading_day_of(now)
        return encode(envelope_of(written_at=now, market_time=now, trading_day=day), signal)

    def drop(self, signal: OrderSignal, name: str = "") -> None:
        """Publish a signal as a dashboard does."""
        self.put(name or signal_name(signal.signal_id), self.bytes_of(signal))

    def put(self, name: str, raw: bytes) -> None:
        """Any bytes under any name."""
        DropFolder(self.folder.path).publish(name, raw)

    def result(self, signal_id: str = "s1") -> OrderResult | None:
        """The result the folder shows."""
        path = self.folder.path / RESULTS_FOLDER / result_name(SignalId(signal_id))
        return decode_result(path.read_bytes()).body if path.exists() else None

    def settled(self, signal_id: str = "s1") -> OrderResult:
        """Turn until the folder shows a terminal result."""
        self.until(lambda: (shown := self.result(signal_id)) is not None and shown.is_terminal)
        result = self.result(signal_id)
        assert result is not None
        return result

    def names(self, folder: str = "") -> list[str]:
        """What lies in a folder."""
        return sorted(path.name for path in (self.folder.path / folder).iterdir() if path.is_file())

    def reasons(self) -> list[str]:
        """Why files lie in quarantine."""
        found = [name for name in self.names("quarantine") if name.endswith(".reason.json")]
        return [
            orjson.loads((self.folder.path / "quarantine" / name).read_bytes())["reason"] for name in found
        ]

    @property
    def orders(self) -> int:
        """How many orders the broker has."""
        return len(self.broker.orders())
