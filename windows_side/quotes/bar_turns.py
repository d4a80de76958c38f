"""When a code's minute bars are final, and when it is asked for them. Pure; times are Unix seconds.

A code is judged by its own ticks: at 10:01:00 of the market another code's last ticks of the minute may be
a second away, and its bar still without them.
"""

from __future__ import annotations

from shared_schema.ids import Code
from shared_schema.shanghai import minute_of_day

SETTLED = 5.0
"""Seconds of the market after a minute: a code that has not ticked since is taken to be quiet, and one
that has is asked for that minute once more."""
MINUTE = 60.0
_NOON, _CLOSE = 11 * 60 + 30, 15 * 60
_NEVER = float("-inf")


def final_until(tick: float, market: float, idle: float) -> float:
    """Bars that ended by this time are final, of a code whose newest tick is of ``tick``.

    ``market``: the newest tick of all codes; ``idle``: seconds since it came. Nobody ticks at lunch and
    after the close: there our own clock ends the last minute.
    """
    for ending in (market // MINUTE * MINUTE, -(-market // MINUTE) * MINUTE):
        if minute_of_day(ending) in (_NOON, _CLOSE):
            market = max(market, min(market + idle, ending + SETTLED))
    return max(tick, market - SETTLED)


class BarTurns:
    """Which codes are asked now: a minute is to come, or their own ticks have gone on since."""

    def __init__(self, pause: float) -> None:
        """``pause``: seconds between two questions for the same code."""
        self._pause = pause
        self._asked: dict[Code, tuple[float, float]] = {}
        self._again: set[Code] = set()

    def forget(self) -> None:
        """The terminal was started again."""
        self._asked.clear()

    def again(self, codes: set[Code]) -> None:
        """Ask for these whatever they have: something was downloaded."""
        self._again |= codes

    def is_due(self, code: Code, last: float, tick: float, until: float, now: float) -> bool:
        """``last``: the end of its newest bar; ``until``: as ``final_until``; ``now``: monotonic seconds."""
        at, tick_then = self._asked.get(code, (_NEVER, _NEVER))
        if now - at < self._pause:
            return False
        return last < until // MINUTE * MINUTE or code in self._again or tick >= last + SETTLED > tick_then

    def note(self, code: Code, tick: float, now: float) -> None:
        """``code`` is asked now, at its ``tick``."""
        self._asked[code] = now, tick
        self._again.discard(code)
