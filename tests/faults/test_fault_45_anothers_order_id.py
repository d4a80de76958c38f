"""Fault 45: an order id that belongs to another signal proves nothing, and a late one still counts."""

from __future__ import annotations

from shared_schema.ids import OrderId
from tests.execution.bench import Bench, signal_of
from windows_side.brokers.port import Placed


def test_an_id_that_another_signal_owns_leaves_the_order_in_doubt() -> None:
    """The terminal mixed up its answers: the first keeps its order, the second is unknown."""
    bench = Bench()
    bench.drop(signal_of("s1"))
    bench.placed("s1", "1")
    bench.drop(signal_of("s2", price=1.19))
    bench.answer("s2", Placed(OrderId("1")))
    assert bench.row("s1").order_id == "1" and bench.state("s1") == "submitted"
    assert bench.state("s2") == "unknown" and not bench.row("s2").order_id


def test_the_true_id_that_comes_late_is_adopted_by_the_tag() -> None:
    """The list shows the order with its tag: the doubt ends, and nothing is sent a second time."""
    bench = Bench()
    bench.drop(signal_of("s1"))
    bench.placed("s1", "1")
    bench.drop(signal_of("s2", price=1.19))
    bench.answer("s2", Placed(OrderId("1")))
    bench.update(bench.seen_order("s2", order_id=OrderId("2")))
    assert bench.state("s2") == "submitted" and bench.row("s2").order_id == "2"
    assert len(bench.submits) == 2
