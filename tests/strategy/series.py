"""Seeded series of minute bars for the tests: random walks on the tick grid with the exchange's times."""

from __future__ import annotations

import random
from datetime import datetime, timedelta

from shared_schema.bars_file import Bar
from shared_schema.shanghai import shanghai, unix_seconds


def random_bars(
    seed: int, days: int = 3, ticks: float = 1.5, start: float = 1.0, tick: float = 0.001
) -> list[Bar]:
    """``days`` of 240 bars; closes move by normal numbers of ticks (deviation ``ticks``, 4x in bursts)."""
    chance = random.Random(seed)
    level = before = round(start / tick)
    bars: list[Bar] = []
    burst = 0
    for day in range(days):
        morning = datetime(2025, 3, 3, 9, 30) + timedelta(days=day)
        for minute in (*range(1, 121), *range(211, 331)):
            burst = 20 if chance.random() < 0.01 else burst - 1
            wide = ticks * 4 if burst > 0 else ticks
            # Pulled back, so that the grid both fills up and empties.
            level = max(10, level + round(chance.gauss(0.02 * (start / tick - level), wide)))
            high = max(level, before) + (chance.random() < 0.4)
            low = min(level, before) - (chance.random() < 0.4)
            end = unix_seconds(morning + timedelta(minutes=minute))
            bars.append(Bar(end, *(round(n * tick, 6) for n in (before, high, low, level))))
            before = level
    return bars


def as_rows(bars: list[Bar]) -> list[tuple[datetime, float, float, float]]:
    """The bars as the re-statement reads them."""
    return [(shanghai(bar.end), bar.high, bar.low, bar.close) for bar in bars]
