"""Keeps each day of the account while the executor runs: listens to the broker's complete answers."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from shared_schema.clock import Moment
from shared_schema.errors import DataError
from shared_schema.logs import Log
from shared_schema.sessions import SHANGHAI, trading_day_of
from windows_side.brokers.account_message import AccountMessages
from windows_side.brokers.port import (
    AccountAnswered,
    AccountState,
    BrokerEvent,
    BrokerOrder,
    BrokerTrade,
    Day,
    DayAnswered,
)
from windows_side.day_files import KEEP_INTERVAL, DayFiles

QUEUED_BEFORE = 8 * 3600.0
"""Seconds before midnight from which a broker takes orders by hand for the next day."""


class DayKeeper:
    """Between the broker's answers and the day files; a failing disk is said once and stops no trading."""

    def __init__(self, files: DayFiles, log: Log) -> None:
        self._files = files
        self._log = log
        self._day: tuple[Day, float] | None = None
        self._account: tuple[AccountState, float] | None = None
        self._messages = AccountMessages()
        self._failed = False
        self._looked_at = float("-inf")

    def heard(self, events: Iterable[BrokerEvent]) -> None:
        """Remember the newest complete answers."""
        for event in events:
            if isinstance(event, DayAnswered) and event.day is not None:
                self._day = (event.day, event.asked_at)
            elif isinstance(event, AccountAnswered) and event.account is not None:
                self._account = (event.account, event.asked_at)

    def has_answers_since(self, wall: float) -> bool:
        """Whether day and account were both asked at ``wall`` (Unix seconds) or later."""
        known = (self._day, self._account)
        return all(answer is not None and answer[1] >= wall for answer in known)

    def is_due(self, now: Moment, *, last: bool = False) -> bool:
        """Whether it is time to look: once a minute while the broker answers, and at the end."""
        if self._day is None or self._account is None:
            return False
        if not last and abs(now.wall - self._looked_at) < KEEP_INTERVAL:
            return False
        self._looked_at = now.wall
        return True

    def keep(self, now: Moment, *, last: bool = False, lists_day_before: bool = False) -> bool:
        """Write what changed; True where something was written.

        What is not of this day is left out, it has files of its own: a terminal lists the day before until
        its restart in the morning, and a list that then grows shorter would be taken for a stale one.
        ``lists_day_before``: the broker's lists hold the day before always (the simulated one's do, because
        absence is proof there).
        """
        if self._day is None or self._account is None:
            return False
        day, asked_at = self._day
        trading_day = _day_asked(asked_at, now)
        if trading_day != _day_asked(self._account[1], now):
            return False  # this morning's positions are none of yesterday's end
        day = _only_of(trading_day, day, 0.0 if lists_day_before else QUEUED_BEFORE)
        account = self._messages.of(self._account[0], day, queried_at=asked_at)
        try:
            written = self._files.keep(trading_day, account, now.wall, last=last)
        except (OSError, DataError) as problem:
            if not self._failed:
                self._log.say("error", "day_files_failed", problem=problem, folder=self._files.folder)
            self._failed = True
            return False
        self._failed = False
        return written


def _only_of(trading_day: str, day: Day, queued_before: float) -> Day:
    begins = datetime.strptime(trading_day, "%Y%m%d").replace(tzinfo=SHANGHAI).timestamp()
    ends = begins + 86_400.0

    def is_of_it(row: BrokerOrder | BrokerTrade) -> bool:
        # One of which the broker does not say when is not left out.
        return not row.time or begins - queued_before <= row.time < ends

    return Day(tuple(filter(is_of_it, day.orders)), tuple(filter(is_of_it, day.trades)))


def _day_asked(asked_at: float, now: Moment) -> str:
    """The market's day on which the broker was asked, YYYYMMDD: an answer of last night is not today's."""
    return trading_day_of(now.market - (now.wall - asked_at)).replace("-", "")
