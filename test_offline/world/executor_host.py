"""The executor's host: the real shell and core over a simulated disk, a ledger that survives, a link."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import Any

from shared_schema.clock import ReplayFollower, Stamper, new_epoch
from shared_schema.drop_folder import DropFolder
from shared_schema.errors import StateError
from shared_schema.ids import AccountAlias, Epoch, InstanceId
from shared_schema.messages import Account
from test_offline.world.broker_link import BrokerLink, Surroundings
from test_offline.world.host import RUNTIME, Host, NoWatch, TraceLog
from test_offline.world.sync import ROOT
from windows_side.brokers.account_message import account_message
from windows_side.execution.core import ExecutorCore
from windows_side.execution.ledger import (
    BOUND_TO,
    COMMITS,
    EPOCH,
    HALT,
    INSTANCE,
    LEDGER_ID,
    WRITERS,
    Change,
)
from windows_side.execution.memory_ledger import MemoryLedger
from windows_side.execution.rules import Rules
from windows_side.executor import Executor
from windows_side.executor_views import ExecutorViews
from windows_side.keyboard import Keyboard

ACCOUNT = AccountAlias("main")
HEARTBEAT = 4.0


class SimLedger:
    """The ledger's durable half: what was committed is there after a crash; the commit itself may fail."""

    def __init__(self, inner: MemoryLedger, host: ExecutorHost) -> None:
        self._inner = inner
        self._host = host

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    def commit(self, change: Change) -> None:
        try:
            self._host.at("ledger.before")
            self._inner.commit(change)
            self._host.world.oracle.committed(self._host, change)
            self._host.at("ledger.after")
        except OSError as problem:
            raise StateError("executor.ledger_damaged", "memory", detail=str(problem)) from problem


@dataclass(eq=False)
class ExecutorHost(Host):
    """One executor on the Windows side. ``instance`` tells a clone from the real one."""

    instance: InstanceId = field(kw_only=True)
    rules: Rules = field(default=None)  # type: ignore[assignment]
    runtime: str = RUNTIME

    def __post_init__(self) -> None:
        super().__post_init__()
        self.retired = False
        self.ledger_file = MemoryLedger(self._meta())
        self.executor: Executor | None = None
        self.core: ExecutorCore | None = None
        self.link: BrokerLink | None = None
        self.watched = frozenset({ROOT, f"{ROOT}/control"})

    def share(self, other: ExecutorHost) -> None:
        """Work on the disk of ``other``: the same folder, another runtime folder and ledger."""
        self.disk = other.disk
        self.disk.make_folder(Path(self.runtime))
        self.disk.changed.append(self._disk_changed)

    def retire(self) -> None:
        """Gone for good."""
        self.retired, self.alive = True, False
        self.gone()

    def _meta(self) -> dict[str, Any]:
        plan = self.world.plan
        return {
            LEDGER_ID: f"{self.instance}-ledger",
            INSTANCE: self.instance,
            EPOCH: new_epoch(self.world.timeline.now, self.random_part),
            COMMITS: 0,
            HALT: {},
            WRITERS: {},
            BOUND_TO: {"mode": plan.mode, "account": ACCOUNT, "host": "windows"},
        }

    def begin(self) -> None:
        world, rules = self.world, self.rules
        log = TraceLog(world, self.side)
        folder = DropFolder(Path(ROOT), self.disk, self.name_part, rest=lambda seconds: None)
        folder.prepare()
        ledger = SimLedger(self.ledger_file, self)
        memory = ledger.load()
        core = ExecutorCore(rules, memory)
        clock = ReplayFollower(self.clock.wall)
        stamper = Stamper(
            "executor@windows", new_epoch(self.clock.wall(), self.random_part), rules.mode, ACCOUNT
        )
        epoch = Epoch(memory.meta[EPOCH])
        shows = self._account if rules.mode == "simulate" else None
        reach = self.reach
        beat = HEARTBEAT * world.plan.pace
        views = ExecutorViews(folder, ledger, rules, stamper, epoch, beat, shows, reach)  # type: ignore[arg-type]
        executor = Executor(
            folder=folder,
            ledger=ledger,  # type: ignore[arg-type]
            core=core,
            rules=rules,
            views=views,
            watch=NoWatch(self),  # type: ignore[arg-type]
            keyboard=Keyboard(Path(self.runtime), folder, log, self.disk, self.clock.wall),
            clock=clock,
            log=log,
            monotonic=self.clock.monotonic,
            reach=reach,
        )
        around = Surroundings(
            timeline=world.timeline,
            chance=world.chance,
            counter=world.counter,
            personality=world.plan.personality,
            trouble=world.trouble,
            seen=world.seen,
            native_call=lambda request: world.oracle.native_call(self, request),
            point=self.at,
            allow_halt=world.oracle.allow_halt,
            wall=self.clock.wall,
            in_process=self.inside,
        )
        self.link = BrokerLink(around, executor.broker.heard)
        executor.broker.attach(self.link, None)
        self.executor, self.core = executor, core
        executor.start()

    def turn(self) -> None:
        if self.executor is not None:
            self.executor.turn()
            if not self.refusals:
                self.world.oracle.halts.looked(self)

    def reach(self, point: Enum) -> None:
        """A named point of the product itself."""
        self.at(f"point {point.value}")

    def gone(self) -> None:
        if self.link is not None:
            self.link.alive = False
        self.executor = self.core = self.link = None

    def poll_interval(self) -> float:
        busy = self.core is not None and (not self.core.ready or bool(self.core.book.open()))
        return (1.0 if busy else 2.0) * self.world.pace

    def _account(self) -> Account:
        counter = self.world.counter
        return account_message(counter.account(), counter.day(), queried_at=self.clock.wall())
