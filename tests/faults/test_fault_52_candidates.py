"""Fault 52: a remark that was altered makes a candidate for a person, never an adoption."""

from __future__ import annotations

import pytest

from shared_schema.ids import OrderId, SignalId
from tests.execution.bench import Bench, alarms, rules_of, signal_of
from windows_side.brokers.port import BrokerOrder, Unclear
from windows_side.execution.events import ResolveTyped


def in_doubt(remark: str) -> tuple[Bench, BrokerOrder]:
    """An unknown order, and its twin at the broker under another remark."""
    bench = Bench(rules_of(absence_is_proof=False))
    bench.drop(signal_of("s1"))
    bench.answer("s1", Unclear("no answer"))
    bench.pass_time(2)
    tag = bench.row("s1").tag
    altered = {"cut": tag[:10], "empty": "", "another's": "strategy-7"}[remark]
    return bench, bench.seen_order("s1", order_id=OrderId("7"), remark=altered)


@pytest.mark.parametrize("remark", ["cut", "empty", "another's"])
def test_the_twin_is_shown_and_not_adopted(remark: str) -> None:
    """Equal in code, side, price and shares: named in an alarm, once; the row stays unknown."""
    bench, twin = in_doubt(remark)
    assert "order_candidates" in alarms(bench.day(twin))
    assert bench.state("s1") == "unknown" and not bench.row("s1").order_id
    assert "order_candidates" not in alarms(bench.day(twin))


def test_a_person_decides_for_the_candidate() -> None:
    """``miniqmt resolve --placed``: adopted, live again, and its trades count."""
    bench, twin = in_doubt("cut")
    bench.day(twin)
    bench.tell(ResolveTyped(SignalId("s1"), OrderId("7"), "seen in QMT"))
    assert bench.state("s1") == "submitted" and bench.row("s1").order_id == "7"
    bench.trade(bench.seen_trade("s1", shares=1000, order_id=OrderId("7"), remark=twin.remark))
    assert bench.state("s1") == "filled"


def test_a_person_cannot_take_an_order_that_differs() -> None:
    """Other shares or no such order: refused, said, and still unknown."""
    bench, twin = in_doubt("cut")
    other = bench.seen_order("s1", order_id=OrderId("8"), remark="x", shares=2000)
    bench.day(twin, other)
    for order_id in ("8", "99"):
        said = bench.tell(ResolveTyped(SignalId("s1"), OrderId(order_id), "typed wrong"))
        assert alarms(said) == ["resolve_refused"] and bench.state("s1") == "unknown"
