"""Fault 45: the place call answers with an id that no order of the broker carries."""

from __future__ import annotations

import pytest

from shared_schema.ids import OrderId
from tests.execution.bench import Bench, alarms, rules_of, signal_of
from windows_side.brokers.port import BrokerOrder, Day, DayAnswered
from windows_side.execution.actions import CancelAtBroker

FIRST = "BUY_159201.SZ_L1_00000001"


def answered_with_777() -> Bench:
    """A submitted order whose call was answered with an id nobody has seen."""
    bench = Bench()
    bench.drop(signal_of())
    bench.answered(FIRST, "777")
    return bench


@pytest.mark.parametrize("as_trade", [False, True])
def test_the_tag_decides_over_an_answered_id_nobody_has_seen(as_trade: bool) -> None:
    """What carries our tag is adopted under its own id; trading goes on."""
    bench = answered_with_777()
    ours = OrderId("1001")
    if as_trade:
        bench.trade(bench.seen_trade(order_id=ours))
    else:
        bench.update(bench.seen_order(order_id=ours))
    assert bench.row().order_id == "1001"
    assert bench.core.halt_since is None


def test_an_id_nobody_has_seen_is_never_cancelled_by() -> None:
    """Its time over, the order is not taken back under an id that could be another's; once seen it is."""
    bench = answered_with_777()
    assert not [action for action in bench.pass_time(130) if isinstance(action, CancelAtBroker)]
    seen = bench.update(bench.seen_order(order_id=OrderId("1001")))
    cancels = [action for action in [*seen, *bench.pass_time(1)] if isinstance(action, CancelAtBroker)]
    assert [cancel.order_id for cancel in cancels] == ["1001"]


def lists_without_it(bench: Bench, *others: BrokerOrder, seconds: int = 18) -> list[str]:
    """Lists of the day every three seconds that lack the answered id; the alarms they raise."""
    said: list[str] = []
    for _ in range(seconds // 3):
        bench.pass_time(3.0)
        said += alarms(bench.day(*others))
    return said


def test_an_id_that_list_after_list_lacks_is_given_up_and_said() -> None:
    """The row is unknown, a person is told with its sentence, and nothing is sent a second time."""
    bench = answered_with_777()
    assert lists_without_it(bench, seconds=15) == [] and bench.state() == "submitted"
    assert lists_without_it(bench, seconds=3) == ["order_id_unseen", "order_unknown"]
    assert (bench.state(), bench.row().order_id) == ("unknown", "")
    assert "159201" in bench.result().message
    assert lists_without_it(bench, seconds=30) == []
    bench.restart()
    assert bench.state() == "unknown" and len(bench.submits) == 1 and bench.core.halt_since is None


def test_a_list_that_is_cut_or_older_than_the_call_gives_nothing_up() -> None:
    """Fault 51: one without an order the broker has shown is not whole; one asked before can't know."""
    bench = Bench()
    bench.drop(signal_of("SELL_1", direction="SELL"))
    bench.placed("SELL_1", "9")
    known = bench.seen_order("SELL_1", order_id=OrderId("9"))
    bench.drop(signal_of(timestamp=bench.now.wall))
    bench.answered(FIRST, "777")
    asked_before = bench.now.wall - 60.0
    lists_without_it(bench, seconds=30)
    bench.tell(DayAnswered(Day((known,), ()), asked_before))
    bench.day(known)
    assert bench.state() == "submitted"
    assert "order_unknown" in lists_without_it(bench, known)


@pytest.mark.parametrize(("order_id", "has_tag"), [("1001", True), ("777", True), ("777", False)])
def test_what_shows_up_after_all_is_followed(order_id: str, has_tag: bool) -> None:
    """By its tag under any id, or under the answered id with its remark lost: all its fills count."""
    bench = answered_with_777()
    lists_without_it(bench)
    remark = bench.row().tag if has_tag else ""
    bench.trade(bench.seen_trade(order_id=OrderId(order_id), remark=remark, shares=400))
    bench.update(bench.seen_order(order_id=OrderId(order_id), remark=remark, time=0.0))
    row = bench.row()
    assert (row.state, row.order_id, row.filled_shares) == ("partly_filled", order_id, 400)
    rest = bench.seen_trade(trade_id="t2", order_id=OrderId(order_id), remark=remark, shares=600)
    bench.trade(rest)
    assert bench.state() == "filled" and bench.core.halt_since is None and len(bench.submits) == 1


@pytest.mark.parametrize("changes", [{"remark": "cut"}, {"remark": "", "shares": 900}])
def test_what_disagrees_under_the_answered_id_is_not_followed(changes: dict[str, object]) -> None:
    """Another remark or other shares: a person's to settle, and no halt."""
    bench = answered_with_777()
    lists_without_it(bench)
    bench.day(bench.seen_order(order_id=OrderId("777"), **changes))
    assert (bench.state(), bench.row().order_id, bench.core.halt_since) == ("unknown", "", None)


def test_where_absence_is_proof_it_ends_as_not_placed() -> None:
    """The simulated broker's lists are complete by its word: in doubt by one, ended by the next."""
    bench = Bench(rules_of(absence_is_proof=True))
    bench.drop(signal_of())
    bench.answered(FIRST, "777")
    assert "order_unknown" in lists_without_it(bench)
    lists_without_it(bench, seconds=3)
    assert bench.state() == "not_placed"
