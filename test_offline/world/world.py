"""The world of one schedule: everything put together, driven by one seed."""

from __future__ import annotations

import random
from collections import Counter as Counts
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import orjson

from shared_schema.clock import Moment, Stamper
from shared_schema.drop_folder.names import QUOTE
from shared_schema.ids import Epoch, InstanceId
from shared_schema.messages import Account, AccountSnapshot, MinuteBars, Quote, QuoteSnapshot, encode
from shared_schema.sessions import SessionState, state_at, trading_day_of
from shared_schema.settings_sections import Limits
from test_offline.world.counter import CODE, START_TICKS, Counter
from test_offline.world.executor_host import ACCOUNT, ExecutorHost
from test_offline.world.faults import fault_of
from test_offline.world.host import RUNTIME, Host, chance_of
from test_offline.world.oracle import Oracle
from test_offline.world.plan import Injection, Plan
from test_offline.world.strategy_host import CALENDAR, StrategyHost
from test_offline.world.sync import ROOT, SyncEngine
from test_offline.world.timeline import Timeline
from windows_side.brokers.account_message import account_message
from windows_side.execution.halt_latch import digests_of
from windows_side.execution.rules import Rules

CONTROL = f"{ROOT}/control"
INSTANCE = InstanceId("sim-00000001")
QUOTE_INTERVAL = 5.0
SETTLE = 260.0
"""Seconds after the last fault by which everything must have ended (I10)."""


class World:
    """Build it with a plan and ``run`` it; a broken invariant raises Violation."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.timeline = Timeline(plan.start)
        self.chance: random.Random = chance_of(plan.seed, "world")
        self.trace: list[str] = []
        self.fired: Counts[str] = Counts()
        self._ends: list[Callable[[], object]] = []
        self.on: dict[str, float] = {}
        """Faults that now happen by chance, with their probability."""
        self.healed = False
        self.pace = plan.pace
        """As the plan's; slower still at night."""
        self.market_open = True
        self.oracle = Oracle(self)
        self.counter = Counter(chance_of(plan.seed, "market"), self._broker_tells)
        limits = Limits(
            orders_per_second=plan.orders_per_second, orders_per_day=plan.orders_per_day, waiting=10
        )
        self.rules = Rules(
            mode=plan.mode,
            account=ACCOUNT,
            instance=INSTANCE,
            calendar=CALENDAR,
            limits=limits,
            enforce_sessions=plan.enforce_sessions,
            needs_quote=plan.mode == "live",
            allow_version_1=plan.mode == "simulate",
            final_read=0.0 if plan.personality.answers_complete else 2.0,
            absence_is_proof=plan.personality.absence_is_proof,
            red_after=plan.red_after,
        )
        self.executor = ExecutorHost(self, "E", plan.drifts[0], instance=INSTANCE, rules=self.rules)
        self.strategy = StrategyHost(self, "S", plan.drifts[1])
        self.clones: list[ExecutorHost] = []
        self.has_unaddressed = False
        """Whether a signal was dropped that names no executor and is taken all the same."""
        self.hosts: dict[str, Host] = {"E": self.executor, "S": self.strategy}
        disks = {"S": self.strategy.disk, "E": self.executor.disk}
        self.sync = SyncEngine(self.timeline, chance_of(plan.seed, "sync"), plan.tool, disks)  # type: ignore[arg-type]
        self.executor.disk.changed.append(self.oracle.halts.disk_changed)
        self._quotes = Stamper("producer@windows", Epoch("producer"), plan.mode, ACCOUNT)
        self._bars: list[tuple[float, float]] = []

    def add_clone(self, instance: InstanceId) -> None:
        """A second executor process in the executor's folder, with another instance and its own ledger."""
        rules = replace(self.rules, instance=instance)
        clone = ExecutorHost(self, "E", instance=instance, rules=rules, runtime="/clone")
        clone.share(self.executor)
        self.clones.append(clone)
        clone.start()

    # What happened

    def say(self, who: str, text: str) -> None:
        """A line of the trace."""
        self.trace.append(f"{self.timeline.now - self.timeline.start:9.4f} {who} {text}")

    def seen(self, fault: str) -> None:
        """A fault had its effect."""
        self.fired[fault] += 1

    def trouble(self, fault: str) -> bool:
        """Whether a fault that is on happens to the next thing."""
        probability = self.on.get(fault)
        if probability is None or self.chance.random() >= probability:
            return False
        self.fired[fault] += 1
        self.say("!", fault)
        return True

    # The run

    def run(self) -> None:
        """Play the plan to its end. Raises Violation."""
        plan, time = self.plan, self.timeline
        self.begin()
        time.run_until(plan.start + plan.seconds)
        self._heal()
        end, quiet = time.now + SETTLE, 0
        while time.now < end:
            time.run_until(time.now + 4.0)
            end += self._pass_the_break()
            self.oracle.strategy.check()
            quiet = quiet + 1 if self._strategy_rests() and self.oracle.is_settled() else 0
            if quiet == 2:
                break
            self.operator_resumes()
        self.oracle.check_end()

    def begin(self) -> None:
        """Everything starts, and faults have their times."""
        plan, time = self.plan, self.timeline
        self._producer()
        time.after(0.1, self.executor.start)
        time.after(0.3, self.strategy.start)
        for injection in plan.injections:
            time.after(injection.at, lambda injection=injection: self._begin(injection))  # type: ignore[misc]

    def _pass_the_break(self) -> float:
        """Where the exchange takes no cancels, nothing can end before it does again; seconds skipped."""
        time, before = self.timeline, self.timeline.now
        state = state_at(before, CALENDAR)
        midnight = before - (before + 8 * 3600) % 86_400
        if self.plan.enforce_sessions and state is SessionState.LUNCH:
            time.skip(midnight + 13 * 3600)
        elif self.plan.enforce_sessions and state is SessionState.CLOSING_CALL:
            self.counter.close()
            time.skip(midnight + 15 * 3600 + 301)
        return time.now - before

    def _begin(self, injection: Injection) -> None:
        if self.healed:
            return
        self.say("!", f"{injection.fault} for {injection.seconds:.1f}")
        chance = random.Random(injection.draw)
        end = fault_of(injection.fault).begin(self, injection, chance)
        if end is not None:
            self.timeline.after(injection.seconds, lambda: None if self.healed else end())
            self._ends.append(end)

    def _heal(self) -> None:
        """Faults stop: what was on goes off, machines come back, clocks are set."""
        self.strategy.wishes.clear()
        self.end_faults()
        self.healed = True

    def end_faults(self) -> None:
        """What was on goes off; others may begin after it."""
        self.say("!", "heal")
        for end in self._ends:
            end()
        self._ends.clear()
        self.on.clear()
        for host in [*self.hosts.values(), *self.clones]:
            host.dooms.clear()
            host.refusals.clear()
            host.frozen_until = 0.0
            host.watcher_dead = False
            host.clock.set_right()
            host.disk.twist = None
        for clone in self.clones:
            clone.retire()
        self.sync.slow = self.sync.partial = 0.0
        self.sync.mend()
        self.operator_resumes()

    def operator_resumes(self) -> None:
        """A person lifts what halts stand, on both sides, and clears the halt files away."""
        core = self.executor.core
        state = self.strategy.core.state if self.strategy.core is not None else None
        halted = (core is not None and core.halt_since is not None) or (state is not None and state.halted)
        if not halted:
            return
        for host in self.hosts.values():
            for name in host.disk.names(f"{ROOT}/control"):
                if name.casefold().startswith("halt"):
                    host.disk.drop(f"{ROOT}/control", name)
        self.type_resume()
        self.tell_strategy("resume")
        for halt in state.halts if state is not None else ():
            # One that the executor never saw: its own writer lifts it now, a person only in some seconds.
            at = self.strategy.clock.wall()
            lifted = {"halt": False, "reason": "looked at it", "by": "person@x", "at": at}
            if not halt.name.startswith("halt.dashboard"):
                self.strategy.disk.put(f"{ROOT}/control", halt.name, orjson.dumps(lifted))

    def _strategy_rests(self) -> bool:
        """The grid would go on for ever: a person pauses it. Whether nothing new is sent any more."""
        core = self.strategy.core
        if self.plan.strategy != "grid" or (core is not None and core.state.paused):
            return True
        self.tell_strategy("pause")
        return False

    def type_resume(self) -> None:
        """``miniqmt resume`` at the executor's own keyboard."""
        self.oracle.halts.resumed()
        at = self.executor.clock.wall()
        shown = {name: self.executor.disk.peek(CONTROL, name) for name in self.executor.disk.names(CONTROL)}
        halts = digests_of({name: inode.data for name, inode in shown.items() if inode is not None})
        body = {"kind": "resume", "reason": "looked at it", "by": "operator", "at": at, "halts": halts}
        folder = f"{RUNTIME}/executor_commands"
        self.executor.disk.make_folder(Path(folder))
        name = f"{int(at * 1e9):020d}-00.json"
        self.executor.disk.put(folder, name, orjson.dumps(body), durable=True)

    def tell_strategy(self, kind: str) -> None:
        """A key pressed at the dashboard's screen."""
        at = self.strategy.clock.wall()
        body = {"kind": kind, "argument": "operator", "at": at, "by": "screen@mac"}
        name = f"{int(at * 1000):015d}-{kind}-0000.json"
        self.strategy.disk.put(f"{RUNTIME}/commands", name, orjson.dumps(body), durable=True)

    # The market

    def _broker_tells(self, order, trade) -> None:  # type: ignore[no-untyped-def]
        detail = f" trade {trade.trade_id} {trade.shares}" if trade is not None else ""
        self.say(
            "B", f"order {order.order_id} {int(order.status)} {order.filled_shares}/{order.shares}{detail}"
        )
        for host in (self.executor, *self.clones):
            if host.link is not None:
                host.link.changed(order, trade)

    def _producer(self) -> None:
        """Quotes and, in live, the account: another process on the executor's host."""
        if self.market_open:
            self.counter.step()
            if not self.trouble("quotes_stop"):
                self.write_quote()
        else:
            self._write_account(self.executor.clock.wall())
        self.timeline.after(QUOTE_INTERVAL * self.pace, self._producer)

    def write_quote(self) -> None:
        """The market as it stands, and in live the account."""
        wall = self.executor.clock.wall()
        now = Moment(wall, wall)
        price = self.counter.price
        quote = Quote(
            price=price,
            pre_close=START_TICKS / 1000,
            bid=(round(price - 0.001, 3),),
            ask=(round(price + 0.001, 3),),
            status="trading",
            tick_time=self.timeline.now,
        )
        if self.trouble("quotes_odd"):
            quote = quote.model_copy(update={"price": 0.0})
        body = QuoteSnapshot(
            code=CODE, price=price, quotes={CODE: quote}, bars=self._minute_bars(wall, price)
        )
        self.executor.disk.put(ROOT, QUOTE, encode(self._quotes.next(now, trading_day_of(wall)), body))
        self._write_account(wall)

    def _write_account(self, wall: float) -> None:
        """As the lists stand, by night too; in simulate the executor writes it itself."""
        if self.plan.mode != "live":
            return
        account = account_message(self.counter.account(), self.counter.day(), queried_at=wall)
        shown = account if self._complete() else Account(complete=False)
        snapshot = AccountSnapshot(accounts={ACCOUNT: shown})
        stamp = self._quotes.next(Moment(wall, wall), trading_day_of(wall))
        self.executor.disk.put(ROOT, "account_snapshot.json", encode(stamp, snapshot))

    def _complete(self) -> bool:
        return not self.trouble("snapshot_incomplete")

    def _minute_bars(self, wall: float, price: float) -> dict:  # type: ignore[type-arg]
        if self.plan.strategy != "grid":
            return {}
        end = wall // 60 * 60
        if not self._bars:
            # A quiet past, so that the price's first steps away from it are reasons to trade.
            self._bars = [(end - 60 * back, START_TICKS / 1000) for back in range(99, -1, -1)]
        if end > self._bars[-1][0]:
            self._bars.append((end, price))
        ends, closes = zip(*self._bars, strict=True)
        around = tuple(close + 0.001 for close in closes), tuple(close - 0.001 for close in closes)
        bars = MinuteBars(
            time=ends, open=closes, high=around[0], low=around[1], close=closes, volume=(1e6,) * len(ends)
        )
        return {CODE: bars}
