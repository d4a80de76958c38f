"""Faults 40 and 41: a clock that jumps rolls no day twice, and a day nobody knows trades nothing."""

from __future__ import annotations

from datetime import datetime

import pytest

from shared_schema.clock import Moment
from shared_schema.sessions import SHANGHAI
from tests.execution.bench import OPEN_AT, Bench, limits_of, rules_of, signal_of


def moved(bench: Bench, to: float) -> None:
    """The host's clock is set to ``to``; the quote is of that moment."""
    bench.now = Moment(to, to)
    bench.quote()


def test_a_clock_set_to_tomorrow_and_back_counts_the_day_on() -> None:
    """The day's count is not begun anew by a jump: two of three orders are spent, the fourth is refused."""
    bench = Bench(rules_of(limits=limits_of(orders_per_day=3)))
    for number in range(2):
        bench.drop(signal_of(f"s{number}", price=1.2 - number * 0.001, timestamp=bench.now.wall))
        bench.placed(f"s{number}", str(number))
        bench.pass_time(2)
    moved(bench, OPEN_AT + 86_400)
    bench.pass_time(1)
    moved(bench, OPEN_AT + 60)
    codes = []
    for number in range(2, 4):
        signal_id = f"s{number}"
        bench.drop(signal_of(signal_id, price=1.2 - number * 0.001, timestamp=bench.now.wall))
        codes.append(bench.row(signal_id).error_code)
        bench.pass_time(2)
    assert codes == ["", "orders_per_day"]


@pytest.mark.parametrize(
    "clock",
    ["2026-11-18T00:00:30", "2026-11-18T09:20:00", "2026-11-18T12:00:00", "2026-11-18T14:57:00",
     "2026-11-21T10:00:00", "2026-10-01T10:00:00", "2031-03-05T10:00:00"],
)  # fmt: skip
def test_outside_continuous_trading_of_a_known_day_nothing_is_placed(clock: str) -> None:
    """Midnight, auction, lunch, closing call, weekend, holiday, a year the calendar does not know."""
    bench = Bench()
    moved(bench, datetime.fromisoformat(clock).replace(tzinfo=SHANGHAI).timestamp())
    bench.drop(signal_of("s1", timestamp=bench.now.wall))
    assert bench.result("s1").error_code == "outside_session" and not bench.submits


def test_a_laptop_that_slept_over_lunch_sends_nothing_old() -> None:
    """Two orders left, one waits; the machine sleeps three hours: the waiting one ends expired."""
    bench = Bench()
    for number in range(3):
        bench.drop(signal_of(f"s{number}", price=1.2 - number * 0.001))
    assert len(bench.submits) == 2 and bench.state("s2") == "accepted"
    bench.pass_time(3 * 3600)
    assert bench.state("s2") == "expired" and len(bench.submits) == 2
