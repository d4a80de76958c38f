"""Fault 39: clocks apart are measured, corrected within the limit, and refused above it."""

from __future__ import annotations

import pytest

from shared_schema.link_health import Skew
from tests.execution.bench import Bench, alarms, envelope_of, signal_of
from tests.faults.test_fault_34_link_one_way import beat


@pytest.mark.parametrize("offset", [300.0, -300.0])
def test_five_minutes_either_way_are_refused_and_said(offset: float) -> None:
    """The sender's clock is proven to be off by more than the limit of 30 s: no order, one alarm."""
    bench = Bench()
    assert alarms(bench.tell(beat(bench, skew=Skew(offset, 1.0)))) == ["clock_skew"]
    bench.drop(signal_of("s1", timestamp=bench.now.wall + offset, expires_at=bench.now.wall + offset + 300))
    assert bench.result("s1").error_code == "clock_skew" and not bench.submits


def test_within_the_limit_expiry_follows_the_senders_clock() -> None:
    """20 s ahead of us: a signal that runs out 10 s ahead is over; 20 s behind it still lives."""
    for offset, expires, state in ((20.0, 10.0, "expired"), (-20.0, -10.0, "submitted")):
        bench = Bench()
        bench.tell(beat(bench, skew=Skew(offset, 0.0)))
        now = bench.now.wall
        bench.drop(signal_of("s1", timestamp=now - 100, expires_at=now + expires), envelope_of())
        assert bench.state("s1") == state


def test_what_delay_explains_corrects_nothing() -> None:
    """Half the round trip is blind: a slow link makes no clock wrong."""
    assert Skew(40.0, 80.0).proven == 0.0
    assert Skew(-50.0, 80.0).proven == -10.0
