"""The oracle: the invariants of faults.md, checked at every step that could break them, and at the end.

It knows what really happened (the counter's books, the native calls, the true time), and holds the
product's words against it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from shared_schema.errors import MiniqmtError
from shared_schema.ids import InstanceId, SignalId
from shared_schema.messages.result import TERMINAL_STATES
from shared_schema.sessions import final_list_at, may_place, state_at
from test_offline.world.standing_halts import StandingHalts
from test_offline.world.strategy_check import StrategyCheck
from test_offline.world.sync import ROOT
from test_offline.world.violation import fail
from windows_side.brokers.port import BrokerStatus, OrderRequest
from windows_side.execution.halt_latch import OWN
from windows_side.execution.ledger import HALT, Change
from windows_side.execution.order import Order

if TYPE_CHECKING:
    from test_offline.world.executor_host import ExecutorHost
    from test_offline.world.world import World

UNKNOWN_A_DAY = 3
"""So many unknown orders halt the account (I13)."""
LIES_ABOUT_IDS = ("wrong_order_id", "remark_altered")
"""Faults without which every order id that the broker answers is true."""
NEVER_AT_BROKER = frozenset({"rejected", "expired", "not_placed"})


class Oracle:
    """Watches one world."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.halts = StandingHalts(world)
        self.strategy = StrategyCheck(world)
        self.calls: dict[SignalId, int] = {}
        self.rows: dict[SignalId, Order] = {}
        """What became of each signal: as our executor's ledger says, of others' signals as theirs do."""
        self._ledgers: dict[InstanceId, dict[SignalId, Order]] = {}
        self.said_unknown: set[str] = set()
        self.said_impossible: set[str] = set()
        """Orders of which something was reported that can't be: halted, and a person's to settle."""
        self.forbidden: dict[str, str] = {}
        """Signal ids that must never reach the broker, and why."""
        self.expected: set[str] = set()
        """Whole signals of scripts: each that still lies in the folder is to be answered."""
        self.pairs: list[frozenset[str]] = []
        """Sets of ids of which at most one may reach the broker (duplicate intents)."""
        self.expects_halt = False
        """A fault was injected upon which the executor must halt by itself."""
        self.allows_halt = False
        """A fault was injected upon which it may."""
        self.foreign = False
        """Others traded in the account: cash and shares are not ours alone."""
        self.stops: list[tuple[str, str]] = []
        self.may_stop: set[str] = set()
        """Sides whose disk refused something: their process may have stopped itself."""
        self.halted_itself = False
        self._call_times: list[float] = []
        self._clock_jumped = False
        self.a_clock_was_set = False
        """Whether a fault set either host's clock: a deadline then means one thing before, another after."""

    # The broker is about to be called

    def native_call(self, host: ExecutorHost, request: OrderRequest) -> None:
        """I1, I3, I6, I7 and expiry, at the last possible moment."""
        world, identity = self._world, request.signal_id
        now, wall = world.timeline.now, host.clock.wall()
        world.say(host.side, f"native {identity} {request.direction} {request.shares} @{request.price}")
        self.calls[identity] = self.calls.get(identity, 0) + 1
        if self.calls[identity] > 1:
            fail("I1", f"{identity} submitted {self.calls[identity]} times")
        if identity in self.forbidden:
            fail("I1", f"{identity} must never be submitted: {self.forbidden[identity]}")
        for pair in self.pairs:
            called = sorted(one for one in pair if one in self.calls)
            if len(called) > 1:
                fail("I1", f"duplicate intents both submitted: {called}")
        row = host.ledger_file.order(identity)
        if (
            row is None
            or not row.intent_at
            or not row.calling_at
            or row.state not in ("submitted", "unknown")
        ):
            fail("I3", f"{identity} called without durable INTENT and CALLING: {row and row.state}")
            return
        signal = row.signal
        if signal is None or (signal.code, signal.direction, signal.shares, signal.price) != (
            request.code, request.direction, request.shares, request.price,
        ):  # fmt: skip
            fail("I1", f"{identity} called with other contents than recorded")
            return
        if signal.executor is not None and signal.executor != host.instance:
            fail("I1", f"{identity} is addressed to {signal.executor}, called by {host.instance}")
        for name, age in self.halts.overlooked(now):
            fail("I7", f"{identity} called {age:.2f} s after {name}")
        # The executor corrects its clock by what it knows of the writer's: late by every clock is late.
        late = min(wall, now, world.strategy.clock.wall()) - signal.deadline
        # What is proven of the skew lags behind a clock that was just set.
        if late > 0 and not self.a_clock_was_set:
            fail("I6", f"{identity} called {late:.2f} s after it expired")
        self._check_limits(host, request, now, wall)

    def _check_limits(self, host: ExecutorHost, request: OrderRequest, now: float, wall: float) -> None:
        world, limits, plan = self._world, self._world.rules.limits, self._world.plan
        notional = request.shares * request.price
        buys = request.direction == "BUY"
        account = world.counter.account()
        most, odd = limits.max_buy_yuan if buys else limits.max_sell_yuan, request.shares % 100
        # An odd rest leaves whole, or not at all; what another hand does meanwhile nobody knows.
        whole = not odd or (not buys and (self.foreign or odd == account.positions[0].can_use_volume % 100))
        if request.code not in limits.allow_list or not whole or notional > most:
            fail("I6", f"{request.signal_id}: {request.code} {request.shares} {notional:.0f} yuan")
        # Without a fresh quote a simulating executor knows no daily limits (fault 66).
        off_limits = plan.mode == "live" and not 0.9 < request.price < 1.2
        if abs(round(request.price * 1000) - request.price * 1000) > 1e-6 or off_limits:
            fail("I6", f"{request.signal_id}: price {request.price}")
        if not self.foreign and buys and notional > account.asset.cash:
            fail("I6", f"{request.signal_id}: {notional:.0f} yuan of {account.asset.cash:.0f}")
        if not self.foreign and not buys and request.shares > account.positions[0].can_use_volume:
            fail("I6", f"{request.signal_id}: sells {request.shares} shares that may not be sold")
        if plan.enforce_sessions and not self._clock_jumped:
            states = {state_at(wall - back, world.rules.calendar) for back in (0.0, 2.0)}
            if not any(may_place(state) for state in states):
                fail("I6", f"{request.signal_id}: outside the session ({states})")
        self._call_times.append(now)
        if len(self._call_times) > limits.orders_per_day:
            fail("I6", f"{len(self._call_times)} orders on a day of {limits.orders_per_day}")

    # The ledger has taken a change

    def committed(self, host: ExecutorHost, change: Change) -> None:
        """I4, I5 and the order's life, against what the broker really has."""
        self.halted_itself |= any(
            name.startswith(OWN) for name in change.meta.get(HALT, {}).get("active", ())
        )
        rows = self._ledgers.setdefault(host.instance, {})
        ours = self._ledgers.get(self._world.executor.instance, {})
        for row in change.orders:
            before = rows.get(row.signal_id)
            rows[row.signal_id] = row
            if rows is ours or row.signal_id not in ours:
                # Two executors, a ledger each: both refuse a signal that is addressed to nobody.
                self.rows[row.signal_id] = row
            self._world.say(
                host.side, f"ledger {row.signal_id} {row.state} r{row.revision} {row.filled_shares}"
            )
            if before is not None:
                self._check_step(before, row)
            self._check_truth(row)

    def _check_step(self, before: Order, row: Order) -> None:
        identity = row.signal_id
        if before.digest != row.digest:
            fail("I1", f"{identity} changed its contents")
        if row.revision <= before.revision:
            fail("I2", f"{identity}: revision {before.revision} then {row.revision}")
        if row.filled_shares < before.filled_shares:
            fail("I5", f"{identity}: fills fell from {before.filled_shares} to {row.filled_shares}")
        if before.state in TERMINAL_STATES:
            late = row.state in TERMINAL_STATES and row.filled_shares > before.filled_shares
            if row.state != before.state and not late:
                fail("I2", f"{identity}: ended as {before.state}, then {row.state}")
        if before.state == "unknown" and row.state in NEVER_AT_BROKER:
            turned_back, now = identity not in self.calls, self._world.timeline.now
            # A day that has truly ended has a final list, which proves it (I4): the truth is looked at below.
            final = row.state == "not_placed" and now >= final_list_at(now)
            if not (turned_back or final or self._world.rules.absence_is_proof):
                fail("I4", f"{identity}: unknown became {row.state} without proof")

    def _check_truth(self, row: Order) -> None:
        counter, identity = self._world.counter, row.signal_id
        orders = counter.of_tag(row.tag) if row.tag else []
        if row.state in NEVER_AT_BROKER and orders:
            fail("I4", f"{identity} said {row.state}, yet order {orders[0].order_id} exists")
        if row.state in TERMINAL_STATES and any(not order.is_final for order in orders):
            fail("I2", f"{identity} ended as {row.state}, yet its order lives")
        if row.state == "refused_by_broker" and any(order.status != BrokerStatus.JUNK for order in orders):
            fail("I4", f"{identity} said refused, yet its order is {orders[0].status}")
        ids = [trade.trade_id for trade in row.trades]
        if len(set(ids)) != len(ids):
            fail("I5", f"{identity}: a trade counted twice")
        real = {trade.trade_id: trade for trade in counter.trades_of_tag(row.tag)} if row.tag else {}
        for trade in row.trades:
            true = real.get(trade.trade_id)
            if true is None or (true.shares, true.price) != (trade.shares, trade.price):
                fail("I5", f"{identity}: trade {trade.trade_id} is not one of its order's")
        if self.expects_halt:
            return
        if not (row.broker_status or row.trades):
            return  # the call's answer alone: nothing is booked, settled or cancelled by it yet
        that_day = counter.book_of(row.trading_day).orders
        anothers = row.order_id in that_day and row.order_id not in {one.order_id for one in orders}
        if anothers and (orders or row.is_terminal):
            fail("I4", f"{identity} adopted order {row.order_id}, which is another's")

    # What the processes say

    def said(self, side: str, level: str, action: str, fields: dict[str, Any]) -> None:
        """A line of a log."""
        if action == "impossible_event":
            self.said_impossible.add(str(fields.get("signal_id")))
        if action == "order_unknown":
            self.said_unknown.add(str(fields.get("signal_id")))
        if action == "order_id_of_another" and not any(self._world.fired[one] for one in LIES_ABOUT_IDS):
            fail("I4", f"{fields.get('signal_id')}: its own order id {fields.get('order_id')} was doubted")
        if action == "halted" and side == "E":
            reason = str(fields.get("reason"))
            by_itself = any(part.strip().startswith("executor:") for part in reason.split(";"))
            self.halted_itself |= by_itself
            may_halt = self.expects_halt or self.allows_halt
            if by_itself and not may_halt and len(self.said_unknown) < UNKNOWN_A_DAY:
                fail("I9", f"halted by itself: {reason}")

    def stopped_itself(self, side: str, problem: MiniqmtError) -> None:
        """A process ended with an error: only where its disk gave it reason to."""
        self.stops.append((side, problem.key))
        if side not in self.may_stop:
            fail("I8", f"{side} stopped by itself: {problem.key} {problem.values}")

    def expect_halt(self) -> None:
        """What can't be is about to be said: the executor must halt, and a person looks."""
        self.expects_halt = True

    def allow_halt(self) -> None:
        """What is about to be said may be taken for what can't be."""
        self.allows_halt = True

    def clock_jumped(self) -> None:
        """The executor's clock was changed: session checks by its clock mean nothing now."""
        self._clock_jumped = True

    # The end

    def new_day(self) -> None:
        """What is counted by the day begins anew."""
        self._call_times.clear()
        self.said_unknown.clear()

    def is_settled(self) -> bool:
        """Whether nothing more is expected to happen."""
        return not self._open()

    def _open(self) -> list[str]:
        world = self._world
        executor, strategy = world.executor.core, world.strategy.core
        if executor is None or strategy is None or not executor.ready:
            return [f"not running: {executor and executor.waits_for}, {strategy is not None}"]
        left = [row for row in self.rows.values() if not self._is_left_behind(row)]
        found = [f"{row.signal_id} is {row.state}" for row in left if not self._has_ended(row)]
        found += [
            f"{identity} lies unread" for identity in sorted(self.expected) if self._lies_unread(identity)
        ]
        for entry in strategy.state.outbox.entries:
            row = self.rows.get(entry.signal_id)
            if row is None:
                found.append(f"{entry.signal_id} never reached the ledger")
            elif not entry.settled and row.is_terminal:
                found.append(f"{entry.signal_id}: {row.state} did not reach the books")
            elif entry.settled and entry.intention.applied_shares != row.filled_shares:
                found.append(
                    f"{entry.signal_id}: {entry.intention.applied_shares} applied of {row.filled_shares}"
                )
        if strategy.state.halted and not self.expects_halt:
            found.append("the strategy is halted")
        if executor.halt_since is not None and not self.expects_halt:
            found.append(f"executor halted: {executor.halt_reason}")
        return found

    def _is_left_behind(self, row: Order) -> bool:
        """Known only to a second executor that was sent away: ours told of a foreign hand and halted."""
        ours = self._ledgers.get(self._world.executor.instance, {})
        away = [clone for clone in self._world.clones if clone.retired]
        return row.signal_id not in ours and any(
            row.signal_id in self._ledgers.get(clone.instance, {}) for clone in away
        )

    def _lies_unread(self, identity: str) -> bool:
        lies = self._world.executor.disk.peek(ROOT, f"order_signal_{identity}.json") is not None
        return lies and SignalId(identity) not in self.rows

    def _has_ended(self, row: Order) -> bool:
        if row.is_terminal:
            orders = self._world.counter.of_tag(row.tag) if row.tag else []
            traded = sum(o.filled_shares for o in orders)
            return traded == row.filled_shares or self.expects_halt
        if row.is_cancel and row.signal is not None and row.signal.target_signal_id is not None:
            target = self.rows.get(row.signal.target_signal_id)
            return target is None or (not target.is_terminal and self._has_ended(target))
        persons = row.signal_id in self.said_impossible and self.halted_itself
        return persons or self._may_stay_unknown(row) or self.expects_halt

    def _may_stay_unknown(self, row: Order) -> bool:
        """Unknown for good: nothing the broker shows can settle it, and a person was told."""
        if row.state != "unknown" or self._world.rules.absence_is_proof:
            return False
        that_day = self._world.counter.book_of(row.trading_day).orders
        shown = any(order.remark == row.tag for order in that_day.values())
        return not shown and row.signal_id in self.said_unknown

    def check_end(self) -> None:
        """I2, I5, I10 and I12 after everything healed."""
        left = self._open()
        if left:
            fail("I10", "; ".join(left[:5]))
        self.strategy.check(again=True)
        if self.expects_halt and not self.halted_itself:
            fail("I9", "the impossible was said and the executor did not halt")
        self.strategy.check_memory()
        for identity in self.forbidden:
            row = self.rows.get(SignalId(identity))
            if row is not None and row.filled_shares:
                fail("I1", f"{identity} was never to be executed and has fills")
