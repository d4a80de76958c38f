"""The risk gate: a list of checks over one signal and the facts of the moment; the first refusal wins.

Pure: facts come in, a refusal or None goes out. Checks that only the broker can make
(a rule changed this morning) stay with the broker.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field

from shared_schema.cash_pool import PoolTerms, PoolUse, pool_objection
from shared_schema.clock import Moment
from shared_schema.instruments import (
    Instrument,
    InstrumentError,
    Override,
    instrument,
    is_on_tick,
    is_within_limits,
    quantity_fault,
    with_override,
)
from shared_schema.messages import OrderSignal, Quote
from shared_schema.sessions import SessionState, closing_call_at, date_of, may_place, state_at
from windows_side.execution.rules import Rules

COLLAR = 10.0
"""A price this many times off the last one is a slip of the finger."""


@dataclass(frozen=True)
class Refusal:
    """Why a signal is not executed: a stable word and what fills its sentence."""

    error_code: str
    values: dict[str, object]


@dataclass(frozen=True)
class Facts:
    """What the gate knows at one moment. Money in yuan."""

    now: Moment
    quote: Quote | None
    """The newest quote of the code, None without one."""
    quote_age: float
    """Seconds since that quote was written; infinite without one."""
    cash: float
    """Free to use, open buys the account does not show yet taken off."""
    sellable: int
    """Shares that may be sold today, open sells not yet shown taken off."""
    orders_today: int
    turnover_today: float
    """Of the code, both sides, yuan."""
    ahead: float = 0.0
    """Seconds the writer's clock is proven to be ahead of ours."""
    duplicate_of: str = ""
    """Signal of the same intent within the window."""
    unknown_of: str = ""
    """An order of the code whose outcome is unknown."""
    pool: PoolUse = field(default_factory=PoolUse)
    """What other orders and lots have taken of the cash pool."""


Check = Callable[[OrderSignal, Facts, Rules, Instrument], Refusal | None]


def refusal_of(signal: OrderSignal, facts: Facts, rules: Rules) -> Refusal | None:
    """The first reason not to execute ``signal``, None when there is none."""
    listed = _listed(signal, rules)
    if listed is not None:
        return listed
    try:
        traded = _instrument_of(signal, facts)
    except InstrumentError as problem:
        return Refusal("bad_code", {"code": signal.code, "detail": problem.what})
    for check in CHECKS:
        refusal = check(signal, facts, rules, traded)
        if refusal is not None:
            return refusal
    return None


def _listed(signal: OrderSignal, rules: Rules) -> Refusal | None:
    if signal.code in rules.limits.allow_list:
        return None
    return Refusal("code_not_allowed", {"code": signal.code, "allowed": ", ".join(rules.limits.allow_list)})


def _instrument_of(signal: OrderSignal, facts: Facts) -> Instrument:
    known = instrument(signal.code, on=date_of(facts.now.market))
    if facts.quote is None:
        return known
    return with_override(known, Override(limit_up=facts.quote.limit_up, limit_down=facts.quote.limit_down))


def _fast_enough(signal: OrderSignal, facts: Facts, rules: Rules, _: Instrument) -> Refusal | None:
    return None if rules.orders_allowed or rules.offline else Refusal("too_slow", {})


def _not_expired(signal: OrderSignal, facts: Facts, rules: Rules, _: Instrument) -> Refusal | None:
    late = facts.now.wall + facts.ahead - signal.deadline
    return None if late <= 0 else Refusal("expired", {"seconds": round(late)})


def _not_from_the_future(signal: OrderSignal, facts: Facts, rules: Rules, _: Instrument) -> Refusal | None:
    ahead = signal.timestamp - facts.now.wall - facts.ahead
    if ahead <= rules.limits.future_seconds:
        return None
    return Refusal("from_future", {"seconds": round(ahead)})


def _quantity(signal: OrderSignal, facts: Facts, rules: Rules, traded: Instrument) -> Refusal | None:
    held = facts.sellable if signal.direction == "SELL" and facts.sellable >= signal.shares else None
    fault = quantity_fault(signal.direction, signal.shares, traded, held)
    if fault is None:
        return None
    return Refusal("bad_quantity", {"shares": signal.shares, "lot": traded.lot, "fault": fault})


def _size(signal: OrderSignal, _: Facts, rules: Rules, __: Instrument) -> Refusal | None:
    limits = rules.limits
    buys = signal.direction == "BUY"
    most_shares = limits.max_buy_shares if buys else limits.max_sell_shares
    most_yuan = limits.max_buy_yuan if buys else limits.max_sell_yuan
    if signal.shares > most_shares:
        return Refusal("too_many_shares", {"shares": signal.shares, "limit": most_shares})
    notional = max(signal.notional, signal.amount or 0.0)
    if notional > most_yuan:
        return Refusal("too_much_money", {"amount": round(notional, 2), "limit": most_yuan})
    return None


def _tick(signal: OrderSignal, _: Facts, __: Rules, traded: Instrument) -> Refusal | None:
    if is_on_tick(signal.price, traded.tick_size):
        return None
    return Refusal("off_tick", {"price": signal.price, "tick": traded.tick_size})


def closed_state(market: float, quote: Quote | None, rules: Rules) -> SessionState | None:
    """What forbids an order at ``market`` (Unix seconds of our clock); None where one may go.

    ``quote``: the newest of the code. Where our clock is behind, its tick tells that the closing call has
    begun: an order placed then can't be taken back.
    """
    if not rules.enforce_sessions:
        return None
    state = state_at(market, rules.calendar)
    if not may_place(state):
        return state
    tick = quote.tick_time if quote is not None else 0.0
    has_ended = tick >= closing_call_at(market, rules.calendar) and date_of(tick) == date_of(market)
    return SessionState.CLOSING_CALL if has_ended else None


def _session(signal: OrderSignal, facts: Facts, rules: Rules, _: Instrument) -> Refusal | None:
    state = closed_state(facts.now.market, facts.quote, rules)
    return None if state is None else Refusal("outside_session", {"state": state.value})


def _quote(signal: OrderSignal, facts: Facts, rules: Rules, _: Instrument) -> Refusal | None:
    if rules.needs_quote and facts.quote_age > rules.limits.max_quote_age_seconds:
        return Refusal("no_fresh_quote", {"code": signal.code})
    quote = facts.quote
    if quote is None:
        return None
    crossed = bool(quote.bid and quote.ask) and quote.bid[0] >= quote.ask[0] > 0
    if quote.price <= 0 or not math.isfinite(quote.price) or crossed:
        return Refusal("quote_unusable", {"code": signal.code, "price": quote.price})
    if quote.status == "suspended":
        return Refusal("suspended", {"code": signal.code})
    return None


def _price(signal: OrderSignal, facts: Facts, rules: Rules, traded: Instrument) -> Refusal | None:
    quote = facts.quote
    if quote is None or facts.quote_age > rules.limits.max_quote_age_seconds:
        return None
    if not quote.price / COLLAR < signal.price < quote.price * COLLAR:
        return Refusal("price_collar", {"price": signal.price, "last": quote.price})
    if quote.pre_close > 0 and not is_within_limits(signal.price, quote.pre_close, traded):
        return Refusal("beyond_daily_limit", {"price": signal.price, "pre_close": quote.pre_close})
    return None


def _counts(signal: OrderSignal, facts: Facts, rules: Rules, _: Instrument) -> Refusal | None:
    limits = rules.limits
    if facts.orders_today >= limits.orders_per_day:
        return Refusal("orders_per_day", {"count": facts.orders_today, "limit": limits.orders_per_day})
    turnover = facts.turnover_today + signal.notional
    if signal.direction == "BUY" and turnover > limits.turnover_yuan:
        return Refusal("turnover", {"amount": round(turnover, 2), "limit": limits.turnover_yuan})
    return None


def _duplicate(signal: OrderSignal, facts: Facts, rules: Rules, _: Instrument) -> Refusal | None:
    if not facts.duplicate_of:
        return None
    window = rules.limits.duplicate_window_seconds
    return Refusal("duplicate_intent", {"other": facts.duplicate_of, "seconds": window})


def _no_unknown(signal: OrderSignal, facts: Facts, rules: Rules, _: Instrument) -> Refusal | None:
    # I13: it may have bought already; lots of other orders may still be sold.
    if signal.direction == "SELL" or not facts.unknown_of:
        return None
    return Refusal("unknown_order", {"code": signal.code, "other": facts.unknown_of})


def _pool(signal: OrderSignal, facts: Facts, rules: Rules, _: Instrument) -> Refusal | None:
    if signal.direction == "SELL":
        return None
    terms = PoolTerms(rules.limits.pool_yuan, rules.limits.pool_code_yuan)
    amount = max(signal.notional, signal.amount or 0.0)
    first = signal.layer_index == 0
    found = pool_objection(terms, facts.pool, signal.code, amount, opens_first_layer=first)
    if found is None:
        return None
    values = {"code": signal.code, "needed": round(found.needed, 2), "limit": round(found.limit, 2)}
    return Refusal(found.word, values)


def _means(signal: OrderSignal, facts: Facts, rules: Rules, _: Instrument) -> Refusal | None:
    if signal.direction == "SELL":
        if signal.shares <= facts.sellable:
            return None
        return Refusal("not_enough_shares", {"shares": signal.shares, "sellable": facts.sellable})
    usable = facts.cash * (1 - rules.limits.cash_buffer)
    needed = max(signal.notional, signal.amount or 0.0)
    if needed <= usable:
        return None
    return Refusal("not_enough_cash", {"amount": round(needed, 2), "cash": round(usable, 2)})


CHECKS: tuple[Check, ...] = (
    _fast_enough,
    _not_expired,
    _not_from_the_future,
    _size,
    _quantity,
    _tick,
    _session,
    _quote,
    _price,
    _duplicate,
    _counts,
    _no_unknown,
    _pool,
    _means,
)
