"""Fault 50: after a reconnect an empty list ends nothing; no order leaves before list and account are new."""

from __future__ import annotations

from shared_schema.words import pair
from tests.execution.bench import Bench, account_of, alarms, rules_of, signal_of
from windows_side.brokers.port import AccountAnswered, DayAnswered, Readiness, ReadinessChanged


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


def test_a_list_that_never_comes_is_said_once_with_what_to_do() -> None:
    """A terminal that answers None for an empty day: nothing is taken for empty, and a person is told why."""
    bench = Bench(rules_of(absence_is_proof=False))
    bench.tell(ReadinessChanged(Readiness(False, "disconnected")))
    bench.tell(ReadinessChanged(Readiness(True)))
    told = []
    for _ in range(60):
        told += alarms(bench.tell(DayAnswered(None, bench.now.wall)))
        told += alarms(bench.tell(AccountAnswered(account_of(), bench.now.wall)))
        told += alarms(bench.pass_time(1))
    assert told == ["day_unanswered"] and bench.core.waits_for == "reconcile"
    assert all("miniqmt acceptance" in text for text in pair("log.day_unanswered"))
    bench.make_ready()
    assert bench.core.ready


def test_positions_that_never_come_are_said_too() -> None:
    """The day's list came, cash and positions never do."""
    bench = Bench(rules_of(absence_is_proof=False))
    bench.tell(ReadinessChanged(Readiness(False, "disconnected")))
    bench.tell(ReadinessChanged(Readiness(True)))
    told = alarms(bench.day())
    for _ in range(25):
        told += alarms(bench.tell(AccountAnswered(None, bench.now.wall))) + alarms(bench.pass_time(1))
    assert told == ["account_unanswered"] and bench.core.waits_for == "account"
