"""What schedules of the simulated world have found, each as the smallest story that shows it."""

from __future__ import annotations

from tests.execution.bench import OPEN_AT, Bench, of_kind, rules_of, signal_of
from windows_side.brokers.port import BrokerStatus, Unclear
from windows_side.execution.actions import CancelAtBroker

FIRST = "BUY_159201.SZ_L1_00000001"


def test_a_duplicate_that_arrives_late_is_still_a_duplicate() -> None:
    """Seed 101476: two equal intents decided a second apart, the executor down for 15 s between them."""
    bench = Bench()
    bench.drop(signal_of("first"))
    bench.pass_time(15.0)
    bench.drop(signal_of("second", timestamp=OPEN_AT + 1.0))
    assert (bench.state("second"), bench.result("second").error_code) == ("rejected", "duplicate_intent")


def test_the_same_intent_decided_later_is_a_new_one() -> None:
    """The window is about one decision sent twice, not about wanting the same again."""
    bench = Bench()
    bench.drop(signal_of("first"))
    bench.pass_time(15.0)
    bench.drop(signal_of("second", timestamp=OPEN_AT + 15.0))
    assert bench.state("second") == "submitted"


def test_an_end_seen_by_a_clock_that_ran_ahead_still_settles() -> None:
    """Seed 4: the order ended while the clock was an hour ahead; set right, the second reading counts."""
    bench = Bench(rules_of(final_read=2.0))
    bench.drop(signal_of())
    bench.placed(FIRST)
    bench.pass_time(3600.0)
    ended = bench.seen_order(status=BrokerStatus.CANCELLED)
    bench.update(ended)
    bench.pass_time(-3600.0)
    bench.day(ended)
    bench.pass_time(3.0)
    bench.day(ended)
    assert bench.state() == "cancelled"


def test_an_order_called_by_a_clock_that_ran_ahead_is_taken_back() -> None:
    """How long it lies at the market nobody knows then, and every order ends (I13)."""
    bench = Bench()
    bench.pass_time(3600.0)
    bench.quote()
    bench.drop(signal_of(timestamp=bench.now.wall, expires_at=bench.now.wall + 300.0))
    bench.placed(FIRST)
    bench.update(bench.seen_order())
    assert of_kind(bench.pass_time(-3600.0), CancelAtBroker)


def test_a_doubt_from_a_clock_that_ran_ahead_is_settled_by_the_next_list() -> None:
    """Unclear an hour from now, so to say: the simulated broker's next whole list still proves absence."""
    bench = Bench(rules_of(absence_is_proof=True))
    bench.drop(signal_of())
    bench.pass_time(3600.0)
    bench.answer(FIRST, Unclear("timeout"))
    bench.pass_time(-3600.0)
    bench.day()
    bench.pass_time(3.0)
    bench.day()
    assert bench.state() == "not_placed"
