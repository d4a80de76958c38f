"""A day's tape: bars or prints of a file as the steps a market shows one after the other.

A model, where the file holds bars: inside its minute a bar walks open, then low and high (a rising
bar low first, a falling one high first), then close, a quarter of its volume each, so that a limit
order can fill between two closes. From 14:57 the exchange only collects orders: such a bar shows one
print, its close. Prints are shown as they are. Nothing here is drawn at random.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from shared_schema.bars_file import Bar, TickPrint, bars_of_prints, file_kind, one_day, read_bars, read_prints
from shared_schema.errors import DataError
from shared_schema.ids import Code
from shared_schema.shanghai import day_of, minute_of_day

_WALK_SECONDS = (3, 20, 40, 60)
"""When within its minute a bar shows open, first extreme, second extreme and close."""
_CLOSING_CALL = 14 * 60 + 57
_LAST_MINUTE = 15 * 60
_FIRST_MINUTES = 9 * 60 + 35
_TICKS_A_MINUTE = 20
"""A level-1 feed shows about one quote in 3 seconds: a twentieth of a minute's volume stands in the book."""


class Tick(NamedTuple):
    """A change of the last price: ``volume`` in shares and ``amount`` in yuan since the tick before."""

    time: float
    price: float
    volume: int
    amount: float
    depth: int
    """Shares that stand at the best price in the model of the book."""


class Step(NamedTuple):
    """What one code shows next: a tick, the end of a bar, or both."""

    time: float
    order: int
    """Among steps of one time: 0 is the bar's end, prints before it are below, those after it above."""
    code: Code
    tick: Tick | None
    bar: Bar | None


@dataclass(frozen=True)
class Tape:
    """One code's day, and what was before it."""

    code: Code
    day: str
    """``YYYY-MM-DD``"""
    steps: tuple[Step, ...]
    history: tuple[Bar, ...]
    """Bars of earlier days, oldest first."""
    day_bars: tuple[Bar, ...]

    @property
    def pre_close(self) -> float:
        """The previous day's close, yuan; the day's own first price where the file begins with that day."""
        return self.history[-1].close if self.history else self.day_bars[0].open


def read_tape(path: Path, code: Code, day: str | None = None) -> Tape:
    """The tape of ``day``, by default of the file's last full day. Raises DataError."""
    if file_kind(path) == "prints":
        prints = read_prints(path)
        bars = bars_of_prints(prints)
        chosen = day or last_full_day(bars)
        day_bars = one_day(bars, chosen)
        steps = _steps_of_prints(code, [tick for tick in prints if day_of(tick.time) == chosen], day_bars)
    else:
        bars = read_bars(path)
        chosen = day or last_full_day(bars)
        day_bars = one_day(bars, chosen)
        steps = _steps_of_bars(code, day_bars)
    history = tuple(bar for bar in bars if bar.end < day_bars[0].end)
    return Tape(code, chosen, tuple(steps), history, day_bars)


def last_full_day(bars: Sequence[Bar]) -> str:
    """The last day that runs from the opening to 15:00; the last day at all where none does."""
    first_minutes: dict[str, int] = {}
    last_minutes: dict[str, int] = {}
    for bar in bars:
        day, minute = day_of(bar.end), minute_of_day(bar.end)
        first_minutes.setdefault(day, minute)
        last_minutes[day] = minute
    full = [
        day
        for day, last in last_minutes.items()
        if last == _LAST_MINUTE and first_minutes[day] <= _FIRST_MINUTES
    ]
    return full[-1] if full else day_of(bars[-1].end)


def merged(tapes: Iterable[Tape]) -> Iterator[tuple[Step, ...]]:
    """The steps of all tapes in time, those of one moment together."""
    together: list[Step] = []
    for step in heapq.merge(*(tape.steps for tape in tapes), key=lambda step: (step.time, step.order)):
        if together and (step.time, step.order) != (together[0].time, together[0].order):
            yield tuple(together)
            together = []
        together.append(step)
    if together:
        yield tuple(together)


def same_day(tapes: Sequence[Tape]) -> str:
    """The one day of all tapes. Raises DataError where they differ."""
    days = sorted({tape.day for tape in tapes})
    if len(days) != 1:
        codes = ", ".join(tape.code for tape in tapes)
        raise DataError("producer.different_days", codes, days=", ".join(days))
    return days[0]


def _steps_of_bars(code: Code, bars: Sequence[Bar]) -> Iterator[Step]:
    for bar in bars:
        ticks = tuple(_walk(bar))
        for tick in ticks[:-1]:
            yield Step(tick.time, 0, code, tick, None)
        yield Step(bar.end, 0, code, ticks[-1], bar)


def _walk(bar: Bar) -> Iterator[Tick]:
    volume = round(bar.volume)
    depth = volume // _TICKS_A_MINUTE
    if minute_of_day(bar.end) > _CLOSING_CALL:
        yield Tick(bar.end, bar.close, volume, bar.amount or bar.close * volume, depth)
        return
    extremes = (bar.low, bar.high) if bar.close >= bar.open else (bar.high, bar.low)
    prices = (bar.open, *extremes, bar.close)
    shown = 0
    for number, (seconds, price) in enumerate(zip(_WALK_SECONDS, prices, strict=True), start=1):
        # Whole lots on the way, the rest with the close: the four add up to the bar's own volume.
        until = volume if number == len(prices) else volume * number // len(prices) // 100 * 100
        amount = bar.amount * (until - shown) / volume if bar.amount and volume else price * (until - shown)
        yield Tick(bar.end - 60 + seconds, price, until - shown, amount, depth)
        shown = until


def _steps_of_prints(code: Code, prints: Sequence[TickPrint], bars: Sequence[Bar]) -> Iterator[Step]:
    at = 0
    for bar in bars:
        own: list[TickPrint] = []
        while at < len(prints) and bars_of_prints((prints[at],))[0].end == bar.end:
            own.append(prints[at])
            at += 1
        yield from _steps_of_minute(code, own, bar)


def _steps_of_minute(code: Code, own: Sequence[TickPrint], bar: Bar) -> Iterator[Step]:
    for number, tick in enumerate(own):
        # A print at the very minute opens this bar: it is shown after the end of the bar before.
        order = number + 1 if tick.time == bar.end - 60 else number - len(own)
        volume = round(tick.volume)
        shown = Tick(tick.time, tick.price, volume, tick.price * volume, volume)
        yield Step(tick.time, order, code, shown, None)
    # The closing call may print seconds after 15:00; its bar is complete only then.
    end = max(bar.end, own[-1].time) if own else bar.end
    yield Step(end, 0, code, None, bar)
