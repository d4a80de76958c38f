"""Fault 48: where every push is lost, the list that is asked for every few seconds tells all."""

from __future__ import annotations

from tests.execution.bench import Bench, of_kind, rules_of, signal_of
from windows_side.brokers.port import BrokerStatus
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
