"""Fault 66: one tick of the future must not make every real tick after it an old one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from shared_schema.errors import BrokerError
from shared_schema.messages import Quote
from test_offline.fake_qmt.install import is_possible
from tests.producer.test_xtdata import FUND, MORNING, QUOTE, World, bars

pytestmark = pytest.mark.skipif(not is_possible(), reason="xtquant is not installed (requirements-dev.txt)")
NOW = MORNING + 61


def at(seconds: float, price: float) -> Quote:
    """The quote at ``seconds`` from now, at ``price`` yuan."""
    return QUOTE.model_copy(update={"price": price, "tick_time": NOW + seconds})


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path)
    made.wall = NOW
    made.data.show({FUND: at(-1, 1.05)}, {FUND: bars(100, MORNING + 60)})
    assert made.source.poll(NOW) is not None
    yield made
    made.close()


def shown(world: World, seconds: float) -> float:
    """The price that stands after a pull ``seconds`` later."""
    world.clock += seconds
    world.wall += seconds
    world.source.poll(world.wall)
    assert world.source._reader is not None
    return world.source._reader.snapshot()[0][FUND].price


def test_real_ticks_go_on_after_it(world: World, caplog: pytest.LogCaptureFixture) -> None:
    """An hour ahead: dropped and said once; the next real tick is the newest."""
    for _ in range(3):
        world.data.show({FUND: at(3600, 9.99)})
        assert shown(world, 3.1) == 1.05
    world.data.show({FUND: at(10, 1.052)})
    assert shown(world, 3.1) == 1.052
    said = [record.message for record in caplog.records if "159201.SZ" in record.message]
    assert len(said) == 1


def test_a_clock_a_little_behind_takes_them(world: World) -> None:
    """Half a minute off is a clock that drifts, no bad tick."""
    world.data.show({FUND: at(33, 1.051)})
    assert shown(world, 3.1) == 1.051


def test_where_all_are_ahead_the_clock_is_named(world: World) -> None:
    """Nothing else comes: after some seconds the producer has a reason to say, and recovers by itself."""
    world.data.show({FUND: at(3600, 9.99)})
    assert shown(world, 3.1) == 1.05
    with pytest.raises(BrokerError) as found:
        shown(world, 8.0)
    assert found.value.key == "qmt.ticks_ahead"
    world.wall += 3600
    assert shown(world, 3.1) == 9.99
