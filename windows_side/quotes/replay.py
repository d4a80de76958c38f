"""Quotes from a file: a trading day replayed on a market clock of its own.

The replay shows every step of its tapes, in order, none skipped: the speed only says when a step is
due. Where the disk or a reader is slower than that, market time falls behind instead. Lunch, and what
lies between the close and the final list at 15:05, takes no wall time.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from shared_schema.errors import SettingsError
from shared_schema.ids import Code, Mode
from shared_schema.shanghai import unix_seconds
from windows_side.quotes.port import QuoteData
from windows_side.quotes.running_quote import RunningQuote
from windows_side.quotes.tape import Step, Tape, merged, same_day

AS_FAST_AS_POSSIBLE = 0.0
"""The speed at which every poll shows a step."""
_BEFORE_FIRST = 3.0
"""Market seconds before the day's first minute at which the market clock stands until the replay starts."""
_LUNCH = (11.5 * 3600, 13 * 3600)
_AFTER_CLOSE = 15 * 3600 + 6 * 60
"""Where the market clock stands in the end: orders are closed from the final list at 15:05."""


class ReplaySource:
    """One or several codes of one day. The first poll shows the moment before the opening; the market
    clock starts with the second, so that whoever polls decides when."""

    mode: Mode = "simulate"

    def __init__(self, tapes: Sequence[Tape], speed: float = 1.0) -> None:
        """``tapes`` of one day; ``speed`` is market seconds per wall second, AS_FAST_AS_POSSIBLE: a step
        with every poll. Raises SettingsError, and DataError where the tapes' days differ."""
        if not 0 <= speed <= 1e6:
            raise SettingsError("producer.bad_speed", str(speed))
        self.speed = speed
        self._tapes = tuple(tapes)
        self.codes: tuple[Code, ...] = tuple(tape.code for tape in self._tapes)
        self.day = same_day(self._tapes)
        self._midnight = unix_seconds(datetime.fromisoformat(self.day))
        self.running = {tape.code: RunningQuote(tape) for tape in self._tapes}
        self._steps: list[tuple[Step, ...]] = list(merged(self._tapes))
        self.begin = min(tape.day_bars[0].end for tape in self._tapes) - 60 - _BEFORE_FIRST
        """Where the market clock stands until it starts, Unix seconds."""
        self._at = -1
        self._market = 0.0
        self._anchor: float | None = None

    def resume_at(self, market_time: float) -> None:
        """Begin at ``market_time`` (Unix seconds), where an earlier run was cut off; before ``start``."""
        self.begin = max(self.begin, market_time)

    @property
    def is_finished(self) -> bool:
        """Whether the last step was shown."""
        return self._at > len(self._steps)

    def start(self) -> None:
        """The files are read already; the clock starts with the second poll."""

    def poll(self, now: float) -> QuoteData | None:
        """The next step where it is due at the wall time ``now`` (Unix seconds)."""
        if self._at < 0:
            return self._open()
        if self.is_finished:
            return None
        if self._anchor is None:
            self._anchor = now
        if not self._is_due(now):
            clock = self._clock((now - self._anchor) * self.speed)
            self._market = max(self._market, min(self._time_of(self._at), clock))
            return None
        return self._show()

    def next_due(self, now: float) -> float | None:
        """Seconds until the next step is due; None after the last one."""
        if self.is_finished:
            return None
        if self._at < 0 or self._anchor is None or not self.speed:
            return 0.0
        due = self._anchor + self._trading_offset(self._time_of(self._at)) / self.speed
        return max(0.0, due - now)

    def market_now(self) -> float:
        """Market time as of the last poll, Unix seconds; never beyond a step not yet shown."""
        return self._market or self.begin

    def stop(self) -> None:
        """Nothing to close."""

    def _open(self) -> QuoteData:
        self._market = self.begin
        for running in self.running.values():
            running.begin(self._market)
        # What was printed before the opening (the call at 9:25) is known when the clock starts.
        self._at = 0
        while self._at < len(self._steps) and self._steps[self._at][0].time <= self._market:
            self._take(self._steps[self._at])
            self._at += 1
        return self._data()

    def _show(self) -> QuoteData:
        if self._at < len(self._steps):
            self._market = self._steps[self._at][0].time
            self._take(self._steps[self._at])
        else:
            self._market = self._midnight + _AFTER_CLOSE
        self._at += 1
        return self._data()

    def _take(self, steps: tuple[Step, ...]) -> None:
        for step in steps:
            self.running[step.code].take(step.tick, step.bar)

    def _data(self) -> QuoteData:
        finished = self.is_finished
        return QuoteData(
            quotes={
                code: running.quote(self._market, closed=finished) for code, running in self.running.items()
            },
            bars={code: running.bars for code, running in self.running.items()},
            market_time=self._market,
            finished=finished,
        )

    def _is_due(self, now: float) -> bool:
        due = self.next_due(now)
        return due is not None and due <= 0

    def _time_of(self, at: int) -> float:
        return self._steps[at][0].time if at < len(self._steps) else self._steps[-1][0].time

    def _trading_offset(self, time: float) -> float:
        """Market seconds from the beginning to ``time``, lunch left out."""
        return self._without_lunch(time) - self._without_lunch(self.begin)

    def _without_lunch(self, time: float) -> float:
        second = time - self._midnight
        return second - max(0.0, min(second, _LUNCH[1]) - _LUNCH[0])

    def _clock(self, passed: float) -> float:
        """Where the market clock stands ``passed`` market seconds after the beginning."""
        second = self._without_lunch(self.begin) + passed
        if second > _LUNCH[0]:
            second += _LUNCH[1] - _LUNCH[0]
        return self._midnight + second
