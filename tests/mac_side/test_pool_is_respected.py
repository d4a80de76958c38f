"""The risk: a dashboard floods the executor with buys the pool refuses, or steps as if it were empty."""

from __future__ import annotations

from dataclasses import replace

from mac_side.engine_core import EngineCore
from mac_side.engine_events import PoolSeen
from mac_side.engine_view import make_view
from shared_schema.clock import Moment
from shared_schema.messages import SharedPool
from tests.mac_side.world import account, answer, beats, core, envelope, moment, quote, received


def pool(now: Moment, used: float, seq: int = 1, **fields: object) -> PoolSeen:
    """The executor's pool file: ``used`` yuan by the other code, of 300,000."""
    plain = {"updated_at": now.wall, "pool_total": 300_000.0, "pool_code_cap": 200_000.0}
    body = SharedPool.model_validate({**plain, "used_512890": used, **fields})
    return PoolSeen(received(envelope(now, seq), body))


def anchored() -> EngineCore:
    """An engine with an executor, an account and an anchor at 1.06."""
    made, now = core(), moment("10:00:30")
    made.handle(beats(now), now)
    made.handle(account(now, 10**6, 10**6), now)
    made.handle(quote(now, 1.06), now)
    return made


def fall(made: EngineCore, price: float, clock: str, seq: int) -> list[str]:
    """A later bar closes at ``price``; the directions of the signals this leads to."""
    now, before = moment(clock), len(made.state.outbox.entries)
    made.handle(beats(now), now)
    made.handle(quote(now, price, seq), now)
    return [entry.direction for entry in made.state.outbox.entries[before:]]


def test_a_first_layer_waits_below_its_share() -> None:
    """Above 85 % no first layer is asked for; it is said once, and the books do not move."""
    made = anchored()
    made.handle(pool(moment("10:00:40"), 250_000.0), moment("10:00:40"))
    for minute in (1, 2, 3):
        assert fall(made, 1.04, f"10:0{minute}:30", 1 + minute) == []
    assert not made.state.books.lots
    assert len([event for event in made.events if "资金池" in event.text]) == 1
    made.handle(pool(moment("10:03:40"), 200_000.0, seq=2), moment("10:03:40"))
    assert fall(made, 1.04, "10:04:30", 9) == ["BUY"]


def test_an_old_or_foreign_pool_file_holds_nothing() -> None:
    """The executor decides: a file five minutes old, or of another account, says nothing."""
    made, now = anchored(), moment("10:00:40")
    made.handle(pool(moment("09:40:00"), 300_000.0), now)
    assert fall(made, 1.05, "10:01:30", 2) == ["BUY"]
    other = anchored()
    body = SharedPool(updated_at=now.wall, pool_total=1.0)
    other.handle(PoolSeen(received(envelope(now, 1, account="other"), body)), now)
    assert other.pool is None


def test_widened_steps_buy_lower_and_the_screen_shows_it() -> None:
    """With ``steps_widened`` the next buy lies half a step lower; without it as before."""
    made, now = anchored(), moment("10:00:40")
    coarse = replace(made.config.parameters, grid_step_floor=0.01)
    made.config = replace(made.config, parameters=coarse)
    plain = make_view(made, now).grid
    made.handle(pool(now, 100.0, steps_widened=True), now)
    view = make_view(made, now)
    assert plain.anchor is not None and plain.next_buy is not None and view.grid.next_buy is not None
    ratio = (plain.anchor - view.grid.next_buy) / (plain.anchor - plain.next_buy)
    assert abs(ratio - 1.5) < 1e-9
    assert (view.counts.pool_used, view.counts.pool_limit) == (100.0, 300_000.0)
    between = round((plain.next_buy + view.grid.next_buy) / 2, 3)
    assert fall(made, between, "10:01:30", 2) == []
    made.handle(pool(moment("10:01:40"), 100.0, seq=2), moment("10:01:40"))
    assert fall(made, between, "10:02:30", 3) == ["BUY"]


def test_a_top_up_is_sent_under_its_lots_name() -> None:
    """So that the sale of the lot, which names the lot, frees the top-up's money too."""
    made = anchored()
    assert fall(made, 1.04, "10:01:30", 2) == ["BUY"]
    first = made.state.outbox.entries[-1]
    now = moment("10:01:40")
    made.handle(answer(first, now, 1000), now)
    assert fall(made, 1.04, "10:02:30", 3) == ["BUY"]
    top_up = made.state.outbox.entries[-1]
    assert top_up.intention.kind == "top_up"
    assert f'"client_order_id":"{first.signal_id}"'.encode() in top_up.raw
