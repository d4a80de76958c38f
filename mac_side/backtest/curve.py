"""What sweeps read off an equity curve without building it; plain Python or, compiled, machine code."""

from __future__ import annotations

from typing import Any

ALPHA, DRAWDOWN, DAYS = 0, 1, 2
"""Columns of the figures: yuan, a fraction at most 0, a count."""


def read_curve(
    rows: Any,
    shares: Any,
    cash: Any,
    close: Any,
    day: Any,
    first: int,
    stops: Any,
    base: float,
    figures: Any,
) -> None:
    """Follow the curve from the row ``first`` and write its figures at each of ``stops`` into ``figures``.

    ``rows``, ``shares`` (bought, sold negative) and ``cash`` are those of the trades; ``base`` in yuan is
    what the drawdown is counted on; a stop is the row after the last one counted, the stops rise.
    """
    trade, count = 0, len(rows)
    held, money = 0, 0.0
    days, last_day = 0, -1
    start = 0.0
    peak, worst, equity = -1e300, 0.0, 0.0
    i = first
    for k in range(len(stops)):
        while i < stops[k]:
            changed = i == first
            while trade < count and rows[trade] == i:
                held += shares[trade]
                money = cash[trade]
                trade += 1
                changed = True
            if held != 0 or changed:
                equity = money + held * close[i]
                if i == first:
                    start = equity
                worth = equity - start + base
                if worth >= peak:
                    peak = worth
                else:
                    worst = min(worst, worth / peak - 1)
                if held != 0 and day[i] != last_day:
                    last_day = day[i]
                    days += 1
            i += 1
        figures[k, ALPHA] = equity
        figures[k, DRAWDOWN] = worst
        figures[k, DAYS] = days
