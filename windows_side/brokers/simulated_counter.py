"""What the simulated terminal and counter say no to, and in which of their ways.

The terminal refuses at once what is no order at all (no record of it exists). The counter
takes the rest and turns what it can't use into 废单 (57) with its reason in the message, as
a real one does (peers seen: ``[COUNTER][260200][可用资金不足]``).
"""

from __future__ import annotations

import math
from typing import get_args

from shared_schema.ids import Direction
from shared_schema.instruments import (
    Instrument,
    InstrumentError,
    Override,
    instrument,
    is_on_tick,
    is_valid_quantity,
    is_within_cage,
    is_within_limits,
    with_override,
)
from shared_schema.messages import Quote
from shared_schema.words import say
from windows_side.brokers.port import OrderRequest, Refused

REFUSED_CODE = "-1"
HIGHEST_PRICE = 10_000.0
"""Yuan; above any A share, and any amount of it still fits the books."""
LONGEST_REMARK = 23
"""Bytes the terminal keeps of a remark."""


def refusal(request: OrderRequest) -> Refused | None:
    """The terminal's own check: why there is no order at all, None to go on."""
    try:
        instrument(request.code)
    except InstrumentError:
        return _refused("code", code=request.code)
    if request.direction not in get_args(Direction):
        return _refused("direction", direction=request.direction)
    if not (math.isfinite(request.price) and 0 < request.price <= HIGHEST_PRICE):
        return _refused("price", price=request.price)
    if isinstance(request.shares, bool) or not isinstance(request.shares, int) or request.shares <= 0:
        return _refused("shares", shares=request.shares)
    if not request.tag.isascii() or len(request.tag) > LONGEST_REMARK:
        return _refused("remark", remark=repr(request.tag)[:60])
    return None


def objection(
    request: OrderRequest, rules: Instrument, quote: Quote | None, can_use_volume: int, has_cash: bool
) -> str | None:
    """The counter's reason to make the order 废单, None where it stands.

    ``quote`` is the newest one, None where prices are not looked at; ``can_use_volume`` in
    shares; ``has_cash`` whether the free cash covers a buy with its fees.
    """
    if not is_on_tick(request.price, rules.tick_size):
        return say("broker.counter.tick")
    held = can_use_volume if request.direction == "SELL" else None
    if request.direction == "SELL" and request.shares > can_use_volume:
        return say("broker.counter.shares")
    if not is_valid_quantity(request.direction, request.shares, rules, held):
        return say("broker.counter.quantity")
    if quote is not None and (price_reason := _price_objection(request, rules, quote)) is not None:
        return price_reason
    if request.direction == "BUY" and not has_cash:
        return say("broker.counter.cash")
    return None


def _price_objection(request: OrderRequest, rules: Instrument, quote: Quote) -> str | None:
    if quote.status == "suspended":
        return say("broker.counter.suspended")
    today = _with_limits(rules, quote)
    known = quote.pre_close > 0 or (today.limit_up is not None and today.limit_down is not None)
    if known and not is_within_limits(request.price, quote.pre_close, today):
        return say("broker.counter.limits")
    bid, ask = (quote.bid[0] if quote.bid else 0.0), (quote.ask[0] if quote.ask else 0.0)
    if quote.price > 0 and not is_within_cage(
        request.direction,
        request.price,
        rules,
        bid=bid,
        ask=ask,
        last=quote.price,
        pre_close=quote.pre_close,
    ):
        return say("broker.counter.cage")
    return None


def _with_limits(rules: Instrument, quote: Quote) -> Instrument:
    """The day's limits as the quote gives them, where it gives usable ones."""
    try:
        return with_override(rules, Override(limit_up=quote.limit_up, limit_down=quote.limit_down))
    except InstrumentError:
        return rules


def _refused(reason: str, **values: object) -> Refused:
    return Refused(REFUSED_CODE, say(f"broker.refused.{reason}", **values))
