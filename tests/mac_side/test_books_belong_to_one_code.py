"""The risk: another code in the settings, or typed with ``--symbol``, over books that hold lots."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from mac_side.books import Books
from mac_side.bridge_client.signal_ids import FIRST_STRATEGY
from mac_side.engine import Engine
from mac_side.settling import of_code
from mac_side.state_file import StateFile, decode_state, new_state
from mac_side.strategy.presets import preset
from shared_schema.clock import Moment
from shared_schema.errors import StateError
from shared_schema.ids import AccountAlias, Code
from shared_schema.messages import (
    Account,
    AccountSnapshot,
    MinuteBars,
    Position,
    Quote,
    QuoteSnapshot,
    encode,
)
from tests.mac_side.test_engine_over_a_folder import Desk, anchored
from tests.mac_side.world import at, envelope

OTHER = Code("512890.SH")


def other_engine(desk: Desk) -> Engine:
    """The next start, with another code in the settings."""
    engine = desk.engine()
    engine.config = replace(engine.config, code=OTHER, parameters=preset("512890"))
    return engine


def show_other(desk: Desk, price: float) -> None:
    """A quote and an account of the other code, of which the person holds 500,000 shares."""
    now, bars, last = Moment(desk.clock, desk.clock), 80, desk.clock // 60 * 60
    closes = (1.06,) * (bars - 1) + (price,)
    columns = MinuteBars(
        time=tuple(last - 60 * (bars - 1 - place) for place in range(bars)),
        **{name: closes for name in ("open", "high", "low", "close")},
        volume=(1e6,) * bars,
    )
    known = Quote(price=price, pre_close=price, tick_time=now.market, status="trading")
    body = QuoteSnapshot(code=OTHER, price=price, quotes={OTHER: known}, bars={OTHER: columns})
    held = Account(positions={OTHER: Position(volume=500_000, can_use_volume=500_000)})
    desk.seq += 1
    folder = desk.executor.folder
    folder.publish("shared_quote.json", encode(envelope(now, desk.seq), body))
    folder.publish(
        "account_snapshot.simulate.json",
        encode(envelope(now, desk.seq), AccountSnapshot(accounts={"main": held})),  # type: ignore[dict-item]
    )


def bought_lot(desk: Desk) -> None:
    """The released strategy holds one filled lot of 159201 at about 1.05."""
    engine = anchored(desk)
    desk.turn(engine, 60)
    desk.quote(1.05)
    desk.turn(engine)
    desk.executor.answer_all()
    desk.turn(engine, 1)
    assert [entry.settled for entry in engine.core.state.outbox.entries] == [True]  # type: ignore[union-attr]
    engine.end()


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    """A fresh desk."""
    return Desk(tmp_path)


def test_lots_of_one_code_are_never_sold_as_another(desk: Desk) -> None:
    """The lot at 1.05 looks like a profit at the other code's price: its real shares must not be sold."""
    bought_lot(desk)
    engine = other_engine(desk)
    desk.clock += 60
    show_other(desk, 1.20)
    with pytest.raises(StateError):
        desk.turn(engine)
    assert desk.signals() == []


def test_the_other_codes_zero_clears_no_lots(desk: Desk) -> None:
    """The account holds none of the other code: no proof that the lots of this one are gone."""
    bought_lot(desk)
    engine = other_engine(desk)
    with pytest.raises(StateError):
        for _ in range(4):
            desk.clock += 61
            show_other(desk, 1.05)
            now = Moment(desk.clock, desk.clock)
            desk.seq += 1
            empty = encode(envelope(now, desk.seq), AccountSnapshot(accounts={"main": Account()}))  # type: ignore[dict-item]
            desk.executor.folder.publish("account_snapshot.simulate.json", empty)
            desk.turn(engine)
    engine = desk.engine()
    desk.turn(engine)
    assert engine.core is not None and len(engine.core.state.books.lots) == 1


def test_books_of_before_the_code_was_kept_tell_it_by_their_orders(desk: Desk) -> None:
    """An older file names no code: its newest order does."""
    bought_lot(desk)
    file = StateFile(desk.runtime / "dashboard_state.simulate.json")
    place = desk.engine().place
    fresh = place.fresh_state(Moment(at("10:00:00"), at("10:00:00")), "simulate", place.alias, lambda: "0000")
    state = file.load(fresh)
    file.save(replace(state, code=None), Moment(desk.clock, desk.clock), "2026-11-20")
    engine = other_engine(desk)
    show_other(desk, 1.20)
    with pytest.raises(StateError):
        desk.turn(engine)
    assert desk.signals() == []


def test_flat_books_begin_anew_with_another_code(desk: Desk) -> None:
    """Nothing held, nothing open: the anchor of the other code is forgotten, and nothing is bought by it."""
    engine = anchored(desk)
    engine.end()
    assert engine.core is not None and engine.core.state.books == Books(anchor=1.06)
    other = other_engine(desk)
    desk.clock += 60
    show_other(desk, 0.95)
    desk.turn(other)
    assert desk.signals() == []
    assert other.core is not None and other.core.state.books.anchor == 0.95


def test_a_seeds_last_signal_does_not_keep_flat_books_on_their_code() -> None:
    """Nobody may answer it; with another code it is waited for no more, since its lots are of the old."""
    now = Moment(at("10:00:00"), at("10:00:00"))
    fresh = new_state(now, "simulate", AccountAlias("main"), FIRST_STRATEGY, "dashboard@mac")
    lot = {"shares": 100, "cost": 105.0, "buy_price": 1.05}
    seed = {
        "last_sent_signal_id": "SELL_159201.SZ_L1_old",
        "last_sent_signal_direction": "SELL",
        "last_sent_signal_shares": 100,
        "last_sent_sell_removed_lots": [lot],
    }
    state = replace(decode_state(json.dumps(seed).encode(), fresh), code=Code("159201.SZ"))
    assert state.outbox.open
    other = of_code(state, Code("510300.SH"), Path("books"))
    assert (other.code, other.outbox.entries) == ("510300.SH", ())
    assert of_code(state, Code("159201.SZ"), Path("books")).outbox == state.outbox


def test_a_dashboard_takes_no_scripts_books(desk: Desk) -> None:
    """A script traded under the same strategy name: its memory is not the grid's, and is left to it."""
    bought_lot(desk)
    file = StateFile(desk.runtime / "dashboard_state.simulate.json")
    place = desk.engine().place
    fresh = place.fresh_state(Moment(at("10:00:00"), at("10:00:00")), "simulate", place.alias, lambda: "0000")
    scripts = replace(file.load(fresh), writer="grid@mac")
    file.save(scripts, Moment(desk.clock, desk.clock), "2026-11-20")
    with pytest.raises(StateError):
        desk.turn(desk.engine())
