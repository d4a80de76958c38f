"""Quote file replaced to signal readable; and what engine and screen cost while quotes come each second."""

from __future__ import annotations

import random
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import psutil
from rich.console import Console
from rich.table import Table

from shared_schema.drop_folder import DropFolder
from test_offline.benchmarks.figures import Figures, machine
from test_offline.benchmarks.reaction_stage import HIGH, LOW, OtherSide, running_engine, running_screen

LONGEST_GAP = 0.2
WARM_UP = 10
"""Signals before the first that counts: imports and caches of the first decisions."""
COLUMNS, LINES = 120, 40


@dataclass(frozen=True)
class Cost:
    """What a process took: a share of one core, and megabytes."""

    name: str
    share: float
    megabytes: float


def measure(count: int, seconds: float, seed: int) -> tuple[list[Figures], list[Cost]]:
    """Latencies of ``count`` signals and their floor, then the costs over ``seconds`` of one quote a second.

    The floor is what no product could spare: the books and the signal written durably, by this process, right
    after each signal, so that both meet the same disk.
    """
    dice = random.Random(seed)
    with tempfile.TemporaryDirectory(prefix="miniqmt-bench-") as place:
        root = Path(place)
        (root / "exchange").mkdir()
        other = OtherSide(DropFolder(root / "exchange"))
        with other.living(), running_engine(root) as engine:
            _meet(other)
            books = root / "runtime" / "dashboard_state.simulate.json"
            scratch = DropFolder(root / "scratch")
            scratch.path.mkdir()
            pairs = []
            for number in range(count + WARM_UP):
                pairs.append((_react(other, number, dice), _floor(scratch, books.read_bytes())))
            view = root / "runtime" / "dashboard_view.json"
            with running_screen(view, COLUMNS, LINES) as screen:
                costs = _costs(other, engine, screen, seconds, dice)
    taken, floor = zip(*pairs[WARM_UP:], strict=True)
    return [Figures("quote file replaced to signal readable", taken), Figures("floor", floor)], costs


def _meet(other: OtherSide, at_most: float = 30.0) -> None:
    """Wait until the engine has met the executor and decided once; its first signal is answered."""
    deadline = time.monotonic() + at_most
    other.account()
    while time.monotonic() < deadline:
        # The first quote sets the anchor above, the next one lets it buy and the last one sell.
        for price in (HIGH, LOW, HIGH):
            other.quote(price)
            if (seen := other.signal(0.5)) is not None:
                other.fill(seen[1])
                time.sleep(0.5)
                if seen[1].body.direction == "SELL":
                    return
    raise RuntimeError("the engine sent nothing")


def _react(other: OtherSide, number: int, dice: random.Random) -> float:
    """One quote that must lead to one signal; seconds between the two."""
    replaced = other.quote(HIGH if number % 2 else LOW)
    seen = other.signal()
    if seen is None:
        raise RuntimeError(f"quote {number} led to no signal")
    other.fill(seen[1])
    time.sleep(0.08 + dice.random() * LONGEST_GAP)
    return seen[0] - replaced


def _floor(scratch: DropFolder, books: bytes) -> float:
    """Seconds to write a file as large as the books, then one as large as a signal, both durable."""
    began = time.perf_counter()
    scratch.publish("books.json", books)
    scratch.publish("signal.json", books[:1200])
    return time.perf_counter() - began


def _costs(
    other: OtherSide,
    engine: subprocess.Popen[bytes],
    screen: subprocess.Popen[bytes],
    seconds: float,
    dice: random.Random,
) -> list[Cost]:
    processes = {
        "engine": psutil.Process(engine.pid),
        f"screen {COLUMNS}x{LINES}": psutil.Process(screen.pid),
    }
    middle = (LOW + HIGH) / 2
    for _ in range(3):  # until the screen stands
        other.quote(middle)
        time.sleep(1.0)
    before = {name: sum(process.cpu_times()[:2]) for name, process in processes.items()}
    began = time.monotonic()
    while time.monotonic() - began < seconds:
        other.quote(round(middle + dice.randint(-2, 2) / 1000, 3))
        time.sleep(1.0)
    passed = time.monotonic() - began
    return [
        Cost(name, (sum(process.cpu_times()[:2]) - before[name]) / passed, process.memory_info().rss / 1e6)
        for name, process in processes.items()
    ]


def run_reaction(count: int, seconds: float, seed: int, console: Console) -> None:
    """Measure and print."""
    console.print(machine())
    rows, costs = measure(count, seconds, seed)
    table = Table(
        title=f"{count} quotes that lead to a signal, books and signal on the disk before it counts"
    )
    for column in ("", "n", "p50 ms", "p95", "p99", "max"):
        table.add_column(column, justify="left" if not column else "right")
    for figures in rows:
        cells = [figures.p50, figures.at(0.95), figures.at(0.99), max(figures.values)]
        table.add_row(figures.name, str(len(figures.values)), *(f"{value * 1000:.2f}" for value in cells))
    console.print(table)
    table = Table(title=f"One quote a second over {seconds:.0f} s")
    for column in ("", "% of a core", "RSS MB"):
        table.add_column(column, justify="left" if not column else "right")
    for cost in costs:
        table.add_row(cost.name, f"{cost.share * 100:.2f}", f"{cost.megabytes:.1f}")
    console.print(table)
