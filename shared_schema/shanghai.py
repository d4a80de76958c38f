"""Shanghai's wall clock and Unix seconds, by arithmetic: quick enough for every row of a file of bars."""

from __future__ import annotations

from datetime import UTC, datetime

SHANGHAI_OFFSET = 8 * 3600.0
"""Seconds Shanghai is ahead of UTC; fixed, summer time ended in 1991."""


def shanghai(seconds: float) -> datetime:
    """The naive Shanghai wall clock at ``seconds`` Unix time."""
    return datetime.fromtimestamp(seconds + SHANGHAI_OFFSET, UTC).replace(tzinfo=None)


def unix_seconds(moment: datetime) -> float:
    """Unix seconds of ``moment``: a naive one is Shanghai wall clock, one with a zone is taken as it is."""
    if moment.tzinfo is not None:
        return moment.timestamp()
    return moment.replace(tzinfo=UTC).timestamp() - SHANGHAI_OFFSET


def minute_of_day(seconds: float) -> int:
    """Minutes since midnight in Shanghai."""
    return int((seconds + SHANGHAI_OFFSET) % 86400) // 60


def day_of(seconds: float) -> str:
    """The day in Shanghai, ``YYYY-MM-DD``."""
    return shanghai(seconds).strftime("%Y-%m-%d")
