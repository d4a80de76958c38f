"""Minute bars the terminal's answer lacks: found, told, and asked for, a few times at growing pauses.

The terminal keeps the running day's bars only while it runs; after an outage they are on its disk only
when somebody asks for them, and never by themselves. A minute without a trade may have no bar at all, and
no download brings one: so a code's pause doubles as long as something is missing. A new hole that is long
is asked for at once.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from typing import Any, NamedTuple

from shared_schema.ids import Code
from shared_schema.sessions import date_of, shanghai, trading_seconds_between
from shared_schema.trading_calendar import TradingCalendar
from shared_schema.words import say

log = logging.getLogger(__name__)

BARS_WANTED = 80
"""Bars of a code below which older ones are downloaded, once a day."""
LONG = 5
"""Minutes missing in a row that are hardly a quiet code's."""
FIRST_PAUSE, LONGEST_PAUSE = 60.0, 3600.0
"""Seconds between two downloads of a code with a hole, doubling from the first to the longest."""
STUCK, MOST_STUCK = 600.0, 5
"""Seconds after which a download that has not returned is waited for no longer, and how often so."""
OLDEST = 10 * 86_400.0
"""Seconds before the newest bar: no older hole is filled, as after a long suspension."""
_MINUTE = 60.0


class Hole(NamedTuple):
    """``minutes`` of continuous trading without a bar, from ``first`` to ``last``, Unix seconds."""

    first: float
    last: float
    minutes: int


def holes_in(ends: Sequence[float], calendar: TradingCalendar) -> tuple[Hole, ...]:
    """Where bars are missing between two of ``ends`` (ascending). Lunch, nights and calls are no holes."""
    found = []
    for before, after in pairwise(ends):
        if after - before > _MINUTE:
            seconds = trading_seconds_between(before, after - _MINUTE, calendar)
            if minutes := round(seconds / _MINUTE):
                found.append(Hole(before + _MINUTE, after - _MINUTE, minutes))
    return tuple(found)


@dataclass
class _Waiting:
    """A code with holes: those known, and when (monotonic seconds) it may be downloaded again."""

    holes: tuple[Hole, ...] = ()
    pause: float = 0.0
    due: float = float("-inf")
    hurried: bool = False
    """Whether a long hole began this pause early; a code that trades seldom makes one with each bar."""


class BarDownloads:
    """Looks at each code's bars, and has what they lack downloaded beside the reader's own questions."""

    def __init__(
        self,
        download: Callable[..., Any],
        aside: Callable[[Callable[[], None]], None] | None = None,
        calendar: TradingCalendar | None = None,
    ) -> None:
        """``download``: xtdata's; ``aside`` runs what may take minutes, by default in a thread of its own;
        without a ``calendar`` nobody knows which minutes trade, and holes are not looked for."""
        self._download = download
        self._aside = aside or _in_a_thread
        self._calendar = calendar
        self._lengthened: set[tuple[date, Code]] = set()
        self._waiting: dict[Code, _Waiting] = {}
        self._wanted: dict[Code, str] = {}
        self._turn = threading.Lock()
        self._ended: set[Code] = set()
        self._worker = 0
        """Counts the workers; an older one, whose download hung, ends when it comes back."""
        self._begun: float | None = None
        """When the download under way began, monotonic seconds; None while nobody works."""
        self._stuck = 0
        self._now = 0.0

    def look(self, code: Code, ends: Sequence[float], day: date, now: float) -> None:
        """``ends``: the bars there are, Unix seconds; ``day``: the market's; ``now``: monotonic seconds."""
        self._now = now
        wanted: str | None = None
        if self._calendar is not None and ends:
            wanted = self._hole_from(code, holes_in(ends, self._calendar), ends[-1], now)
        if wanted is None and len(ends) < BARS_WANTED and (day, code) not in self._lengthened:
            # Without a beginning xtdata downloads what is newer than its newest, or all if it has none.
            self._lengthened.add((day, code))
            wanted = ""
        if wanted is not None:
            with self._turn:
                self._wanted[code] = wanted
            self._start()

    def take_ended(self) -> set[Code]:
        """Codes whose download has ended since the last call: their bars are to be asked for again."""
        with self._turn:
            ended, self._ended = self._ended, set()
        return ended

    def _hole_from(self, code: Code, holes: tuple[Hole, ...], newest: float, now: float) -> str | None:
        """The day to download from, YYYYMMDD, where it is time to; ``newest``: the last bar's end."""
        waiting = self._waiting.get(code)
        if not holes:
            if waiting is not None:
                del self._waiting[code]
                log.info(say("qmt.bars_whole", code=code), extra={"action": "bars_whole"})
            return None
        waiting = self._waiting.setdefault(code, _Waiting())
        new = set(holes) - set(waiting.holes)
        waiting.holes = holes
        long = any(hole.minutes >= LONG for hole in new)
        early = now < waiting.due
        if early and (waiting.hurried or not long):
            return None
        waiting.hurried = early
        waiting.pause = min(2 * waiting.pause, LONGEST_PAUSE) or FIRST_PAUSE
        waiting.due = now + waiting.pause
        first, last = (f"{shanghai(end):%m-%d %H:%M}" for end in (holes[0].first, holes[-1].last))
        count = sum(hole.minutes for hole in holes)
        told = say("qmt.bars_missing", code=code, count=count, first=first, last=last)
        log.log(logging.WARNING if long else logging.INFO, told, extra={"action": "bars_missing"})
        return f"{date_of(max(holes[0].first, newest - OLDEST)):%Y%m%d}"

    def _start(self) -> None:
        with self._turn:
            hangs = self._begun is not None and self._now - self._begun >= STUCK
            if self._begun is not None and (not hangs or self._stuck == MOST_STUCK):
                return
            self._stuck += hangs
            self._worker += 1
            self._begun, number = self._now, self._worker
        if hangs:
            log.warning(say("qmt.download_hangs", seconds=round(STUCK)), extra={"action": "download_hangs"})
        try:
            self._aside(lambda: self._work(number))
        except RuntimeError:  # no thread to be had: the next look tries again
            with self._turn:
                self._begun = None
            log.warning(say("qmt.download_failed", code=", ".join(self._wanted), detail="no thread"))

    def _work(self, number: int) -> None:
        """One code after the other until nothing is wanted: after an outage it is every code at once."""
        while True:
            with self._turn:
                if number != self._worker:
                    return
                if not self._wanted:
                    self._begun = None
                    return
                code = next(iter(self._wanted))
                begin, self._begun = self._wanted.pop(code), self._now
            try:
                # With a beginning xtdata fills holes too; without one it only adds what is newer.
                self._download(code, "1m", begin)
            except Exception as problem:
                log.warning(say("qmt.download_failed", code=code, detail=problem))
            with self._turn:
                self._ended.add(code)


def _in_a_thread(work: Callable[[], None]) -> None:
    threading.Thread(target=work, daemon=True, name="xtdata download").start()
