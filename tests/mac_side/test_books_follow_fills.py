"""The risk: lots that differ from what was really filled (I12)."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mac_side.books import (
    Books,
    Intention,
    Lot,
    TopUp,
    drop_old_top_ups,
    intend_buy,
    intend_sell,
    intend_top_up,
)
from mac_side.books_settling import apply_result
from shared_schema.ids import SignalId, TradeId
from shared_schema.messages import OrderResult, Trade

NOW = 1_800_000_000.0


def ended(signal_id: str, requested: int, filled: int, revision: int = 5, price: float = 0.0) -> OrderResult:
    """A terminal result; with ``price`` its fills are told by a trade."""
    trades = (Trade(trade_id=TradeId("t"), price=price, shares=filled, time=NOW),) if price and filled else ()
    return OrderResult(
        signal_id=SignalId(signal_id),
        status="success" if filled else "failed",
        timestamp=NOW,
        requested_shares=requested,
        filled_shares=filled,
        state="filled" if filled == requested else "partly_cancelled" if filled else "cancelled",
        revision=revision,
        trades=trades,
    )


def held(*prices: float) -> Books:
    """Books with one settled lot of 1,000 shares at each price, oldest first."""
    lots = tuple(Lot(1000, 1000 * price, price, f"lot-{place}") for place, price in enumerate(prices))
    return Books(lots=lots, anchor=prices[-1] if prices else 1.06)


def test_partial_buy_shrinks_its_lot_and_leaves_the_rest_to_top_up() -> None:
    """1,100 of 2,200 filled: the lot holds 1,100 at half the cost, 1,100 wait at the price, from now."""
    books, intention = intend_buy(Books(anchor=1.06), "b", 2200, 1.05)
    assert (books.lots[-1].shares, books.anchor) == (2200, 1.05)
    books = apply_result(books, intention, ended("b", 2200, 1100), NOW).books
    assert [(lot.shares, lot.cost) for lot in books.lots] == [(1100, 1155.0)]
    assert books.top_ups == (TopUp(1100, 1.05, NOW, "b"),)
    assert books.anchor == 1.05


def test_partial_buy_without_trades_keeps_the_lots_own_cost_pro_rata() -> None:
    """A seed lot whose cost includes fees keeps them pro rata: 2,311 yuan of 2,200 shares, half filled."""
    books = Books(lots=(Lot(2200, 2311.0, 1.05, "b"),), anchor=1.05)
    intention = Intention("buy", 2200, 1.05, "b", previous_anchor=1.06)
    assert apply_result(books, intention, ended("b", 2200, 1100), NOW).books.lots[0].cost == 1155.5


def test_cost_follows_the_trades_and_the_buy_price_stays_as_decided() -> None:
    """Filled below the limit: the lot costs what was paid; the price the step compares with does not move."""
    books, intention = intend_buy(Books(anchor=1.06), "b", 1000, 1.05)
    lot = apply_result(books, intention, ended("b", 1000, 1000, price=1.048), NOW).books.lots[0]
    assert (lot.cost, lot.buy_price) == (1048.0, 1.05)


def test_unfilled_buy_goes_and_the_anchor_returns() -> None:
    """Nothing filled: no lot, no top-up, and the anchor of before."""
    books, intention = intend_buy(Books(anchor=1.06), "b", 1000, 1.05)
    books = apply_result(books, intention, ended("b", 1000, 0), NOW).books
    assert (books.lots, books.anchor, books.top_ups) == ((), 1.06, ())


def test_unfilled_buy_below_a_later_layer_leaves_the_anchor_at_the_last_lot() -> None:
    """The second layer fails after the third was filled: the anchor is the third's price."""
    books, second = intend_buy(held(1.05), "b2", 1000, 1.04)
    books, third = intend_buy(books, "b3", 1000, 1.03)
    books = apply_result(books, third, ended("b3", 1000, 1000), NOW).books
    books = apply_result(books, second, ended("b2", 1000, 0), NOW).books
    assert [lot.buy_price for lot in books.lots] == [1.05, 1.03]
    assert books.anchor == 1.03


def test_partial_sell_puts_the_rest_back_at_its_cost() -> None:
    """1,100 of 2,200 sold: one lot of 1,100 stands again with half the cost (offline phase 4)."""
    books = Books(lots=(Lot(2200, 2310.0, 1.05, "l"),), anchor=1.05)
    books, intention = intend_sell(books, [0], 1.07, NOW)
    assert books.lots == ()
    books = apply_result(books, intention, ended("s", 2200, 1100), NOW).books
    assert [(lot.shares, lot.cost, lot.buy_price) for lot in books.lots] == [(1100, 1155.0, 1.05)]


def test_sale_of_the_last_lot_moves_anchor_and_cooling_and_an_unfilled_one_moves_them_back() -> None:
    """Flat at intent: anchor at the sale's price, cooling from its bar; unfilled: both as before."""
    books = replace(held(1.05), flat_at=77.0)
    flat, intention = intend_sell(books, [0], 1.07, NOW)
    assert (flat.anchor, flat.flat_at) == (1.07, NOW)
    back = apply_result(flat, intention, ended("s", 1000, 0), NOW).books
    assert (back.lots, back.anchor, back.flat_at) == (books.lots, 1.05, 77.0)


def test_partial_sale_leaves_the_anchor_at_the_last_buy() -> None:
    """One of two lots sold: the anchor does not move."""
    books, intention = intend_sell(held(1.05, 1.04), [1], 1.07, NOW)
    books = apply_result(books, intention, ended("s", 1000, 1000), NOW).books
    assert (books.anchor, books.flat_at, len(books.lots)) == (1.04, None, 1)


def test_unsold_lots_come_back_where_they_stood_oldest_sold_first() -> None:
    """Lots 1 and 3 of three sent, 1,500 of 2,000 sold: half of the younger one is back, last."""
    books, intention = intend_sell(held(1.05, 1.04, 1.03), [0, 2], 1.07, NOW)
    books = apply_result(books, intention, ended("s", 2000, 1500), NOW).books
    assert [(lot.client_order_id, lot.shares) for lot in books.lots] == [("lot-1", 1000), ("lot-2", 500)]


def test_top_up_joins_its_lot_and_dies_after_fifteen_minutes() -> None:
    """The rest is added to the same lot; older than 15 minutes it is dropped."""
    books, intention = intend_buy(Books(anchor=1.06), "b", 2200, 1.05)
    books = apply_result(books, intention, ended("b", 2200, 1100), NOW).books
    assert drop_old_top_ups(books, NOW + 900).top_ups == books.top_ups
    assert drop_old_top_ups(books, NOW + 901).top_ups == ()
    waiting = books.top_ups[0]
    books, more = intend_top_up(books, waiting, 1100, 1.049)
    assert books.top_ups == ()
    books = apply_result(books, more, ended("t", 1100, 600), NOW + 60).books
    assert [lot.shares for lot in books.lots] == [1700]
    assert books.top_ups == (TopUp(500, 1.05, NOW, "b"),)


def test_late_higher_revision_applies_the_difference_and_a_lower_one_nothing() -> None:
    """Cancelled with 400, a trade of 300 more comes later: 700 held, the top-up shrinks by as much."""
    books, intention = intend_buy(Books(anchor=1.06), "b", 1000, 1.05)
    first = apply_result(books, intention, ended("b", 1000, 400, revision=5), NOW)
    late = apply_result(first.books, first.intention, ended("b", 1000, 700, revision=6), NOW + 5)
    assert [lot.shares for lot in late.books.lots] == [700]
    assert [top_up.shares for top_up in late.books.top_ups] == [300]
    again = apply_result(late.books, late.intention, ended("b", 1000, 400, revision=5), NOW + 9)
    assert not again.changed and again.books is late.books


def test_late_fill_of_a_buy_that_had_failed_brings_its_lot_and_anchor_back() -> None:
    """Nothing filled at first, all of it later: the lot stands, the anchor is its price again."""
    books, intention = intend_buy(Books(anchor=1.06), "b", 1000, 1.05)
    first = apply_result(books, intention, ended("b", 1000, 0, revision=5), NOW)
    late = apply_result(first.books, first.intention, ended("b", 1000, 1000, revision=6), NOW)
    assert [(lot.shares, lot.buy_price) for lot in late.books.lots] == [(1000, 1.05)]
    assert late.books.anchor == 1.05


def test_late_fill_of_a_sell_whose_rest_was_sold_again_is_a_shortfall_that_is_told() -> None:
    """1,000 came back and were sold again, then the first sale fills after all: 1,000 shares short."""
    books, first = intend_sell(held(1.05), [0], 1.07, NOW)
    settled = apply_result(books, first, ended("s1", 1000, 0, revision=5), NOW)
    books, second = intend_sell(settled.books, [0], 1.07, NOW)
    late = apply_result(books, settled.intention, ended("s1", 1000, 1000, revision=6), NOW)
    assert (late.books.shortfall, late.problem) == (1000, "shortfall")
    back = apply_result(late.books, second, ended("s2", 1000, 0), NOW).books
    assert (back.shares, back.shortfall) == (0, 0)


@pytest.mark.parametrize("filled", [0, 100, 1000])
def test_fills_never_fall(filled: int) -> None:
    """A higher revision with fewer fills is not applied but reported (I5)."""
    books, intention = intend_buy(Books(anchor=1.06), "b", 1100, 1.05)
    first = apply_result(books, intention, ended("b", 1100, 1100, revision=3), NOW)
    second = apply_result(first.books, first.intention, ended("b", 1100, filled, revision=9), NOW)
    assert (second.problem, second.books) == ("fills_fell", first.books)


@pytest.mark.slow
@settings(max_examples=150)
@given(data=st.data())
def test_lots_equal_the_net_of_fills_over_any_order_of_results(data: st.DataObject) -> None:
    """Buys, sells and top-ups with partial, late, repeated and reordered results: the sums always agree."""
    books = Books(anchor=1.06)
    made: list[tuple[Intention, int, str]] = []
    for number in range(data.draw(st.integers(1, 7))):
        kind = data.draw(st.sampled_from(["buy", "sell", "top_up"]))
        identity = f"s{number}"
        pending = {intention.lot_id for intention, _, _ in made if not intention.settled}
        free = [p for p, lot in enumerate(books.lots) if lot.client_order_id not in pending]
        if kind == "sell" and free:  # the engine never sells a lot whose own order is not settled
            places = data.draw(st.lists(st.sampled_from(free), min_size=1, unique=True))
            books, intention = intend_sell(books, places, 1.07, NOW)
        elif kind == "top_up" and books.top_ups:
            waiting = books.top_ups[0]
            books, intention = intend_top_up(books, waiting, waiting.shares, waiting.price)
        else:
            books, intention = intend_buy(books, identity, 100 * data.draw(st.integers(1, 30)), 1.05)
        first = data.draw(st.integers(0, intention.shares))
        last = data.draw(st.integers(first, intention.shares))
        if data.draw(st.booleans()):  # settle it at once, so that later intentions build on it
            settlement = apply_result(books, intention, ended(identity, intention.shares, first, 1), NOW)
            books, intention = settlement.books, settlement.intention
        made.append((intention, last, identity))
    current = {identity: intention for intention, _, identity in made}
    deliveries = [
        (identity, filled, revision)
        for intention, last, identity in made
        for filled, revision in (
            ((intention.applied_shares, 1), (last, 2), (last, 2))
            if intention.settled
            else ((last // 2, 1), (last, 2), (last, 2))
        )
    ]
    for identity, filled, revision in data.draw(st.permutations(deliveries)):
        intention = current[identity]
        result = ended(identity, intention.shares, filled, revision)
        settlement = apply_result(books, intention, result, NOW)
        books, current[identity] = settlement.books, settlement.intention
    bought = sum(i.applied_shares for i in current.values() if i.kind in ("buy", "top_up"))
    sold = sum(i.applied_shares for i in current.values() if i.kind == "sell")
    assert [i.applied_shares for i in current.values()] == [last for _, last, _ in made]
    assert books.shares - books.shortfall == bought - sold
    assert (books.totals.bought_shares, books.totals.sold_shares) == (bought, sold)
    assert all(lot.shares > 0 for lot in books.lots)


def test_a_late_fill_takes_nothing_from_a_lot_that_is_still_pending() -> None:
    """A sell settled empty, its lot sold again; then it fills late beside a buy that ends empty."""
    books, first = intend_sell(held(1.05), [0], 1.07, NOW)
    settled = apply_result(books, first, ended("s1", 1000, 0, revision=1), NOW)
    books, second = intend_sell(settled.books, [0], 1.07, NOW)
    books, buy = intend_buy(books, "b", 500, 1.04)
    late = apply_result(books, settled.intention, ended("s1", 1000, 1000, revision=2), NOW)
    books = apply_result(late.books, buy, ended("b", 500, 0), NOW).books
    books = apply_result(books, second, ended("s2", 1000, 0), NOW).books
    assert (books.shares, books.shortfall) == (0, 0)
