"""A real executor killed with SIGKILL at each named point, started again: the three memories agree."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from shared_schema.points import ALLOW_CRASH, CRASH_AT
from tests.recovery.crash_scene import ForkServer, Scene
from windows_side.execution.points import Point

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Every point at its first arrival; with ``--crash-rounds N`` up to its N-th."""
    if "number" in metafunc.fixturenames:
        metafunc.parametrize("number", range(1, metafunc.config.getoption("--crash-rounds") + 1))


@pytest.fixture(scope="module")
def server() -> Iterator[ForkServer]:
    """The process that starts executors."""
    server = ForkServer()
    yield server
    server.stop()


@pytest.fixture
def scene(tmp_path: Path, server: ForkServer) -> Scene:
    """A fresh morning."""
    return Scene(tmp_path, server)


@pytest.mark.slow
@pytest.mark.parametrize("point", list(Point), ids=lambda point: point.value)
def test_killed_and_started_again(point: Point, number: int, scene: Scene) -> None:
    """I1, I2, I3, I5 with kill -9 there: no order twice, none lost, none unknown, all views there."""
    if point.value.startswith("migration_"):
        scene.downgrade()
    with scene.executor(**{CRASH_AT: f"{point.value}:{number}", ALLOW_CRASH: "1"}) as process:
        scene.wait(lambda: not scene.is_alive(process) or (scene.is_ready() and scene.is_settled()))
        if scene.is_alive(process) and point is not Point.STOPPED:
            assert number > 1, f"{point} was never reached: {scene.said()}"
    if number == 1:
        assert scene.status == -signal.SIGKILL, f"{point} was never reached: {scene.said()}"
    with scene.executor():
        scene.wait(lambda: scene.is_ready() and scene.is_settled())
    assert scene.status == 0
    scene.check()


@pytest.mark.slow
def test_the_scene_itself_settles(scene: Scene) -> None:
    """Without a kill: one order filled, one cancelled, one refused, the conflict copy put apart."""
    with scene.executor(**{CRASH_AT: "after_intent"}):  # without the permission nothing dies
        scene.wait(scene.is_settled)
    assert scene.status == 0
    scene.check()
    results = scene.results()
    assert (results["fills"].state, results["rests"].state) == ("filled", "cancelled")


@pytest.mark.slow
def test_a_point_that_does_not_exist_is_an_error(scene: Scene) -> None:
    """A crash test that never crashes would prove nothing: exit 2."""
    with scene.executor(**{CRASH_AT: "no_such", ALLOW_CRASH: "1"}) as process:
        scene.wait(lambda: not scene.is_alive(process))
    assert scene.status == 2
