"""Fault 50: after a reconnect an empty list ends nothing; no order leaves before list and account are new."""

from __future__ import annotations

from tests.execution.bench import Bench, rules_of, signal_of
from windows_side.brokers.port import DayAnswered, Readiness, ReadinessChanged


def test_an_empty_list_after_a_reconnect_ends_no_order() -> None:
    """QMT's rule: absence is no proof. Placed, unknown and partly filled orders all stay what they were."""
    bench = Bench(rules_of(absence_is_proof=False))
    bench.drop(signal_of("s1"))
    bench.placed("s1")
    bench.trade(bench.seen_trade("s1", shares=400))
    bench.tell(ReadinessChanged(Readiness(False, "disconnected")))
    bench.pass_time(2)
    bench.make_ready()  # an empty day
    assert bench.state("s1") == "partly_filled" and bench.row("s1").filled_shares == 400


def test_a_failed_list_after_a_reconnect_opens_no_gate() -> None:
    """None is no empty list: signals wait in the folder until a whole one came."""
    bench = Bench(rules_of(absence_is_proof=False))
    bench.tell(ReadinessChanged(Readiness(False, "disconnected")))
    bench.tell(ReadinessChanged(Readiness(True)), DayAnswered(None, bench.now.wall))
    assert not bench.core.ready and bench.core.waits_for == "reconcile"
    bench.drop(signal_of("s1"))
    assert not bench.core.book.everything()
    bench.make_ready()
    bench.drop(signal_of("s1"))
    assert bench.state("s1") == "submitted"
