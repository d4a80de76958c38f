"""Fault 66: a quote that stands in the future is no fresher than one of the past."""

from __future__ import annotations

import math

import pytest

from shared_schema.clock import Moment
from tests.execution.bench import Bench, rules_of, signal_of
from tests.mac_side.world import CODE, beats, core, moment, quote


@pytest.mark.parametrize("ahead", [0.0, 20.0, 400.0, 86_400.0])
def test_the_executor_takes_no_order_on_a_tick_of_the_future(ahead: float) -> None:
    """One tick of a wrong clock would keep its price fresh until that time had come."""
    bench = Bench(rules_of())
    bench.quote(tick_time=bench.now.market + ahead)
    bench.drop(signal_of())
    assert bench.row().error_code == ("" if ahead < 300 else "no_fresh_quote")


def test_a_clock_set_back_makes_no_old_quote_fresh() -> None:
    """Fault 40: the file was written ten minutes from now, by a producer that may be dead since."""
    bench = Bench(rules_of())
    bench.now = Moment(bench.now.wall - 600, bench.now.market - 600)
    bench.drop(signal_of(timestamp=bench.now.wall))
    assert bench.row().error_code == "no_fresh_quote"
    assert math.isfinite(bench.core.quote_age(CODE, bench.now))


@pytest.mark.parametrize(("ahead", "held"), [(20.0, False), (400.0, True)])
def test_the_dashboard_decides_on_no_tick_of_the_future(ahead: float, held: bool) -> None:
    """It would go on deciding on that price until its time had come."""
    now = moment("10:00:30")
    made = core()
    made.handle(beats(now), now)
    made.handle(quote(now, 1.06, tick_time=now.market + ahead), now)
    assert (made.held is not None and made.held.word == "stale") is held
