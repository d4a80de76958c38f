"""The broker port.

A broker is written as a handful of blocking calls (``BrokerCalls``), each of which may
raise, hang, or answer late. ``brokers.worker.BrokerWorker`` runs them on a thread of
its own and turns them into the events below, which is all the executor core sees: an
answer may come later, twice, in any order, or never.

Three outcomes of placing an order: placed, refused for sure, unclear. Unclear is
never treated as refused.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum
from typing import Protocol

from shared_schema.ids import Code, Direction, OrderId, SignalId, Tag, TradeId

ONE_YUAN = 1.0
"""Market value below which nothing is held: sums of floats leave dust."""


class BrokerStatus(IntEnum):
    """Order status as the terminal counts it (xtquant's xtconstant)."""

    UNREPORTED = 48
    WAIT_REPORTING = 49
    REPORTED = 50
    REPORTED_CANCEL = 51
    PART_FILLED_CANCEL = 52
    PART_CANCELLED = 53
    CANCELLED = 54
    PART_FILLED = 55
    FILLED = 56
    JUNK = 57
    UNKNOWN = 255


FINAL_STATUSES = frozenset(
    {BrokerStatus.PART_CANCELLED, BrokerStatus.CANCELLED, BrokerStatus.FILLED, BrokerStatus.JUNK}
)
"""Any other status, also one we don't know, means the order may still be live."""


@dataclass(frozen=True)
class OrderRequest:
    """One limit order for the broker."""

    signal_id: SignalId
    tag: Tag
    """Goes into the remark: ASCII, at most 23 bytes; the only thing an order is adopted by."""
    code: Code
    direction: Direction
    shares: int
    price: float
    """Yuan."""
    strategy: str = ""


@dataclass(frozen=True)
class BrokerOrder:
    """An order as the broker shows it, ours or another's."""

    order_id: OrderId
    code: Code
    direction: Direction
    price: float
    shares: int
    filled_shares: int
    status: int
    remark: str = ""
    message: str = ""
    time: float = 0.0
    """Unix seconds (market time)."""

    @property
    def is_final(self) -> bool:
        """Whether nothing can happen to it any more, by its status alone."""
        return self.status in FINAL_STATUSES


@dataclass(frozen=True)
class BrokerTrade:
    """One fill as the broker shows it."""

    trade_id: TradeId
    order_id: OrderId
    code: Code
    direction: Direction
    price: float
    shares: int
    time: float = 0.0
    """Unix seconds (market time)."""
    remark: str = ""


@dataclass(frozen=True)
class BrokerPosition:
    """What the account holds of one code."""

    code: Code
    volume: int
    can_use_volume: int
    """Shares that may be sold today."""
    open_price: float
    market_value: float


@dataclass(frozen=True)
class BrokerAsset:
    """Money of the account, yuan; ``cash`` is free to use, ``frozen_cash`` held for open buys."""

    cash: float
    frozen_cash: float
    market_value: float
    total_asset: float


# Answers of the blocking calls


@dataclass(frozen=True)
class Placed:
    """The broker took the order under this id."""

    order_id: OrderId


@dataclass(frozen=True)
class Refused:
    """The broker refused for sure: no order exists (only for codes known to be definite)."""

    code: str
    message: str


@dataclass(frozen=True)
class Unclear:
    """No usable answer: the order may or may not exist."""

    message: str


PlaceAnswer = Placed | Refused | Unclear


@dataclass(frozen=True)
class Day:
    """The day's orders and trades of the account, from complete answers only."""

    orders: tuple[BrokerOrder, ...]
    trades: tuple[BrokerTrade, ...]


@dataclass(frozen=True)
class AccountState:
    """Asset and positions, from complete answers only."""

    asset: BrokerAsset
    positions: tuple[BrokerPosition, ...]

    @property
    def lacks_positions(self) -> bool:
        """Shares worth money and a list without one: after a reconnect empty is not none (fault 50).

        Neither is a list without shares beside an account without any money at all: a terminal that has not
        read its account yet tells zeros.
        """
        held = any(position.volume > 0 for position in self.positions)
        asset = self.asset
        unread = max(asset.cash, asset.frozen_cash, asset.total_asset) < ONE_YUAN
        return not held and (asset.market_value >= ONE_YUAN or unread)


@dataclass(frozen=True)
class Readiness:
    """Whether a real query passed, and if not, why (a sentence for the trader)."""

    ready: bool
    message: str = ""


# Events the core sees


@dataclass(frozen=True)
class SubmitReturned:
    """The place call of ``signal_id`` came back."""

    signal_id: SignalId
    answer: PlaceAnswer
    started_at: float = 0.0
    """Wall clock (Unix seconds) directly before the native call."""


@dataclass(frozen=True)
class SubmitTurnedBack:
    """The worker's guard stopped the order directly before the native call: it was not placed."""

    signal_id: SignalId
    reason: str
    """As the guard said ("halt", "expired", "outside_session"); "stopped" where the worker ended first."""


@dataclass(frozen=True)
class SubmitOverran:
    """The place call did not come back within its deadline: unknown."""

    signal_id: SignalId


@dataclass(frozen=True)
class CancelReturned:
    """A cancel request came back; ``accepted`` False says the broker did not take it."""

    order_id: OrderId
    accepted: bool
    message: str = ""


@dataclass(frozen=True)
class OrderUpdate:
    """An order as it stands now (pushed or polled)."""

    order: BrokerOrder


@dataclass(frozen=True)
class TradeUpdate:
    """A fill (pushed or polled); the same one may come many times."""

    trade: BrokerTrade


@dataclass(frozen=True)
class DayAnswered:
    """The day's list; None where the query failed: that says nothing at all."""

    day: Day | None
    asked_at: float
    """Wall clock (Unix seconds) directly before the query."""


@dataclass(frozen=True)
class AccountAnswered:
    """Asset and positions; None where a query failed."""

    account: AccountState | None
    asked_at: float


@dataclass(frozen=True)
class ReadinessChanged:
    """The link to the broker came up or went down."""

    readiness: Readiness


BrokerEvent = (
    SubmitReturned
    | SubmitTurnedBack
    | SubmitOverran
    | CancelReturned
    | OrderUpdate
    | TradeUpdate
    | DayAnswered
    | AccountAnswered
    | ReadinessChanged
)
Sink = Callable[[BrokerEvent], None]
"""Takes an event from any thread; never raises, never blocks."""
Guard = Callable[[], str | None]
"""Looked at directly before the native call: None to go on, else why not ("halt", "expired", ...)."""


class BrokerCalls(Protocol):
    """What a broker is written as. Every call may block, raise BrokerError, or never return."""

    absence_is_proof: bool
    """Whether an order missing from a complete answer was never placed (simulated: yes; QMT: no).

    The worker then answers no day list while a place call of its own still hangs.
    """
    answers_complete: bool
    """Whether a final status never runs ahead of its trades (then no second reading is needed)."""

    def open(self, sink: Sink) -> None:
        """Connect; from now on updates are pushed into ``sink`` from any thread.

        Called again after a failure: a link that lives is kept, with the new sink.
        """

    def close(self) -> None:
        """Disconnect, never waiting for another call that hangs. Orders live on at the broker."""

    def probe(self) -> Readiness:
        """Make a real query and say whether the broker is ready."""

    def place(self, request: OrderRequest) -> PlaceAnswer:
        """Place a limit order. Never called twice for one signal."""

    def cancel(self, order_id: OrderId) -> CancelReturned:
        """Ask to take an order back; the order's own updates tell what became of it."""

    def orders(self) -> tuple[BrokerOrder, ...] | None:
        """All of the day's orders of the account; None where the query failed."""

    def trades(self) -> tuple[BrokerTrade, ...] | None:
        """All of the day's trades of the account; None where the query failed."""

    def positions(self) -> tuple[BrokerPosition, ...] | None:
        """All positions; None where the query failed."""

    def asset(self) -> BrokerAsset | None:
        """The account's money; None where the query failed."""


class BrokerPort(Protocol):
    """What the executor talks to: every call returns at once, answers come as events."""

    absence_is_proof: bool
    answers_complete: bool

    def start(self) -> None:
        """Open the broker; ReadinessChanged tells when it is ready."""

    def submit(self, request: OrderRequest, guard: Guard) -> None:
        """Place an order unless ``guard`` stops it; one SubmitReturned, -TurnedBack or -Overran follows
        (after an overrun a late SubmitReturned may still come)."""

    def cancel(self, order_id: OrderId) -> None:
        """Ask to take an order back; CancelReturned may follow."""

    def ask_day(self) -> None:
        """Query orders and trades; DayAnswered may follow."""

    def ask_account(self) -> None:
        """Query asset and positions; AccountAnswered may follow."""

    def check_deadlines(self) -> None:
        """Report calls that have run past their deadline; called often by the executor."""

    def stop(self, at_most: float = 5.0) -> None:
        """Close the broker and end the worker within ``at_most`` seconds, hung calls left behind."""
