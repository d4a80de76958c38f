"""The chain of real processes over real hours: do memory, descriptors and threads stay where they are?"""

from __future__ import annotations

import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import psutil
from rich.console import Console
from rich.table import Table

from commands.demo_room.actors import Actor, check_alive, start_all, stop_all
from commands.demo_room.ending import newest_quote_seq, replay_is_over
from commands.demo_room.plan import make_plan
from commands.demo_room.stage import START_CASH, set_stage
from commands.demo_room.summary import gather, summarise
from test_offline.benchmarks.figures import machine

SAMPLES = 60
WARM = 0.1
"""Part of the run that counts as warming up: caches fill, the day's first bars arrive."""


@dataclass(frozen=True)
class Sample:
    """One look at one process."""

    at: float
    """Seconds since the start."""
    rss: float
    """Megabytes."""
    descriptors: int
    threads: int


def run_soak(minutes: float, console: Console) -> None:
    """Replay one day over ``minutes`` of real time; print each process's growth after the warm-up."""
    console.print(machine())
    with tempfile.TemporaryDirectory(prefix="miniqmt-soak-") as place:
        plan = make_plan(None, "", "", None, minutes * 60)
        stage = set_stage(plan, Path(place))
        actors = start_all(stage, speed=str(plan.speed), lockstep=False)
        try:
            samples = _watch(actors, minutes * 60, lambda: replay_is_over(stage))
            quotes = newest_quote_seq(stage)
        finally:
            stop_all(actors)
        summary = summarise(gather(stage, START_CASH), plan.base_shares, quotes)
    console.print(_table(samples, minutes))
    console.print(f"quotes {quotes}, differences between the books: {list(summary.differences) or 'none'}")


def _watch(actors: dict[str, Actor], seconds: float, is_over) -> dict[str, list[Sample]]:  # type: ignore[no-untyped-def]
    watched = {role: psutil.Process(actor.process.pid) for role, actor in actors.items()}
    samples: dict[str, list[Sample]] = {role: [] for role in watched}
    began = time.monotonic()
    while time.monotonic() - began < seconds and not is_over():
        check_alive(actors)
        for role, process in watched.items():
            samples[role].append(_sample(process, time.monotonic() - began))
        time.sleep(seconds / SAMPLES)
    return samples


def _sample(process: psutil.Process, at: float) -> Sample:
    with process.oneshot():
        descriptors = process.num_fds() if hasattr(process, "num_fds") else process.num_handles()
        return Sample(at, process.memory_info().rss / 1e6, descriptors, process.num_threads())


def _table(samples: dict[str, list[Sample]], minutes: float) -> Table:
    table = Table(title=f"A trading day replayed over {minutes:.0f} minutes of real time")
    for column in (
        "",
        "RSS MB warm",
        "at the end",
        "most",
        "MB an hour",
        "descriptors warm",
        "at the end",
        "threads",
    ):
        table.add_column(column, justify="left" if not column else "right")
    for role, seen in samples.items():
        warm, last = seen[int(len(seen) * WARM)], seen[-1]
        hours = max(last.at - warm.at, 1.0) / 3600
        table.add_row(
            role,
            f"{warm.rss:.1f}",
            f"{last.rss:.1f}",
            f"{max(sample.rss for sample in seen):.1f}",
            f"{(last.rss - warm.rss) / hours:+.1f}",
            str(warm.descriptors),
            str(last.descriptors),
            str(last.threads),
        )
    return table
