"""The risk: a lot of a size the exchange takes no sell of, and shares that a split never gave."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest

from mac_side.books import Books, Lot, intend_sell
from mac_side.ex_date import ExDate, answered, with_factor
from mac_side.odd_shares import without_odd_rest
from mac_side.state_file import new_state
from shared_schema.ids import AccountAlias, Code, StrategyName
from shared_schema.instruments import instrument, quantity_fault
from tests.mac_side.world import CODE, EXECUTOR, account, beats, core, moment, quote

STAR = Code("688001.SH")


@pytest.mark.parametrize(("close", "pre_close"), [(1.523, 0.762), (1.523, 0.761), (2.001, 1.001), (1.0, 0.5)])
def test_a_split_of_one_into_two_doubles_the_shares(close: float, pre_close: float) -> None:
    """Both closes are rounded to ticks: their quotient is not the factor the shares follow."""
    lots = (Lot(20_000, 20_000 * close, close, "a"), Lot(18_900, 18_900 * close, close, "b"))
    books = Books(lots=lots, anchor=close, fixed_volume=80_000)
    after = answered(books, ExDate("2026-11-20", close, pre_close), "split", CODE)
    assert after is not None
    assert [lot.shares for lot in after.lots] == [40_000, 37_800]
    assert after.expected_shares == 2 * books.expected_shares


def test_a_split_leaves_lots_that_can_be_sold() -> None:
    """Three for two: of 18,900 shares 28,350 come to be; each lot must still be whole hundreds."""
    books = Books(lots=(Lot(18_900, 28_350.0, 1.5, "b"),), anchor=1.5, fixed_volume=80_000)
    after = answered(books, ExDate("2026-11-20", 1.5, 1.0), "split", CODE)
    assert after is not None
    assert all(lot.shares % 100 == 0 for lot in after.lots)
    assert after.expected_shares == 148_350
    assert after.totals.bought_shares - after.totals.sold_shares == after.shares - books.shares


def test_a_split_loses_no_yuan() -> None:
    """Odd rests go from lot to lot at their cost, the last one's counts as sold at cost."""
    lots = tuple(Lot(shares, shares * 1.5, 1.5, str(shares)) for shares in (18_900, 18_700, 333))
    books = Books(lots=lots, anchor=1.5, fixed_volume=80_001)
    after = answered(books, ExDate("2026-11-20", 1.5, 1.0), "split", CODE)
    assert after is not None
    assert [lot.shares for lot in after.lots] == [28_300, 28_100, 400]
    assert after.expected_shares == books.expected_shares * 3 // 2
    assert after.cost + after.totals.sold_yuan == pytest.approx(books.cost, abs=1e-6)
    assert after.totals.bought_shares - after.totals.sold_shares == after.shares - books.shares


def test_the_accounts_own_count_decides_where_it_is_known() -> None:
    """Ten become fifteen and a yuan is paid beside: the price tells no ratio, the account does."""
    books = Books(lots=(Lot(18_900, 28_350.0, 1.5, "b"),), anchor=1.5, fixed_volume=80_000)
    blind = ExDate("2026-11-20", 1.5, 0.93)
    assert answered(books, blind, "split", CODE) is None
    counted = replace(blind, shares_before=98_900, shares=148_347)
    after = answered(books, counted, "split", CODE)
    assert after is not None and after.expected_shares == 148_347
    assert after.anchor == 0.93  # the price fell by both
    unmoved = replace(blind, shares_before=98_900, shares=98_000)  # shares sold by hand are no split
    assert answered(books, unmoved, "split", CODE) is None


@pytest.mark.parametrize(
    ("factor", "shares"), [(0.5, 2_000), (0.6667, 1_500), (0.769, 1_300), (10.0, 100), (1 / 1.48, 1_400)]
)
def test_a_factor_typed_by_a_person_is_its_plain_fraction(factor: float, shares: int) -> None:
    """Three digits suffice: one for two, two for three, ten for thirteen, ten into one."""
    books = Books(lots=(Lot(1_000, 1_000.0, 1.0, "a"),), anchor=1.0)
    after = answered(books, with_factor(ExDate("2026-11-20", 2.1, 1.9, days=9), factor, CODE), "split", CODE)
    assert after is not None and after.shares == shares
    assert after.expected_shares == pytest.approx(1_000 / factor, rel=1e-3)


def test_a_lot_of_an_odd_size_is_sold_in_a_size_the_exchange_takes() -> None:
    """Two buys ended with odd fills: neither lot alone is a sell that is taken from this position."""
    now = moment("10:00:30")
    state = new_state(now, "simulate", AccountAlias("main"), StrategyName("grid"), "dashboard@mac")
    lots = (Lot(1950, 1950.0, 1.0, "a"), Lot(1963, 2100.0, 1.07, "b"))
    books = Books(lots=lots, anchor=1.07, fixed_volume=80_000)
    engine = core(state=replace(state, executor=EXECUTOR, books=books))
    engine.handle(beats(now), now)
    engine.handle(account(now, 83_913, 83_913), now)
    engine.handle(quote(now, 1.06), now)
    (sent,) = (entry for entry in engine.state.outbox.open if entry.direction == "SELL")
    assert quantity_fault("SELL", sent.intention.shares, instrument(CODE), 83_913) is None
    assert sent.intention.shares == 1900
    other = engine.state.books.lots[0]
    assert (other.client_order_id, other.shares, other.cost) == ("b", 2013, 2150.0)  # and the rest of 50


def test_odd_lots_are_sold_out_by_sells_that_are_taken() -> None:
    """Whatever sizes fills left, in whatever order they go: none refused, no share and no yuan lost."""
    chance = random.Random(7)
    for code in (CODE, STAR):
        rules = instrument(code)
        for _ in range(300):
            fixed = chance.choice((80_000, 80_013, 0))
            sizes = [chance.randint(1, 2_500) for _ in range(chance.randint(1, 5))]
            lots = tuple(Lot(size, size * 1.07, 1.07, str(place)) for place, size in enumerate(sizes))
            books, held, sold = Books(lots=lots, anchor=1.0, fixed_volume=fixed), fixed + sum(sizes), 0.0
            while books.lots:
                layers = len(books.lots)
                wanted = tuple(sorted(chance.sample(range(layers), chance.randint(1, layers))))
                books, places = without_odd_rest(books, wanted, held, rules, lambda _: False, 1.1, 0.0)
                if places:
                    before = books
                    books, intention = intend_sell(books, places, 1.1, 0.0)
                    assert quantity_fault("SELL", intention.shares, rules, held) is None
                    held -= intention.shares
                    sold += before.cost - books.cost
                assert books.expected_shares == held
            assert fixed <= books.fixed_volume < fixed + max(rules.lot, 100)
            assert sold + books.totals.sold_yuan == pytest.approx(sum(sizes) * 1.07)


def test_a_rest_joins_no_lot_whose_buy_is_open() -> None:
    """The end of that buy would set its shares anew, and the rest were lost."""
    books = Books(lots=(Lot(1950, 1950.0, 1.0, "a"), Lot(2000, 2000.0, 1.0, "b")), anchor=1.0)
    after, places = without_odd_rest(books, (0,), 1_960, instrument(CODE), "b".__eq__, 1.1, 0.0)
    assert places == (0,) and [lot.shares for lot in after.lots] == [1900, 2000]
    assert (after.fixed_volume, after.totals.sold_yuan) == (50, 50.0)


def test_a_lot_too_small_to_sell_joins_another_with_its_name() -> None:
    """Its layer is free again, and the other's sale frees what the pool gave for both."""
    books = Books(lots=(Lot(50, 50.0, 1.0, "a"), Lot(2000, 2000.0, 1.0, "b")), anchor=1.0, fixed_volume=10)
    after, places = without_odd_rest(books, (0,), 2_060, instrument(CODE), lambda _: False, 1.1, 0.0)
    assert places == () and [lot.shares for lot in after.lots] == [2050]
    assert after.lots[0].buys == ("b", "a")


@pytest.mark.parametrize(
    ("shares", "can_use"), [(2_000, 80_000), (1_950, 81_950), (1_950, 1_000), (1_200_000, 2_000_000)]
)
def test_other_sells_are_left_alone(shares: int, can_use: int) -> None:
    """Whole lots, the account's own odd rest, and faults that are not of an odd rest."""
    books = Books(lots=(Lot(shares, shares * 1.0, 1.0, "a"),), anchor=1.0)
    found = without_odd_rest(books, (0,), can_use, instrument(CODE), lambda _: False, 1.1, 0.0)
    assert found == (books, (0,))
