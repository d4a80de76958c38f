"""Faults 28 to 30: late, out of order, twice, back from the dead: the payload and the ledger decide."""

from __future__ import annotations

import itertools

import pytest

from tests.execution.bench import Bench, next_day, of_kind, signal_of
from windows_side.execution.actions import AnswerAgain, Archive

HOUR = 3600


@pytest.mark.parametrize("late", [301, HOUR, 3 * HOUR])
def test_a_file_hours_late_is_answered_expired(late: float) -> None:
    """The strategy hears its end from the executor; nothing is bought at a price of an hour ago."""
    bench = Bench()
    file = bench.file(signal_of("s1"))
    bench.pass_time(late)
    bench.quote()
    bench.tell(file)
    assert bench.state("s1") == "expired" and not bench.submits
    assert bench.result("s1").error_code == "expired"


def test_signals_of_one_moment_place_the_same_in_any_order() -> None:
    """Two buys, a sell and a cancel of the first, in each of the 24 orders: the same ends."""
    ends = set()
    for order in itertools.permutations(range(4)):
        bench = Bench()
        signals = [
            signal_of("s1"),
            signal_of("s2", price=1.19),
            signal_of("s3", direction="SELL", price=1.21),
            signal_of("c1", action="cancel", target_signal_id="s1"),
        ]
        for place in order:
            bench.drop(signals[place])
            bench.pass_time(1)
        for name in ("s1", "s2", "s3"):
            if bench.state(name) == "submitted":
                bench.placed(name, "id " + name)
        if bench.state("s1") == "submitted":
            bench.update(bench.seen_order("s1", order_id="id s1", status=54))  # type: ignore[arg-type]
        ends.add(tuple(bench.state(name) for name in ("s1", "s2", "s3", "c1")))
    assert ends == {("cancelled", "submitted", "submitted", "cancelled")}


@pytest.mark.parametrize("after", ["at once", "restart", "next day"])
def test_a_file_back_from_the_dead_is_consumed_without_effect(after: str) -> None:
    """Byte for byte the old signal: answered from the ledger, archived again, one order for ever."""
    bench = Bench()
    file = bench.file(signal_of("s1"))
    bench.tell(file)
    bench.placed("s1")
    bench.trade(bench.seen_trade("s1", shares=1000))
    if after == "restart":
        bench.restart()
    elif after == "next day":
        next_day(bench)
        bench.restart()
    actions = bench.tell(file)
    assert len(bench.submits) == 1
    assert of_kind(actions, AnswerAgain) and of_kind(actions, Archive)
