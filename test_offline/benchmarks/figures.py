"""Latencies and their table."""

from __future__ import annotations

import os
import platform
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from rich.console import Console
from rich.table import Table


@dataclass(frozen=True)
class Figures:
    """One row: seconds."""

    name: str
    values: tuple[float, ...]

    def at(self, part: float) -> float:
        """The value below which ``part`` (0 to 1) of all lie."""
        ordered = sorted(self.values)
        return ordered[min(len(ordered) - 1, int(len(ordered) * part))]

    @property
    def p50(self) -> float:
        """The median."""
        return statistics.median(self.values)


def show(title: str, rows: Sequence[Figures], floor: Figures, console: Console) -> None:
    """A table in milliseconds; the last columns are ratios to ``floor``."""
    table = Table(title=title)
    for column in ("", "n", "p50 ms", "p95", "p99", "max", "p50/floor", "p99/floor", "over 100 ms"):
        table.add_column(column, justify="left" if not column else "right")
    for row in rows:
        if not row.values:
            continue
        cells = [row.p50, row.at(0.95), row.at(0.99), max(row.values)]
        table.add_row(
            row.name,
            str(len(row.values)),
            *(f"{value * 1000:.2f}" for value in cells),
            f"{row.p50 / floor.p50:.2f}",
            f"{row.at(0.99) / floor.at(0.99):.2f}",
            str(sum(1 for value in row.values if value > 0.1)),
        )
    console.print(table)


def machine() -> str:
    """The machine in one line, with its load right now."""
    load = " ".join(f"{value:.2f}" for value in os.getloadavg()) if hasattr(os, "getloadavg") else "-"
    return (
        f"{platform.system()} {platform.release()}, {platform.machine()}, {os.cpu_count()} cores, "
        f"Python {platform.python_version()}, load {load}"
    )
