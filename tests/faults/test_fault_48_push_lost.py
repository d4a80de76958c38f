"""Fault 48: where every push is lost, the list that is asked for every few seconds tells all."""

from __future__ import annotations

from shared_schema.ids import OrderId
from tests.execution.bench import FUND, OPEN_AT, Bench, limits_of, of_kind, rules_of, signal_of
from windows_side.brokers.port import BrokerOrder, BrokerStatus
from windows_side.execution.actions import AskDay


def test_an_open_order_is_asked_for_until_its_end_is_known() -> None:
    """No push ever comes: asked each poll interval, filled by the list alone, and then left in peace."""
    bench = Bench(rules_of(poll_interval=3.0))
    bench.drop(signal_of("s1"))
    bench.placed("s1")
    for _ in range(3):
        assert of_kind(bench.pass_time(3), AskDay)
    filled = bench.seen_order("s1", status=BrokerStatus.FILLED, filled_shares=1000)
    bench.day(filled, trades=(bench.seen_trade("s1", shares=1000),))
    assert bench.state("s1") == "filled" and bench.result("s1").filled_shares == 1000
    assert not of_kind(bench.pass_time(30), AskDay)


def test_with_nothing_of_ours_open_the_list_is_asked_once_a_minute() -> None:
    """An order placed by hand whose push was lost counts in the day's limits all the same (fault 56)."""
    bench = Bench(rules_of(limits=limits_of(orders_per_day=1)))
    asked = [bool(of_kind(bench.pass_time(10), AskDay)) for _ in range(12)]
    assert sum(asked) == 2
    bench.day(BrokerOrder(OrderId("f1"), FUND, "BUY", 1.2, 1000, 0, BrokerStatus.REPORTED, "", "", OPEN_AT))
    bench.quote()
    bench.drop(signal_of("s1", timestamp=bench.now.wall))
    assert bench.row("s1").error_code == "orders_per_day"
