"""The risk: the books are gone or elsewhere, and the strategy begins empty and buys its lots once more."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from mac_side.engine import Engine
from mac_side.settling import Sighting, check_never_ran
from mac_side.state_file import LAST_GOOD, StateFile
from shared_schema.clock import Moment
from shared_schema.errors import StateError
from shared_schema.ids import AccountAlias, Epoch, StrategyName
from tests.mac_side.test_engine_over_a_folder import Desk, anchored

BOOKS = "dashboard_state.simulate.json"


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    """A fresh desk."""
    return Desk(tmp_path)


def bought(desk: Desk, engine: Engine) -> None:
    """One lot bought, and the process ended."""
    desk.clock += 60
    desk.quote(1.05)
    desk.turn(engine)
    desk.executor.answer_all()
    desk.turn(engine, 1)
    assert engine.core is not None and len(engine.core.state.books.lots) == 1
    engine.end()


def refused(desk: Desk) -> str:
    """The key of the error the next start ends with."""
    engine = desk.engine()
    with pytest.raises(StateError) as told:
        desk.turn(engine, 1)
    assert engine.core is None
    return told.value.key


def test_books_that_stood_in_the_folder_are_missed_there(desk: Desk) -> None:
    """The seed's place: the file taken away beside its last good copy stops the start; home stays empty."""
    (desk.path / BOOKS).write_bytes(b'{"positions": [], "last_buy_price": 1.06}')
    bought(desk, anchored(desk))
    (desk.path / BOOKS).unlink()
    assert refused(desk) == "dashboard.state_missing"
    assert not list(desk.runtime.glob("dashboard_state*"))


def test_books_moved_home_by_a_person_are_taken_there(desk: Desk) -> None:
    """The copy left behind in the folder does not outweigh books that stand in RUNTIME_DIR."""
    (desk.path / BOOKS).write_bytes(b'{"positions": [], "last_buy_price": 1.06}')
    bought(desk, anchored(desk))
    (desk.path / BOOKS).rename(desk.runtime / BOOKS)
    assert (desk.path / (BOOKS + LAST_GOOD)).exists()
    again = desk.engine()
    desk.turn(again, 1)
    assert again.core is not None and len(again.core.state.books.lots) == 1


def test_a_strategy_the_folder_knows_does_not_begin_empty(desk: Desk) -> None:
    """Books and copy gone, or another RUNTIME_DIR: its signals and results in the folder stop the start."""
    bought(desk, anchored(desk))
    elsewhere = desk.runtime.with_name("elsewhere")
    desk.runtime.rename(elsewhere)
    desk.runtime.mkdir()
    assert refused(desk) == "dashboard.books_elsewhere"
    assert not (desk.runtime / BOOKS).exists()
    desk.runtime.rmdir()
    elsewhere.rename(desk.runtime)
    again = desk.engine()
    desk.turn(again, 1)
    assert again.core is not None and len(again.core.state.books.lots) == 1


def test_a_person_begins_anew_on_purpose(desk: Desk) -> None:
    """Empty books written by hand (``miniqmt plan begin``) are books: the start goes through, flat."""
    bought(desk, anchored(desk))
    for path in desk.runtime.glob("dashboard_state*"):
        path.unlink()
    place, now = desk.engine().place, Moment(desk.clock, desk.clock)
    fresh = place.fresh_state(now, "simulate", AccountAlias("main"), lambda: "0000")
    StateFile(desk.runtime / BOOKS).save(fresh, now, "2026-11-20")
    again = desk.engine()
    desk.turn(again, 1)
    assert again.core is not None and again.core.state.books.lots == ()


def test_what_others_sent_holds_no_first_start_up(desk: Desk) -> None:
    """Another strategy, mode or account, and a folder that knows nothing: a first start goes through."""
    now = Moment(desk.clock, desk.clock)
    fresh = desk.engine().place.fresh_state(now, "simulate", AccountAlias("main"), lambda: "0000")
    mine = Sighting("grid", "simulate", "main", Epoch("e"), 1, "order_result_x.json")
    others = [replace(mine, strategy="b"), replace(mine, mode="live"), replace(mine, account="other")]
    others.append(replace(mine, strategy=None))
    check_never_ran(fresh, others, Path(BOOKS))
    with pytest.raises(StateError):
        check_never_ran(fresh, [*others, mine], Path(BOOKS))
    assert fresh.strategy == StrategyName("grid")
