"""The morning after a corporate action: told by ``pre_close``, answered by a person (fault 62). Pure.

On an ex-date the exchange sets the previous close down (or, where shares are merged, up), and the price
follows. To the grid that gap looks like a fall. It is seen by comparing today's ``pre_close`` with the
close of the trading day before: the one remembered here, else the last bar of that day. After days away the
last close known is compared too, more coarsely: small drifts are the market's. Without any of them nothing
can be told, and nothing is guessed.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from fractions import Fraction
from typing import Any, Literal, get_args

from mac_side.books import Books, Lot
from mac_side.odd_shares import in_whole_lots
from shared_schema.bars_file import Bar
from shared_schema.ids import Code
from shared_schema.instruments import from_ticks, instrument, to_ticks
from shared_schema.messages.quote import Quote
from shared_schema.sessions import close_at, date_of, trading_day_of
from shared_schema.trading_calendar import TradingCalendar

MOST_TICKS = 1
"""A previous close further than this from yesterday's close is another price, not another rounding."""
MOST_AWAY = 0.08
"""Away for days, a price further than this from the last close known is asked about (decision 0024)."""
FITTING = 0.3
"""How far the account's own share count may be off the price's factor: what is paid beside the shares."""
SHARES_BEFORE = range(1, 11)
"""Shares before, in the plain fraction of a split: one becomes two, ten become thirteen."""
LEAST, MOST = 0.001, 1000.0
"""Factors a person may give."""
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
    days: int = 0
    """Calendar days from ``close`` to ``day``; 0 where it is of the trading day before."""
    shares_before: int | None = None
    """What the account held when it closed at ``close``, and what it holds now, nothing traded between."""
    shares: int | None = None

    @property
    def factor(self) -> float:
        """What prices of before are multiplied with."""
        return self.pre_close / self.close

    def shares_ratio(self, tick_size: float) -> Fraction | None:
        """Shares after by shares before, were this a split; None where nothing tells it.

        The account's own count where it changed as the price did. Else the plainest fraction that gives this
        very ``pre_close``: it stands on a tick, so the quotient of the prices is off by some shares in each
        thousand. A close of days ago tells no fraction: the price has drifted.
        """
        if self.shares and self.shares_before and self.shares != self.shares_before:
            counted = Fraction(self.shares, self.shares_before)
            if abs(float(counted) * self.factor - 1) <= FITTING:
                return counted
        after = to_ticks(self.pre_close, tick_size)
        for old in () if self.days else SHARES_BEFORE:
            new = round(old / self.factor)
            if 0 < new != old and abs(to_ticks(self.close, tick_size) * old / new - after) <= 0.5 + 1e-9:
                return Fraction(new, old)
        return None


def ex_date_to_json(ex_date: ExDate | None) -> dict[str, Any]:
    """``ex_date`` as the state file holds it; what older code does not know stands in a key of its own."""
    if ex_date is None:
        return {"ex_date": None, "ex_date_found": None}
    told = vars(ex_date)
    return {
        "ex_date": {name: told[name] for name in ("day", "close", "pre_close")},
        "ex_date_found": {name: told[name] for name in ("day", "days", "shares_before", "shares")},
    }


def ex_date_from_json(payload: Mapping[str, Any]) -> ExDate | None:
    """The ex-date in a state file; what was found of another day is not of this one. Raises TypeError."""
    waits, found = payload.get("ex_date"), payload.get("ex_date_found")
    if not waits:
        return None
    more = found if found and found.get("day") == waits["day"] else {}
    return ExDate(**{**waits, **more})


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
    today = date_of(quote.tick_time)
    before = day_before(today, calendar)
    if before is None:
        return None
    away = remembered is not None and remembered.day < before
    if remembered is not None and away and abs(quote.pre_close / remembered.price - 1) > MOST_AWAY:
        days = (today - date.fromisoformat(remembered.day)).days
        return ExDate(today.isoformat(), remembered.price, quote.pre_close, days)
    close = _close_of(before, remembered, bars, calendar)
    if close is None:
        return None
    tick = instrument(code).tick_size
    if abs(to_ticks(quote.pre_close, tick) - to_ticks(close, tick)) <= MOST_TICKS:
        return None
    return ExDate(trading_day_of(quote.tick_time), close, quote.pre_close)


def fitting_close(quote: Quote, remembered: DayClose, calendar: TradingCalendar) -> DayClose:
    """What to remember once ``pre_close`` fits: the close of the day before, so that drifts don't add up."""
    before = day_before(date_of(quote.tick_time), calendar) if quote.tick_time else None
    if before is None or remembered.day >= before or not quote.pre_close > 0:
        return remembered
    return DayClose(before, quote.pre_close)


def _close_of(
    day: str, remembered: DayClose | None, bars: Sequence[Bar], calendar: TradingCalendar
) -> float | None:
    if remembered is not None and remembered.day == day:
        return remembered.price
    last = next((bar for bar in reversed(bars) if trading_day_of(bar.end) <= day), None)
    if last is None or trading_day_of(last.end) != day or last.end < close_at(last.end, calendar):
        return None
    return last.close


def said_of(argument: str) -> tuple[Answer | None, float | None]:
    """What a person said, ``split`` or ``split 0.5``; no answer where it can't be understood."""
    word, _, told = argument.partition(" ")
    answer = next((known for known in ANSWERS if known == word), None)
    try:
        factor = float(told) if told else None
    except ValueError:
        return None, None
    return (answer, factor) if factor is None or LEAST <= factor <= MOST else (None, None)


def with_factor(ex_date: ExDate, factor: float | None, code: Code) -> ExDate:
    """``ex_date`` with a person's factor (new price by old, to three digits); None: as it was seen."""
    if factor is None:
        return ex_date
    tick_size = instrument(code).tick_size
    told = replace(ex_date, close=1000 * tick_size, pre_close=1000 * tick_size * factor, days=0)
    if told.shares_ratio(tick_size) is not None:
        return told
    return replace(told, shares_before=round(1000 * factor), shares=1000)


def answered(books: Books, ex_date: ExDate, answer: Answer, code: Code) -> Books | None:
    """The books a person's ``answer`` leads to; None where it needs a factor from the notice.

    So does cash after days away: the price has drifted, and by how much nobody can tell.
    """
    return None if answer == "cash" and ex_date.days else adjusted(books, ex_date, answer, code)


def adjusted(books: Books, ex_date: ExDate, answer: Answer, code: Code) -> Books | None:
    """The books in prices of after the ex-date; waiting top-ups, decided before it, are dropped.

    Split: all shares together follow ``shares_ratio``, lots stay whole lots of the exchange and what is over
    is fixed. The shares that come or go count as bought or sold for nothing, so that totals and lots still
    agree. None: nothing tells how many shares came of one, and a person must.
    """
    if answer == "keep":
        return books
    rules = instrument(code)
    if answer == "cash":
        after = _after(books, ex_date.factor, rules.tick_size)
        return replace(after, lots=tuple(_cheaper(lot, ex_date.factor) for lot in after.lots))
    ratio = ex_date.shares_ratio(rules.tick_size)
    if ratio is None:
        return None
    factor = _price_factor(ex_date, ratio, rules.tick_size)
    return in_whole_lots(_split(_after(books, factor, rules.tick_size), ratio), rules)


def _after(books: Books, factor: float, tick_size: float) -> Books:
    """The books with anchor in prices of after the ex-date, and without what was decided before it."""
    anchor = books.anchor
    if anchor is not None:
        anchor = from_ticks(to_ticks(anchor * factor, tick_size), tick_size)
    lots = tuple(replace(lot, buy_price=lot.buy_price * factor) for lot in books.lots)
    return replace(books, lots=lots, anchor=anchor, top_ups=(), before_flat=None)


def _cheaper(lot: Lot, factor: float) -> Lot:
    return replace(lot, cost=lot.cost * factor)


def _price_factor(ex_date: ExDate, ratio: Fraction, tick_size: float) -> float:
    """A split's own factor; the price's where money was paid beside the shares, for it fell by both."""
    split = float(1 / ratio)
    off = abs(ex_date.close * split - ex_date.pre_close) / tick_size
    return split if ex_date.days or off <= MOST_TICKS else ex_date.factor


def _split(books: Books, ratio: Fraction) -> Books:
    """All shares times ``ratio``, rounded down once, in all: so is what the account is given."""
    lots = tuple(replace(lot, shares=int(lot.shares * ratio)) for lot in books.lots)
    shares = sum(lot.shares for lot in lots)
    more = shares - books.shares
    totals = replace(
        books.totals,
        bought_shares=books.totals.bought_shares + max(0, more),
        sold_shares=books.totals.sold_shares + max(0, -more),
    )
    shortfall = math.ceil(books.shortfall * ratio)
    expected = int((books.fixed_volume + books.shares - books.shortfall) * ratio)
    return replace(
        books, lots=lots, fixed_volume=expected + shortfall - shares, shortfall=shortfall, totals=totals
    )
