"""Each check of the gate, on both sides of its boundary."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import datetime

import pytest

from shared_schema.clock import Moment
from shared_schema.messages import OrderSignal, Quote
from shared_schema.sessions import SHANGHAI
from tests.execution.bench import OPEN_AT, limits_of, rules_of, signal_of
from windows_side.execution.risk_gate import CHECKS, Facts, refusal_of
from windows_side.execution.rules import Rules

NOW = Moment(OPEN_AT, OPEN_AT)
QUOTE = Quote(price=1.2, pre_close=1.2, bid=(1.199,), ask=(1.2,))
FACTS = Facts(
    now=NOW, quote=QUOTE, quote_age=1.0, cash=1e6, sellable=10_000, orders_today=0, turnover_today=0.0
)


def verdict(signal: OrderSignal | None = None, rules: Rules | None = None, **facts: object) -> str:
    """The stable word, "" for a signal that passes."""
    refusal = refusal_of(signal or signal_of(), replace(FACTS, **facts), rules or rules_of())  # type: ignore[arg-type]
    return refusal.error_code if refusal else ""


def sell(**changes: object) -> OrderSignal:
    """A sell of 1000 shares."""
    return signal_of(direction="SELL", **changes)


def at(clock: str, day: int = 18) -> Moment:
    """A moment of November 2026 in Shanghai; the signal's own time moves with it."""
    hour, minute, second = (int(part) for part in clock.split(":"))
    market = datetime(2026, 11, day, hour, minute, second, tzinfo=SHANGHAI).timestamp()
    return Moment(OPEN_AT, market)


def test_an_ordinary_signal_passes() -> None:
    """Or every refusal below would prove nothing."""
    assert verdict() == "" and verdict(sell()) == ""


@pytest.mark.parametrize(("late", "word"), [(300.0, ""), (300.001, "expired")])
def test_expiry(late: float, word: str) -> None:
    """The deadline itself still passes."""
    assert verdict(now=Moment(OPEN_AT + late, OPEN_AT)) == word


@pytest.mark.parametrize(("ahead", "word"), [(30.0, ""), (30.5, "from_future")])
def test_the_future(ahead: float, word: str) -> None:
    """Thirty seconds of skew are borne."""
    assert verdict(signal_of(timestamp=OPEN_AT + ahead)) == word


def test_a_code_off_the_list() -> None:
    """Whatever else is right."""
    assert verdict(signal_of(code="600000.SH")) == "code_not_allowed"
    assert (
        verdict(signal_of(code="nonsense"), rules_of(limits=limits_of(allow_list=("nonsense",))))
        == "bad_code"
    )


@pytest.mark.parametrize(
    ("signal", "word"),
    [
        (signal_of(shares=100_000, price=0.6), ""),
        (signal_of(shares=100_100, price=0.5), "too_many_shares"),
        (signal_of(shares=50_000, price=1.2), ""),
        (signal_of(shares=50_100, price=1.2), "too_much_money"),
        (signal_of(amount=60_001.0), "too_much_money"),
        (signal_of(amount=1.0, shares=50_100), "too_much_money"),
        (sell(shares=500_000, price=0.6), ""),
        (sell(shares=500_100, price=0.5), "too_many_shares"),
        (sell(shares=250_000, price=1.2), ""),
        (sell(shares=250_100, price=1.2), "too_much_money"),
    ],
)
def test_size(signal: OrderSignal, word: str) -> None:
    """Shares and yuan, each side by its own limit; ``amount`` is never trusted below price x shares."""
    assert (
        verdict(signal, quote=None, quote_age=math.inf, rules=rules_of(needs_quote=False), sellable=10**6)
        == word
    )


@pytest.mark.parametrize(("shares", "word"), [(100, ""), (99, "bad_quantity"), (150, "bad_quantity")])
def test_lots(shares: int, word: str) -> None:
    """Buys come in lots of a hundred."""
    assert verdict(signal_of(shares=shares)) == word


@pytest.mark.parametrize(
    ("price", "word"), [(1.2, ""), (1.201, ""), (1.2000000000000002, ""), (1.2005, "off_tick")]
)
def test_ticks(price: float, word: str) -> None:
    """A float's last digit is no tick."""
    assert verdict(signal_of(price=price)) == word


@pytest.mark.parametrize(
    ("clock", "day", "passes"),
    [
        ("9:29:59", 18, False),
        ("9:30:00", 18, True),
        ("11:29:59", 18, True),
        ("11:30:00", 18, False),
        ("13:00:00", 18, True),
        ("14:56:59", 18, True),
        ("14:57:00", 18, False),
        ("10:00:00", 21, False),
    ],
)
def test_the_session_clock(clock: str, day: int, passes: bool) -> None:
    """I6: continuous trading of a trading day; not enforced, it only warns elsewhere."""
    assert verdict(now=at(clock, day)) == ("" if passes else "outside_session")
    assert verdict(now=at(clock, day), rules=rules_of(enforce_sessions=False)) == ""


@pytest.mark.parametrize(
    ("clock", "tick", "passes"),
    [
        ("14:56:09", "14:56:59", True),
        ("14:56:10", "14:57:00", False),
        ("14:56:50", "14:57:40", False),
        ("14:56:50", "15:00:03", False),
        ("9:30:05", "9:29:59", True),
        ("13:00:30", "11:29:59", True),
    ],
)
def test_the_newest_tick_ends_the_session_too(clock: str, tick: str, passes: bool) -> None:
    """I6: with our clock behind, the exchange's own time keeps orders out of the closing call."""
    quote = QUOTE.model_copy(update={"tick_time": at(tick).market})
    assert verdict(now=at(clock), quote=quote) == ("" if passes else "outside_session")
    assert verdict(now=at(clock), quote=quote, rules=rules_of(enforce_sessions=False)) == ""
    assert verdict(now=at(clock, day=19), quote=quote) == ""  # of the day before: no quote of today yet


@pytest.mark.parametrize(
    ("facts", "word"),
    [
        ({"quote_age": 300.0}, ""),
        ({"quote_age": 300.1}, "no_fresh_quote"),
        ({"quote": None, "quote_age": math.inf}, "no_fresh_quote"),
        ({"quote": QUOTE.model_copy(update={"price": 0.0})}, "quote_unusable"),
        ({"quote": QUOTE.model_copy(update={"bid": (1.2,)})}, "quote_unusable"),
        ({"quote": QUOTE.model_copy(update={"bid": (1.2,), "ask": (0.0,)})}, ""),
        ({"quote": QUOTE.model_copy(update={"status": "suspended"})}, "suspended"),
    ],
)
def test_quotes(facts: dict[str, object], word: str) -> None:
    """Fault 66: stale, absent, crossed or zero: nothing is accepted. A side of the book may be empty."""
    assert verdict(**facts) == word


def test_a_simulated_executor_needs_no_quote() -> None:
    """People try it at night; an unusable fresh quote still refuses."""
    night = rules_of(needs_quote=False)
    assert verdict(rules=night, quote=None, quote_age=math.inf) == ""
    assert verdict(rules=night, quote=QUOTE.model_copy(update={"price": 0.0})) == "quote_unusable"


@pytest.mark.parametrize(
    ("price", "word"),
    [
        (1.32, ""),
        (1.321, "beyond_daily_limit"),
        (1.08, ""),
        (1.079, "beyond_daily_limit"),
        (12.0, "price_collar"),
    ],
)
def test_prices(price: float, word: str) -> None:
    """Fault 65: ten per cent about the previous close, and ten times off is a slip of the finger."""
    assert verdict(signal_of(price=price)) == word


def test_the_quotes_own_limits_count() -> None:
    """Where the exchange named today's limits they are taken."""
    named = QUOTE.model_copy(update={"limit_up": 1.25, "limit_down": 1.15})
    assert [verdict(signal_of(price=price), quote=named) for price in (1.25, 1.251)] == [
        "",
        "beyond_daily_limit",
    ]


def test_a_duplicate() -> None:
    """The book found another of the same intent."""
    assert verdict(duplicate_of="other") == "duplicate_intent"


@pytest.mark.parametrize(("count", "word"), [(199, ""), (200, "orders_per_day")])
def test_the_days_count(count: int, word: str) -> None:
    """Two hundred orders a day, sells too."""
    assert verdict(orders_today=count) == word and verdict(sell(), orders_today=count) == word


@pytest.mark.parametrize(("before", "word"), [(998_800.0, ""), (998_800.01, "turnover")])
def test_turnover_refuses_buys_only(before: float, word: str) -> None:
    """A sell must always be possible."""
    assert verdict(turnover_today=before) == word
    assert verdict(sell(), turnover_today=1e9) == ""


@pytest.mark.parametrize(
    ("cash", "word"), [(1212.13, ""), (1212.11, "not_enough_cash"), (0.0, "not_enough_cash")]
)
def test_cash_with_its_buffer(cash: float, word: str) -> None:
    """1,200 yuan need 1 % more lying there."""
    assert verdict(cash=cash) == word


@pytest.mark.parametrize(
    ("sellable", "word"), [(1000, ""), (999, "not_enough_shares"), (-5, "not_enough_shares")]
)
def test_shares_that_may_be_sold(sellable: int, word: str) -> None:
    """T+1: what may be sold today, less what open sells hold."""
    assert verdict(sell(), sellable=sellable) == word


@pytest.mark.parametrize("value", [0.0, -1.0, math.nan, math.inf])
def test_no_number_of_the_market_lets_a_signal_through_by_accident(value: float) -> None:
    """A comparison with NaN is false: it must refuse, not pass."""
    quote = QUOTE.model_construct(**(QUOTE.model_dump() | {"price": value}))
    assert verdict(quote=quote) == "quote_unusable"
    if math.isnan(value):
        assert verdict(cash=value) == "not_enough_cash"


def test_every_check_has_its_sentence() -> None:
    """A refusal without words would stop the executor instead of the signal."""
    from shared_schema.words import has

    words = [
        "expired",
        "from_future",
        "too_many_shares",
        "too_much_money",
        "bad_quantity",
        "off_tick",
        "turnover",
    ]
    words += [
        "outside_session",
        "no_fresh_quote",
        "quote_unusable",
        "suspended",
        "price_collar",
        "not_enough_cash",
    ]
    words += [
        "beyond_daily_limit",
        "duplicate_intent",
        "orders_per_day",
        "not_enough_shares",
        "code_not_allowed",
    ]
    words += ["unknown_order", "pool_full", "pool_first_layer", "pool_code_cap"]
    words += ["bad_code", "halted", "queue_full", "other_mode", "other_account", "other_writer", "version_1"]
    words += ["too_slow"]
    assert all(has(f"refusals.{word}.what") for word in words)
    assert len(CHECKS) == 14
