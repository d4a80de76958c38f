"""What orders take of the account that its last answer does not show yet: cash of buys, shares of sells.

Open orders take what they may still fill, and all what they have filled since the account was asked.

Kept as a sum, for the gate asks at every signal; reckoned anew only when the account answered again.
"""

from __future__ import annotations

from dataclasses import dataclass

from shared_schema.ids import Code, SignalId
from windows_side.execution.native_calls import NOT_YET, NativeCalls
from windows_side.execution.open_rows import OpenRows
from windows_side.execution.order import Order

PARTS = 10_000
"""Cash is summed in whole parts of a yuan: exact, however often something is added and taken off."""


@dataclass(frozen=True)
class _Need:
    of: Code | None
    """The code of a sell's shares; None: a buy's cash."""
    amount: int
    """Shares, or parts of a yuan."""


_NOTHING = _Need(None, 0)


class Committed:
    """The needs of all orders, as of one answer of the account."""

    def __init__(self, rows: OpenRows, calls: NativeCalls) -> None:
        self._rows = rows
        self._calls = calls
        self._asked_at: float | None = None
        self._needs: dict[SignalId, _Need] = {}
        self._sums: dict[Code | None, int] = {}
        self._answered_for = float("-inf")
        self._spent: dict[SignalId, Order] = {}
        """Rows that ended with fills the account's newest answer is too old to show."""

    def account_shows(self, asked_at: float, wall: float) -> None:
        """The account was asked at ``asked_at`` and answered by ``wall``: what ended before is in it."""
        self._answered_for, self._asked_at = asked_at, None
        self._calls.forget_before(asked_at)
        began = {i: self._calls.began(order) for i, order in self._spent.items()}
        # A call later than now tells that the clock was set back: the answer came after it too.
        hidden = {i for i, at in began.items() if asked_at <= at <= wall or at == NOT_YET}
        self._spent = {i: order for i, order in self._spent.items() if i in hidden}

    def put(self, order: Order) -> None:
        """Take the newest value of a row."""
        if order.trades and order.is_terminal and self._calls.began(order) >= self._answered_for:
            self._spent[order.signal_id] = order
        self._count(order)

    def _count(self, order: Order) -> None:
        before = self._needs.pop(order.signal_id, None)
        if before is not None:
            self._sums[before.of] -= before.amount
        need = self._need_of(order)
        if need is not None:
            self._needs[order.signal_id] = need
            self._sums[need.of] = self._sums.get(need.of, 0) + need.amount

    def cash(self, account_asked_at: float, but: SignalId) -> float:
        """Yuan of buys other than ``but`` that the answer asked for at ``account_asked_at`` does not show."""
        return self._of(None, account_asked_at, but) / PARTS

    def shares(self, account_asked_at: float, code: Code, but: SignalId) -> int:
        """The same of the shares of ``code`` and of sells."""
        return self._of(code, account_asked_at, but)

    def _of(self, what: Code | None, account_asked_at: float, but: SignalId) -> int:
        if account_asked_at != self._asked_at:
            self._asked_at = account_asked_at
            self._needs.clear()
            self._sums.clear()
            for order in (*self._rows.waiting, *self._rows.at_broker, *self._spent.values()):
                self._count(order)
        own = self._needs.get(but, _NOTHING)
        return self._sums.get(what, 0) - (own.amount if own.of == what else 0)

    def _need_of(self, order: Order) -> _Need | None:
        signal = order.signal
        if self._asked_at is None or signal is None or signal.is_cancel:
            return None
        # Without its id nobody knows whether the broker, and so the account, has the order yet.
        unseen = not order.order_id or self._calls.began(order) >= self._asked_at
        taken = order.state == "accepted" or (order.is_at_broker and unseen) or order.signal_id in self._spent
        if not taken:
            return None
        still_open = 0 if order.is_terminal else order.open_shares
        if signal.direction == "SELL":
            return _Need(signal.code, order.filled_shares + still_open)
        return _Need(None, round((order.filled_yuan + signal.price * still_open) * PARTS))
