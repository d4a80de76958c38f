"""Talking to the terminal: one call at a time, timed, with a deadline, everything recorded."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from shared_schema.ids import Code, Direction
from windows_side.acceptance.recorder import Recorder
from windows_side.brokers import qmt_fields
from windows_side.brokers.port import FINAL_STATUSES
from windows_side.brokers.qmt import LIMIT_PRICE, QmtAccount
from windows_side.brokers.qmt_package import stock_account, xttrader
from windows_side.brokers.qmt_session import QmtSession
from windows_side.brokers.qmt_session_ids import SessionIds

REMARK = "mqacceptance"
"""How the remarks of all acceptance orders begin: they are found and taken back by it."""
CALL_AT_MOST = 15.0
"""Seconds after which a call counts as hanging."""
TAKEN_BACK_WITHIN = 10.0
"""Seconds in which the cancels at the end must have taken effect."""
LOOK_EVERY = 0.05


@dataclass(frozen=True)
class SmallOrder:
    """One order of the acceptance."""

    code: Code
    direction: Direction
    shares: int
    price: float
    """Yuan."""
    remark: str

    @property
    def text(self) -> str:
        """As a person reads it before agreeing."""
        return f"{self.direction} {self.code} {self.shares} @ {self.price:g} ({self.remark})"


@dataclass(frozen=True)
class Answered:
    """What a call gave."""

    value: Any
    seconds: float
    hung: bool = False

    @property
    def text(self) -> str:
        """For the report."""
        if self.hung:
            return f"no answer within {CALL_AT_MOST:.0f} s"
        return f"{self.value!r} after {self.seconds * 1000:.0f} ms"


class Talk:
    """One session at a time; ``sleep`` and ``monotonic`` in seconds."""

    def __init__(
        self,
        account: QmtAccount,
        ids: SessionIds,
        recorder: Recorder,
        sleep: Callable[[float], None] = time.sleep,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.account = account
        self.recorder = recorder
        self.monotonic = monotonic
        self.sent: list[tuple[SmallOrder, int]] = []
        """Every order the terminal gave an id for."""
        self._ids = ids
        self._sleep = sleep
        self._session: QmtSession | None = None

    def connect(self, session: int | None = None) -> Answered:
        """A new session, under the id that rested longest or under ``session``. Raises SessionRefused."""
        self.hang_up()
        number = session if session is not None else self._ids.take()
        account = stock_account(self.account.number, self.account.type)

        def begin() -> QmtSession:
            path = str(self.account.data_path)
            return QmtSession(xttrader(), path, number, account, lambda event: None, self.recorder)

        answered = self._timed(begin)
        if not answered.hung:
            self._session = answered.value
        return Answered(number, answered.seconds, answered.hung)

    def hang_up(self) -> None:
        """Give the session up."""
        if self._session is not None:
            self._ids.note(self._session.number)
            self._session.retire()
            self._session = None

    def place(self, order: SmallOrder) -> Answered:
        """``order_stock`` as it is, with the remark uncut."""
        side = qmt_fields.BUY if order.direction == "BUY" else qmt_fields.SELL
        values = (order.code, side, order.shares, LIMIT_PRICE, order.price, REMARK, order.remark)
        answered = self.call("order_stock", *values)
        if isinstance(answered.value, int) and answered.value > 0 and not answered.hung:
            self.sent.append((order, answered.value))
        return answered

    def call(self, name: str, *values: Any) -> Answered:
        """Any call of the account, timed; a hang is an answer too."""
        session = self._session
        if session is None:
            raise RuntimeError("connect first")
        answered = self._timed(lambda: session.call(name, *values))
        rows = answered.value if isinstance(answered.value, list) else None
        # An empty list and None must stay two things in the recording.
        self.recorder(f"answer of {name}", f"list of {len(rows)}" if rows is not None else answered.value)
        for native in rows or ():
            self.recorder(f"listed by {name}", native)
        return answered

    def statuses(self) -> Answered:
        """The account's status."""
        session = self._session
        if session is None:
            raise RuntimeError("connect first")
        return self._timed(session.statuses)

    def listed(self, order_id: int) -> Any | None:
        """The order in the day's list; None where it is not shown (yet)."""
        answered = self.call("query_stock_orders")
        rows = answered.value if isinstance(answered.value, list) else []
        return next((row for row in rows if getattr(row, "order_id", None) == order_id), None)

    def until(self, condition: Callable[[], Any], at_most: float) -> float | None:
        """Seconds until ``condition`` held, looked at twenty times a second; None where it never did."""
        began = self.monotonic()
        while True:
            if condition():
                return self.monotonic() - began
            if self.monotonic() - began > at_most:
                return None
            self._sleep(LOOK_EVERY)

    def take_back_everything(self) -> list[int]:
        """Cancel every open order of the acceptance, by its remark and by what was sent; those left open."""
        answered = self.call("query_stock_orders")
        rows = answered.value if isinstance(answered.value, list) else []
        sent = {order_id for _, order_id in self.sent}
        ours = [row for row in rows if row.order_id in sent or str(row.order_remark).startswith(REMARK)]
        for row in ours:
            if row.order_status not in FINAL_STATUSES:
                self.call("cancel_order_stock", row.order_id)
        ids = [row.order_id for row in ours]
        self.until(lambda: not self._open(ids), TAKEN_BACK_WITHIN)
        missing = sent - set(ids)
        return sorted({*self._open(ids), *missing})

    def _open(self, ids: list[int]) -> list[int]:
        found = {order_id: self.listed(order_id) for order_id in ids}
        return [i for i, row in found.items() if row is None or row.order_status not in FINAL_STATUSES]

    def _timed(self, call: Callable[[], Any]) -> Answered:
        result: list[Any] = []
        failed: list[BaseException] = []

        def work() -> None:
            try:
                result.append(call())
            except BaseException as problem:  # handed to the caller below
                failed.append(problem)

        began = self.monotonic()
        thread = threading.Thread(target=work, daemon=True, name="acceptance call")
        thread.start()
        thread.join(CALL_AT_MOST)
        if failed:
            raise failed[0]
        seconds = self.monotonic() - began
        return Answered(result[0], seconds) if result else Answered(None, seconds, hung=True)
