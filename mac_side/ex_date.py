"""The morning after a corporate action: told by ``pre_close``, answered by a person (fault 62). Pure.

On an ex-date the exchange sets the previous close down (or, where shares are merged, up), and the price
follows. To the grid that gap looks like a fall. It is seen by comparing today's ``pre_close`` with the
close of the trading day before: the one remembered here, else the last bar of that day. Without either
nothing can be told, and nothing is guessed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Literal, get_args

from mac_side.books import Books, Lot
from shared_schema.bars_file import Bar
from shared_schema.ids import Code
from shared_schema.instruments import from_ticks, instrument, to_ticks
from shared_schema.messages.quote import Quote
from shared_schema.sessions import close_at, date_of, trading_day_of
from shared_schema.trading_calendar import TradingCalendar

MOST_TICKS = 1
"""A previous close further than this from yesterday's close is another price, not another rounding."""
LONGEST_BREAK = 30
"""Days looked back for the trading day before: no holiday is longer."""

Answer = Literal["cash", "split", "keep"]
"""Cash paid out: shares stay, cost and prices follow. Shares split or merged: cost stays. Keep: neither."""
ANSWERS: tuple[Answer, ...] = get_args(Answer)


@dataclass(frozen=True)
class DayClose:
    """How a trading day ended."""

    day: str
    price: float
    shares: int | None = None
    """What the account held of the code then; None where nobody said."""


@dataclass(frozen=True)
class ExDate:
    """A previous close that is not yesterday's close; it waits for a person."""

    day: str
    close: float
    pre_close: float

    @property
    def factor(self) -> float:
        """What prices of before are multiplied with."""
        return self.pre_close / self.close


def day_before(day: date, calendar: TradingCalendar) -> str | None:
    """The trading day before ``day``; None where the calendar does not know one."""
    for back in range(1, LONGEST_BREAK + 1):
        before = day - timedelta(days=back)
        trades = calendar.is_trading_day(before)
        if trades is None:
            return None
        if trades:
            return before.isoformat()
    return None


def closing(quote: Quote, shares: int | None, calendar: TradingCalendar) -> DayClose | None:
    """The close a quote tells: its tick is of the day's end or later; None before."""
    if not quote.price > 0 or not quote.tick_time or quote.tick_time < close_at(quote.tick_time, calendar):
        return None
    return DayClose(trading_day_of(quote.tick_time), quote.price, shares)


def ex_date_of(
    code: Code, quote: Quote, remembered: DayClose | None, bars: Sequence[Bar], calendar: TradingCalendar
) -> ExDate | None:
    """What ``quote`` tells of its day; None where ``pre_close`` fits or nothing is there to compare with."""
    if not (quote.pre_close > 0 and quote.tick_time):
        return None
    before = day_before(date_of(quote.tick_time), calendar)
    close = _close_of(before, remembered, bars, calendar) if before is not None else None
    if close is None:
        return None
    tick = instrument(code).tick_size
    if abs(to_ticks(quote.pre_close, tick) - to_ticks(close, tick)) <= MOST_TICKS:
        return None
    return ExDate(trading_day_of(quote.tick_time), close, quote.pre_close)


def _close_of(
    day: str, remembered: DayClose | None, bars: Sequence[Bar], calendar: TradingCalendar
) -> float | None:
    if remembered is not None and remembered.day == day:
        return remembered.price
    last = next((bar for bar in reversed(bars) if trading_day_of(bar.end) <= day), None)
    if last is None or trading_day_of(last.end) != day or last.end < close_at(last.end, calendar):
        return None
    return last.close


def adjusted(books: Books, ex_date: ExDate, answer: Answer, code: Code) -> Books:
    """The books in prices of after the ex-date; waiting top-ups, decided before it, are dropped.

    Split: each lot's shares are divided by the factor, rounded down to whole shares; the shares that
    come or go count as bought or sold for nothing, so that totals and lots still agree.
    """
    if answer == "keep":
        return books
    factor = ex_date.factor
    anchor = books.anchor
    if anchor is not None:
        tick = instrument(code).tick_size
        anchor = from_ticks(to_ticks(anchor * factor, tick), tick)
    lots = tuple(_lot(lot, factor, answer) for lot in books.lots)
    changed = replace(books, lots=lots, anchor=anchor, top_ups=(), before_flat=None)
    if answer == "cash":
        return changed
    more = changed.shares - books.shares
    totals = replace(
        books.totals,
        bought_shares=books.totals.bought_shares + max(0, more),
        sold_shares=books.totals.sold_shares + max(0, -more),
    )
    return replace(changed, fixed_volume=_shares(books.fixed_volume, factor), totals=totals)


def _lot(lot: Lot, factor: float, answer: Answer) -> Lot:
    if answer == "cash":
        return replace(lot, cost=lot.cost * factor, buy_price=lot.buy_price * factor)
    return replace(lot, shares=_shares(lot.shares, factor), buy_price=lot.buy_price * factor)


def _shares(shares: int, factor: float) -> int:
    return int(shares / factor + 1e-6)
