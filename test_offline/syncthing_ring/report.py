"""The run's table."""

from __future__ import annotations

from collections.abc import Mapping

from rich.table import Table

from commands.demo_room.floor import Spread
from test_offline.syncthing_ring.verdict import Verdict


def table(verdict: Verdict, seed: int, seconds: float) -> Table:
    """What happened and whether it holds."""
    shown = Table(title=f"Syncthing ring, seed {seed}, {seconds:.0f} s", show_header=False)
    for name, value in _rows(verdict):
        shown.add_row(name, value)
    return shown


def _rows(verdict: Verdict) -> list[tuple[str, str]]:
    return [
        ("signals", str(verdict.signals)),
        ("orders placed", str(verdict.orders)),
        ("shares traded", str(verdict.trades)),
        ("duplicates", str(len(verdict.duplicates))),
        ("lost", str(len(verdict.lost))),
        ("unanswered", str(len(verdict.unanswered))),
        ("shares that differ", str(len(verdict.differences))),
        ("faults", _listed(verdict.faults)),
        ("faults without a moment", _listed(verdict.not_possible)),
        ("cancels that overtook their order", str(verdict.overtaken)),
        ("states at the end", _listed(verdict.states)),
        ("executor's alarms", _listed(verdict.alarms)),
        ("sent → first answer seen", _spread(verdict.answered)),
        ("executor's last word → seen", _spread(verdict.ended)),
        ("conflict copies, by where they ended", _listed(verdict.conflicts)),
        ("names that differ at the end", ", ".join(verdict.unequal) or "0"),
    ]


def _listed(counts: Mapping[str, int]) -> str:
    return "\n".join(f"{count:4} {name}" for name, count in sorted(counts.items())) or "0"


def _spread(spread: Spread | None) -> str:
    return f"p50 {spread.p50:.2f} s, p99 {spread.p99:.2f} s, {spread.count}" if spread else "-"
