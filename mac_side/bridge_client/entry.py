"""One entry of the outbox: a signal with its exact bytes, and what has become of it."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from typing import Any

from mac_side.books import Intention, Lot, TopUp
from shared_schema.ids import Code, Direction, SignalId
from shared_schema.messages import OrderResult, OrderSignal, decode_signal, signal_digest


@dataclass(frozen=True)
class OutboxEntry:
    """A signal of ours from its decision to its terminal result and beyond.

    ``raw`` are the file's bytes, published again as they are; empty once settled, and in an entry
    that was adopted from a seed file, which is only waited for. Times are wall Unix seconds.
    """

    signal_id: SignalId
    code: Code
    direction: Direction
    layer: int
    """From 1: the layer a buy opens, or the layers held before a sell."""
    seq: int
    trading_day: str
    timestamp: float
    digest: str
    raw: bytes
    intention: Intention
    target: SignalId | None = None
    """Cancel: the signal to take back."""
    answered_at: float | None = None
    """When the first result with its digest was seen here."""
    settled_at: float | None = None
    """When the executor wrote the terminal result that was applied (its clock)."""
    state: str = "outbox"
    """The newest state told by a result."""
    reported_shares: int = 0
    status: str = "pending"
    """The newest status told: pending, success or failed."""
    message: str = ""
    revision_seen: int = -1
    reason: str = ""
    _json: dict[str, Any] | None = field(default=None, init=False, repr=False, compare=False)
    """What the state file holds of it, made once: an entry never changes, and each save writes them all."""

    @property
    def settled(self) -> bool:
        """Whether its terminal result was applied."""
        return self.intention.settled

    @property
    def adopted(self) -> bool:
        """Whether it comes from a seed file: waited for, never published."""
        return not self.raw and not self.settled

    @property
    def is_order(self) -> bool:
        """Whether it can trade (a cancel can't)."""
        return self.intention.kind != "cancel"


_FIELDS = tuple(item.name for item in dataclasses.fields(OutboxEntry) if item.init)


def entry_of(raw: bytes, intention: Intention, layer: int, seq: int, trading_day: str) -> OutboxEntry:
    """The entry of a signal just made: read back from its own bytes, as the executor will."""
    received = decode_signal(raw)
    signal: OrderSignal = received.body
    return OutboxEntry(
        signal_id=signal.signal_id,
        code=signal.code,
        direction=signal.direction,
        layer=layer,
        seq=seq,
        trading_day=trading_day,
        timestamp=signal.timestamp,
        digest=signal_digest(signal, received.envelope),
        raw=raw,
        intention=intention,
        target=signal.target_signal_id,
        reason=signal.reason,
    )


def with_result(entry: OutboxEntry, result: OrderResult, now: float) -> OutboxEntry:
    """The entry with what ``result`` tells, before anything is applied."""
    return dataclasses.replace(
        entry,
        answered_at=now if entry.answered_at is None else entry.answered_at,
        state=_state_word(result),
        status=result.status,
        reported_shares=result.filled_shares,
        message=result.message,
        revision_seen=result.revision,
    )


def _state_word(result: OrderResult) -> str:
    # The seed's results know three words only and leave the state at its default.
    if result.is_terminal and result.state == "received":
        if result.status == "failed":
            return "rejected"
        return "filled" if result.filled_shares >= result.requested_shares else "partly_cancelled"
    return result.state


def entry_to_json(entry: OutboxEntry) -> dict[str, Any]:
    """The entry as the state file holds it; not to be changed by who gets it."""
    if entry._json is None:
        fields = {name: getattr(entry, name) for name in _FIELDS}
        fields["raw"] = entry.raw.decode("utf-8")
        fields["intention"] = _intention_to_json(entry.intention)
        object.__setattr__(entry, "_json", fields)
    assert entry._json is not None
    return entry._json


def entry_from_json(value: dict[str, Any]) -> OutboxEntry:
    """The entry in ``value``; raises KeyError, TypeError or ValueError where it is none."""
    fields = dict(value)
    fields["raw"] = str(fields["raw"]).encode("utf-8")
    fields["intention"] = _intention_from_json(fields["intention"])
    return OutboxEntry(**fields)


def lot_to_json(lot: Lot) -> dict[str, Any]:
    """A lot in the seed's names; ours only where they say something."""
    fields = {**dict(lot.extra), "shares": lot.shares, "cost": lot.cost, "buy_price": lot.buy_price}
    if lot.client_order_id:
        fields["client_order_id"] = lot.client_order_id
    if lot.top_up_ids:
        fields["top_up_ids"] = list(lot.top_up_ids)
    return fields


def lot_from_json(value: dict[str, Any]) -> Lot:
    """The lot in ``value``; unknown keys are kept. Raises KeyError, TypeError or ValueError."""
    known = ("shares", "cost", "buy_price", "client_order_id", "top_up_ids")
    shares, cost, price = value["shares"], float(value["cost"]), float(value["buy_price"])
    if isinstance(shares, float) and shares.is_integer() and shares < 2**53:  # beyond, no count
        shares = int(shares)
    if isinstance(shares, bool) or not isinstance(shares, int) or shares <= 0:
        raise ValueError(f"shares: {shares!r}")
    if not (cost >= 0 and price > 0):
        raise ValueError(f"cost: {cost!r}, buy_price: {price!r}")
    return Lot(
        shares,
        cost,
        price,
        str(value.get("client_order_id") or ""),
        tuple(str(identity) for identity in value.get("top_up_ids", ())),
        tuple((name, content) for name, content in value.items() if name not in known),
    )


def top_up_to_json(top_up: TopUp) -> dict[str, Any]:
    """A waiting top-up as the state file holds it."""
    return dataclasses.asdict(top_up)


def top_up_from_json(value: dict[str, Any]) -> TopUp:
    """The top-up in ``value``; raises KeyError, TypeError or ValueError."""
    return TopUp(int(value["shares"]), float(value["price"]), float(value["since"]), str(value["lot_id"]))


def _intention_to_json(intention: Intention) -> dict[str, Any]:
    fields = {field.name: getattr(intention, field.name) for field in dataclasses.fields(intention)}
    fields["removed"] = [lot_to_json(lot) for lot in intention.removed]
    fields["places"] = list(intention.places)
    fields["top_up"] = top_up_to_json(intention.top_up) if intention.top_up else None
    return fields


def _intention_from_json(value: dict[str, Any]) -> Intention:
    fields = dict(value)
    fields["removed"] = tuple(lot_from_json(lot) for lot in fields["removed"])
    fields["places"] = tuple(int(place) for place in fields["places"])
    fields["top_up"] = top_up_from_json(fields["top_up"]) if fields["top_up"] else None
    return Intention(**fields)
