"""kill -9 of any process at any moment changes nothing in the end."""

from __future__ import annotations

from pathlib import Path

import pytest

from commands.demo_room.plan import Plan
from commands.demo_room.stage import STANDIN
from tests.chain.kill_chain import run_at_point, run_once, short_plan
from windows_side.brokers.qmt_package import is_installed
from windows_side.execution.points import Point

AROUND_THE_CALL = (
    Point.AFTER_NATIVE_CALL,
    Point.BEFORE_NATIVE_CALL,
    Point.AFTER_INTENT,
    Point.BROKER_HEARD,
    Point.BEFORE_COMMIT,
    Point.AFTER_HANDING_ON,
)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """As many runs as ``--kills`` asks for, each with a seed of its own."""
    kills = metafunc.config.getoption("--kills")
    if "seed" in metafunc.fixturenames:
        metafunc.parametrize("seed", range(kills))
    if "standin_seed" in metafunc.fixturenames:
        metafunc.parametrize("standin_seed", range(max(1, kills // 5)))
    if "point" in metafunc.fixturenames:
        metafunc.parametrize("point", AROUND_THE_CALL[: max(1, kills // 5)])


@pytest.fixture(scope="module")
def plan(tmp_path_factory: pytest.TempPathFactory) -> Plan:
    """The short day, fitted once."""
    return short_plan(tmp_path_factory.mktemp("bars"))


@pytest.mark.slow
def test_a_killed_process_doubles_and_loses_nothing(seed: int, plan: Plan, tmp_path: Path) -> None:
    """After kill -9 and restart the three memories agree, each order stands once, each signal is answered."""
    killed = run_once(tmp_path, plan, seed)
    story = f"{killed.role} killed after quote {killed.at_quote}"
    assert killed.summary.differences == (), f"{story}: {killed.summary.differences}"
    assert killed.summary.counts.orders >= 5, f"{story}: the chain stood still, {killed.summary.counts}"
    assert killed.summary.counts.unknown == 0, story


@pytest.mark.slow
@pytest.mark.skipif(not is_installed(), reason="xtquant is not installed (requirements-dev.txt)")
def test_the_same_with_the_qmt_broker_over_its_stand_in(
    standin_seed: int, plan: Plan, tmp_path: Path
) -> None:
    """The terminal outlives the killed; orders are found again by their tag: none twice, none lost."""
    killed = run_once(tmp_path, plan, standin_seed, STANDIN)
    story = f"{killed.role} killed after quote {killed.at_quote}"
    assert killed.summary.differences == (), f"{story}: {killed.summary.differences}"
    assert killed.summary.counts.orders >= 3, f"{story}: the chain stood still, {killed.summary.counts}"
    assert killed.summary.counts.unknown == 0, story


@pytest.mark.slow
@pytest.mark.skipif(not is_installed(), reason="xtquant is not installed (requirements-dev.txt)")
def test_dead_around_the_native_call_nothing_is_sent_twice(point: Point, plan: Plan, tmp_path: Path) -> None:
    """QMT's missing order is no proof: it is found by its tag, or unknown until the final list closes it."""
    killed = run_at_point(tmp_path, plan, point)
    assert killed.summary.differences == (), f"{point}: {killed.summary.differences}"
    assert killed.summary.counts.orders >= 1, f"{point}: the chain stood still, {killed.summary.counts}"
    assert killed.summary.counts.unknown == 0, point
