"""A generated file of minute bars for the benchmarks: a walk on ticks that comes back, 240 bars a day."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from pathlib import Path

import numpy as np

DAYS = 480
_TICK, _START = 0.001, 1000


def write_bars(path: Path, days: int = DAYS, seed: int = 1) -> int:
    """Write ``days`` of bars (time, open, high, low, close) to ``path``; how many."""
    chance = np.random.default_rng(seed)
    count = days * 240
    steps = np.rint(chance.normal(0.0, 1.0, count)).astype(int).tolist()
    wicks = (chance.random((count, 2)) < 0.4).astype(int).tolist()
    lines = ["time,open,high,low,close"]
    level = before = _START
    day, row = date(2024, 1, 2), 0
    for _ in range(days):
        while day.weekday() > 4:
            day += timedelta(days=1)
        for hour, minute in ((9, 30), (13, 0)):
            begin = datetime(day.year, day.month, day.day, hour, minute)
            for number in range(1, 121):
                level = max(10, level + steps[row] + round(0.02 * (_START - level)))
                high, low = max(level, before) + wicks[row][0], min(level, before) - wicks[row][1]
                prices = ",".join(f"{ticks * _TICK:.3f}" for ticks in (before, high, low, level))
                lines.append(f"{begin + timedelta(minutes=number)},{prices}")
                before = level
                row += 1
        day += timedelta(days=1)
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return count
