"""The whole chain as real processes at top speed, one of them killed with SIGKILL and started again."""

from __future__ import annotations

import random
import signal
import time
from dataclasses import dataclass
from pathlib import Path

from commands.demo_room.actors import (
    Actor,
    await_that,
    check_alive,
    is_ready,
    producer_arguments,
    standin_arguments,
    start,
    start_all,
    stop_all,
)
from commands.demo_room.ending import newest_quote_seq, wait_for_end
from commands.demo_room.plan import SAMPLE, Plan, make_plan
from commands.demo_room.stage import SIMULATED, STANDIN, START_CASH, Stage, set_stage
from commands.demo_room.summary import Summary, gather, summarise
from shared_schema.bars_file import read_bars
from shared_schema.drop_folder.names import HEARTBEAT_FOLDER
from shared_schema.points import ALLOW_CRASH, CRASH_AT
from shared_schema.shanghai import day_of
from test_offline.fake_qmt.control import Control
from windows_side.execution.points import Point

BARS_KEPT = 70
"""Minutes of the lively day that are replayed: enough for orders, short enough for many kills."""


@dataclass(frozen=True)
class Killed:
    """One run: who was killed after which quote, and how it ended."""

    role: str
    at_quote: int
    summary: Summary
    stage: Stage


def short_day(folder: Path) -> Path:
    """The shipped sample with only the first minutes of its last day; ``folder`` gets the file."""
    bars = read_bars(SAMPLE)
    last = day_of(bars[-1].end)
    keep = sum(1 for bar in bars if day_of(bar.end) < last) + BARS_KEPT
    path = folder / SAMPLE.name
    rows = [line for line in SAMPLE.read_text("utf-8").splitlines() if line]
    head = [line for line in rows if not line[0].isdigit()]
    body = [line for line in rows if line[0].isdigit()]
    path.write_text("\n".join([*head, *body[:keep]]) + "\n", encoding="utf-8")
    return path


def short_plan(folder: Path) -> Plan:
    """A plan for the short day."""
    return make_plan(short_day(folder), "159201.SZ", "", None, 1.0)


STANDIN_SPEED = "280"
"""The stand-in's market waits for nobody: the short day takes a quarter of a minute."""


def run_once(folder: Path, plan: Plan, seed: int, broker: str = SIMULATED) -> Killed:
    """One run: at a random moment kill a random process, start it again, let the day end, compare.

    With the QMT stand-in the terminal lives on, as a broker does."""
    dice = random.Random(seed)
    stage = set_stage(plan, folder, broker)
    speed = "max" if broker == SIMULATED else STANDIN_SPEED
    actors = start_all(stage, speed=speed, lockstep=broker == SIMULATED)
    role, at_quote = dice.choice(("producer", "executor", "dashboard")), dice.randint(15, BARS_KEPT * 4 - 15)
    try:
        _wait_for_quote(stage, actors, at_quote, dice.random() * 0.02)
        actors[role].kill()
        actors[role] = _start_again(stage, role)
        wait_for_end(stage, actors)
        quotes = newest_quote_seq(stage)
    finally:
        stop_all(actors)
    return Killed(role, at_quote, summarise(gather(stage, START_CASH), plan.base_shares, quotes), stage)


def run_at_point(folder: Path, plan: Plan, point: Point) -> Killed:
    """The QMT stand-in's chain, its executor made to die at ``point`` and started again.

    The market stands still while an executor starts: it would be over before a slow one is there."""
    stage = set_stage(plan, folder, STANDIN)
    actors = start_all(stage, speed=STANDIN_SPEED, lockstep=False)
    control = Control(stage.terminal / "userdata_mini")
    try:
        # One order stands: the next may stay unknown until the close, and nothing is bought beside it.
        await_that(actors, lambda: control("places") > 0, "first order")
        at_quote = newest_quote_seq(stage)
        others = {role: actor for role, actor in actors.items() if role != "executor"}
        actors["executor"].kill()
        control("hold")
        _forget_heartbeats(stage)
        asked = {CRASH_AT: point.value, ALLOW_CRASH: "1"}
        doomed = start(stage, "executor", "windows", standin_arguments(stage, "executor"), asked)
        await_that(others, lambda: not doomed.is_alive or is_ready(stage, "executor"), "executor")
        control("go_on")
        died = doomed.process.wait(120)
        assert died == -signal.SIGKILL, f"{point} was never reached: {died}\n{doomed.last_words()}"
        control("hold")
        _forget_heartbeats(stage)
        actors["executor"] = _start_again(stage, "executor")
        await_that(actors, lambda: is_ready(stage, "executor"), "executor")
        control("go_on")
        wait_for_end(stage, actors)
        quotes = newest_quote_seq(stage)
    finally:
        control.close()
        stop_all(actors)
    summary = summarise(gather(stage, START_CASH), plan.base_shares, quotes)
    return Killed("executor", at_quote, summary, stage)


def _forget_heartbeats(stage: Stage) -> None:
    """A killed executor's last one still says "ready"."""
    for beat in (stage.exchange / HEARTBEAT_FOLDER).glob("executor-*.json"):
        beat.unlink()


def _wait_for_quote(stage: Stage, actors: dict[str, Actor], seq: int, then: float) -> None:
    deadline = time.monotonic() + 300
    while newest_quote_seq(stage) < seq:
        check_alive(actors)
        if time.monotonic() > deadline:
            raise TimeoutError(f"the replay never reached quote {seq}")
        time.sleep(0.001)
    time.sleep(then)


def _start_again(stage: Stage, role: str) -> Actor:
    if stage.broker == STANDIN:
        return start(stage, role, "mac" if role == "dashboard" else "windows", standin_arguments(stage, role))
    if role == "producer":
        return start(stage, role, "windows", producer_arguments(stage, speed="max", lockstep=True))
    if role == "executor":
        return start(stage, role, "windows", ["windows_side/order_executor.py", "--sessions"])
    return start(stage, role, "mac", ["mac_side/mac_dashboard.py", "--no-screen"])
