"""Faults 45 and 52: an answered order id counts only where remark and time agree as well."""

from __future__ import annotations

from dataclasses import replace

import pytest

from shared_schema.ids import OrderId
from tests.execution.bench import Bench, alarms, signal_of
from windows_side.brokers.port import BrokerOrder, BrokerStatus, BrokerTrade, Unclear
from windows_side.execution.events import ResolveTyped

FIRST = "BUY_159201.SZ_L1_00000001"
FOREIGN = OrderId("77")
OURS = OrderId("78")


def answered_with_77() -> Bench:
    """The place call came back with the id of an order a person placed."""
    bench = Bench()
    bench.drop(signal_of())
    bench.answered(FIRST, FOREIGN)
    return bench


def foreign_order(bench: Bench, **changes: object) -> BrokerOrder:
    """Equal to ours in code, side, shares and price; the remark a person's."""
    return replace(bench.seen_order(order_id=FOREIGN, remark="by hand"), **changes)  # type: ignore[arg-type]


def foreign_trade(bench: Bench, **changes: object) -> BrokerTrade:
    """A fill of it."""
    return replace(bench.seen_trade(order_id=FOREIGN, remark="by hand"), **changes)  # type: ignore[arg-type]


def assert_let_go(bench: Bench) -> None:
    """In doubt, without the id, and without a share of the other's fills; no halt."""
    assert (bench.state(), bench.row().order_id, bench.row().filled_shares) == ("unknown", "", 0)
    assert bench.row().broker_filled == 0 and bench.core.halt_since is None


@pytest.mark.parametrize(
    "changes",
    [{}, {"remark": "", "time": 1.0}, {"status": BrokerStatus.FILLED, "filled_shares": 1000}],
    ids=["remark", "time", "filled"],
)
@pytest.mark.parametrize("in_list", [False, True])
def test_the_id_of_a_foreign_order_is_let_go(changes: dict[str, object], in_list: bool) -> None:
    """Pushed or listed: one alarm, unknown, and the other's fills stay the other's."""
    bench = answered_with_77()
    seen = foreign_order(bench, **changes)
    actions = bench.day(seen) if in_list else bench.update(seen)
    assert "order_id_of_another" in alarms(actions)
    assert_let_go(bench)
    bench.trade(foreign_trade(bench))
    bench.trade(foreign_trade(bench, trade_id="t2", remark=""))
    bench.day(seen, trades=(foreign_trade(bench),))
    assert_let_go(bench)


def test_a_trade_with_anothers_remark_is_not_booked() -> None:
    """It may come before its order; the id is let go by it already."""
    bench = answered_with_77()
    assert "order_id_of_another" in alarms(bench.trade(foreign_trade(bench)))
    assert_let_go(bench)


@pytest.mark.parametrize("as_trade", [False, True])
def test_an_id_known_as_anothers_is_not_taken_when_it_is_answered(as_trade: bool) -> None:
    """The foreign order was seen before the call came back with its id."""
    bench = Bench()
    bench.drop(signal_of())
    bench.trade(foreign_trade(bench)) if as_trade else bench.update(foreign_order(bench))
    assert "order_id_of_another" in alarms(bench.answered(FIRST, FOREIGN))
    assert_let_go(bench)


@pytest.mark.parametrize("ours_first", [False, True])
def test_the_true_order_is_adopted_by_its_tag(ours_first: bool) -> None:
    """One list shows both, in any order: ours is followed, the other left alone, after a restart as well."""
    bench = answered_with_77()
    both = [foreign_order(bench), bench.seen_order(order_id=OURS)]
    bench.day(*(reversed(both) if ours_first else both))
    bench.trade(bench.seen_trade(order_id=OURS, shares=1000))
    assert (bench.state(), bench.row().order_id) == ("filled", "78")
    assert "order_id_of_another" in alarms(bench.answered(FIRST, FOREIGN))
    assert (bench.state(), bench.row().order_id, bench.core.halt_since) == ("filled", "78", None)


def test_an_empty_remark_with_all_else_agreeing_is_ours() -> None:
    """A terminal keeps remarks to the client that wrote them: the answered id then counts."""
    bench = answered_with_77()
    bench.pass_time(5)
    seen = foreign_order(bench, remark="", filled_shares=400, status=BrokerStatus.PART_FILLED)
    actions = bench.update(seen)
    bench.trade(foreign_trade(bench, remark=""))
    assert alarms(actions) == []
    assert (bench.state(), bench.row().order_id, bench.row().filled_shares) == ("partly_filled", "77", 400)


def test_a_followed_order_that_turns_out_foreign_halts() -> None:
    """Its fills are in the books already: only a person can put that right."""
    bench = answered_with_77()
    bench.update(foreign_order(bench, remark=""))
    bench.trade(foreign_trade(bench, remark=""))
    bench.update(foreign_order(bench))
    assert bench.core.halt_since is not None and bench.row().order_id == "77"


def test_a_trade_that_says_nothing_waits_for_its_order() -> None:
    """Only the answer told the id: a fill without remark is booked once the order shows whose it is."""
    bench = answered_with_77()
    bench.trade(foreign_trade(bench, remark=""))
    assert (bench.state(), bench.row().filled_shares) == ("submitted", 0)
    bench.update(foreign_order(bench, remark=""))
    assert (bench.state(), bench.row().filled_shares) == ("partly_filled", 400)
    other = answered_with_77()
    other.trade(foreign_trade(other, remark=""))
    other.update(foreign_order(other))
    assert_let_go(other)


@pytest.mark.parametrize("seen_first", [False, True])
def test_other_contents_under_an_answered_id_are_anothers(seen_first: bool) -> None:
    """Two lies at once: the answer tells another order's id, whose remark is empty. Its size speaks."""
    bench = Bench()
    bench.drop(signal_of())
    others = foreign_order(bench, remark="", shares=2500)
    if seen_first:
        bench.update(others)
        actions = bench.answered(FIRST, FOREIGN)
    else:
        bench.answered(FIRST, FOREIGN)
        actions = bench.update(others)
    assert "order_id_of_another" in alarms(actions)
    bench.trade(foreign_trade(bench, remark="", trade_id="t8", shares=1500))
    assert_let_go(bench)


def test_an_altered_remark_is_shown_and_a_persons_word_holds() -> None:
    """Fault 52: a cut remark is not adopted; once a person said so it is, also after a restart."""
    bench = answered_with_77()
    cut = foreign_order(bench, remark=bench.row().tag[:12])
    trade = foreign_trade(bench, remark=cut.remark)
    assert "order_candidates" in alarms(bench.day(cut, trades=(trade,)))
    assert_let_go(bench)
    bench.tell(ResolveTyped(bench.row().signal_id, FOREIGN, "looked"))
    assert (bench.state(), bench.row().filled_shares) == ("partly_filled", 400)
    bench.restart(ready=False)
    bench.make_ready(cut, trades=(trade, foreign_trade(bench, trade_id="t2", shares=600, remark=cut.remark)))
    assert (bench.state(), bench.row().order_id, bench.core.halt_since) == ("filled", "77", None)


def test_another_answer_does_not_end_the_doubt() -> None:
    """Neither a repeated answer with the foreign id nor an unclear one."""
    bench = answered_with_77()
    bench.update(foreign_order(bench))
    bench.answered(FIRST, FOREIGN)
    bench.answer(FIRST, Unclear("?"))
    assert_let_go(bench)
