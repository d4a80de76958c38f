"""The clocks of two hosts are told apart by echoes, and never better than the round trip allows."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared_schema.link_health import DRIFT, RESOLUTION, Skew, SkewMeter, measured

seconds = st.floats(0, 120, allow_nan=False)
offsets = st.floats(-4000, 4000, allow_nan=False)


@given(offset=offsets, forth=seconds, rest=st.floats(0, 600), back=seconds)
def test_the_true_offset_lies_within_half_the_round_trip(
    offset: float, forth: float, rest: float, back: float
) -> None:
    """However unequal the two ways are, and however long the echo rested there."""
    sent = 1_795_000_000.0
    arrived = sent + forth + offset
    answered = arrived + rest
    received = sent + forth + rest + back
    skew = measured(sent, arrived, answered, received)
    assert skew is not None
    assert abs(skew.offset - offset) <= skew.blind + 1e-5
    assert skew.round_trip == pytest.approx(forth + back, abs=1e-5)


@given(forth=seconds, back=seconds)
def test_clocks_that_agree_are_never_corrected(forth: float, back: float) -> None:
    """A starved way looks like skew; what is proven of it is nothing."""
    skew = measured(1e9, 1e9 + forth, 1e9 + forth + 5, 1e9 + forth + 5 + back)
    assert skew is not None and abs(skew.proven) <= 1e-6


@given(offset=offsets, forth=seconds, back=seconds)
def test_a_correction_never_overshoots_and_errs_by_a_round_trip_at_most(
    offset: float, forth: float, back: float
) -> None:
    """The proven part has the offset's sign, is no larger, and misses it by the round trip at most."""
    skew = measured(1e9, 1e9 + forth + offset, 1e9 + forth + offset, 1e9 + forth + back)
    assert skew is not None
    assert abs(skew.proven) <= abs(offset) + 1e-5
    assert skew.proven * offset >= -1e-9 or abs(skew.proven) < 1e-5
    assert abs(skew.proven - offset) <= skew.round_trip + 1e-5


@given(
    offset=offsets,
    drift=st.floats(-DRIFT / 2, DRIFT / 2),
    delays=st.lists(st.tuples(seconds, seconds), min_size=1, max_size=60),
    every=st.floats(1, 100),
)
@settings(max_examples=60)
def test_the_best_of_many_stays_within_its_bound_while_clocks_drift(
    offset: float, drift: float, delays: list[tuple[float, float]], every: float
) -> None:
    """The best measurement is as good as the shortest round trip lately, less what drifted since."""
    meter, now = SkewMeter(), 0.0
    for forth, back in delays:
        now += every
        there = offset + drift * now
        arrived = now + forth + there
        skew = measured(now, arrived, arrived, now + forth + back)
        assert skew is not None
        meter.add(skew, now + forth + back)
    best = meter.best
    assert best is not None
    lately = delays[-16:]
    bound = best.blind + DRIFT * every * len(lately) + DRIFT * 240 + 1e-5
    assert abs(best.offset - (offset + drift * now)) <= bound
    assert best.round_trip <= max(forth + back for forth, back in lately) + 1e-5


@pytest.mark.parametrize("step", [-300.0, -60.0, 60.0, 300.0])
def test_a_clock_that_was_set_is_followed(step: float) -> None:
    """Measurements that contradict the newest one are of a clock that is gone."""
    meter = SkewMeter()
    for at in range(10):
        meter.add(Skew(2.0, 0.1), float(at))
    meter.add(Skew(2.0 + step, 0.4), 11.0)
    assert meter.best == Skew(2.0 + step, 0.4)


def test_our_own_clock_set_back_drops_what_was_measured_before() -> None:
    """Measurements from a time that has not come yet say nothing."""
    meter = SkewMeter()
    meter.add(Skew(0.0, 0.01), 5000.0)
    meter.add(Skew(0.0, 9.0), 1400.0)
    assert meter.best == Skew(0.0, 9.0)


def test_the_shortest_round_trip_wins_over_the_newest() -> None:
    """A delayed echo does not spoil a good measurement."""
    meter = SkewMeter()
    meter.add(Skew(1.0, 0.2), 0.0)
    meter.add(Skew(8.0, 20.0), 2.0)
    assert meter.best == Skew(1.0, 0.2)


@pytest.mark.parametrize(
    "times",
    [(100.0, 200.0, 150.0, 101.0), (100.0, 100.0, 105.0, 101.0), (100.0, 100.0, 100.0, 99.0)],
    ids=["their clock set back", "less than no time", "our clock set back"],
)
def test_an_exchange_across_a_set_clock_measures_nothing(times: tuple[float, float, float, float]) -> None:
    """A round trip takes no less than no time."""
    assert measured(*times) is None


def test_a_coarse_clock_is_no_contradiction() -> None:
    """Windows clocks tick 64 times a second: a round trip of minus one tick is none at all."""
    skew = measured(100.0, 100.0, 100.0 + RESOLUTION / 2, 100.0)
    assert skew is not None and skew.round_trip == 0.0


def test_noise_of_a_starved_sync_tool_never_corrects_a_good_clock() -> None:
    """A thousand exchanges with delays of 0 to 60 s each way, clocks equal: no correction, ever."""
    chance, meter = random.Random(7), SkewMeter()
    for turn in range(1000):
        now = turn * 30.0
        forth, back = chance.choice((0.5, 1.0, 60.0)), chance.choice((0.5, 1.0, 60.0))
        skew = measured(now, now + forth, now + forth + 3, now + forth + 3 + back)
        assert skew is not None
        meter.add(skew, now + forth + 3 + back)
        assert meter.best is not None and abs(meter.best.proven) < 1e-6
