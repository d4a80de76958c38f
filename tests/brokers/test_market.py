"""The market model: what trades, at which price, how much, and what never does."""

from __future__ import annotations

import random

import pytest

from shared_schema.ids import Code, Direction, OrderId
from shared_schema.instruments import instrument
from shared_schema.messages import Quote
from windows_side.brokers.market import Fill, Market, RestingOrder

FUND = Code("159201.SZ")
STAR = Code("688001.SH")
RULES = instrument(FUND)


def order(
    direction: Direction, limit: float, shares: int, number: int = 1, code: Code = FUND
) -> RestingOrder:
    return RestingOrder(OrderId(str(number)), code, direction, limit, shares)


def market(*quotes: Quote, code: Code = FUND, participation: float = 0.25) -> Market:
    made = Market(participation)
    for quote in quotes:
        made.show(code, quote, instrument(code))
    return made


def printed(price: float, volume: int, **more: object) -> Quote:
    return Quote(price=price, volume=volume, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("direction", "limit", "last", "price"),
    [
        ("BUY", 1.050, 1.050, 1.050),
        ("BUY", 1.055, 1.050, 1.050),
        ("BUY", 1.049, 1.050, None),
        ("BUY", 1.050, 1.0500000000000003, 1.050),
        ("SELL", 1.050, 1.050, 1.050),
        ("SELL", 1.045, 1.050, 1.050),
        ("SELL", 1.051, 1.050, None),
    ],
)
def test_last_price_decides_without_a_book(
    direction: Direction, limit: float, last: float, price: float | None
) -> None:
    """A limit order trades at the print, at its limit or better, compared in whole ticks."""
    fill = market(printed(last, 0)).match(order(direction, limit, 500))
    assert fill == (None if price is None else Fill(OrderId("1"), price, 500))


def test_book_comes_before_the_print() -> None:
    """With a book a buy pays the best ask, a sell gets the best bid."""
    quote = printed(1.050, 0, ask=(1.052,), bid=(1.049,), ask_volume=(9000,), bid_volume=(9000,))
    assert market(quote).match(order("BUY", 1.055, 500)) == Fill(OrderId("1"), 1.052, 500)
    assert market(quote).match(order("SELL", 1.040, 500)) == Fill(OrderId("1"), 1.049, 500)


def test_print_through_a_resting_limit_fills_it() -> None:
    """Between bid and ask, the last print is what a resting order is measured by."""
    quote = printed(1.050, 0, ask=(1.052,), bid=(1.050,))
    assert market(quote).match(order("BUY", 1.051, 500)) == Fill(OrderId("1"), 1.050, 500)
    assert market(quote).match(order("BUY", 1.049, 500)) is None


def test_participation_bounds_a_quote_and_is_shared() -> None:
    """All our orders together take at most a quarter of what traded since the quote before, in lots."""
    made = market(printed(1.050, 10_000), printed(1.050, 14_300))
    assert made.match(order("BUY", 1.050, 700)) == Fill(OrderId("1"), 1.050, 700)
    assert made.match(order("BUY", 1.050, 700, 2)) == Fill(OrderId("2"), 1.050, 300)
    assert made.match(order("SELL", 1.050, 700, 3)) is None


def test_the_same_quote_again_brings_nothing_and_takes_nothing() -> None:
    """A quote read twice is one quote: its volume is neither new nor gone."""
    quote = printed(1.050, 14_000)
    made = market(printed(1.050, 10_000), quote)
    assert made.match(order("BUY", 1.050, 600)) is not None
    made.show(FUND, Quote(**quote.model_dump()), RULES)
    assert made.match(order("BUY", 1.050, 600)) == Fill(OrderId("1"), 1.050, 400)


def test_book_volume_bounds_too() -> None:
    """Not more than the best level shows, where it shows anything."""
    later = printed(1.050, 50_000, ask=(1.050,), bid=(1.049,), ask_volume=(300,), bid_volume=(0,))
    made = market(printed(1.050, 10_000), later)
    assert made.match(order("BUY", 1.050, 1000)) == Fill(OrderId("1"), 1.050, 300)
    assert made.match(order("BUY", 1.050, 1000, 2)) is None
    assert made.match(order("SELL", 1.049, 1000, 3)) == Fill(OrderId("3"), 1.049, 1000)


def test_first_quote_tells_no_traded_volume() -> None:
    """What traded before we looked fills nothing; a count begun anew counts from its beginning."""
    made = market(printed(1.050, 10_000_000))
    assert made.match(order("BUY", 1.050, 100)) is None
    made.show(FUND, printed(1.050, 4_000), RULES)
    assert made.match(order("BUY", 1.050, 5000)) == Fill(OrderId("1"), 1.050, 1000)


@pytest.mark.parametrize(
    ("quote", "direction"),
    [
        (printed(1.155, 0, ask=(0.0,), bid=(1.155,), bid_volume=(90_000,)), "BUY"),
        (printed(0.945, 0, ask=(0.945,), bid=(0.0,), ask_volume=(90_000,)), "SELL"),
        (printed(1.050, 0, ask=(0.0,), bid=(0.0,)), "BUY"),
        (printed(1.155, 0, limit_up=1.155, limit_down=0.945), "BUY"),
        (printed(0.945, 0, limit_up=1.155, limit_down=0.945), "SELL"),
        (printed(1.050, 0, status="suspended"), "BUY"),
        (printed(1.050, 0, status="closed"), "SELL"),
        (printed(0.0, 0), "BUY"),
        (printed(-1.0, 0), "SELL"),
    ],
)
def test_where_nobody_trades_with_us(quote: Quote, direction: Direction) -> None:
    """One-sided book, locked at the limit, suspended, closed, no price: no fill."""
    limit = 1.155 if direction == "BUY" else 0.945
    assert market(quote).match(order(direction, limit, 1000)) is None


def test_other_side_of_a_locked_market_trades() -> None:
    """At the upper limit a sell finds its buyers."""
    locked = printed(1.155, 0, ask=(0.0,), bid=(1.155,), bid_volume=(90_000,))
    assert market(locked).match(order("SELL", 1.100, 1000)) == Fill(OrderId("1"), 1.155, 1000)


def test_lots_and_the_odd_rest() -> None:
    """Parts are whole lots; an odd rest goes only as the whole of what is left; STAR trades single shares."""
    made = market(printed(1.050, 10_000), printed(1.050, 11_000))
    assert made.match(order("SELL", 1.050, 299)) == Fill(OrderId("1"), 1.050, 200)
    made.show(FUND, printed(1.050, 11_300), RULES)
    assert made.match(order("SELL", 1.050, 99)) is None, "75 shares are no lot"
    made.show(FUND, printed(1.050, 12_300), RULES)
    assert made.match(order("SELL", 1.050, 99)) == Fill(OrderId("1"), 1.050, 99)
    star = market(printed(50.0, 1000), printed(50.0, 1900), code=STAR)
    assert star.match(order("BUY", 50.0, 400, code=STAR)) == Fill(OrderId("1"), 50.0, 225)


def test_better_limit_first_then_older() -> None:
    """Price before time: the order given is the age."""
    made = market(printed(1.050, 10_000), printed(1.050, 12_000))
    orders = [order("BUY", 1.050, 300, 1), order("BUY", 1.052, 300, 2), order("BUY", 1.050, 300, 3)]
    assert made.sweep(orders) == [Fill(OrderId("2"), 1.050, 300), Fill(OrderId("1"), 1.050, 200)]


def test_random_markets_never_break_the_rules() -> None:
    """Over 2,000 random quotes: never worse than the limit, never over participation, twice the same."""

    def run(seed: int) -> list[Fill]:
        draw = random.Random(seed)
        made, volume, fills = Market(0.25), 10_000, []
        made.show(FUND, printed(1.050, volume), RULES)
        for number in range(2000):
            traded = draw.randrange(0, 20_000)
            volume += traded
            price = round(1.050 + draw.randrange(-20, 21) / 1000, 3)
            made.show(FUND, printed(price, volume), RULES)
            orders = [
                order(
                    draw.choice(("BUY", "SELL")),
                    round(1.050 + draw.randrange(-20, 21) / 1000, 3),
                    draw.randrange(1, 40) * 100,
                    number * 10 + place,
                )
                for place in range(3)
            ]
            by_id = {each.order_id: each for each in orders}
            now = made.sweep(orders)
            assert sum(fill.shares for fill in now) <= traded * 0.25
            for fill in now:
                mine = by_id[fill.order_id]
                assert 0 < fill.shares <= mine.shares
                assert fill.price <= mine.limit if mine.direction == "BUY" else fill.price >= mine.limit
            fills += now
        return fills

    first = run(7)
    assert len(first) > 500
    assert first == run(7)


@pytest.mark.parametrize("participation", [0.0, -0.1, 1.1, float("nan")])
def test_participation_must_be_a_share(participation: float) -> None:
    """More than the whole market, or nothing of it, is a mistake in the settings."""
    with pytest.raises(ValueError, match="participation"):
        Market(participation)
