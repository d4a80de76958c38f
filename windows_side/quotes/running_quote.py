"""One code's quote as a replayed day goes on.

The book of five levels is a model, since bars and prints tell of none: the last trade's aggressor is
taken to have more to trade, so after a falling price the last price is the best ask, after a rising
one the best bid; levels stand one tick apart and hold a twentieth of the minute's volume (for prints:
the print's own), growing outwards. No level lies beyond the day's limits, and in the closing call,
where nothing trades continuously, the book is empty.
"""

from __future__ import annotations

import math
from collections import deque
from datetime import date

from shared_schema.bars_file import Bar
from shared_schema.ids import Code
from shared_schema.instruments import Instrument, from_ticks, instrument, price_limits, to_ticks
from shared_schema.messages import BARS_SHOWN, MinuteBars, Quote
from shared_schema.shanghai import minute_of_day
from windows_side.quotes.tape import Tape, Tick

LEVELS = 5
_CLOSING_CALL = 14 * 60 + 57


class RunningQuote:
    """Takes a tape's ticks and bars one by one and gives the quote and bars to show."""

    def __init__(self, tape: Tape) -> None:
        self.code: Code = tape.code
        self._instrument: Instrument = instrument(tape.code, on=date.fromisoformat(tape.day))
        self._pre_close = tape.pre_close
        self.limits_broken = False
        """The day's own prices lie outside the limits its previous close gives (adjusted or missing
        history): no limits are shown."""
        self._limit_down, self._limit_up = self._limits(tape)
        self._bars: deque[Bar] = deque(tape.history[-BARS_SHOWN:], BARS_SHOWN)
        self._columns: MinuteBars | None = None
        self._price = tape.day_bars[0].open
        self._open = self._high = self._low = 0.0
        self._volume = 0
        self._amount = 0.0
        self._depth = 0
        self._tick_time = 0.0
        self._falling = False

    def _limits(self, tape: Tape) -> tuple[float, float]:
        lowest, highest = price_limits(self._pre_close, self._instrument)
        day_low = min(bar.low for bar in tape.day_bars)
        day_high = max(bar.high for bar in tape.day_bars)
        self.limits_broken = day_low < lowest - 1e-6 or day_high > highest + 1e-6
        if self.limits_broken or math.isinf(highest):
            return 0.0, 0.0
        return lowest, highest

    def begin(self, time: float) -> None:
        """The moment before the day's first trade: the opening price stands, nothing has traded."""
        self._tick_time = time

    def take(self, tick: Tick | None, bar: Bar | None) -> None:
        """The next tick, the next complete bar, or both."""
        if tick is not None:
            self._take_tick(tick)
        if bar is not None:
            self._bars.append(bar)
            self._columns = None

    def _take_tick(self, tick: Tick) -> None:
        if tick.price != self._price:
            self._falling = tick.price < self._price
        self._price = tick.price
        self._open = self._open or tick.price
        self._high = max(self._high, tick.price)
        self._low = min(self._low or tick.price, tick.price)
        self._volume += tick.volume
        self._amount += tick.amount
        self._depth = tick.depth
        self._tick_time = tick.time

    @property
    def bars(self) -> MinuteBars:
        """The newest complete minutes, oldest first."""
        if self._columns is None:
            shown = tuple(self._bars)
            self._columns = MinuteBars(
                time=tuple(bar.end for bar in shown),
                open=tuple(bar.open for bar in shown),
                high=tuple(bar.high for bar in shown),
                low=tuple(bar.low for bar in shown),
                close=tuple(bar.close for bar in shown),
                volume=tuple(bar.volume for bar in shown),
            )
        return self._columns

    def quote(self, market_time: float, *, closed: bool = False) -> Quote:
        """The quote at ``market_time`` (Unix seconds)."""
        is_call = minute_of_day(market_time) >= _CLOSING_CALL
        bid, bid_volume = ((), ()) if is_call else self._side(-1)
        ask, ask_volume = ((), ()) if is_call else self._side(+1)
        return Quote(
            price=self._price,
            open=self._open,
            high=self._high,
            low=self._low,
            pre_close=self._pre_close,
            volume=self._volume,
            amount=round(self._amount, 2),
            bid=bid or (0.0,) * LEVELS,
            ask=ask or (0.0,) * LEVELS,
            bid_volume=bid_volume or (0,) * LEVELS,
            ask_volume=ask_volume or (0,) * LEVELS,
            limit_up=self._limit_up,
            limit_down=self._limit_down,
            status="closed" if closed else "trading",
            tick_time=self._tick_time,
        )

    def _side(self, direction: int) -> tuple[tuple[float, ...], tuple[int, ...]]:
        """Prices (yuan) and shares of the bids (-1) or asks (+1), best first."""
        tick_size, lot = self._instrument.tick_size, self._instrument.lot
        last = to_ticks(self._price, tick_size)
        best = last if (direction > 0) == self._falling else last + direction
        down = to_ticks(self._limit_down, tick_size) if self._limit_down else 1
        up = to_ticks(self._limit_up, tick_size) if self._limit_up else math.inf
        prices, volumes = [], []
        for level in range(LEVELS):
            ticks = best + direction * level
            within = down <= ticks <= up
            prices.append(from_ticks(ticks, tick_size) if within else 0.0)
            shares = max(lot, self._depth * (level + 2) // 2 // lot * lot)
            volumes.append(shares if within else 0)
        return tuple(prices), tuple(volumes)
