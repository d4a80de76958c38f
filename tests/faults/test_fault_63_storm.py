"""Fault 63: a thousand signals at once are throttled and refused, never forgotten."""

from __future__ import annotations

from collections import Counter

import pytest

from tests.execution.bench import Bench, alarms, envelope_of, limits_of, rules_of, signal_of


@pytest.mark.slow
def test_a_storm_never_exceeds_the_rates_and_answers_every_signal() -> None:
    """1,000 in one second, 1 share price step apart: 2 a second leave, 100 wait, the rest is refused."""
    bench = Bench(rules_of(limits=limits_of(turnover_yuan=1e9)))
    files = [
        bench.file(
            signal_of(
                f"s{number}", price=round(1.1 + number % 190 * 0.001, 3), shares=100 + number // 190 * 100
            ),
            envelope_of(number + 1),
        )
        for number in range(1000)
    ]
    bench.tell(*files)
    assert len(bench.submits) == 2
    for second in range(1, 60):
        before = len(bench.submits)
        bench.answer_all()
        bench.pass_time(1)
        assert len(bench.submits) - before <= 2, f"second {second}"
    ends = Counter(row.error_code for row in bench.core.book.everything())
    assert ends["queue_full"] == 1000 - 102 - ends["beyond_daily_limit"] - ends["not_enough_cash"]
    assert len(bench.submits) > 100, "each of those that wait has its turn"
    assert len(bench.core.book.everything()) == 1000, "a signal was forgotten"


def test_the_days_count_stops_a_slow_storm() -> None:
    """One order every two seconds: after the day's limit each further one is refused."""
    bench = Bench(rules_of(limits=limits_of(orders_per_day=5)))
    for number in range(8):
        price = round(1.1 + number * 0.001, 3)
        bench.drop(signal_of(f"s{number}", price=price, shares=100, timestamp=bench.now.wall))
        bench.answer_all()
        bench.pass_time(2)
    codes = [bench.row(f"s{number}").error_code for number in range(8)]
    assert codes == [""] * 5 + ["orders_per_day"] * 3


def test_a_full_queue_is_one_alarm_a_storm() -> None:
    """However many are refused; once the queue was empty the next storm is told again."""
    bench = Bench(rules_of(limits=limits_of(waiting=2, orders_per_second=1)))
    said = 0
    for storm in (0, 1):
        for number in range(8):
            shares = 100 * (8 * storm + number + 1)
            name = f"s{storm}{number}"
            actions = bench.drop(signal_of(name, shares=shares, timestamp=bench.now.wall))
            said += alarms(actions).count("queue_full")
        assert said == storm + 1
        for _ in range(8):
            bench.answer_all()
            bench.pass_time(1)
