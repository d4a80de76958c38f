"""The second opinion: the contract's records written again, sharing no code with the product's readers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from test_offline.fuzz.strict_fields import (
    Rule,
    count,
    day,
    faults,
    filled_text,
    flag,
    identity,
    list_of,
    maybe,
    not_negative,
    number,
    one_of,
    positive,
    record,
    some,
    table_of,
    text,
    whole,
)
from test_offline.fuzz.strict_json import SMALL, Invalid, parsed, sealed

SIDE = one_of("BUY", "SELL")
ENVELOPE: dict[str, Rule] = {
    "schema_version": lambda value: whole(value) and value == 2,
    "writer": lambda value: text(value) and "@" in value.strip("@"),
    "epoch": filled_text,
    "seq": count,
    "written_at": number,
    "market_time": number,
    "trading_day": day,
    "mode": one_of("live", "simulate"),
    "account": filled_text,
}
SEALS: dict[str, Rule] = {"checksum": text, "signature": lambda value: True}
SEED_SIGNAL: tuple[dict[str, Rule], dict[str, Rule]] = (
    {
        "signal_id": identity,
        "code": text,
        "direction": SIDE,
        "price": positive,
        "shares": some,
        "timestamp": positive,
    },
    {
        "reason": text,
        "client_order_id": maybe(text),
        "amount": maybe(positive),
        "layer_index": count,
        "release_client_order_ids": list_of(text),
    },
)
SIGNAL: tuple[dict[str, Rule], dict[str, Rule]] = (
    SEED_SIGNAL[0] | {"strategy": filled_text},
    SEED_SIGNAL[1]
    | {
        "action": one_of("order", "cancel"),
        "target_signal_id": maybe(text),
        "executor": maybe(text),
        "expires_at": maybe(positive),
        "cancel_after_seconds": not_negative,
        "price_type": one_of("limit"),
    },
)
STATES = (
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
)
STATUS = one_of("success", "failed", "pending")
SEED_RESULT: tuple[dict[str, Rule], dict[str, Rule]] = (
    {"signal_id": text, "status": STATUS},
    {
        "order_id": text,
        "message": text,
        "timestamp": number,
        "direction": maybe(SIDE),
        "requested_shares": count,
        "filled_shares": count,
    },
)
TRADE = record({"trade_id": text, "price": positive, "shares": some, "time": number}, {})
RESULT: tuple[dict[str, Rule], dict[str, Rule]] = (
    SEED_RESULT[0],
    SEED_RESULT[1]
    | {
        "state": one_of(*STATES),
        "signal_digest": text,
        "revision": count,
        "average_price": not_negative,
        "trades": list_of(TRADE),
        "error_code": text,
        "broker_message": text,
        "code": maybe(text),
        "price": maybe(number),
        "strategy": maybe(text),
        "signal_epoch": maybe(text),
        "signal_seq": maybe(whole),
    },
)
POSITION_FIELDS: dict[str, Rule] = {
    "volume": whole,
    "can_use_volume": whole,
    "open_price": number,
    "market_value": number,
}
POSITION = record({}, POSITION_FIELDS)
SEED_QUOTE: tuple[dict[str, Rule], dict[str, Rule]] = (
    {"code": text, "price": number},
    {"preClose": number, "history": list_of(number), "position": POSITION, "time": text},
)
_QUOTE_NUMBERS = ("open", "high", "low", "pre_close", "amount", "limit_up", "limit_down", "tick_time")
ONE_QUOTE = record(
    {"price": number},
    {name: number for name in _QUOTE_NUMBERS}
    | {"volume": whole, "status": text, "bid": list_of(number), "ask": list_of(number)}
    | {"bid_volume": list_of(whole), "ask_volume": list_of(whole)},
)
BAR_COLUMNS = ("time", "open", "high", "low", "close", "volume")


def bars(value: Any) -> bool:
    columns = {name: list_of(number) for name in BAR_COLUMNS}
    if not record({}, columns)(value):
        return False
    return len({len(value.get(name, ())) for name in BAR_COLUMNS} - {0}) <= 1


QUOTE: tuple[dict[str, Rule], dict[str, Rule]] = (
    SEED_QUOTE[0],
    SEED_QUOTE[1]
    | {
        "quotes": table_of(ONE_QUOTE),
        "bars": table_of(bars),
        "positions": table_of(POSITION),
        "complete": flag,
    },
)
ACCOUNT_ORDER = record(
    {"order_id": text, "code": text, "direction": SIDE, "price": number, "shares": whole, "status": whole},
    {"filled_shares": whole, "remark": text, "time": number},
)
ACCOUNT_TRADE = record(
    {"trade_id": text, "order_id": text, "code": text, "direction": SIDE, "price": number, "shares": whole},
    {"time": number},
)
ASSET = record({}, dict.fromkeys(("cash", "frozen_cash", "market_value", "total_asset"), number))
ACCOUNT: tuple[dict[str, Rule], dict[str, Rule]] = (
    {},
    {
        "accounts": table_of(
            record(
                {},
                {
                    "asset": ASSET,
                    "positions": table_of(POSITION),
                    "orders": list_of(ACCOUNT_ORDER),
                    "trades": list_of(ACCOUNT_TRADE),
                    "complete": flag,
                    "queried_at": number,
                },
            )
        )
    },
)
SEEN = record({"epoch": text, "seq": whole, "received_at": number}, {"written_at": number})
HEARTBEAT: tuple[dict[str, Rule], dict[str, Rule]] = (
    {"role": one_of("executor", "producer", "dashboard"), "instance": text},
    {
        "ready": flag,
        "state": text,
        "seen": table_of(SEEN),
        "accounts": list_of(text),
        "ledger_id": maybe(text),
        "commits": maybe(whole),
        "halt_since": maybe(number),
        "applied_results": list_of(text),
        "strategy": maybe(text),
    },
)
HALT: tuple[dict[str, Rule], dict[str, Rule]] = ({}, {"halt": flag, "reason": text, "by": text, "at": number})
COMMAND: tuple[dict[str, Rule], dict[str, Rule]] = (
    {"kind": one_of("halt", "resume", "pause", "unpause", "cancel"), "at": number},
    {"argument": text, "by": text},
)
TYPED: tuple[dict[str, Rule], dict[str, Rule]] = (
    {"kind": one_of("resume", "rebind", "resolve"), "at": number},
    {"reason": text, "strategy": text, "by": text},
)


def checked(
    raw: bytes,
    rules: tuple[Mapping[str, Rule], Mapping[str, Rule]],
    seed: tuple[Mapping[str, Rule], Mapping[str, Rule]] | None,
    limit: int = SMALL,
    key: bytes | None = None,
) -> dict[str, Any]:
    """The payload of a file that crosses the folder; Invalid says why it is none."""
    payload = parsed(raw, limit)
    if not any(name in payload for name in (*ENVELOPE, *SEALS)):
        if seed is None:
            raise Invalid("no envelope")
        found = faults(payload, *seed)
    else:
        seal = sealed(payload, key)
        if payload.get("checksum") != seal["checksum"]:
            raise Invalid("checksum")
        if key is not None and payload.get("signature") != seal["signature"]:
            raise Invalid("signature")
        found = faults(payload, ENVELOPE | dict(rules[0]), SEALS | dict(rules[1]))
    if found:
        raise Invalid("; ".join(found)[:300])
    return payload


def checked_signal(raw: bytes, key: bytes | None = None) -> dict[str, Any]:
    """A signal that may be taken; a cancel names its target."""
    payload = checked(raw, SIGNAL, SEED_SIGNAL, key=key)
    if payload.get("action") == "cancel" and not payload.get("target_signal_id"):
        raise Invalid("cancel without target")
    return payload


def checked_result(raw: bytes) -> dict[str, Any]:
    """A result whose words and shares agree with each other."""
    payload = checked(raw, RESULT, SEED_RESULT)
    if "checksum" in payload:
        ended = payload.get("state", "received") in (
            "rejected",
            "expired",
            "filled",
            "cancelled",
            "partly_cancelled",
            "refused_by_broker",
            "not_placed",
        )
        filled = payload.get("filled_shares", 0)
        words = ["success" if filled else "failed"] if ended else ["pending"]
        if payload.get("state") == "cancelled":
            words.append("success")  # of a cancel's own result
        if payload["status"] not in words:
            raise Invalid(f"status {payload['status']}, but {words} by its state")
        trades = {trade["trade_id"]: trade["shares"] for trade in payload.get("trades", [])}
        if len(trades) != len(payload.get("trades", [])) or sum(trades.values()) != filled:
            raise Invalid("filled shares are not the sum of distinct trades")
    return payload
