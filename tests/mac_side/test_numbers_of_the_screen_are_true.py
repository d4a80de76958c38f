"""The risk: shares and a profit on the screen that nobody has; books cleared by an account not yet read."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mac_side.books import Books, Lot, TopUp
from mac_side.engine_core import EngineCore
from mac_side.engine_view import make_view
from mac_side.state_file import new_state
from shared_schema.clock import Moment
from shared_schema.ids import AccountAlias, Mode, StrategyName
from shared_schema.messages import Asset
from tests.mac_side.world import EXECUTOR, account, answer, at, beats, core, moment, quote

NOW = moment("10:00:30")


def ready(books: Books, held: int = 0, mode: Mode = "simulate") -> EngineCore:
    """A core bound to its executor, with these books and an account that holds ``held`` shares."""
    fresh = new_state(NOW, mode, AccountAlias("main"), StrategyName("grid"), "dashboard@mac")
    made = core(mode=mode, state=replace(fresh, executor=EXECUTOR, books=books))
    made.handle(beats(NOW, mode=mode), NOW)
    made.handle(account(NOW, held, held, mode=mode), NOW)
    return made


def later(seconds: float) -> Moment:
    """So long after NOW."""
    return Moment(NOW.wall + seconds, NOW.market + seconds)


def test_the_profit_of_a_half_filled_sale_is_that_of_the_lots_that_were_sold() -> None:
    """The oldest is sold first, and the books keep the newer one: its cost is no part of today's profit."""
    made = ready(Books(lots=(Lot(1000, 1000.0, 1.0, "a"), Lot(1000, 1040.0, 1.04, "b")), anchor=1.04), 2000)
    made.handle(quote(NOW, 1.062), NOW)
    (sale,) = (entry for entry in made.state.outbox.open if entry.direction == "SELL")
    made.handle(answer(sale, later(1), 1000, state="partly_cancelled"), later(1))
    assert [lot.cost for lot in made.state.books.lots] == [1040.0]
    assert make_view(made, later(1)).counts.realised_profit == pytest.approx(62.0)


def test_what_is_not_bought_yet_earns_nothing() -> None:
    """A buy waits at 1.05 while the price goes on to 1.06: no shares, so no profit."""
    made = ready(Books(anchor=1.06))
    made.handle(quote(NOW, 1.05), NOW)
    assert len(made.state.outbox.open) == 1
    made.handle(beats(later(20)), later(20))
    made.handle(quote(later(20), 1.06, 2), later(20))
    shown = make_view(made, later(20)).position
    assert (shown.flow, shown.floating_profit, shown.market_value) == (0, 0.0, 0.0)


def test_what_is_not_sold_yet_is_still_held() -> None:
    """A sale is on its way: its lots have left the books, the shares have not left the account."""
    made = ready(Books(lots=(Lot(1000, 1000.0, 1.0, "a"),), anchor=1.0), 1000)
    made.handle(quote(NOW, 1.062), NOW)
    assert [entry.direction for entry in made.state.outbox.open] == ["SELL"]
    shown = make_view(made, NOW).position
    assert (shown.flow, shown.floating_profit) == (1000, pytest.approx(62.0))


def test_what_is_filled_of_an_open_buy_is_held() -> None:
    """400 of it are reported, the rest still waits: 400 shares, at what they cost."""
    made = ready(Books(anchor=1.06))
    made.handle(quote(NOW, 1.05), NOW)
    (buy,) = made.state.outbox.open
    made.handle(answer(buy, later(1), 400, state="partly_filled"), later(1))
    view = make_view(made, later(1))
    assert (view.position.flow, view.position.cost) == (400, pytest.approx(1.05))
    assert view.counts.turnover == pytest.approx(420.0)


def test_a_sale_under_way_counts_every_share_once() -> None:
    """1500 of 2000 are reported sold: what is left floats, what is gone has earned; both make the whole."""
    made = ready(Books(lots=(Lot(1000, 1000.0, 1.0, "a"), Lot(1000, 1040.0, 1.04, "b")), anchor=1.04), 2000)
    made.handle(quote(NOW, 1.062), NOW)
    (sale,) = made.state.outbox.open
    made.handle(answer(sale, later(1), 1500, state="partly_filled"), later(1))
    view = make_view(made, later(1))
    assert view.position.flow == 500 and view.position.floating_profit == pytest.approx(11.0)
    assert view.counts.realised_profit == pytest.approx(62.0 + 11.0)


def test_what_is_filled_of_an_open_top_up_is_held() -> None:
    """It joins its lot when it ends; 300 reported shares are held before that."""
    books = Books(lots=(Lot(500, 525.0, 1.05, "a"),), anchor=1.05)
    waiting = TopUp(500, 1.05, NOW.market, "a")
    made = ready(replace(books, top_ups=(waiting,)), 500)
    made.handle(quote(NOW, 1.05), NOW)
    (top_up,) = made.state.outbox.open
    made.handle(answer(top_up, later(1), 300, state="partly_filled"), later(1))
    position = make_view(made, later(1)).position
    assert (position.flow, position.cost) == (800, pytest.approx(1.05))


def test_shares_sold_beyond_the_lots_earn_nothing() -> None:
    """The counter sold 1100 of 1000: the 100 are of the fixed position, and nobody knows their cost."""
    made = ready(Books(lots=(Lot(1000, 1000.0, 1.0, "a"),), anchor=1.0), 1000)
    made.handle(quote(NOW, 1.062), NOW)
    (sale,) = made.state.outbox.open
    made.handle(answer(sale, later(1), 1100, state="filled"), later(1))
    assert make_view(made, later(1)).counts.realised_profit == pytest.approx(62.0)


@settings(max_examples=60)
@given(
    sizes=st.lists(st.integers(1, 9), min_size=1, max_size=4),
    parts=st.lists(st.floats(0, 1), min_size=1, max_size=3),
)
def test_held_and_earned_are_what_the_account_has(sizes: list[int], parts: list[float]) -> None:
    """After any reports of a sale: shares held are those not sold, and both profits make the price's gain."""
    lots = tuple(Lot(100 * n, 100.0 * n + 7 * place, 1.0, str(place)) for place, n in enumerate(sizes))
    whole, cost = sum(lot.shares for lot in lots), sum(lot.cost for lot in lots)
    made = ready(Books(lots=lots, anchor=1.0), whole)
    made.handle(quote(NOW, 1.062), NOW)
    (sale,) = made.state.outbox.open
    for revision, done in enumerate(sorted(round(part * whole) for part in parts), start=1):
        ended = done == whole
        word = "filled" if ended else "partly_filled" if revision < len(parts) else "partly_cancelled"
        made.handle(answer(sale, later(1), done, revision=revision, state=word), later(1))
        view = make_view(made, later(1))
        assert view.position.flow == whole - done
        gained = view.counts.realised_profit + (view.position.floating_profit or 0.0)
        assert gained == pytest.approx(whole * 1.062 - cost)


@pytest.mark.parametrize("clock", ["08:45:00", "09:30:00", "10:00:30"])
def test_a_brokers_account_that_shows_nothing_at_all_clears_no_books(clock: str) -> None:
    """No cash, no asset, no position: a terminal that has not read it yet, at whatever hour."""
    made = ready(Books(lots=(Lot(1000, 1050.0, 1.05, "a"),), anchor=1.05), 1000, mode="live")
    show_twice(made, clock, Asset())
    assert len(made.state.books.lots) == 1 and "position_short" in made.alarms


@pytest.mark.parametrize(
    ("mode", "asset"), [("live", Asset(cash=1050.0, total_asset=1050.0)), ("simulate", Asset())]
)
def test_lots_sold_by_hand_at_ten_clear_the_books(mode: Mode, asset: Asset) -> None:
    """Their cash is there; the simulated broker's account, which is always read, needs none."""
    made = ready(Books(lots=(Lot(1000, 1050.0, 1.05, "a"),), anchor=1.05), 1000, mode=mode)
    show_twice(made, "10:00:30", asset)
    assert not made.state.books.lots and "cleared" in made.alarms


def show_twice(made: EngineCore, clock: str, asset: Asset) -> None:
    """Two snapshots without a position, 31 s apart, on the next Monday."""
    begin = at(clock, "2026-11-23")
    for seq, wall in enumerate((begin, begin + 31), start=2):
        now = Moment(wall, wall)
        made.handle(beats(now, mode=made.state.mode), now)
        made.handle(account(now, 0, 0, seq=seq, mode=made.state.mode, asset=asset, positions={}), now)
