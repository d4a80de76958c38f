"""The newest quote of each code, and how old it is."""

from __future__ import annotations

import math

from shared_schema.clock import Moment
from shared_schema.messages import Quote, QuoteSnapshot, Received
from windows_side.execution.rules import Rules


class QuoteBoard:
    """Keeps quotes an executor of this mode may use: a live one takes live quotes only (rule 10)."""

    def __init__(self, rules: Rules) -> None:
        self._rules = rules
        self._quotes: dict[str, tuple[Quote, float]] = {}
        self.ahead = 0.0
        """Seconds the producer's clock is proven to be ahead of ours."""

    def seen(self, received: Received[QuoteSnapshot]) -> None:
        """Take a quote file; the seed's format carries no time of writing and only serves simulation."""
        envelope, body = received.envelope, received.body
        if self._rules.mode == "live" and (envelope is None or envelope.mode != "live"):
            return
        if envelope is None:
            self._quotes[body.code] = (Quote(price=body.price, pre_close=body.preClose), -math.inf)
            return
        for code, quote in body.quotes.items():
            self._quotes[code] = (quote, envelope.written_at)

    def newest_tick(self) -> float:
        """The exchange's time of the newest tick of any code, Unix seconds; 0 without one."""
        return max((quote.tick_time for quote, _ in self._quotes.values()), default=0.0)

    def quote(self, code: str) -> Quote | None:
        """The newest quote of ``code``, however old."""
        found = self._quotes.get(code)
        return found[0] if found else None

    def age(self, code: str, now: Moment) -> float:
        """Seconds since the quote was written, or since its tick if longer ago; infinite without one.

        One of the future counts as old as it is ahead: after a clock was wrong nothing gets fresher by it.
        """
        found = self._quotes.get(code)
        if found is None:
            return math.inf
        quote, written_at = found
        replayed = abs(now.market - now.wall) > 1.0
        since_tick = now.market + (0.0 if replayed else self.ahead) - quote.tick_time
        return max(abs(now.wall + self.ahead - written_at), abs(since_tick) if quote.tick_time else 0.0)
