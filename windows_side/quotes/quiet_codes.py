"""Codes that the terminal gives no quotes for, while others have theirs: said once a day with what to do.

A code that is delisted, misspelt or of a market that the account sees no quotes of is simply missing in
the terminal's answer; without a word its orders would be refused for want of a quote, day after day.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from datetime import date

from shared_schema.ids import Code
from shared_schema.messages import Quote
from shared_schema.sessions import date_of
from shared_schema.words import say
from windows_side.quotes.xtdata_fields import Detail

log = logging.getLogger(__name__)

PATIENCE = 30.0
"""Seconds after a subscription before a missing code is said: a terminal that has just logged in is slow."""


class QuietCodes:
    """Looks through the codes after each pull."""

    def __init__(self, codes: Sequence[Code]) -> None:
        self._codes = codes
        self._begun = float("inf")
        self._told: set[tuple[date, Code]] = set()

    def begin(self, now: float) -> None:
        """Everything is subscribed anew at ``now`` (monotonic seconds)."""
        self._begun = now

    def look(
        self, now: float, opening: float, quotes: Mapping[Code, Quote], details: Mapping[Code, Detail]
    ) -> None:
        """``opening``: 9:30 of the market's day, Unix seconds; before it yesterday's ticks are no wonder."""
        newest = max((quote.tick_time for quote in quotes.values()), default=0.0)
        if now - self._begun < PATIENCE or newest <= opening:
            return
        today = date_of(newest)
        for code in self._codes:
            if (today, code) in self._told:
                continue
            sentence = _about(code, today, quotes.get(code), code in details)
            if sentence:
                self._told.add((today, code))
                log.warning(sentence, extra={"action": "code_without_quotes"})


def _about(code: Code, today: date, quote: Quote | None, is_known: bool) -> str:
    if quote is None:
        return say("qmt.code_silent" if is_known else "qmt.code_unknown", code=code)
    last = date_of(quote.tick_time)
    return say("qmt.code_old", code=code, day=last.isoformat()) if last < today else ""
