"""A backlog of valid signals: submitted a second, and seconds until every view is there."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

from rich.console import Console
from rich.table import Table

from shared_schema.drop_folder.names import RESULTS_FOLDER
from test_offline.benchmarks.bench_folder import BenchFolder, running_executor
from test_offline.benchmarks.figures import machine
from windows_side.execution.sqlite_ledger import read_only

AT_MOST = 300.0


def run_backlog(count: int, console: Console) -> None:
    """Drop ``count`` signals at once beside a running executor, limits off, and print how it went."""
    console.print(machine())
    with tempfile.TemporaryDirectory(prefix="miniqmt-bench-") as place:
        root = Path(place)
        with running_executor(root) as bench:
            began = time.monotonic()
            _drop(bench, count)
            dropped = time.monotonic()
            submitted = _until(lambda: _submitted(root) >= count)
            shown = _until(lambda: _results(bench) >= count and _executed(bench) >= count)
        table = Table(title=f"Backlog of {count} signals, limits off, every INTENT durable before its submit")
        for column in ("", "seconds", "a second"):
            table.add_column(column, justify="left" if not column else "right")
        for name, seconds in (
            ("written by the strategy side", dropped - began),
            ("all submitted, after the last was written", max(0.0, submitted - dropped)),
            ("all submitted, after the first was written", submitted - began),
            ("all results and ids shown, after the last submit", max(0.0, shown - submitted)),
        ):
            rate = f"{count / seconds:.0f}" if seconds > 0 else "-"
            table.add_row(name, f"{seconds:.2f}", rate)
        console.print(table)


def _drop(bench: BenchFolder, count: int) -> None:
    # Without fsync: the backlog is what is measured, not the writing of it.
    for number in range(count):
        name, raw = bench.signal(number)
        temporary = bench.folder.path / f".{name}.tmp"
        temporary.write_bytes(raw)
        temporary.rename(bench.folder.path / name)


def _until(reached) -> float:  # type: ignore[no-untyped-def]
    deadline = time.monotonic() + AT_MOST
    while not reached():
        if time.monotonic() > deadline:
            raise TimeoutError(f"not reached within {AT_MOST:.0f} s")
        time.sleep(0.1)
    return time.monotonic()


def _submitted(root: Path) -> int:
    database = read_only(root / "windows" / "ledger_simulate_main.sqlite3")
    try:
        return int(database.execute("SELECT count(*) FROM orders WHERE order_id != ''").fetchone()[0])
    finally:
        database.close()


def _results(bench: BenchFolder) -> int:
    return sum(1 for _ in (bench.folder.path / RESULTS_FOLDER).iterdir())


def _executed(bench: BenchFolder) -> int:
    path = bench.folder.path / "executed_signals.json"
    return path.read_bytes().count(b"_bench_") if path.exists() else 0
