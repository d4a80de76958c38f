"""One session with the terminal: an XtQuantTrader that is started, connected, subscribed, and used once.

A link that broke is never mended: a new session with another id takes its place (``connect`` on a used
object, ``reconnect`` and ``stop`` followed at once by ``connect`` are all seen to fail). The old one's
news of the link no longer count, its trades still do. ``stop`` can hang, so it runs in a thread of its
own; a session whose call has not come back is stopped only after that call, whose answer counts.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import Any

from shared_schema.words import say
from windows_side.brokers.port import OrderUpdate, Readiness, ReadinessChanged, Sink, TradeUpdate
from windows_side.brokers.qmt_fields import is_of_another_type, order_of, text_or, trade_of, whole_or
from windows_side.brokers.qmt_status import objection_to_status

log = logging.getLogger(__name__)

STOP_AT_MOST = 3.0
"""Seconds a stop may take before it is left behind."""
ERRORS_KEPT = 200
Record = Callable[[str, Any], None]
"""Shown every native object with the name of where it came from."""


class SessionRefused(Exception):
    """``connect`` or ``subscribe`` answered something else than 0."""

    def __init__(self, step: str, answer: object) -> None:
        super().__init__(f"{step} -> {answer!r}")
        self.step = step
        self.answer = answer


class QmtSession:
    """A connected session; all its methods may be called from any thread."""

    def __init__(self, module: Any, path: str, number: int, account: Any, sink: Sink, record: Record) -> None:
        """Start, connect, subscribe, in this order. Raises SessionRefused; nothing is left running then."""
        self.number = number
        self.account = account
        self.heard = _Heard(account, sink, record)
        self._turn = threading.Lock()
        self._calls = 0
        self._retired = self._stopped = False
        self._trader = _made(module, path, number, self.heard)
        try:
            self._trader.start()
            self._expect_zero("connect", self._trader.connect())
            self._expect_zero("subscribe", self._trader.subscribe(account))
        except BaseException:
            self.retire()
            raise

    @property
    def is_broken(self) -> bool:
        """Whether the terminal hung up, or the session was given up."""
        return self.heard.link_broke or self._retired

    def call(self, name: str, *values: Any) -> Any:
        """The native answer to ``trader.name(account, *values)``; blocks until it comes, perhaps for ever."""
        with self._turn:
            self._calls += 1
        try:
            return getattr(self._trader, name)(self.account, *values)
        finally:
            self._came_back()

    def statuses(self) -> Any:
        """The terminal's list of account statuses; blocks."""
        with self._turn:
            self._calls += 1
        try:
            return self._trader.query_account_status()
        finally:
            self._came_back()

    def retire(self) -> None:
        """Take no more news of the link; stop as soon as no call is under way, never waiting long."""
        self.heard.is_detached = True
        with self._turn:
            self._retired = True
            stop_now = self._calls == 0 and not self._stopped
            self._stopped = self._stopped or stop_now
        if stop_now:
            self._stop()

    def stop_anyway(self) -> None:
        """Stop although a call hangs: its answer is lost."""
        with self._turn:
            stop_now, self._stopped = not self._stopped, True
        if stop_now:
            self._stop()

    @property
    def is_stopped(self) -> bool:
        """Whether its stop was begun."""
        return self._stopped

    def _came_back(self) -> None:
        with self._turn:
            self._calls -= 1
            stop_now = self._retired and self._calls == 0 and not self._stopped
            self._stopped = self._stopped or stop_now
        if stop_now:
            threading.Thread(target=self._stop, daemon=True, name="qmt stop").start()

    def _stop(self) -> None:
        ending = threading.Thread(target=self._end, daemon=True, name="qmt stop")
        ending.start()
        ending.join(STOP_AT_MOST)
        if ending.is_alive():
            log.warning(say("qmt.stop_hangs", session=self.number), extra={"action": "qmt_stop_hangs"})

    def _end(self) -> None:
        try:
            self._trader.stop()
            # Its event loop runs nothing, but keeps three descriptors for each reconnect.
            self._trader.loop.close()
        except Exception:
            log.warning(say("qmt.stop_failed", session=self.number), exc_info=True)

    @staticmethod
    def _expect_zero(step: str, answer: object) -> None:
        if answer != 0:
            raise SessionRefused(step, answer)


def _made(module: Any, path: str, number: int, heard: _Heard) -> Any:
    """A trader that leaves the main thread's event loop alone.

    The constructor looks for that loop in the main thread, and raises where there is none; its
    ``__del__`` sets it there, and complains where the constructor ran elsewhere.
    """
    quiet = type("QuietTrader", (module.XtQuantTrader,), {"__del__": lambda self: None})
    made: list[Any] = []
    problems: list[Exception] = []

    def make() -> None:
        try:
            made.append(quiet(path, number, heard))
        except Exception as problem:
            problems.append(problem)

    making = threading.Thread(target=make, daemon=True, name="qmt start")
    making.start()
    making.join()
    if problems:
        raise problems[0]
    return made[0]


class _Heard:
    """The callback object: copies named fields into the sink and nothing else.

    xttrader drops whatever a callback raises, and a synchronous order or cancel inside one deadlocks.
    """

    def __init__(self, account: Any, sink: Sink, record: Record) -> None:
        self.sink = sink
        self.link_broke = False
        self.is_detached = False
        self.errors: dict[str, str] = {}
        """The terminal's reason by remark, of orders it did not take."""
        self._account = account
        self._number: str = account.account_id
        self._record = record

    def on_disconnected(self) -> None:
        """The terminal hung up."""
        self.link_broke = True
        if not self.is_detached:
            self.sink(ReadinessChanged(Readiness(False, say("qmt.disconnected"))))

    def on_account_status(self, status: Any) -> None:
        """The account logged in, out, or something between."""
        self._copy("status", status, self._status)

    def on_stock_order(self, order: Any) -> None:
        """An order as it stands now."""
        self._copy("order", order, self._order)

    def on_stock_trade(self, trade: Any) -> None:
        """A fill."""
        self._copy("trade", trade, self._trade)

    def on_order_error(self, error: Any) -> None:
        """The terminal or the counter did not take an order; its words are shown, nothing is concluded."""
        self._copy("order_error", error, self._order_error)

    def on_cancel_error(self, error: Any) -> None:
        """A cancel was not taken."""
        self._copy("cancel_error", error, self._cancel_error)

    def __getattr__(self, name: str) -> Callable[..., None]:
        if not name.startswith("on_"):
            raise AttributeError(name)
        return lambda *_: None  # pushes that tell nothing we use: assets, positions, other businesses

    def _copy(self, kind: str, native: Any, take: Callable[[Any], None]) -> None:
        try:
            self._record(kind, native)
            take(native)
        except Exception:
            # A push that can't be read is as good as lost: the next reading of the lists tells (48).
            log.warning(say("qmt.push_unreadable", kind=kind), exc_info=True)

    def _order(self, native: Any) -> None:
        order = order_of(native)
        if order is not None and self._is_ours(native):
            self.sink(OrderUpdate(order))

    def _trade(self, native: Any) -> None:
        trade = trade_of(native)
        if trade is not None and self._is_ours(native):
            self.sink(TradeUpdate(trade))

    def _status(self, native: Any) -> None:
        objection = objection_to_status(whole_or(native, "status", 0))
        if is_of_another_type(native, self._account):
            return  # of the same number: Stock Connect's
        if objection is not None and self._is_ours(native) and not self.is_detached:
            self.sink(ReadinessChanged(Readiness(False, objection)))

    def _order_error(self, native: Any) -> None:
        remark, told = text_or(native, "order_remark"), text_or(native, "error_msg")
        while len(self.errors) >= ERRORS_KEPT:
            self.errors.pop(next(iter(self.errors)))
        self.errors[remark] = told
        log.warning(say("qmt.order_error", remark=remark, detail=told), extra={"action": "qmt_order_error"})

    def _cancel_error(self, native: Any) -> None:
        told = text_or(native, "error_msg")
        order_id = whole_or(native, "order_id", 0)
        log.warning(
            say("qmt.cancel_error", order_id=order_id, detail=told), extra={"action": "qmt_cancel_error"}
        )

    def _is_ours(self, native: Any) -> bool:
        """One terminal serves several accounts; news of another one are none of ours."""
        return text_or(native, "account_id", self._number) == self._number
