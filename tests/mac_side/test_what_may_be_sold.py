"""The risk: an open sell taken off twice holds up other lots, and a clock set back does for hours."""

from __future__ import annotations

from dataclasses import replace

import pytest

from mac_side.books import Books, Lot
from mac_side.engine_core import EngineCore
from mac_side.engine_events import HaltsSeen
from shared_schema.clock import Moment
from tests.mac_side.world import account, answer, beats, core, moment, quote

NOW = moment("10:00:30")
LOTS = (Lot(10_000, 10_400, 1.04, "a"), Lot(10_000, 10_500, 1.05, "b"))


def later(seconds: float, now: Moment = NOW) -> Moment:
    """``now`` some seconds on."""
    return Moment(now.wall + seconds, now.market + seconds)


def selling(now: Moment = NOW) -> EngineCore:
    """An engine of two lots whose price has just reached the first one's target: its sale is out."""
    engine = core()
    engine.state = replace(engine.state, books=Books(lots=LOTS, anchor=1.05))
    for event in (beats(now), HaltsSeen({}), account(now, 20_000, 20_000), quote(now, 1.0495)):
        engine.handle(event, now)
    (entry,) = engine.state.outbox.open_orders
    assert (entry.direction, entry.intention.shares) == ("SELL", 10_000)
    return engine


def at_the_broker(
    engine: EngineCore, now: Moment = NOW, state: str = "submitted", order_id: str = "7", revision: int = 1
) -> None:
    """The executor answers for the sale."""
    sale = engine.state.outbox.open_orders[0]
    engine.handle(answer(sale, now, 0, state=state, revision=revision, order_id=order_id), now)


def test_an_open_sell_that_the_account_shows_is_not_taken_off_again() -> None:
    """Of 20,000 it freezes 10,000: the other 10,000 may be sold, and the lot above its target is."""
    engine, now = selling(), later(60)
    at_the_broker(engine)
    engine.handle(beats(now), now)
    engine.handle(account(now, 20_000, 10_000, seq=2, queried_at=now.wall), now)
    assert engine.may_sell(now) == 10_000
    engine.handle(quote(now, 1.07, seq=2), now)
    assert [entry.intention.shares for entry in engine.state.outbox.open_orders] == [10_000, 10_000]
    assert engine.may_sell(now) == 0  # the second one no snapshot knows yet


def test_an_open_sell_leaves_the_fixed_volume_alone() -> None:
    """``volume`` counts its shares until they are sold: what must stay is not sold in their place."""
    engine, now = selling(), later(60)
    at_the_broker(engine)
    engine.handle(account(now, 20_000, 10_000, seq=2, queried_at=now.wall), now)
    assert engine.may_sell(now, fixed=4_000) == 6_000


def test_an_open_sell_that_no_snapshot_shows_for_certain_is_taken_off() -> None:
    """Not at the broker yet, asked before it was, asked at no known time, or by a clock of the future."""
    for state, queried_at in (
        ("submitted", NOW.wall),
        ("submitted", NOW.wall - 5),
        ("submitted", 0.0),
        ("submitted", NOW.wall + 3600),
        ("accepted", NOW.wall + 50),
        ("unknown", NOW.wall + 50),
    ):
        engine, now = selling(), later(60)
        at_the_broker(engine, state=state)
        engine.handle(account(now, 20_000, 20_000, seq=2, queried_at=queried_at), now)
        assert engine.may_sell(now) == 10_000, state
        engine.handle(account(now, 20_000, 10_000, seq=3, queried_at=queried_at), now)
        assert engine.may_sell(now) == 0, state


@pytest.mark.parametrize("then", ["", "unknown"])
def test_a_call_without_an_answer_froze_nothing(then: str) -> None:
    """The executor says "submitted" before the call: without an order id no snapshot shows the sale (I13)."""
    engine, now = selling(), later(60)
    at_the_broker(engine, order_id="" if not then else "7")
    if then:
        at_the_broker(engine, state=then, order_id="", revision=2)
    engine.handle(account(now, 30_000, 20_000, seq=2, queried_at=now.wall), now)
    assert engine.may_sell(now) == 10_000


def test_shares_bought_today_stay_unsold() -> None:
    """T+1: what the account does not free is never sold, whatever it shows."""
    engine, now = selling(), later(60)
    at_the_broker(engine)
    engine.handle(account(now, 20_000, 0, seq=2, queried_at=now.wall), now)
    assert engine.may_sell(now) == 0


def test_a_clock_set_back_holds_up_sales_for_seconds_not_for_hours() -> None:
    """Both hosts were an hour ahead when the sale ended; the next true snapshots show it."""
    ahead = later(3600)
    engine = selling(ahead)
    engine.handle(answer(engine.state.outbox.open_orders[0], ahead, 10_000), ahead)
    freed = []
    for seconds in (60, 75, 95):
        now = later(seconds)
        engine.handle(account(now, 10_000, 10_000, seq=seconds), now)
        freed.append(engine.may_sell(now))
    assert freed == [0, 0, 10_000]


def test_a_snapshot_of_that_future_does_not_put_the_end_of_a_sale_before_itself() -> None:
    """Our clock behind, or an old snapshot read late: it may be older than the sale's end."""
    engine, ahead = selling(later(3600)), later(3600)
    engine.handle(answer(engine.state.outbox.open_orders[0], later(10, ahead), 10_000), ahead)
    engine.handle(account(later(5, ahead), 20_000, 20_000, seq=2), NOW)
    assert engine.may_sell(NOW) == 10_000
    assert engine.state.outbox.entries[0].settled_at == ahead.wall + 10
