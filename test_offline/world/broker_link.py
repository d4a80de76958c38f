"""The broker as the executor meets it: the asynchronous port of one process, with every way it can fail.

A link dies with its process; the ``Counter`` behind it lives on. ``Troubles`` says what goes wrong now.
"""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from shared_schema.ids import OrderId
from test_offline.world.counter import Counter
from test_offline.world.timeline import Killed, Timeline
from windows_side.brokers.port import (
    AccountAnswered,
    BrokerEvent,
    BrokerOrder,
    BrokerTrade,
    CancelReturned,
    Day,
    DayAnswered,
    Guard,
    OrderRequest,
    OrderUpdate,
    Placed,
    Readiness,
    ReadinessChanged,
    Refused,
    Sink,
    SubmitOverran,
    SubmitReturned,
    SubmitTurnedBack,
    TradeUpdate,
    Unclear,
)

SUBMIT_DEADLINE = 10.0


@dataclass(frozen=True)
class Personality:
    """What a broker promises."""

    name: str
    absence_is_proof: bool
    answers_complete: bool
    restarts_daily: bool = False
    """Until its restart in the morning its lists show the day before; then it counts its ids anew."""


SIMULATED = Personality("simulated", True, True)
QMT = Personality("qmt", False, False, True)


@dataclass
class Surroundings:
    """What a link asks of its world."""

    timeline: Timeline
    chance: random.Random
    counter: Counter
    personality: Personality
    trouble: Callable[[str], bool]
    """Whether a fault of this name happens to the next thing; counts it as seen."""
    seen: Callable[[str], None]
    """Told of a fault that had its effect by itself."""
    native_call: Callable[[OrderRequest], None]
    """Told directly before the broker is called."""
    point: Callable[[str], None]
    """A named point where the process may be killed."""
    allow_halt: Callable[[], None]
    """Told that the executor may halt by itself over what comes now."""
    wall: Callable[[], float]
    in_process: Callable[[Callable[[], None]], None]
    """Runs a step as part of the process: what kills it there, kills it."""


class BrokerLink:
    """Implements BrokerPort for one process."""

    def __init__(self, around: Surroundings, sink: Sink) -> None:
        self._a = around
        self._sink = sink
        self.absence_is_proof = around.personality.absence_is_proof
        self.answers_complete = around.personality.answers_complete
        self.alive = True
        self.ready = False
        self._waiting: deque[tuple[OrderRequest, Guard]] = deque()
        self._hung_submits = 0
        self._free_at = 0.0
        self._opened = 0

    # The port

    def start(self) -> None:
        """Open: ready after a moment."""
        self._later(self._a.chance.uniform(0.02, 0.8), self._open)

    def submit(self, request: OrderRequest, guard: Guard) -> None:
        """Queue the call; it is made when the worker is free and the link ready."""
        self._a.point("port.submit")
        self._waiting.append((request, guard))
        if self._a.chance.random() < 0.3:
            self._work()  # the worker was idle and quicker than the loop
        else:
            self._work_soon()

    def cancel(self, order_id: OrderId) -> None:
        """Ask to take an order back."""
        if not self.ready:
            self._say(CancelReturned(order_id, False, "no link"), 0.0)
            return
        self._later(self._a.chance.uniform(0.001, 0.1), lambda: self._cancel(order_id))

    def ask_day(self) -> None:
        """Query the day."""
        asked_at = self._a.wall()
        if not self.ready:
            self._say(DayAnswered(None, asked_at), 0.0)
            return
        self._later(self._a.chance.uniform(0.005, 0.2), self._answer_day)

    def ask_account(self) -> None:
        """Query asset and positions."""
        if not self.ready:
            self._say(AccountAnswered(None, self._a.wall()), 0.0)
            return
        self._later(self._a.chance.uniform(0.005, 0.2), self._answer_account)

    def check_deadlines(self) -> None:
        """While nothing can be placed the guards still end what waits."""
        if self.ready:
            return
        still: deque[tuple[OrderRequest, Guard]] = deque()
        for request, guard in self._waiting:
            reason = guard()
            if reason is None:
                still.append((request, guard))
            else:
                self._sink(SubmitTurnedBack(request.signal_id, reason))
        self._waiting = still

    def stop(self, at_most: float = 5.0) -> None:
        """Turn back what waits."""
        for request, _ in self._waiting:
            self._sink(SubmitTurnedBack(request.signal_id, "stopped"))
        self._waiting.clear()
        self.ready = False

    # What the world does to it

    def changed(self, order: BrokerOrder, trade: BrokerTrade | None) -> None:
        """The counter pushes: a trade and its order, each on its own way."""
        if not self.ready:
            return
        if trade is not None:
            self._push(TradeUpdate(trade))
        self._push(OrderUpdate(order))

    def disconnect(self, seconds: float) -> None:
        """The link falls, and comes back after ``seconds``."""
        if not self.ready:
            return
        self.ready = False
        self._sink(ReadinessChanged(Readiness(False, "terminal gone")))
        self._later(seconds, self._open)

    # Inside

    def _open(self) -> None:
        if not self.ready:
            self.ready = True
            self._opened += 1
            self._sink(ReadinessChanged(Readiness(True)))
            for _ in range(max(1, len(self._waiting))):
                self._work_soon()

    def _work_soon(self) -> None:
        now = self._a.timeline.now
        self._free_at = max(self._free_at, now) + self._a.chance.uniform(0.0005, 0.02)
        self._later(self._free_at - now, self._work)

    def _work(self) -> None:
        if not self.ready or not self._waiting:
            return
        request, guard = self._waiting.popleft()
        reason = guard()
        if reason is not None:
            self._sink(SubmitTurnedBack(request.signal_id, reason))
            return
        started_at = self._a.wall()
        self._a.native_call(request)
        try:
            self._a.point("native.before")
        except Killed:
            # A real terminal is another process: what was handed to it may still become an order.
            if not self.absence_is_proof and self._a.chance.random() < 0.5:
                self._a.timeline.after(self._a.chance.uniform(0.1, 6.0), lambda: self._outlives(request))
            raise
        self._native(request, started_at)

    def _native(self, request: OrderRequest, started_at: float) -> None:
        """The call itself, with what may become of it."""
        a = self._a

        def returned(answer: Any, delay: float | None = None) -> None:
            wait = a.chance.uniform(0.001, 0.1) if delay is None else delay
            self._say(SubmitReturned(request.signal_id, answer, started_at), wait)

        if a.trouble("call_hangs"):
            self._hang(request, returned)
        elif a.trouble("times_out_placed"):
            self._place(request)
            self._say(SubmitOverran(request.signal_id), SUBMIT_DEADLINE)
            if a.chance.random() < 0.5:
                order_id = self._newest(request)
                returned(Placed(order_id), SUBMIT_DEADLINE + a.chance.uniform(0.1, 10.0))
        elif a.trouble("times_out_not_placed"):
            self._say(SubmitOverran(request.signal_id), SUBMIT_DEADLINE)
        elif a.trouble("bad_return"):
            if a.chance.random() < 0.5:
                self._place(request)
            returned(Unclear(a.chance.choice(("-1", "None", "0", "order error", "BrokerError: boom"))))
        elif a.trouble("wrong_order_id"):
            others = [order_id for order_id in a.counter.orders if a.counter.true_tags.get(order_id)]
            self._place(request)
            a.allow_halt()
            returned(Placed(a.chance.choice(others) if others else OrderId("777")))
        elif self.answers_complete and a.trouble("refused_for_sure"):
            returned(Refused("no_money", "可用资金不足"))
        else:
            order = self._place(request)
            if a.trouble("rejected_after_accept"):
                self._later(a.chance.uniform(0.1, 3.0), lambda: a.counter.reject(order, "交易所拒单"))
            if not a.trouble("return_lost"):
                returned(Placed(order.order_id))
            else:
                self._say(SubmitOverran(request.signal_id), SUBMIT_DEADLINE)

    def _place(self, request: OrderRequest) -> BrokerOrder:
        a = self._a
        remark = None
        if not self.answers_complete and a.trouble("remark_altered"):
            remark = a.chance.choice(("", request.tag[:12], "策略" + request.tag[:9]))
        order = a.counter.place(request, remark=remark)
        a.timeline.after(a.chance.uniform(0.01, 1.0), lambda: a.counter.match(order.order_id))
        a.point("native.after")
        return order

    def _outlives(self, request: OrderRequest) -> None:
        order = self._a.counter.place(request)
        self._a.timeline.after(0.5, lambda: self._a.counter.match(order.order_id))

    def _newest(self, request: OrderRequest) -> OrderId:
        return self._a.counter.of_tag(request.tag)[-1].order_id

    def _hang(self, request: OrderRequest, returned: Callable[..., None]) -> None:
        a = self._a
        self._hung_submits += 1
        outcome, late = a.chance.choice(("before", "after", "never")), a.chance.uniform(11.0, 30.0)
        if outcome == "before":
            self._place(request)

        def report() -> None:
            self.ready = False
            self._sink(SubmitOverran(request.signal_id))
            self._sink(ReadinessChanged(Readiness(False, "call hung")))
            self._later(a.chance.uniform(0.5, 2.0), self._open)

        if outcome == "after" and not self.absence_is_proof:
            a.timeline.after(late - 0.01, lambda: self._outlives(request))

        def end() -> None:
            self._hung_submits -= 1
            if outcome == "after" and self.absence_is_proof:
                self._place(request)
            if outcome != "never":
                returned(Placed(self._newest(request)))
            else:
                returned(Unclear("broke off"))

        self._later(SUBMIT_DEADLINE, report)
        self._later(late, end)

    def _cancel(self, order_id: OrderId) -> None:
        a = self._a
        if a.trouble("fills_during_cancel"):
            a.counter.match(order_id)
        if a.trouble("cancel_refused"):
            self._say(CancelReturned(order_id, False, "废单"))
            return
        self._say(CancelReturned(order_id, a.counter.cancel(order_id)))

    def _answer_day(self) -> None:
        a = self._a
        asked_at, day = a.wall(), a.counter.day()
        if a.trouble("query_fails") or (self.absence_is_proof and self._hung_submits):
            self._say(DayAnswered(None, asked_at))
            return
        if not self.answers_complete:
            if a.trouble("empty_lists"):
                day = Day((), ())
            elif a.trouble("partial_list"):
                orders = tuple(order for order in day.orders if a.chance.random() < 0.5)
                trades = tuple(trade for trade in day.trades if a.chance.random() < 0.5)
                day = Day(orders, trades)
            elif a.trouble("stale_list"):
                day = Day(tuple(_older(order) for order in day.orders), ())
        a.point("day.answered")
        self._say(DayAnswered(day, asked_at))

    def _answer_account(self) -> None:
        a = self._a
        answer = None if a.trouble("query_fails") else a.counter.account()
        self._say(AccountAnswered(answer, a.wall()))

    def _push(self, event: BrokerEvent) -> None:
        a = self._a
        if a.trouble("push_lost"):
            return
        delay = a.chance.uniform(0.001, 0.05)
        if a.trouble("push_out_of_order"):
            delay = a.chance.uniform(0.0, 2.0)
        opened = self._opened

        def arrive() -> None:
            if self._opened != opened:
                a.seen("old_connection")
            self._sink(event)

        self._later(delay, arrive)
        if a.trouble("push_doubled"):
            self._say(event, delay + a.chance.uniform(0.0, 3.0))

    def _say(self, event: BrokerEvent, delay: float | None = None) -> None:
        if delay == 0.0:
            self._sink(event)
            return
        self._later(
            self._a.chance.uniform(0.001, 0.05) if delay is None else delay, lambda: self._sink(event)
        )

    def _later(self, delay: float, act: Callable[[], None]) -> None:
        def run() -> None:
            if self.alive:
                self._a.in_process(act)

        self._a.timeline.after(delay, run)


def _older(order: BrokerOrder) -> BrokerOrder:
    # As it stood when it was reported: a list from a cache.
    return replace(order, filled_shares=0, status=50)
