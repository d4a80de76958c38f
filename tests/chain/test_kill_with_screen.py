"""The chain with its screen on a real terminal: screen and engine killed with SIGKILL, the books agree."""

from __future__ import annotations

import contextlib
import os
import random
import threading
from pathlib import Path

import psutil
import pytest

from commands.demo_room.actors import Actor, await_that, heartbeat, producer_arguments, start, stop_all
from commands.demo_room.ending import newest_quote_seq, wait_for_end
from commands.demo_room.stage import START_CASH, Stage, set_stage
from commands.demo_room.summary import gather, summarise
from shared_schema.drop_folder.names import ACCOUNT_LIVE
from tests.chain.kill_chain import BARS_KEPT, _wait_for_quote, short_plan

if os.name == "nt":
    pytest.skip("pseudo-terminals are POSIX", allow_module_level=True)

from tests.screen.terminals import DEADLINE, Terminal

DASHBOARD = 3
"""Its processes: the one a person started, its engine, its screen."""


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """One run, and one more for every ten kills asked for."""
    if "seed" in metafunc.fixturenames:
        metafunc.parametrize("seed", range(1 + metafunc.config.getoption("--kills") // 10))


@pytest.mark.slow
def test_killed_with_the_screen_on_the_books_agree(seed: int, tmp_path: Path) -> None:
    """A random moment, kill -9 of screen and engine, both started again: no order twice, no state lost."""
    dice = random.Random(1000 + seed)
    stage = set_stage(short_plan(tmp_path), tmp_path / "stage")
    actors: dict[str, Actor] = {}
    screens: list[Terminal] = []
    drawn: list[threading.Event] = []

    def begin(stage: Stage) -> None:
        screens.append(Terminal(["mac_side/mac_dashboard.py"], 120, 40, stage.environment("mac")))
        drawn.append(threading.Event())
        threading.Thread(target=_read, args=(screens[-1], drawn[-1]), daemon=True).start()

    try:
        actors["producer"] = start(
            stage, "producer", "windows", producer_arguments(stage, speed="max", lockstep=True)
        )
        await_that(actors, lambda: (stage.exchange / ACCOUNT_LIVE).exists(), "account snapshot")
        actors["executor"] = start(
            stage, "executor", "windows", ["windows_side/order_executor.py", "--sessions"]
        )
        begin(stage)
        await_that(actors, lambda: heartbeat(stage, "dashboard") is not None, "dashboard")
        at_quote = dice.randint(15, BARS_KEPT * 4 - 15)
        _wait_for_quote(stage, actors, at_quote, dice.random() * 0.02)
        assert drawn[0].wait(DEADLINE), "there was no screen to kill"
        assert _kill_with_children(screens[0]) == DASHBOARD
        begin(stage)
        wait_for_end(stage, actors)
        quotes = newest_quote_seq(stage)
    finally:
        for screen in screens:
            _kill_with_children(screen)
            screen.close()
        stop_all(actors)
    assert drawn[1].is_set(), "the dashboard came back without a screen"
    summary = summarise(gather(stage, START_CASH), stage.plan.base_shares, quotes)
    story = f"killed after quote {at_quote}"
    assert summary.differences == (), f"{story}: {summary.differences}"
    assert summary.counts.orders >= 5 and summary.counts.unknown == 0, f"{story}: {summary.counts}"


def _read(screen: Terminal, drawn: threading.Event) -> None:
    """As a terminal reads it; ``drawn`` once the chart's panel with a price's label was on it."""
    with contextlib.suppress(OSError, AssertionError):
        screen.read_until("昨收")
        drawn.set()
        screen.read_until("never printed by anybody")


def _kill_with_children(screen: Terminal) -> int:
    """SIGKILL for the dashboard and all it started; how many processes that were."""
    killed = 0
    with contextlib.suppress(psutil.NoSuchProcess):
        process = psutil.Process(screen.process.pid)
        for one in (*process.children(recursive=True), process):
            with contextlib.suppress(psutil.NoSuchProcess):
                one.kill()
                killed += 1
    screen.process.wait()
    return killed
