"""Books and outbox in the names of the seed's ``dashboard_state.json``, and back.

The seed knew one signal and one top-up; ours stand in full beside its names, which always show the
newest. A seed file's own last signal becomes an entry that is waited for but never published.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from mac_side.books import Books, Intention, Lot, TopUp, Totals
from mac_side.bridge_client.entry import (
    OutboxEntry,
    entry_from_json,
    entry_to_json,
    lot_from_json,
    lot_to_json,
    top_up_from_json,
    top_up_to_json,
)
from mac_side.bridge_client.outbox import Outbox
from shared_schema.ids import Code, SignalId

SEED_KEYS = frozenset(
    {"last_buy_price", "positions", "hold_layers", "hold_t0_volume", "total_cost", "fixed_volume"}
    | {"last_sent_signal_id", "last_sent_signal_direction", "last_sent_signal_shares"}
    | {"last_sent_signal_price", "last_sent_buy_prev_anchor", "last_sent_was_topup"}
    | {"last_sent_sell_removed_lots", "pending_buy_shares", "pending_buy_price", "pending_buy_since"}
)
OUR_KEYS = frozenset(
    {"outbox", "top_ups", "cooling_since", "before_flat", "shortfall", "totals", "counter", "executor"}
    | {"halts", "lifted", "paused", "strategy", "code", "day_close", "ex_date", "ex_date_found"}
)


def parts_to_json(books: Books, outbox: Outbox) -> dict[str, Any]:
    """Books and outbox as the file holds them."""
    newest = next((entry for entry in reversed(outbox.entries) if entry.is_order), None)
    top_up = books.top_ups[-1] if books.top_ups else None
    return {
        "last_buy_price": books.anchor,
        "positions": [lot_to_json(lot) for lot in books.lots],
        "hold_layers": len(books.lots),
        "hold_t0_volume": books.shares,
        "total_cost": books.cost,
        "fixed_volume": books.fixed_volume,
        **_last_sent(newest),
        "pending_buy_shares": top_up.shares if top_up else 0,
        "pending_buy_price": top_up.price if top_up else None,
        "pending_buy_since": top_up.since if top_up else None,
        "cooling_since": books.flat_at,
        "before_flat": list(books.before_flat) if books.before_flat else None,
        "shortfall": books.shortfall,
        "totals": vars(books.totals),
        "top_ups": [top_up_to_json(waiting) for waiting in books.top_ups],
        "outbox": [entry_to_json(entry) for entry in outbox.entries],
    }


def parts_from_json(payload: dict[str, Any]) -> tuple[Books, Outbox]:
    """Books and outbox from the file. Raises KeyError, TypeError or ValueError where they are none."""
    lots = tuple(lot_from_json(lot) for lot in _positions(payload))
    outbox = Outbox(tuple(entry_from_json(entry) for entry in payload.get("outbox") or ()))
    if "outbox" not in payload:
        lots, outbox = _adopted(payload, lots)
    before = payload.get("before_flat")
    books = Books(
        lots=lots,
        anchor=_price(payload.get("last_buy_price")),
        flat_at=_number(payload.get("cooling_since")),
        before_flat=(before[0], before[1]) if before else None,
        top_ups=_top_ups(payload, lots),
        fixed_volume=_shares(payload.get("fixed_volume")),
        shortfall=_shares(payload.get("shortfall")),
        totals=Totals(**payload["totals"]) if "totals" in payload else Totals(),
    )
    return books, outbox


def _last_sent(entry: OutboxEntry | None) -> dict[str, Any]:
    if entry is None:
        return {"last_sent_signal_id": None}
    intention = entry.intention
    return {
        "last_sent_signal_id": entry.signal_id,
        "last_sent_signal_direction": entry.direction,
        "last_sent_signal_shares": intention.shares,
        "last_sent_signal_price": intention.price,
        "last_sent_buy_prev_anchor": intention.previous_anchor,
        "last_sent_was_topup": intention.kind == "top_up",
        "last_sent_sell_removed_lots": [lot_to_json(lot) for lot in intention.removed],
    }


def _adopted(payload: dict[str, Any], lots: tuple[Lot, ...]) -> tuple[tuple[Lot, ...], Outbox]:
    """The seed's last signal as an entry, its lot named after it."""
    identity = payload.get("last_sent_signal_id")
    direction = payload.get("last_sent_signal_direction")
    if not identity or direction not in ("BUY", "SELL"):
        return lots, Outbox()
    shares = _shares(payload.get("last_sent_signal_shares"))
    price = _price(payload.get("last_sent_signal_price")) or _price(payload.get("last_buy_price")) or 0.0
    if direction == "SELL":
        removed = tuple(lot_from_json(lot) for lot in payload.get("last_sent_sell_removed_lots") or ())
        intention = Intention(
            "sell", shares, price, removed=removed, places=tuple(range(len(removed)))
        )
    else:
        kind: Any = "top_up" if payload.get("last_sent_was_topup") else "buy"
        if lots and not lots[-1].client_order_id:
            lots = (*lots[:-1], replace(lots[-1], client_order_id=str(identity)))
        intention = Intention(
            kind,
            shares,
            price,
            lot_id=lots[-1].client_order_id if lots else str(identity),
            previous_anchor=_price(payload.get("last_sent_buy_prev_anchor")),
        )
    entry = OutboxEntry(
        signal_id=SignalId(str(identity)),
        code=Code(""),
        direction=direction,
        layer=len(lots),
        seq=0,
        trading_day="",
        timestamp=0.0,
        digest="",
        raw=b"",
        intention=intention,
    )
    return lots, Outbox((entry,))


def _top_ups(payload: dict[str, Any], lots: tuple[Lot, ...]) -> tuple[TopUp, ...]:
    if "top_ups" in payload:
        return tuple(top_up_from_json(waiting) for waiting in payload["top_ups"])
    shares = _shares(payload.get("pending_buy_shares"))
    price, since = _price(payload.get("pending_buy_price")), _number(payload.get("pending_buy_since"))
    if not (shares and price and since and lots and lots[-1].client_order_id):
        return ()
    return (TopUp(shares, price, since, lots[-1].client_order_id),)


def _positions(payload: dict[str, Any]) -> list[Any]:
    """The list of lots; none at all only where nothing else says that shares are held."""
    found = payload.get("positions")
    if found is None:
        held = {name: payload[name] for name in ("hold_layers", "hold_t0_volume") if payload.get(name)}
        if held:
            raise ValueError(f"positions: missing, yet {held}")
        return []
    if not isinstance(found, list):
        raise ValueError(f"positions: {found!r}")
    return found


def _number(value: Any) -> float | None:
    return None if value is None else float(value)


def _price(value: Any) -> float | None:
    """A price above zero; the seed writes 0 or null where it has none."""
    number = _number(value)
    if number is not None and not 0 <= number < float("inf"):
        raise ValueError(f"price: {value!r}")
    return number or None


def _shares(value: Any) -> int:
    number = 0 if value is None else value
    if isinstance(number, float) and number.is_integer() and number < 2**53:
        number = int(number)
    if isinstance(number, bool) or not isinstance(number, int) or number < 0:
        raise ValueError(f"shares: {value!r}")
    return number
