"""A series of minute bars as columns, for whoever computes over all of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from shared_schema.bars_file import Bar
from shared_schema.shanghai import SHANGHAI_OFFSET

Floats = NDArray[np.float64]
Whole = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class BarSeries:
    """Columns of equal length, oldest first: ``end`` in Unix seconds, prices in yuan, ``volume`` in shares,
    ``amount`` in yuan (0 where the file has none)."""

    end: Floats
    open: Floats
    high: Floats
    low: Floats
    close: Floats
    volume: Floats
    amount: Floats

    def __len__(self) -> int:
        return len(self.end)

    @cached_property
    def day(self) -> Whole:
        """The day of each bar in Shanghai, as days since 1970."""
        return _shanghai_seconds(self.end) // 86400

    @cached_property
    def minute(self) -> Whole:
        """The minute of the day in Shanghai."""
        return minutes_of(self.end)

    def rows(self, first: int, last: int | None = None) -> BarSeries:
        """The bars ``first`` to before ``last``."""
        part = slice(first, last)
        return replace(self, **{name: getattr(self, name)[part] for name in COLUMNS})

    def bars(self) -> tuple[Bar, ...]:
        """The same as single bars."""
        return tuple(map(Bar, *(getattr(self, name).tolist() for name in COLUMNS)))


COLUMNS = ("end", "open", "high", "low", "close", "volume", "amount")


def series_of(bars: Sequence[Bar] | BarSeries) -> BarSeries:
    """``bars`` as columns."""
    if isinstance(bars, BarSeries):
        return bars
    table = np.array(bars, dtype=np.float64).reshape(len(bars), len(COLUMNS))
    return BarSeries(*np.ascontiguousarray(table.T))


def minutes_of(end: Floats) -> Whole:
    """The minute of the day in Shanghai of each time in Unix seconds."""
    return _shanghai_seconds(end) % 86400 // 60


def _shanghai_seconds(end: Floats) -> Whole:
    # Whole numbers divide ten times as fast; times are after 1970.
    return end.astype(np.int64) + int(SHANGHAI_OFFSET)
