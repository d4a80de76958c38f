"""A strategy that runs away buys and sells the same code over and over (fault 64). Pure."""

from __future__ import annotations

from collections import deque

from shared_schema.ids import Code, Direction
from shared_schema.settings_sections import Limits


class RoundTrips:
    """Counts the round trips of each code in the newest minutes of market time.

    A round trip is a buy handed to the broker and later a sell of the same code: orders of one side in
    a row, as a ladder makes them, are one leg. A rest that was cancelled counts too: a loop that
    never trades is a loop.
    """

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._legs: dict[Code, deque[tuple[float, Direction]]] = {}

    def note(self, code: Code, direction: Direction, market: float) -> None:
        """An order was handed to the broker at ``market`` (market Unix seconds)."""
        legs = self._legs.setdefault(code, deque())
        if not legs or legs[-1][1] != direction:
            legs.append((market, direction))

    def too_many(self, code: Code, direction: Direction, market: float) -> bool:
        """Whether one more order of ``direction`` would complete a round trip beyond the limit."""
        legs = self._legs.get(code, deque())
        begin = market - self._limits.round_trip_minutes * 60.0
        while legs and not begin < legs[0][0] <= market:
            legs.popleft()
        if direction != "SELL" or not legs or legs[-1][1] == direction:
            return False
        return sum(1 for _, side in legs if side == "BUY") > self._limits.round_trips
