"""How long backtests and sweeps take: ours with and without numba, the floor, other tools; medians.

Beside each time stands the processor's own, which other work on the machine lengthens less.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from rich.console import Console
from rich.table import Table

from mac_side.backtest.compiled import Engine, have_numba
from mac_side.backtest.engine import run_backtest, run_prepared
from mac_side.backtest.metrics import metrics_of
from mac_side.backtest.prepared import prepare
from mac_side.backtest.read_series import read_series
from mac_side.backtest.series import series_of
from mac_side.backtest.walk_rows import Walker
from mac_side.strategy.presets import preset
from mac_side.sweep.run import Sweep, run_sets
from mac_side.sweep.sets import check_sets, grid_of
from shared_schema.bars_file import read_bars
from test_offline.benchmarks.figures import machine
from test_offline.benchmarks.minute_bars import DAYS, write_bars

ROOT = Path(__file__).resolve().parents[2]
TIMES = 9
SWEEP = (
    "atr_grid_factor=0.2:0.58:0.02",
    "grid_step_floor=0.0006:0.0015:0.0001",
    "sell_threshold_factor=1,1.2,1.4,1.6,1.8",
)
"""A thousand sets."""
MEASURED_ELSEWHERE = {"backtrader": 11_000.0, "backtesting": 109_000.0, "vectorbt": 3_200_000.0}
"""Bars a second on an idle machine of two cores, where a peer is not installed here."""


class Timing(NamedTuple):
    """Median seconds of the clock and of the processor."""

    wall: float
    processor: float


def timed(function: Callable[[], Any], times: int = TIMES) -> Timing:
    """The medians of ``times`` runs after one that is not counted."""
    function()
    walls, processors = [], []
    for _ in range(times):
        wall, processor = time.perf_counter(), time.process_time()
        function()
        walls.append(time.perf_counter() - wall)
        processors.append(time.process_time() - processor)
    return Timing(statistics.median(walls), statistics.median(processors))


def run_backtest_benchmark(console: Console, peers: str | None) -> None:
    """The table of single backtests."""
    engines: tuple[Engine, ...] = ("numba", "python") if have_numba() else ("python",)
    parameters = preset("159201")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "bars.csv"
        count = write_bars(path)
        console.print(f"{DAYS} days, {count:,} bars, {path.stat().st_size / 1e6:.1f} MB; {machine()}")
        table = _table("one backtest of 480 days", "ms", "processor ms", "bars a second")
        _add(table, "floor: the bytes of the file", timed(path.read_bytes), count)
        for engine in engines:
            _add(
                table,
                f"floor: the file as columns, {engine}",
                timed(partial(read_series, path, engine)),
                count,
            )
        for engine in engines:

            def file_to_metrics(engine: Engine = engine) -> object:
                return metrics_of(run_backtest(read_series(path, engine), parameters, engine=engine))

            whole = timed(file_to_metrics)
            _add(table, f"file to metrics, warm, {engine}", whole, count)
        prepared = prepare(read_series(path, engines[0]), parameters, engine=engines[0])
        for engine in engines:
            walker = Walker(prepared, parameters, engine)
            first = float(prepared.close[0])
            _add(
                table,
                f"the step alone, {engine}",
                timed(partial(walker.walk, 0, len(prepared), first)),
                count,
            )
        step = timed(lambda: run_prepared(prepared, parameters, engine="step"), 3)
        _add(table, "the step alone, as live calls it (decide)", step, count)
        strict = timed(lambda: series_of(read_bars(path)), 1)
        _add(table, "the strict reader, for files with odd rows", strict, count)
        for engine in engines:
            fresh, memory = _fresh(path, engine)
            _add(table, f"a fresh process, {engine} (most memory {memory:.0f} MB)", fresh, count)
        for name, (version, rate, trades) in _peers(path, peers).items():
            rates = f"{rate:,.0f}" if rate else "-"
            ms = f"{count / rate * 1000:,.0f}" if rate else "-"
            told = f"{name} {version}, one-lot grid" + (f", {trades} trades" if trades else "")
            table.add_row(told, ms, "-", rates)
        every: tuple[Engine, ...] = (*engines, "step")
        traded = [len(run_prepared(prepared, parameters, engine=engine).table) for engine in every]
        console.print(table)
        console.print(f"trades by each of our engines: {traded}")


def run_sweep_benchmark(console: Console) -> None:
    """The table of sweeps: walked forward over four folds, from the file to the last figure."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "bars.csv"
        count = write_bars(path)
        console.print(f"{DAYS} days, {count:,} bars, four folds walked forward; {machine()}")
        table = _table("a sweep", "seconds", "processor s", "sets a second")
        for engine, sets in (("numba", 1000), ("numba", 250), ("python", 40)):
            if engine == "numba" and not have_numba():
                continue
            spent = timed(lambda e=engine, n=sets: _sweep(path, e, n), 3 if engine == "numba" else 1)  # type: ignore[misc]
            name = f"{sets} sets, {engine}, {os.cpu_count()} cores"
            processor = f"{spent.processor:.2f}" if engine == "numba" else "-"
            table.add_row(name, f"{spent.wall:.2f}", processor, f"{sets / spent.wall:,.0f}")
        console.print(table)


def _sweep(path: Path, engine: Engine, count: int) -> int:
    parameters = check_sets(preset("159201"), grid_of(SWEEP))[:count]
    made = Sweep(read_series(path, engine), engine)
    made.prepare_for(parameters)
    batches = run_sets(made, list(enumerate(parameters)), -1, None, lambda done, left: None)
    return sum(len(batch) for batch in batches)


def _fresh(path: Path, engine: Engine) -> tuple[Timing, float]:
    """A process of its own, from its start to the printed figures; the most memory it took, in MB (Linux)."""
    code = (
        "import time; from pathlib import Path; from commands.backtest import backtest;"
        f"backtest(csv=Path({str(path)!r}), engine={engine!r});"
        # Not getrusage: its peak begins with what the parent held.
        "peak = [line for line in open('/proc/self/status') if line.startswith('VmHWM')];"
        "print(int(peak[0].split()[1]) / 1000, time.process_time())"
    )
    walls, processors, memory = [], [], 0.0
    for turn in range(4):
        begun = time.perf_counter()
        done = subprocess.run(
            [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
        )
        spent = time.perf_counter() - begun
        memory, processor = map(float, done.stdout.splitlines()[-1].split())
        if turn:  # the first one may compile
            walls.append(spent)
            processors.append(processor)
    return Timing(statistics.median(walls), statistics.median(processors)), memory


def _peers(path: Path, python: str | None) -> dict[str, tuple[str, float, int]]:
    """Bars a second of the other tools: run now by the interpreter ``python``, else measured elsewhere."""
    script = Path(__file__).with_name("peers.py")
    if python is not None:
        done = subprocess.run([python, str(script), str(path)], capture_output=True, text=True, check=True)
        return {name: tuple(told) for name, told in json.loads(done.stdout.splitlines()[-1]).items()}
    return {name: ("(measured elsewhere, idle)", rate, 0) for name, rate in MEASURED_ELSEWHERE.items()}


def _table(title: str, *columns: str) -> Table:
    table = Table(title=title)
    table.add_column("")
    for column in columns:
        table.add_column(column, justify="right")
    return table


def _add(table: Table, name: str, spent: Timing, count: int) -> None:
    rate = count / spent.wall
    table.add_row(name, f"{spent.wall * 1000:,.1f}", f"{spent.processor * 1000:,.1f}", f"{rate:,.0f}")
