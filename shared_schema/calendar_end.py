"""When the end of the known trading calendar is to be said: at the start, then once each trading day."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from shared_schema.sessions import date_of
from shared_schema.trading_calendar import TradingCalendar


@dataclass
class CalendarEnd:
    """One process's memory of the last day it looked."""

    calendar: TradingCalendar
    seen: date | None = None

    def days_to_say(self, wall: float) -> int | None:
        """Days left where they are to be said now, None where not; ``wall`` is Unix seconds.

        Of the host's date, so that a replay of an old day is quiet. A date unknown to the calendar is said
        like a trading day: nothing is sent any more, and that is why.
        """
        today = date_of(wall)
        first = self.seen is None
        if today == self.seen:
            return None
        self.seen = today
        if not self.calendar.ends_soon(today):
            return None
        if not first and self.calendar.is_trading_day(today) is False:
            return None
        return self.calendar.days_left(today)
