"""The session clock: which part of the trading day a moment lies in.

Pure functions of a moment (Unix seconds or an aware datetime) and a trading calendar.
Asia/Shanghai is a fixed offset here: China has kept UTC+8 without summer time since
1991, and Windows has no time zone database to ask. The host's own zone is never used.

Sessions as SSE and SZSE hold them for shares and funds alike since 2026-07-06 (SSE
2.4.2, 3.3.2, 3.4.1, SZSE 3.3.1). Shanghai's funds traded continuously until 15:00
before that day; here nothing is placed after 14:57 on any day.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from datetime import date, datetime, timedelta, timezone
from enum import Enum
from functools import lru_cache

from shared_schema.errors import MiniqmtError
from shared_schema.trading_calendar import TradingCalendar

SHANGHAI = timezone(timedelta(hours=8), "Asia/Shanghai")
_OFFSET = 8 * 3600
_DAY = 86_400
_EPOCH_ORDINAL = date(1970, 1, 1).toordinal()
_LAST_DAY = date.max.toordinal() - _EPOCH_ORDINAL - 1

Instant = float | datetime
"""Unix seconds, or a datetime that knows its zone. From a ``clock.Moment`` pass ``market``."""


class ClockError(MiniqmtError, ValueError):
    """A moment can't be placed on the clock: no number, no zone, or out of range."""


class SessionState(Enum):
    """What the exchange does at a moment."""

    CLOSED = "closed"
    OPENING_CALL = "opening_call"
    OPENING_CALL_NO_CANCEL = "opening_call_no_cancel"
    SILENT = "silent"
    CONTINUOUS = "continuous"
    LUNCH = "lunch"
    CLOSING_CALL = "closing_call"
    AFTER_HOURS = "after_hours"
    HOLIDAY = "holiday"
    UNKNOWN_DATE = "unknown_date"


def _seconds(clock: str) -> int:
    hour, minute, second = clock.split(":")
    return int(hour) * 3600 + int(minute) * 60 + int(second)


# From (inclusive) to (exclusive), seconds after midnight in Shanghai; all else is CLOSED.
WINDOWS: tuple[tuple[int, int, SessionState], ...] = (
    (_seconds("09:15:00"), _seconds("09:20:00"), SessionState.OPENING_CALL),
    (_seconds("09:20:00"), _seconds("09:25:00"), SessionState.OPENING_CALL_NO_CANCEL),
    (_seconds("09:25:00"), _seconds("09:30:00"), SessionState.SILENT),
    (_seconds("09:30:00"), _seconds("11:30:00"), SessionState.CONTINUOUS),
    (_seconds("11:30:00"), _seconds("13:00:00"), SessionState.LUNCH),
    (_seconds("13:00:00"), _seconds("14:57:00"), SessionState.CONTINUOUS),
    (_seconds("14:57:00"), _seconds("15:00:00"), SessionState.CLOSING_CALL),
    (_seconds("15:05:00"), _seconds("15:30:00"), SessionState.AFTER_HOURS),
)
HALF_DAY_WINDOWS = (
    *WINDOWS[:3],
    (_seconds("09:30:00"), _seconds("11:27:00"), SessionState.CONTINUOUS),
    (_seconds("11:27:00"), _seconds("11:30:00"), SessionState.CLOSING_CALL),
)
"""Of a day that trades in the morning only: taken to end as a whole one does, with a closing call."""


def _continuous(windows: tuple[tuple[int, int, SessionState], ...]) -> tuple[tuple[int, int], ...]:
    return tuple((start, end) for start, end, state in windows if state is SessionState.CONTINUOUS)


_CONTINUOUS, _CONTINUOUS_HALF = _continuous(WINDOWS), _continuous(HALF_DAY_WINDOWS)
TRADING_SECONDS_A_DAY = sum(end - start for start, end in _CONTINUOUS)
"""Seconds of continuous trading in a full day: 14,220."""

LAST_CANCEL = _seconds("14:56:30")
"""The last moment we cancel at by ourselves (I13): from 14:57 on the exchange takes none."""
LAST_CANCEL_HALF = _seconds("11:26:30")
"""The same of a half day."""
FINAL_LIST = _seconds("15:05:00")
"""From here on the day's order list is final (I4, I13)."""

# The exchange also takes cancels in the opening call; in silent time and at lunch it
# takes nothing, and what a broker would queue is not a cancel that was made.
_CANCEL = frozenset({SessionState.OPENING_CALL, SessionState.CONTINUOUS, SessionState.AFTER_HOURS})

_WORDS = {
    SessionState.CLOSED: "sessions.closed",
    SessionState.OPENING_CALL: "sessions.opening_call",
    SessionState.OPENING_CALL_NO_CANCEL: "sessions.opening_call_no_cancel",
    SessionState.SILENT: "sessions.silent",
    SessionState.CONTINUOUS: "sessions.continuous",
    SessionState.LUNCH: "sessions.lunch",
    SessionState.CLOSING_CALL: "sessions.closing_call",
    SessionState.AFTER_HOURS: "sessions.after_hours",
    SessionState.HOLIDAY: "sessions.holiday",
    SessionState.UNKNOWN_DATE: "sessions.unknown_date",
}


def state_at(time: Instant, calendar: TradingCalendar) -> SessionState:
    """The session state at ``time``; a date the calendar does not know is UNKNOWN_DATE."""
    day, second = _day_and_second(time)
    trades = calendar.is_trading_day(_date_of(day))
    if trades is None:
        return SessionState.UNKNOWN_DATE
    if not trades:
        return SessionState.HOLIDAY
    for start, end, state in HALF_DAY_WINDOWS if calendar.is_half_day(_date_of(day)) else WINDOWS:
        if start <= second < end:
            return state
    return SessionState.CLOSED


def may_place(state: SessionState) -> bool:
    """Whether orders may be sent: in continuous trading only, 9:30-11:30 and 13:00-14:57 on a whole day."""
    return state is SessionState.CONTINUOUS


def may_cancel(state: SessionState) -> bool:
    """Whether the exchange takes cancels now; never 9:20 to 9:30, at lunch, or 14:57 to 15:00."""
    return state in _CANCEL


def screen_words(state: SessionState, time: Instant | None = None) -> str:
    """The catalogue key of ``state`` for ``say``: 午间休市, 已收盘, 休市 and the rest.

    With ``time`` the early morning is 未开盘, not 已收盘.
    """
    if state is SessionState.CLOSED and time is not None and _day_and_second(time)[1] < WINDOWS[0][0]:
        return "sessions.before_open"
    return _WORDS[state]


def trading_day_of(time: Instant) -> str:
    """The date of ``time`` in Asia/Shanghai, ``YYYY-MM-DD``; whether it trades is the calendar's word."""
    return _iso(_day_and_second(time)[0])


def date_of(time: Instant) -> date:
    """The date of ``time`` in Asia/Shanghai."""
    return _date_of(_day_and_second(time)[0])


def next_opening(time: Instant, calendar: TradingCalendar) -> float | None:
    """The Unix time at which continuous trading next begins (9:30 or 13:00), after ``time``.

    None when the calendar's known dates end before that.
    """
    first_day, second = _day_and_second(time)
    day = first_day
    while (trades := calendar.is_trading_day(_date_of(day))) is not None:
        if trades:
            for start, _ in _continuous_on(day, calendar):
                if day > first_day or start > second:
                    return _unix_of(day, start)
        day += 1
    return None


def last_cancel_at(time: Instant, calendar: TradingCalendar) -> float:
    """The Unix time of 14:56:30 on the day of ``time``; of 11:26:30 on a half day."""
    day = _day_and_second(time)[0]
    return _unix_of(day, LAST_CANCEL_HALF if calendar.is_half_day(_date_of(day)) else LAST_CANCEL)


def closing_call_at(time: Instant, calendar: TradingCalendar) -> float:
    """The Unix time of 14:57 on the day of ``time``; of 11:27 on a half day."""
    day = _day_and_second(time)[0]
    return _unix_of(day, _continuous_on(day, calendar)[-1][1])


def close_at(time: Instant, calendar: TradingCalendar) -> float:
    """The Unix time of 15:00 on the day of ``time``; of 11:30 on a half day."""
    day = _day_and_second(time)[0]
    windows = HALF_DAY_WINDOWS if calendar.is_half_day(_date_of(day)) else WINDOWS
    return _unix_of(day, max(end for _, end, state in windows if state is SessionState.CLOSING_CALL))


def final_list_at(time: Instant) -> float:
    """The Unix time of 15:05 on the day of ``time``."""
    return _unix_of(_day_and_second(time)[0], FINAL_LIST)


def trading_seconds_between(begin: Instant, end: Instant, calendar: TradingCalendar) -> float:
    """Seconds of continuous trading from ``begin`` to ``end``, 0 where ``end`` is not later.

    The clock of ``cancel_after_seconds``: lunch, nights, auctions, holidays and dates the
    calendar does not know do not count.
    """
    first_day, first_second = _day_and_second(begin)
    last_day, last_second = _day_and_second(end)
    total = 0.0
    for day in _known_days(first_day, last_day, calendar):
        low = first_second if day == first_day else 0.0
        high = last_second if day == last_day else float(_DAY)
        if calendar.is_trading_day(_date_of(day)):
            windows = _continuous_on(day, calendar)
            total += sum(max(0.0, min(high, until) - max(low, since)) for since, until in windows)
    return total


def after_trading_seconds(begin: Instant, seconds: float, calendar: TradingCalendar) -> float | None:
    """The Unix time at which ``seconds`` of continuous trading have passed since ``begin``.

    None when the calendar's known dates end before that. The inverse of
    ``trading_seconds_between``, for one timer instead of a poll: compare this with the
    clock, for a Unix time as float keeps about a microsecond and the seconds between
    may come out just short.
    """
    if not (math.isfinite(seconds) and seconds >= 0):
        raise ClockError("sessions.seconds", value=repr(seconds)[:40])
    first_day, first_second = _day_and_second(begin)
    left, day = seconds, first_day
    while (trades := calendar.is_trading_day(_date_of(day))) is not None:
        for since, until in _continuous_on(day, calendar) if trades else ():
            low = max(float(since), first_second) if day == first_day else float(since)
            if low < until and left <= until - low:
                return _unix_of(day, low + left)
            left -= max(0.0, until - low)
        day += 1
    return None


def shanghai(time: Instant) -> datetime:
    """``time`` as an aware datetime in Asia/Shanghai."""
    day, second = _day_and_second(time)
    midnight = datetime.combine(_date_of(day), datetime.min.time(), SHANGHAI)
    return midnight + timedelta(seconds=second)


def unix(time: datetime) -> float:
    """Unix seconds of an aware datetime. Errors: ClockError for one without a zone."""
    if time.tzinfo is None or time.utcoffset() is None:
        raise ClockError("sessions.no_zone", value=time.isoformat())
    return time.timestamp()


def hms(time: Instant) -> str:
    """``HH:MM:SS`` in Asia/Shanghai, the second begun."""
    second = int(_day_and_second(time)[1])
    return f"{second // 3600:02d}:{second // 60 % 60:02d}:{second % 60:02d}"


def _day_and_second(time: Instant) -> tuple[int, float]:
    """Days since 1970-01-01 and seconds since midnight, both in Shanghai."""
    seconds = unix(time) if isinstance(time, datetime) else time
    if type(seconds) is not float and (isinstance(seconds, bool) or not isinstance(seconds, (int, float))):
        raise ClockError("sessions.not_a_time", value=repr(time)[:40])
    if not math.isfinite(seconds):
        raise ClockError("sessions.not_a_time", value=repr(time)[:40])
    day, second = divmod(seconds + _OFFSET, _DAY)
    if not 0 <= day <= _LAST_DAY:
        raise ClockError("sessions.out_of_range", value=repr(time)[:40])
    return int(day), second


def _continuous_on(day: int, calendar: TradingCalendar) -> tuple[tuple[int, int], ...]:
    return _CONTINUOUS_HALF if calendar.is_half_day(_date_of(day)) else _CONTINUOUS


def _known_days(first: int, last: int, calendar: TradingCalendar) -> Iterator[int]:
    """The days from ``first`` to ``last`` that the calendar can know: a jump of the clock stays cheap."""
    known_from = calendar.known_from.toordinal() - _EPOCH_ORDINAL
    known_until = calendar.known_until.toordinal() - _EPOCH_ORDINAL
    return iter(range(max(first, known_from), min(last, known_until) + 1))


@lru_cache(maxsize=64)
def _date_of(day: int) -> date:
    return date.fromordinal(_EPOCH_ORDINAL + day)


@lru_cache(maxsize=64)
def _iso(day: int) -> str:
    return _date_of(day).isoformat()


def _unix_of(day: int, second: float) -> float:
    return float(day * _DAY + second - _OFFSET)
