"""A backlog of valid signals: submitted a second, and seconds until every view is there."""

from __future__ import annotations

import json
import os
import tempfile
import time
from pathlib import Path

from rich.console import Console
from rich.table import Table

from shared_schema.drop_folder.names import ACCOUNT_SIMULATE, DONE_FOLDER, RESULTS_FOLDER
from shared_schema.messages import decode_account
from test_offline.benchmarks.bench_folder import BenchFolder, running_executor
from test_offline.benchmarks.executor_child import PLACED
from test_offline.benchmarks.figures import machine
from windows_side.execution.sqlite_ledger import read_only

AT_MOST = 300.0


def run_backlog(count: int, console: Console) -> None:
    """Drop ``count`` signals at once beside a running executor, limits and pool off, and print how it went.

    Twice: with a broker that answers at once, which is the executor alone, and with the simulated one,
    which makes a durable commit of its own for each order on the same disk."""
    console.print(machine())
    table = Table(title=f"Backlog of {count} signals, limits off, every INTENT durable before its submit")
    table.add_column("")
    for broker in ("instant", "simulated"):
        for column in (f"{broker} broker, s", "a second"):
            table.add_column(column, justify="right")
    runs = [_measured(count, broker) for broker in ("instant", "simulated")]
    for name in runs[0]:
        cells = []
        for seconds in (run[name] for run in runs):
            cells += [f"{seconds:.2f}", f"{count / seconds:.0f}"] if seconds > 0 else ["-", "-"]
        table.add_row(name, *cells)
    console.print(table)
    console.print(machine())


def _measured(count: int, broker: str) -> dict[str, float]:
    """Seconds of each part."""
    with tempfile.TemporaryDirectory(prefix="miniqmt-bench-") as place:
        root = Path(place)
        with running_executor(root, broker=broker) as bench:
            began = time.monotonic()
            _drop(bench, count)
            dropped = time.monotonic()
            answered = _until(lambda: _answered(root) >= count)
            shown = _until(lambda: _results(bench) >= count and _executed(bench) >= count)
            final = _until(lambda: _terminal(bench) >= count)
            moved = _until(lambda: _moved(bench) >= count)
            # The broker in memory shows no account.
            listed = _until(lambda: broker == "instant" or _listed(bench) >= count)
            used = process_time(bench.pid)
        placed = json.loads((root / PLACED).read_text(encoding="utf-8"))
    return {
        "written by the strategy side": dropped - began,
        "all submitted, from the first submit to the last": placed[-1] - placed[0],
        "all submitted, after the first was written": placed[-1] - began,
        "all answers durable in the ledger, after the first was written": answered - began,
        "all ids and results there, after the last submit": max(0.0, shown - placed[-1]),
        "all results in their terminal revision, after the last submit": max(0.0, final - placed[-1]),
        "all signals moved away, after the last submit": max(0.0, moved - placed[-1]),
        "all orders in a snapshot that can be read, after the last submit": (
            max(0.0, listed - placed[-1]) if broker == "simulated" else 0.0
        ),
        "processor time of the executor": used,
    }


def _drop(bench: BenchFolder, count: int) -> None:
    # Without fsync: the backlog is what is measured, not the writing of it.
    for number in range(count):
        name, raw = bench.signal(number)
        temporary = bench.folder.path / f".{name}.tmp"
        temporary.write_bytes(raw)
        temporary.rename(bench.folder.path / name)


def process_time(pid: int) -> float:
    """Processor seconds a process has used so far; 0 where the system does not tell (Linux does)."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _until(reached) -> float:  # type: ignore[no-untyped-def]
    deadline = time.monotonic() + AT_MOST
    while True:
        began = time.monotonic()
        if reached():
            return time.monotonic()
        if began > deadline:
            raise TimeoutError(f"not reached within {AT_MOST:.0f} s")
        time.sleep(max(0.25, 4 * (time.monotonic() - began)))  # what looks on costs as well


def _answered(root: Path) -> int:
    database = read_only(root / "windows" / "ledger_simulate_main.sqlite3")
    try:
        return int(database.execute("SELECT count(*) FROM orders WHERE order_id != ''").fetchone()[0])
    finally:
        database.close()


def _results(bench: BenchFolder) -> int:
    return sum(1 for _ in (bench.folder.path / RESULTS_FOLDER).glob("order_result_*.json"))


def _terminal(bench: BenchFolder) -> int:
    results = (bench.folder.path / RESULTS_FOLDER).glob("order_result_*.json")
    return sum(1 for result in results if b'"state":"filled"' in result.read_bytes())


def _moved(bench: BenchFolder) -> int:
    left = sum(1 for _ in bench.folder.path.glob("order_signal_*.json"))
    return 0 if left else sum(1 for _ in (bench.folder.path / DONE_FOLDER).glob("*.done"))


def _listed(bench: BenchFolder) -> int:
    raw = bench.folder.read_large(ACCOUNT_SIMULATE)
    accounts = decode_account(raw).body.accounts.values() if raw else ()
    return sum(len(account.orders) for account in accounts)


def _executed(bench: BenchFolder) -> int:
    path = bench.folder.path / "executed_signals.json"
    return path.read_bytes().count(b"_bench_") if path.exists() else 0
