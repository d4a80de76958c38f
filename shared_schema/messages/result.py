"""The order result: what became of a signal, each revision replacing the last."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from shared_schema.errors import MessageError
from shared_schema.ids import Code, Direction, Epoch, OrderId, SignalId, StrategyName, TradeId
from shared_schema.integrity import Key
from shared_schema.messages.record import SMALL_FILE, Received, Record, decode

Status = Literal["success", "failed", "pending"]
State = Literal[
    "received",
    "rejected",
    "expired",
    "accepted",
    "submitted",
    "partly_filled",
    "filled",
    "cancelled",
    "partly_cancelled",
    "refused_by_broker",
    "not_placed",
    "unknown",
]
TERMINAL_STATES: frozenset[State] = frozenset(
    {"rejected", "expired", "filled", "cancelled", "partly_cancelled", "refused_by_broker", "not_placed"}
)


class Trade(Record):
    """One fill as the broker reported it."""

    trade_id: TradeId
    price: Annotated[float, Field(gt=0)]
    """Yuan a share."""
    shares: Annotated[int, Field(gt=0)]
    time: float
    """Unix seconds."""


class OrderResult(Record):
    """What became of one signal."""

    signal_id: SignalId
    status: Status
    order_id: OrderId = OrderId("")
    message: str = ""
    timestamp: float = 0.0
    """Unix seconds at which this revision was made; the seed's readers did not need it."""
    direction: Direction | None = None
    requested_shares: Annotated[int, Field(ge=0)] = 0
    filled_shares: Annotated[int, Field(ge=0)] = 0
    state: State = "received"
    signal_digest: str = ""
    revision: Annotated[int, Field(ge=0)] = 0
    average_price: Annotated[float, Field(ge=0)] = 0.0
    """Yuan; 0 while nothing is filled."""
    trades: Annotated[tuple[Trade, ...], Field(strict=False)] = ()
    error_code: str = ""
    broker_message: str = ""
    code: Code | None = None
    price: float | None = None
    strategy: StrategyName | None = None
    signal_epoch: Epoch | None = None
    signal_seq: int | None = None

    @property
    def is_terminal(self) -> bool:
        """Whether the signal is settled: nothing but a late trade can change it."""
        return self.status != "pending"


SEED_FIELDS = frozenset(
    {"signal_id", "status", "order_id", "message", "timestamp", "direction", "requested_shares"}
    | {"filled_shares"}
)


def status_of(state: State, filled_shares: int) -> Status:
    """The seed's three words: pending until terminal, then success with any fill, else failed."""
    if state not in TERMINAL_STATES:
        return "pending"
    return "success" if filled_shares > 0 else "failed"


def decode_result(raw: bytes, where: str = "", key: Key | None = None) -> Received[OrderResult]:
    """The result in ``raw``; raises MessageError."""
    received = decode(raw, OrderResult, where=where, seed_fields=SEED_FIELDS, limit=SMALL_FILE, key=key)
    if received.envelope is not None:
        _check(received.body, where)
    return received


def _check(result: OrderResult, where: str) -> None:
    # Books are moved by filled_shares: a fill that no trade stands for is never booked (I5).
    filled = result.filled_shares
    is_cancels_own = result.state == "cancelled" and result.status == "success"
    if result.status != status_of(result.state, filled) and not is_cancels_own:
        raise MessageError("contradiction", where, detail=f"status {result.status}, state {result.state}")
    trades = {trade.trade_id: trade.shares for trade in result.trades}
    if len(trades) != len(result.trades) or sum(trades.values()) != filled:
        raise MessageError("contradiction", where, detail=f"filled {filled}, trades {sum(trades.values())}")
