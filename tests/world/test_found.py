"""What schedules of the simulated world have found, each as the smallest story that shows it."""

from __future__ import annotations

from tests.execution.bench import OPEN_AT, Bench, signal_of


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
