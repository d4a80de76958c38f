"""An executor with nothing to do: its share of a core and its memory, with an empty and a full archive."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

import psutil
from rich.console import Console
from rich.table import Table

from shared_schema.drop_folder.names import DONE_FOLDER, RESULTS_FOLDER
from test_offline.benchmarks.bench_folder import running_executor
from test_offline.benchmarks.figures import machine

ARCHIVED = 10_000


def run_idle(seconds: float, console: Console) -> None:
    """Measure over ``seconds`` each, and print."""
    console.print(machine())
    table = Table(title=f"Executor idle over {seconds:.0f} s")
    for column in ("", "% of a core", "RSS MB", "descriptors"):
        table.add_column(column, justify="left" if not column else "right")
    for archived in (0, ARCHIVED):
        with tempfile.TemporaryDirectory(prefix="miniqmt-bench-") as place:
            root = Path(place)
            for folder in (DONE_FOLDER, RESULTS_FOLDER):
                (root / "exchange" / folder).mkdir(parents=True)
                for number in range(archived):
                    (root / "exchange" / folder / f"old_{number}.done").write_bytes(b"{}")
            with running_executor(root) as bench:
                process = psutil.Process(bench.pid)
                time.sleep(2)
                before = sum(process.cpu_times()[:2])
                time.sleep(seconds)
                used = sum(process.cpu_times()[:2]) - before
                table.add_row(
                    f"{archived} archived files",
                    f"{used / seconds * 100:.2f}",
                    f"{process.memory_info().rss / 1e6:.1f}",
                    str(process.num_fds() if hasattr(process, "num_fds") else process.num_handles()),
                )
    console.print(table)
