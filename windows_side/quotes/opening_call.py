"""The bar of 9:30, the opening call's, belongs to the first minute: a day has 240 bars, 9:31 to 15:00.

Live quotes and fetched history go by this one rule, so that a strategy decides on the very bars it was
tested on. Labels that are the beginnings of their minutes never say 11:30 or 15:00; there 9:30 is a minute
itself.
"""

from __future__ import annotations

from collections.abc import Iterable

from shared_schema.bars_file import Bar
from shared_schema.shanghai import minute_of_day

_CALL = 9 * 60 + 30
_ENDS = (11 * 60 + 30, 15 * 60)
"""Either tells: bars of the trading after 15:00 may have pushed the one out of the answer."""


def join_opening_call(bars: Iterable[Bar]) -> list[Bar]:
    """``bars``, oldest first, each 9:30 joined with its 9:31, or become it where that minute has none."""
    rows = list(bars)
    if not any(minute_of_day(bar.end) in _ENDS for bar in rows):
        return rows
    joined: list[Bar] = []
    call: Bar | None = None
    for bar in rows:
        if minute_of_day(bar.end) == _CALL:
            call = bar._replace(end=bar.end + 60)
            joined.append(call)
        elif call is not None and bar.end == call.end:
            joined[-1] = _whole(call, bar)
        else:
            joined.append(bar)
    return joined


def _whole(call: Bar, opening: Bar) -> Bar:
    return opening._replace(
        open=call.open,
        high=max(call.high, opening.high),
        low=min(call.low, opening.low),
        volume=call.volume + opening.volume,
        amount=call.amount + opening.amount,
    )
