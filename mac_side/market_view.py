"""From quote files to the strategy's ``Market``: bars, each new one once, and the trading-minute count."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, timedelta

from mac_side.strategy.grid_step import Market
from mac_side.strategy.indicators import Reading, bars_needed, last_reading
from mac_side.strategy.parameters import GridParameters
from shared_schema.bars_file import Bar
from shared_schema.errors import SettingsError
from shared_schema.ids import Code
from shared_schema.messages import BARS_SHOWN, QuoteSnapshot
from shared_schema.messages.quote import Quote
from shared_schema.sessions import date_of
from shared_schema.shanghai import minute_of_day
from shared_schema.trading_calendar import TradingCalendar

LEAST_BARS = 80
"""Bars a feed must have before anything is decided (contract.md)."""
BARS_KEPT = 600
MINUTE = 60.0
_MORNING, _NOON, _AFTERNOON = 9 * 60 + 30, 11 * 60 + 30, 13 * 60
_MINUTES_A_DAY, _MINUTES_A_HALF_DAY = 240, 120


def check_periods(parameters: GridParameters, most: int = BARS_SHOWN) -> None:
    """SettingsError where the indicators need more than the ``most`` bars a quote file shows.

    Live would wait for them for ever. Named is the longer of the periods that add up.
    """
    if bars_needed(parameters) <= most:
        return
    # As ``bars_needed`` adds them up; each pair with what it needs beside its two periods.
    for one, other, beside in (
        ("trend_ma_period", "trend_slope_span", 0),
        ("atr_mean_period", "atr_period", 1),
        ("rsi_period", "", 1),
    ):
        periods = {name: getattr(parameters, name) for name in (one, other) if name}
        if sum(periods.values()) + beside > most:
            longest = max(periods, key=lambda name: periods[name])
            room = max(1, most - beside - sum(periods.values()) + periods[longest])
            value = periods[longest]
            raise SettingsError("strategy.period_too_long", longest, value=value, most=room, bars=most)


def quote_of(snapshot: QuoteSnapshot, code: Code) -> Quote | None:
    """The quote of ``code``; the seed's fields serve for their own code. None where it has none."""
    quote = snapshot.quotes.get(code)
    if quote is not None:
        return quote
    if snapshot.code != code:
        return None
    return Quote(price=snapshot.price, pre_close=snapshot.preClose)


def bars_of(snapshot: QuoteSnapshot, code: Code, market: float) -> tuple[Bar, ...]:
    """The finished bars of ``code``, oldest first, each time once; ``market`` is Unix seconds.

    The seed's closes become bars without range that end at the minutes up to ``market``.
    """
    columns = snapshot.bars.get(code)
    if columns is not None and columns.time:
        rows = zip(
            columns.time,
            columns.open or columns.close,
            columns.high or columns.close,
            columns.low or columns.close,
            columns.close,
            columns.volume or (0.0,) * len(columns.time),
            strict=False,
        )
        bars = {row[0]: Bar(*row) for row in rows if row[0] <= market and row[4] > 0}
        return tuple(bars[end] for end in sorted(bars))
    if snapshot.code != code:
        return ()
    last = market // MINUTE * MINUTE
    count = len(snapshot.history)
    return tuple(
        Bar(last - (count - 1 - place) * MINUTE, close, close, close, close)
        for place, close in enumerate(snapshot.history)
        if close > 0
    )


class TradingMinutes:
    """Numbers bars so that the count rises by one each trading minute: 240 a day, none at lunch or night."""

    _FIRST_COUNTED = date(2000, 1, 3)

    def __init__(self, calendar: TradingCalendar) -> None:
        self._calendar = calendar
        self._minutes: dict[date, int] = {}

    def number(self, end: float) -> int:
        """The number of the bar that ends at ``end`` (Unix seconds)."""
        minute = minute_of_day(end)
        if minute <= _NOON:
            passed = min(max(minute - _MORNING, 0), 120)
        else:
            passed = 120 + min(max(minute - _AFTERNOON, 0), 120)
        return self._minutes_before(date_of(end)) + passed

    def _minutes_before(self, day: date) -> int:
        if day not in self._minutes:
            # A date nobody knows counts as a trading day on weekdays: only differences of a few bars matter.
            count, walk = 0, self._FIRST_COUNTED
            while walk < day:
                trades = self._calendar.is_trading_day(walk)
                if walk.weekday() < 5 if trades is None else trades:
                    count += _MINUTES_A_HALF_DAY if self._calendar.is_half_day(walk) else _MINUTES_A_DAY
                walk += timedelta(days=1)
            self._minutes[day] = count
        return self._minutes[day]


@dataclass
class BarFeed:
    """Hands out each new bar once with its indicators, carrying the slope from bar to bar."""

    parameters: GridParameters
    bars: list[Bar] = field(default_factory=list)
    _slope: float | None = None
    reading: Reading | None = None
    """The indicators of the last bar taken."""

    @property
    def missing(self) -> int:
        """Bars still missing before anything can be decided."""
        return max(0, max(LEAST_BARS, bars_needed(self.parameters)) - len(self.bars))

    def begin(self, bars: tuple[Bar, ...]) -> None:
        """Take all bars known at start without handing them out."""
        self.bars = list(bars[-BARS_KEPT:])
        self._slope = None
        self.reading = None
        if not self.missing:
            self._read()

    def mend(self, bars: tuple[Bar, ...]) -> list[Bar]:
        """Take those of ``bars`` up to our last one that we lack or have with other prices; which they were.

        A terminal that was away, or gave a minute before its last tick, has them right later. They are for
        the indicators only: their time to decide has passed. What we have and ``bars`` lack stays.
        """
        own = {bar.end: bar for bar in self.bars}
        last = self.bars[-1].end if self.bars else float("-inf")
        known = {bar[:5] for bar in self.bars}
        other = {bar.end: bar for bar in bars if bar.end <= last and bar[:5] not in known}
        whole = [bar for _, bar in sorted({**own, **other}.items())][-BARS_KEPT:]
        if whole == self.bars:
            return []
        self.begin(tuple(whole))
        return [bar for bar in whole if bar.end in other]

    def new_bars(self, bars: tuple[Bar, ...]) -> list[Bar]:
        """Those of ``bars`` that end after the last one taken, oldest first."""
        last = self.bars[-1].end if self.bars else float("-inf")
        return [bar for bar in bars if bar.end > last]

    def take(self, bar: Bar) -> Reading | None:
        """Add ``bar`` and read its indicators; None while bars are missing."""
        self.bars.append(bar)
        del self.bars[: max(0, len(self.bars) - BARS_KEPT)]
        if self.missing:
            return None
        return self._read()

    def _read(self) -> Reading:
        self.reading = last_reading(self.bars, self.parameters, self._slope)
        self._slope = self.reading.slope
        return self.reading


def market_of(reading: Reading, price: float, end: float, number: int, sellable: int | None) -> Market:
    """What the step sees: the indicators of the last bar, ``price`` in yuan, ``end`` in Unix seconds."""
    return Market(
        price=price,
        atr=reading.atr,
        atr_mean=reading.atr_mean,
        trend=reading.trend,
        rsi=reading.rsi,
        bar=number,
        minute=minute_of_day(end),
        higher_trend=reading.higher_trend,
        sellable=sellable,
    )
