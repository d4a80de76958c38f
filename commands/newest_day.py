"""The newest trading day: what happened before it is no news any more."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta

from shared_schema.errors import MiniqmtError
from shared_schema.sessions import SHANGHAI, date_of
from shared_schema.trading_calendar import calendar_of_this_host

BEGINS = time(9, 15)
"""Opening call: whoever looks earlier in the morning still sees the day before."""
CLOSES = time(15, 0)
_LONGEST_BREAK = 15


def newest_day_since(now: float) -> float:
    """The close before the newest trading day at ``now`` (Unix seconds): what came later is that day's."""
    today = date_of(now)
    newest = _trading_day(today if now >= _at(today, BEGINS) else _before(today))
    return _at(_trading_day(_before(newest)), CLOSES)


def _trading_day(day: date) -> date:
    """``day``, or the last trading day before it; a day the calendar does not know counts as one."""
    for _ in range(_LONGEST_BREAK):
        if _trades(day):
            break
        day = _before(day)
    return day


def _before(day: date) -> date:
    return day - timedelta(days=1)


def _at(day: date, clock: time) -> float:
    return datetime.combine(day, clock, SHANGHAI).timestamp()


def _trades(day: date) -> bool:
    try:
        return calendar_of_this_host().is_trading_day(day) is not False
    except MiniqmtError:  # a damaged holiday file is told where the calendar is reported; weekdays serve here
        return day.weekday() < 5
