"""A seeded world around the core: a folder, a worker, a broker, crashes, lost and doubled news.

``run_schedule(seed)`` plays one random interleaving, then lets the faults stop and checks the
invariants of the fault catalogue: I1, I2, I3, I5, I7. The broker keeps its own books, so what the core
believes is compared with what happened.
"""

from __future__ import annotations

import random
from collections import deque
from dataclasses import dataclass, field, replace

from shared_schema.clock import Moment
from shared_schema.ids import OrderId, SignalId, TradeId
from tests.execution.bench import OPEN_AT, Bench, envelope_of, limits_of, rules_of, signal_of
from windows_side.brokers.port import (
    FINAL_STATUSES,
    AccountAnswered,
    BrokerOrder,
    BrokerStatus,
    BrokerTrade,
    CancelReturned,
    Day,
    DayAnswered,
    OrderUpdate,
    Placed,
    Readiness,
    ReadinessChanged,
    SubmitOverran,
    SubmitReturned,
    SubmitTurnedBack,
    TradeUpdate,
    Unclear,
)
from windows_side.execution.actions import (
    Action,
    Archive,
    AskAccount,
    AskDay,
    CancelAtBroker,
    MoveToQuarantine,
    Submit,
)
from windows_side.execution.events import Event, FileSeen, ResumeTyped, TimePassed

STEPS = 60


class Crash(Exception):
    """The process dies here."""


@dataclass
class Counter:
    """The broker: what really happened."""

    orders: dict[OrderId, BrokerOrder] = field(default_factory=dict)
    trades: list[BrokerTrade] = field(default_factory=list)
    calls: dict[SignalId, int] = field(default_factory=dict)

    def live(self) -> list[BrokerOrder]:
        """Orders that have not ended."""
        return [order for order in self.orders.values() if order.status not in FINAL_STATUSES]

    def end(self, order: BrokerOrder) -> BrokerOrder:
        """Cancel what is open of an order."""
        status = BrokerStatus.PART_CANCELLED if order.filled_shares else BrokerStatus.CANCELLED
        self.orders[order.order_id] = ended = replace(order, status=status)
        return ended

    def filled_of(self, tag: str) -> int:
        """Shares traded under a tag."""
        return sum(trade.shares for trade in self.trades if trade.remark == tag)


class World(Bench):
    """A bench whose broker, folder and crashes are driven by one seeded generator."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.counter = Counter()
        self.jobs: deque[Action] = deque()
        self.news: list[Event] = []
        self.folder: dict[str, FileSeen] = {}
        self.dropped: set[SignalId] = set()
        self.crash = ""
        # An unlucky counter is what this world is about: only the count of unknowns must not end it early.
        limits = limits_of(unknowns_per_day=1000)
        super().__init__(rules_of(absence_is_proof=True, limits=limits), ready=False)
        self.quote()

    # The shell's part, which may die before or after its commit

    def _perform(self, actions: list[Action]) -> list[Action]:
        if self.crash == "before commit":
            raise Crash
        super()._perform(actions)
        if self.crash:
            raise Crash
        for action in actions:
            if isinstance(action, Submit):
                assert self.core.halt_since is None, "I7: a submit leaves under a halt"
            if isinstance(action, (Submit, CancelAtBroker, AskDay, AskAccount)):
                self.jobs.append(action)
            if isinstance(action, (Archive, MoveToQuarantine)):
                self.folder.pop(action.file_name, None)
        return actions

    # What may happen

    def step(self) -> None:
        """One thing happens."""
        self.now = Moment(self.now.wall + 0.01, self.now.market + 0.01)
        happen = self.random.choices(
            (self.drop_some, self.scan, self.work, self.deliver, self.act, self.wait, self.die, self.halts),
            weights=(3, 4, 8, 8, 4, 3, 1, 0.3),
        )[0]
        try:
            happen()
        except Crash:
            self.crash = ""
            self.reborn()

    def drop_some(self) -> None:
        """A new signal, a copy of an old one, one with other content, or a cancel."""
        number = self.random.randrange(6)
        kind = self.random.choice(("new", "new", "changed", "cancel"))
        signal_id = f"C_{number}" if kind == "cancel" else f"S_{number}"
        changes: dict[str, object] = {"timestamp": OPEN_AT, "layer_index": number}
        changes["shares"] = 100 * (number + (7 if kind == "changed" else 1))
        if kind == "cancel":
            changes |= {"action": "cancel", "target_signal_id": f"S_{number}"}
        seen = self.file(signal_of(signal_id, **changes), envelope_of())
        self.folder[seen.name.text] = seen
        self.dropped.add(SignalId(signal_id))

    def scan(self) -> None:
        """The shell looks at the folder; now and then it dies in the middle."""
        self.crash = self.random.choice(("", "", "", "", "before commit", "after commit"))
        for seen in list(self.folder.values()):
            self.tell(seen)
        self.crash = ""

    def work(self) -> None:
        """The worker makes its next call: submits and cancels first."""
        if not self.jobs:
            return
        first = next((job for job in self.jobs if isinstance(job, (Submit, CancelAtBroker))), self.jobs[0])
        self.jobs.remove(first)
        match first:
            case Submit():
                self.place(first)
            case CancelAtBroker(order_id):
                order = self.counter.orders[order_id]
                is_live = order.status not in FINAL_STATUSES
                self.news.append(CancelReturned(order_id, is_live))
                if is_live:
                    self.news.append(OrderUpdate(self.counter.end(order)))
            case AskDay():
                failed = self.random.random() < 0.2
                self.news.append(DayAnswered(None if failed else self.list(), self.now.wall))
            case _:
                self.news.append(AccountAnswered(self.account, self.now.wall))

    def place(self, submit: Submit) -> None:
        """The native call, or what prevents it; its answer may be lost."""
        request = submit.request
        row = self.ledger.order(request.signal_id)
        assert row is not None and row.calling_at, "I3: the native call without its durable mark"
        if self.core.halt_since is not None:
            self.news.append(SubmitTurnedBack(request.signal_id, "halt"))
            return
        self.counter.calls[request.signal_id] = self.counter.calls.get(request.signal_id, 0) + 1
        assert self.counter.calls[request.signal_id] == 1, "I1: submitted twice"
        outcome = self.random.choice(("placed", "placed", "placed", "late", "lost", "never"))
        if outcome == "never":
            self.news.append(SubmitReturned(request.signal_id, Unclear("no route")))
            return
        order_id = OrderId(str(len(self.counter.orders) + 1))
        order = BrokerOrder(
            order_id,
            request.code,
            request.direction,
            request.price,
            request.shares,
            0,
            BrokerStatus.REPORTED,
            request.tag,
        )
        self.counter.orders[order_id] = order
        self.news.append(OrderUpdate(order))
        if outcome != "placed":
            self.news.append(SubmitOverran(request.signal_id))
        if outcome != "lost":
            self.news.append(SubmitReturned(request.signal_id, Placed(order_id)))

    def list(self) -> Day:
        """What the counter shows now, whole."""
        return Day(tuple(self.counter.orders.values()), tuple(self.counter.trades))

    def deliver(self) -> None:
        """Some news arrives: any of it, perhaps twice; a push may be lost for ever."""
        if not self.news:
            return
        event = self.random.choice(self.news)
        fate = self.random.random()
        if fate < 0.75:
            self.news.remove(event)
        if fate < 0.1 and isinstance(event, (OrderUpdate, TradeUpdate, CancelReturned)):
            return
        self.tell(event)

    def act(self) -> None:
        """The market fills, or the counter ends, one order."""
        live = self.counter.live()
        if not live:
            return
        order = self.random.choice(live)
        if self.random.random() < 0.15:
            self.news.append(OrderUpdate(self.counter.end(order)))
            return
        open_shares = order.shares - order.filled_shares
        shares = min(open_shares, 100 * self.random.randrange(1, 4))
        filled = order.filled_shares + shares
        status = BrokerStatus.FILLED if filled == order.shares else BrokerStatus.PART_FILLED
        trade = BrokerTrade(
            TradeId(f"t{len(self.counter.trades)}"),
            order.order_id,
            order.code,
            order.direction,
            order.price,
            shares,
            remark=order.remark,
        )
        self.counter.trades.append(trade)
        self.counter.orders[order.order_id] = after = replace(order, filled_shares=filled, status=status)
        self.news += [TradeUpdate(trade), OrderUpdate(after)]

    def wait(self) -> None:
        """Some seconds pass."""
        seconds = self.random.choice((0.3, 1.1, 3.2, 20.0))
        self.now = Moment(self.now.wall + seconds, self.now.market + seconds)
        self.tell(TimePassed())

    def die(self) -> None:
        """The process is killed between two batches."""
        raise Crash

    def reborn(self) -> None:
        """A new process: what the old one had queued or was told is gone; the counter lives on."""
        self.jobs.clear()
        self.news.clear()
        self.restart(ready=False)
        self.quote()
        self.news += [
            ReadinessChanged(Readiness(True)),
            DayAnswered(self.list(), self.now.wall),
            AccountAnswered(self.account, self.now.wall),
        ]

    def halts(self) -> None:
        """Somebody halts, or resumes."""
        if self.core.halt_since is None:
            self.halt()
        else:
            self.tell(ResumeTyped("test", {}))

    # The end

    def finish(self) -> None:
        """Faults stop: everything that is live ends at the counter, and the news of it arrive."""
        self.tell(ResumeTyped("end", {}))
        self.tell(ReadinessChanged(Readiness(True)), AccountAnswered(self.account, self.now.wall))
        for _ in range(40):
            for order in self.counter.live():
                self.counter.end(order)
            self.now = Moment(self.now.wall + 3.1, self.now.market + 3.1)
            self.quote()
            while self.jobs:
                self.work()
            while self.news:
                self.tell(self.news.pop(0))
            self.tell(DayAnswered(self.list(), self.now.wall))
            for seen in list(self.folder.values()):
                self.tell(seen)

    def check(self) -> None:
        """I2 and I5 against the counter's own books."""
        assert self.core.halt_since is None, f"halted by itself: {self.core.halt_reason}"
        for signal_id in self.dropped:
            row = self.row(signal_id)
            if row.signal is not None and row.is_cancel and row.signal.target_signal_id not in self.dropped:
                continue  # kept until its order comes, or the day ends
            assert row.is_terminal, f"I2: {signal_id} never ended: {row.state}"
            assert row.filled_shares == self.counter.filled_of(row.tag or "-"), f"I5: {signal_id}"
            called = signal_id in self.counter.calls
            assert row.state != "not_placed" or not any(
                order.remark == row.tag for order in self.counter.orders.values()
            ), f"I4: {signal_id} said not placed and was (called: {called})"
            results = [result.revision for result in self.published if result.signal_id == signal_id]
            assert results == sorted(set(results)), "revisions rise"


def run_schedule(seed: int) -> World:
    """One schedule to its end; raises AssertionError where an invariant breaks."""
    world = World(seed)
    world.reborn()
    for _ in range(STEPS):
        world.step()
        reason = world.core.halt_reason
        assert "executor:" not in reason, f"halted by itself: {reason}"
    world.finish()
    world.check()
    return world
