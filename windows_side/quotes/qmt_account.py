"""The account from the terminal, for ``account_snapshot.json``: complete, or None; never an empty list.

The broker's own worker asks, with its deadlines and reconnects, under session ids of the producer's own.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping

from shared_schema.clock import Moment
from shared_schema.errors import BrokerError
from shared_schema.ids import Code
from shared_schema.messages import Account
from shared_schema.words import say
from windows_side.brokers.account_message import account_message
from windows_side.brokers.port import (
    AccountAnswered,
    BrokerCalls,
    BrokerEvent,
    DayAnswered,
    OrderUpdate,
    Readiness,
    ReadinessChanged,
    TradeUpdate,
)
from windows_side.brokers.worker import BrokerWorker

ASK_EVERY = 3.0
"""Seconds between two questions; at once where an order or a fill was pushed."""
FIRST_ANSWER = 5.0
"""Seconds the very first question may wait for its answer, so that a start begins with an account."""
FRESH_FOR = 15.0
"""Seconds for which an answer counts as how things stand."""


class QmtAccountSource:
    """Asset, positions, orders and trades of one account."""

    def __init__(
        self,
        calls: BrokerCalls,
        *,
        monotonic: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
        first_answer: float = FIRST_ANSWER,
    ) -> None:
        self._first_answer = first_answer
        self._first = threading.Event()
        self._monotonic = monotonic
        self._worker = BrokerWorker(calls, self._heard, monotonic=monotonic, wall=wall)
        self._is_started = False
        self._asked_at = float("-inf")
        self._has_news = False
        self._day: tuple[float, DayAnswered] | None = None
        self._state: tuple[float, AccountAnswered] | None = None
        self.readiness = Readiness(False)
        """Whether the terminal answers, and if not, why."""

    def account(self, now: Moment, prices: Mapping[Code, float]) -> Account | None:
        """The account as last answered in full; None where a query failed.

        Raises BrokerError where the last answer is too old, none came yet, or the link is down."""
        if not self._is_started:
            self._is_started = True
            self._worker.start()
            self._first.wait(self._first_answer)
        self._worker.check_deadlines()
        passed = self._monotonic() - self._asked_at
        if passed >= ASK_EVERY or self._has_news:
            self._asked_at, self._has_news = self._monotonic(), False
            self._worker.ask_day()
            self._worker.ask_account()
        day, state = self._day, self._state
        old = day is None or state is None or self._monotonic() - min(day[0], state[0]) > FRESH_FOR
        if day is None or state is None or old or not self.readiness.ready:
            raise BrokerError("qmt.account_silent", reason=self.readiness.message or say("qmt.connecting"))
        if day[1].day is None or state[1].account is None:
            return None
        asked_at = min(day[1].asked_at, state[1].asked_at)
        return account_message(state[1].account, day[1].day, queried_at=asked_at)

    def stop(self) -> None:
        """End the session at the terminal."""
        if self._is_started:
            self._worker.stop()

    def _heard(self, event: BrokerEvent) -> None:
        match event:
            case DayAnswered():
                self._day = (self._monotonic(), event)
            case AccountAnswered():
                self._state = (self._monotonic(), event)
                self._first.set()  # asked after the day, so that both are there
            case OrderUpdate() | TradeUpdate():
                self._has_news = True
            case ReadinessChanged(readiness):
                self.readiness = readiness
                if readiness.ready:
                    self._worker.ask_day()
                    self._worker.ask_account()
                else:
                    self._first.set()
            case _:
                return
