"""What a contract case is given: a broker port, its events, and a hand in the world outside it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Protocol, TypeVar

from shared_schema.ids import Code, Direction, OrderId
from windows_side.brokers.port import BrokerEvent, BrokerPort
from windows_side.brokers.worker_parts import Deadlines

FUND = Code("159201.SZ")
"""T+1, tick 0.001, lots of 100; the driver's market opens at 1.050 with limits 0.945 and 1.155."""
OPENING_PRICE = 1.050
PATIENT = Deadlines(open=1e9)
"""Opening may take as long as this machine needs, however far a case moves the clock."""
WAIT = 60.0
"""Seconds until a missing event fails a case."""
Found = TypeVar("Found")


class Events:
    """A sink that keeps everything and lets a case wait for what it needs."""

    def __init__(self) -> None:
        self.seen: list[BrokerEvent] = []
        self._changed = threading.Condition()

    def __call__(self, event: BrokerEvent) -> None:
        with self._changed:
            self.seen.append(event)
            self._changed.notify_all()

    def wait(self, found: Callable[[list[BrokerEvent]], Found | None]) -> Found:
        """The first answer of ``found`` that is not None, looking again at each new event."""
        with self._changed:
            self._changed.wait_for(lambda: found(self.seen) is not None, WAIT)
            answer = found(self.seen)
        assert answer is not None, f"never came; seen: {self.seen[-6:]}"
        return answer

    def came(self, found: Callable[[list[BrokerEvent]], bool], at_most: float) -> bool:
        """Whether ``found`` holds within ``at_most`` seconds."""
        with self._changed:
            return self._changed.wait_for(lambda: found(self.seen), at_most)

    def of(self, kind: type[Found]) -> list[Found]:
        """All events of one kind so far."""
        with self._changed:
            return [event for event in self.seen if isinstance(event, kind)]


class Hang:
    """A call that hangs: it says when it has begun, and waits to be released."""

    def __init__(self) -> None:
        self.begun = threading.Event()
        self.release = threading.Event()

    def block(self) -> None:
        """What the hung call does."""
        self.begun.set()
        self.release.wait(3 * WAIT)


class BrokerDriver(Protocol):
    """What a case needs done to the world outside the port."""

    port: BrokerPort
    events: Events
    requests: int
    """How many orders the case has asked for, over all restarts; the steps below count it."""

    def trade(self, price: float, volume: int) -> None:
        """The market trades ``volume`` shares of FUND at ``price`` yuan, and that has reached the broker."""

    def next_day(self) -> None:
        """The night passes; the market opens again at the last price."""

    def restart(self) -> None:
        """The host process dies and starts again: a new port and new events on the same broker."""

    def die_in_next_place(self) -> None:
        """The next place call reaches the broker, but its answer never comes back to this process."""

    def hang_next_place(self) -> Hang:
        """The next place call blocks, before it reaches the broker, until it is released."""

    def pass_deadlines(self) -> None:
        """More time passes than any call may take, and the port is asked to look."""

    def break_queries(self, broken: bool) -> None:
        """From now on queries fail, or work again."""

    def lose_link(self) -> None:
        """The link breaks and stays down; returns when the port has said so."""

    def heal_link(self) -> None:
        """The link can be had again, and the port is asked to look; returns when it is ready."""

    def by_hand(self, direction: Direction, shares: int, price: float) -> None:
        """Somebody places an order of FUND in the same account, without our remark."""

    def cancel_by_hand(self, order_id: OrderId) -> None:
        """Somebody takes an order back at the terminal."""


class HealedDriver(BrokerDriver, Protocol):
    """A driver whose clock ``heal`` moves."""

    elapsed: float

    def mend(self) -> None:
        """The link can be had again."""
