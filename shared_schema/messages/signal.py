"""The order signal: one intention of a strategy, or the cancel of one."""

from __future__ import annotations

import hashlib
from typing import Annotated, Literal

import orjson
from pydantic import Field

from shared_schema.errors import MessageError
from shared_schema.ids import Code, Direction, InstanceId, SignalId, StrategyName, is_file_safe
from shared_schema.integrity import Key
from shared_schema.messages.record import SMALL_FILE, Envelope, Received, Record, decode, trusted_id

EXPIRES_AFTER = 300.0
"""Seconds from ``timestamp`` to ``expires_at`` where a signal names none."""
CANCEL_AFTER = 120.0
"""Seconds of trading time after which an unfilled order is cancelled where a signal names none."""

Positive = Annotated[float, Field(gt=0)]


class OrderSignal(Record):
    """An order to place, or with ``action`` "cancel" the order to take back."""

    signal_id: SignalId
    code: Code
    direction: Direction
    price: Positive
    """Limit, yuan."""
    shares: Annotated[int, Field(gt=0)]
    timestamp: Positive
    """Unix seconds at which the strategy decided."""
    reason: str = ""
    client_order_id: str | None = None
    amount: Positive | None = None
    """Yuan; never trusted below price x shares."""
    layer_index: Annotated[int, Field(ge=0)] = 0
    release_client_order_ids: tuple[str, ...] = ()
    action: Literal["order", "cancel"] = "order"
    target_signal_id: SignalId | None = None
    strategy: StrategyName | None = None
    executor: InstanceId | None = None
    expires_at: Positive | None = None
    """The last moment (Unix seconds) at which the executor may start the submit."""
    cancel_after_seconds: Annotated[float, Field(ge=0)] = CANCEL_AFTER
    price_type: Literal["limit"] = "limit"

    @property
    def deadline(self) -> float:
        """``expires_at``, or its default: Unix seconds."""
        return self.expires_at if self.expires_at is not None else self.timestamp + EXPIRES_AFTER

    @property
    def notional(self) -> float:
        """price x shares, yuan."""
        return self.price * self.shares

    @property
    def is_cancel(self) -> bool:
        """Whether this takes another signal's order back."""
        return self.action == "cancel"


SEED_FIELDS = frozenset(
    {"signal_id", "code", "direction", "price", "shares", "timestamp", "reason"}
    | {"client_order_id", "amount", "layer_index", "release_client_order_ids"}
)


def decode_signal(raw: bytes, where: str = "", key: Key | None = None) -> Received[OrderSignal]:
    """The signal in ``raw`` (lists arrive as JSON arrays); raises MessageError."""
    received = decode(raw, _WireSignal, where=where, seed_fields=SEED_FIELDS, limit=SMALL_FILE, key=key)
    signal = OrderSignal.model_construct(
        **{name: getattr(received.body, name) for name in OrderSignal.model_fields}
    )
    _check(signal, received.envelope, where)
    return Received(received.envelope, signal, raw, received.signed, received.carries_signature)


class _WireSignal(OrderSignal):
    # JSON has arrays, not tuples: only here are they allowed to become one.
    release_client_order_ids: Annotated[tuple[str, ...], Field(strict=False)] = ()


def _check(signal: OrderSignal, envelope: Envelope | None, where: str) -> None:
    identity = signal.signal_id
    if not is_file_safe(identity):
        raise MessageError("bad_id", where, signal_id=trusted_id(identity), value=repr(identity)[:80])
    if signal.is_cancel and not signal.target_signal_id:
        raise MessageError("missing_field", where, signal_id=identity, field="target_signal_id")
    if envelope is None:
        return
    if not signal.strategy:
        raise MessageError("missing_field", where, signal_id=identity, field="strategy")


def price_text(price: float) -> str:
    """``price`` as whole thousandths of a yuan, the finest tick of the market.

    Raw floats of equal price differ in their last digits; a price off that grid keeps
    its own digits, so that it equals nothing else.
    """
    if not price < 1e300:
        return repr(price)  # times 1000 it may be no number any more
    thousandths = round(price * 1000)
    return str(thousandths) if abs(price * 1000 - thousandths) < 1e-4 else repr(price)


def signal_digest(signal: OrderSignal, envelope: Envelope | None) -> str:
    """SHA-256 that names this very signal; a result is applied only to a signal with its digest.

    Over signal_id, action, target_signal_id, account, mode, strategy, code, direction,
    price, shares, price_type, timestamp and expires_at. The seed's format is known by what
    its readers compare, so its times stay out: a typed line sent again is the same signal.
    """
    is_sealed = envelope is not None
    parts = [
        signal.signal_id,
        signal.action,
        signal.target_signal_id,
        envelope.account if envelope else None,
        envelope.mode if envelope else None,
        signal.strategy,
        signal.code,
        signal.direction,
        price_text(signal.price),
        signal.shares,
        signal.price_type,
        signal.timestamp if is_sealed else None,
        signal.deadline if is_sealed else None,
    ]
    return hashlib.sha256(orjson.dumps(parts)).hexdigest()
