"""A broker's calls made safe: whatever a call raises or answers becomes an event that says it.

What a call did not clearly answer is never read as refused, empty or zero (I4, faults 44).
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TypeVar

from shared_schema.ids import OrderId
from shared_schema.words import say
from windows_side.brokers.port import (
    AccountAnswered,
    AccountState,
    BrokerCalls,
    CancelReturned,
    Day,
    DayAnswered,
    Guard,
    OrderRequest,
    Placed,
    Readiness,
    Refused,
    Sink,
    SubmitReturned,
    SubmitTurnedBack,
    Unclear,
)

log = logging.getLogger(__name__)
Answer = TypeVar("Answer")


class SafeCalls:
    """BrokerCalls whose methods raise no Exception; they still block, or never return."""

    def __init__(self, calls: BrokerCalls, wall: Callable[[], float]) -> None:
        self._calls = calls
        self._wall = wall

    def open(self, sink: Sink) -> Readiness:
        """Open and probe: ready only when a real query passed."""
        try:
            self._calls.open(sink)
            return self._calls.probe()
        except Exception as problem:
            _log_raised("open")
            return Readiness(False, _told(problem))

    def close(self) -> None:
        """Close; what goes wrong is logged, there is nothing left to do about it."""
        try:
            self._calls.close()
        except Exception:
            _log_raised("close")

    def place(self, request: OrderRequest, guard: Guard) -> SubmitReturned | SubmitTurnedBack:
        """Look at ``guard`` and directly after it place; anything but a clear answer is Unclear."""
        reason = stopped_by(guard)
        if reason is not None:
            return SubmitTurnedBack(request.signal_id, reason)
        started_at = self._wall()
        try:
            answer = self._calls.place(request)
        except Exception as problem:
            _log_raised("place")
            answer = Unclear(_told(problem))
        if not isinstance(answer, (Placed, Refused, Unclear)):
            answer = Unclear(repr(answer)[:200])
        return SubmitReturned(request.signal_id, answer, started_at)

    def cancel(self, order_id: OrderId) -> CancelReturned:
        """Cancel; not accepted where the call raised or answered something else."""
        try:
            answer = self._calls.cancel(order_id)
        except Exception as problem:
            _log_raised("cancel")
            return CancelReturned(order_id, False, _told(problem))
        return answer if isinstance(answer, CancelReturned) else CancelReturned(order_id, False, repr(answer))

    def day(self) -> DayAnswered:
        """Orders and trades; None where either failed."""
        asked_at = self._wall()
        # Orders before trades: then a trade may be ahead of its order's status, never behind it.
        orders = _asked("orders", self._calls.orders)
        trades = None if orders is None else _asked("trades", self._calls.trades)
        if orders is None or trades is None:
            return DayAnswered(None, asked_at)
        return DayAnswered(Day(orders, trades), asked_at)

    def account(self) -> AccountAnswered:
        """Asset and positions; None where either failed."""
        asked_at = self._wall()
        asset = _asked("asset", self._calls.asset)
        positions = None if asset is None else _asked("positions", self._calls.positions)
        if asset is None or positions is None:
            return AccountAnswered(None, asked_at)
        return AccountAnswered(AccountState(asset, positions), asked_at)


def stopped_by(guard: Guard) -> str | None:
    """What ``guard`` says; one that raises can't tell whether trading is halted: that counts as halted."""
    try:
        return guard()
    except Exception:
        log.exception(say("broker.guard_failed"), extra={"action": "broker_guard_failed"})
        return "halt"


def _asked(name: str, call: Callable[[], Answer | None]) -> Answer | None:
    try:
        return call()
    except Exception:
        _log_raised(name)
        return None


def _log_raised(call: str) -> None:
    log.warning(say("broker.call_raised", call=call), exc_info=True, extra={"action": "broker_call_raised"})


def _told(problem: Exception) -> str:
    return f"{type(problem).__name__}: {problem}"[:200]
