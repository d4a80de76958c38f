"""The broker port over xtquant's XtQuantTrader: limit orders, cancels, and the day's lists of one account.

Every method may block for ever (a synchronous xttrader call waits without a limit): ``BrokerWorker``
runs it in a thread with a deadline, and an overrun is unknown, never failed. See
docs/decisions/0014-qmt-side.md.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from shared_schema.ids import OrderId
from shared_schema.words import say
from windows_side.brokers import qmt_fields as fields
from windows_side.brokers.port import (
    BrokerAsset,
    BrokerOrder,
    BrokerPosition,
    BrokerTrade,
    CancelReturned,
    OrderRequest,
    PlaceAnswer,
    Placed,
    Readiness,
    Refused,
    Sink,
    Unclear,
)
from windows_side.brokers.qmt_diagnosis import connect_findings, path_findings
from windows_side.brokers.qmt_package import stock_account, xttrader
from windows_side.brokers.qmt_session import QmtSession, Record, SessionRefused
from windows_side.brokers.qmt_session_ids import POOL, SessionIds
from windows_side.brokers.qmt_status import objection_to_status

log = logging.getLogger(__name__)

LIMIT_PRICE = 11
"""xtconstant.FIX_PRICE: the only price type; market types fail on simulation accounts."""
LONGEST_TEXT = 23
"""Bytes that remark and strategy name keep; ASCII only, a character cut in two hangs the call."""
DEFINITE_REFUSALS: frozenset[int] = frozenset()
"""Answers of ``order_stock`` that prove no order exists. Empty until a real terminal has shown one (44)."""
Row = TypeVar("Row")


@dataclass(frozen=True)
class QmtAccount:
    """Which account at which terminal."""

    data_path: Path | None
    """The terminal's ``userdata_mini``."""
    number: str
    type: str = "STOCK"


def no_record(kind: str, native: Any) -> None:
    """Keep nothing of native objects."""


class QmtCalls:
    """BrokerCalls over the terminal. ``open`` makes a new session wherever the last one broke."""

    absence_is_proof = False
    answers_complete = False

    def __init__(self, account: QmtAccount, ids: SessionIds, record: Record = no_record) -> None:
        """``record`` is shown every native object."""
        self._account = account
        self._ids = ids
        self._record = record
        self._turn = threading.RLock()
        self._session: QmtSession | None = None
        self._attempt = 0
        """Counts openings and closings: a session that was long in coming is no longer wanted."""
        self._parked: list[QmtSession] = []
        """Sessions given up while a call of theirs had not come back."""
        self._not_ready = Readiness(False)

    # The link

    def open(self, sink: Sink) -> None:
        """Keep a living session, else make a new one; what stands in the way is told by ``probe``."""
        with self._turn:
            session = self._session
            if session is not None and not session.is_broken:
                session.heard.sink = sink
                return
        self.close()
        attempt = self._attempt
        found = path_findings(self._account.data_path)
        if found:
            self._not_ready = Readiness(False, _joined(found))
            return
        number, rested = self._take_id()
        try:
            session = self._connect(number, sink)
        except SessionRefused as refused:
            self._not_ready = Readiness(False, self._why(refused, rested))
            return
        with self._turn:
            is_late = attempt != self._attempt
            if not is_late:
                self._session = session
        if is_late:
            session.retire()  # this call hung and was left behind: another session is in use by now

    def close(self) -> None:
        """Give the session up; it is stopped at once, or after the call that has not come back."""
        with self._turn:
            self._attempt += 1
            session, self._session = self._session, None
            self._not_ready = Readiness(False)
            if session is None:
                return
            self._parked = [parked for parked in self._parked if not parked.is_stopped]
            self._parked.append(session)
            crowded = self._parked[: max(0, len(self._parked) - (POOL - 1))]
        self._ids.note(session.number)
        for parked in crowded:
            parked.stop_anyway()
        session.retire()

    def probe(self) -> Readiness:
        """Ready where the account's status is good and its asset is told."""
        session = self._session
        if session is None:
            return self._not_ready
        objection = self._objection(session.statuses(), session.account)
        if objection is not None:
            return Readiness(False, objection)
        if self.asset() is None:
            return Readiness(False, say("qmt.no_asset"))
        return Readiness(True, say("qmt.ready", session=session.number))

    def _connect(self, number: int, sink: Sink) -> QmtSession:
        account = stock_account(self._account.number, self._account.type)
        return QmtSession(xttrader(), str(self._account.data_path), number, account, sink, self._record)

    def _take_id(self) -> tuple[int, float]:
        rested = {number: self._ids.rested(number) for number in self._ids.ids}
        number = self._ids.take()
        return number, rested[number]

    def _why(self, refused: SessionRefused, rested: float) -> str:
        if refused.step == "subscribe":
            return say("qmt.subscribe_refused", answer=refused.answer)
        reasons = _joined(connect_findings(self._account.data_path, rested))
        return say("qmt.connect_refused", answer=refused.answer, reasons=reasons)

    def _objection(self, statuses: Any, account: Any) -> str | None:
        if not isinstance(statuses, list) or not statuses:
            return None  # older terminals tell none: then the asset query alone decides
        for status in statuses:
            self._record("status", status)
        listed = [one for one in statuses if fields.text_or(one, "account_id") == self._account.number]
        if not listed:
            return say("qmt.account_not_listed")
        # Stock Connect's account has the same number, and is often not logged in.
        of_type = [one for one in listed if not fields.is_of_another_type(one, account)]
        return objection_to_status(fields.whole_or((of_type or listed)[0], "status", 0))

    # Orders

    def place(self, request: OrderRequest) -> PlaceAnswer:
        """Place a limit order; anything but an order id leaves open whether one exists."""
        session = self._session
        if session is None:
            # Nothing was said to the terminal: this alone is proof.
            return Refused("not_connected", say("qmt.not_connected"))
        answer = session.call(
            "order_stock",
            str(request.code),
            fields.BUY if request.direction == "BUY" else fields.SELL,
            int(request.shares),
            LIMIT_PRICE,
            float(request.price),
            short_text(request.strategy),
            short_text(request.tag),
        )
        self._record("order_stock", answer)
        if isinstance(answer, int) and not isinstance(answer, bool):
            if answer > 0:
                return Placed(OrderId(str(answer)))
            if answer in DEFINITE_REFUSALS:
                return Refused(str(answer), session.heard.errors.get(request.tag, str(answer)))
        told = session.heard.errors.get(request.tag, "")
        return Unclear(" ".join(filter(None, (say("qmt.minus_one", answer=repr(answer)[:60]), told))))

    def cancel(self, order_id: OrderId) -> CancelReturned:
        """Ask to take an order back."""
        session = self._session
        if session is None:
            return CancelReturned(order_id, False, say("qmt.cancel_not_connected"))
        elsewhere = fields.sysid_of(order_id)
        if elsewhere is not None:
            answer = session.call("cancel_order_stock_sysid", *elsewhere)
        elif order_id.isdigit():
            answer = session.call("cancel_order_stock", int(order_id))
        else:
            return CancelReturned(order_id, False, say("qmt.cancel_refused", answer="-"))
        self._record("cancel_order_stock", answer)
        taken = answer == 0 and not isinstance(answer, bool)
        message = "" if taken else say("qmt.cancel_refused", answer=repr(answer)[:60])
        return CancelReturned(order_id, taken, message)

    # Lists

    def orders(self) -> tuple[BrokerOrder, ...] | None:
        """The day's orders; None where the terminal gave no list. Raises FieldError."""
        return self._list("order", "query_stock_orders", fields.order_of)

    def trades(self) -> tuple[BrokerTrade, ...] | None:
        """The day's trades; None where the terminal gave no list. Raises FieldError."""
        return self._list("trade", "query_stock_trades", fields.trade_of)

    def positions(self) -> tuple[BrokerPosition, ...] | None:
        """All positions; None where the terminal gave no list. Raises FieldError."""
        return self._list("position", "query_stock_positions", fields.position_of)

    def asset(self) -> BrokerAsset | None:
        """The account's money; None where the query failed. Raises FieldError."""
        session = self._session
        native = session.call("query_stock_asset") if session is not None else None
        if native is None:
            return None
        self._record("asset", native)
        return fields.asset_of(native)

    def _list(self, kind: str, name: str, row: Callable[[Any], Row | None]) -> tuple[Row, ...] | None:
        session = self._session
        natives = session.call(name) if session is not None else None
        if not isinstance(natives, (list, tuple)):
            # xtquant's None is "failed or empty": nobody can tell which, so it says nothing.
            return None
        for native in natives:
            self._record(kind, native)
        return tuple(made for made in map(row, natives) if made is not None)


def short_text(text: str) -> str:
    """``text`` as remark or strategy name: ASCII, at most 23 bytes."""
    return text.encode("ascii", "replace").decode()[:LONGEST_TEXT]


def _joined(findings: Iterable[object]) -> str:
    return " ".join(map(str, findings))
