"""The executor's hand at the broker: what is handed over, what is heard back, and the last look before.

Everything the broker pushes arrives here from any thread and waits in a queue for the
executor's turn. The guard is looked at in the worker's thread, directly before the native call.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Mapping
from typing import Protocol

from shared_schema.clock import Moment, ReplayFollower
from shared_schema.drop_folder import DropFolder
from shared_schema.errors import BrokerError, FolderError
from shared_schema.ids import Code, SignalId
from shared_schema.logs import Log
from shared_schema.messages import Quote, reads_as_halt
from shared_schema.points import Reach
from windows_side.brokers.port import (
    BrokerEvent,
    BrokerPort,
    OrderRequest,
    SubmitOverran,
    SubmitReturned,
    SubmitTurnedBack,
)
from windows_side.execution.actions import AskAccount, AskDay, CancelAtBroker, Submit
from windows_side.execution.core import ExecutorCore
from windows_side.execution.points import Point
from windows_side.execution.risk_gate import closed_state
from windows_side.execution.rules import Rules

MANY_OUT = 64
"""Submits without an answer above which answers are taken together, not each with a commit of its own."""
HANDED_OVER = 0.002
"""Seconds at most that the loop stands aside for a submit's thread; its call begins in a tenth of it."""


class FeedsMarket(Protocol):
    """A simulated broker, which knows the market by what it is fed."""

    def feed(self, quotes: Mapping[Code, Quote], now: Moment) -> None:
        """Match resting orders against new quotes."""


class BrokerHand:
    """Between one executor and its broker."""

    def __init__(
        self,
        folder: DropFolder,
        core: ExecutorCore,
        rules: Rules,
        clock: ReplayFollower,
        log: Log,
        wake: Callable[[], None],
        reach: Reach,
    ) -> None:
        self._folder = folder
        self._core = core
        self._rules = rules
        self._clock = clock
        self._log = log
        self._wake = wake
        self._reach = reach
        self._inbox: queue.SimpleQueue[BrokerEvent] = queue.SimpleQueue()
        self._looked = threading.Event()
        self._out: set[SignalId] = set()
        self._broker: BrokerPort | None = None
        self._market: FeedsMarket | None = None

    def attach(self, broker: BrokerPort, market: FeedsMarket | None) -> None:
        """Take hold of the broker, and of the market to feed where the broker is a simulated one."""
        self._broker = broker
        self._market = market

    @property
    def port(self) -> BrokerPort:
        """The broker; RuntimeError before ``attach``."""
        if self._broker is None:
            raise RuntimeError("attach a broker before the executor starts")
        return self._broker

    # Heard

    def heard(self, event: BrokerEvent) -> None:
        """The broker's sink: takes an event from any thread and wakes the loop."""
        if isinstance(event, SubmitReturned):
            self._reach(Point.AFTER_NATIVE_CALL)
        self._inbox.put(event)
        self._wake()

    def news(self) -> list[BrokerEvent]:
        """What was heard since the last call."""
        events: list[BrokerEvent] = []
        while True:
            try:
                events.append(self._inbox.get_nowait())
            except queue.Empty:
                break
        if events:
            self._reach(Point.BROKER_HEARD)
        for event in events:
            if isinstance(event, (SubmitReturned, SubmitTurnedBack, SubmitOverran)):
                self._out.discard(event.signal_id)
            if isinstance(event, SubmitReturned):
                self._say_latency(event)
        return events

    @property
    def has_many_out(self) -> bool:
        """Whether a backlog of submits waits for the broker: what is done besides can wait a moment."""
        return len(self._out) > MANY_OUT

    def _say_latency(self, event: SubmitReturned) -> None:
        order = self._core.book.get(event.signal_id)
        if order is not None and order.file_time and event.started_at:
            taken = round((event.started_at - order.file_time) * 1000, 3)
            self._log.say("info", "order_submitted", signal_id=event.signal_id, milliseconds=taken)

    # Handed over

    def perform(self, action: Submit | CancelAtBroker | AskDay | AskAccount) -> None:
        """Hand one action over; returns at once."""
        match action:
            case Submit(request, expires_at):
                self._looked.clear()
                self._out.add(request.signal_id)
                self.port.submit(request, lambda: self._guard(request.code, expires_at))
                self._reach(Point.AFTER_HANDING_ON)
            case CancelAtBroker(order_id):
                self._reach(Point.BEFORE_CANCEL)
                self.port.cancel(order_id)
            case AskDay():
                self._reach(Point.BEFORE_ASKING)
                self.port.ask_day()
            case AskAccount():
                self.port.ask_account()

    def let_go(self) -> None:
        """Stand aside until a submit's last look is done and its native call begins; soon go on anyway."""
        self._looked.wait(HANDED_OVER)

    def say_sent(self, request: OrderRequest) -> None:
        """Log a submit. After it was handed on: a line in the log costs as much as the worker's wake-up."""
        simulated = self._rules.mode == "simulate"
        self._log.say(
            "info",
            "simulated_order" if simulated else "order_sent",
            signal_id=request.signal_id,
            code=request.code,
            direction=request.direction,
            shares=request.shares,
            price=request.price,
            tag=request.tag,
        )

    def _guard(self, code: Code, expires_at: float) -> str | None:
        reason = self.stops(code, expires_at)
        if reason is None:
            self._reach(Point.BEFORE_NATIVE_CALL)
        self._looked.set()
        return reason

    def stops(self, code: Code, expires_at: float) -> str | None:
        """The guard, looked at in the worker directly before the native call: None to go on, else why not."""
        if self._core.halt_since is not None:
            return "halt"
        try:
            if any(
                reads_as_halt(raw, self._folder.key, name)[0] and not self._core.was_lifted(name, raw)
                for name, raw in self._folder.halts().items()
            ):
                return "halt"
        except FolderError:
            # Whether a halt lies there can't be known: the one safe answer is to place nothing.
            return "halt"
        now, rules = self._clock.now(), self._rules
        if now.wall > expires_at:
            return "expired"
        # An order can wait here while the link is down, over lunch or past the close.
        closed = closed_state(now.market, self._core.quote(code), rules)
        return None if closed is None else "outside_session"

    # The simulated market

    def feed_market(self, quotes: Mapping[Code, Quote]) -> None:
        """Let a simulated broker see new quotes."""
        if self._market is None:
            return
        try:
            self._market.feed(quotes, self._clock.now())
        except BrokerError as problem:
            # Nothing of that step happened; the next quote matches again.
            self._log.say("error", "market_not_fed", problem=problem)

    def is_without_market(self, code: Code) -> bool:
        """Whether a simulated order of ``code`` has nothing to match against: OFFLINE, or no fresh quote."""
        age = self._core.quote_age(code, self._clock.now())
        return self._rules.offline or age > self._rules.limits.max_quote_age_seconds
