"""Reading xtdata step by step: connect, subscribe, pull, bars, details. It may block; a thread runs it.

xtdata reconnects by itself at the next call after a terminal restart, but makes no subscription again:
so a new client object means that everything is subscribed anew. A push may be lost, so all ticks are
also pulled every few seconds, and once right after 9:30.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, timedelta
from typing import Any

from shared_schema.ids import Code
from shared_schema.messages import BARS_SHOWN, MinuteBars, Quote
from shared_schema.sessions import date_of
from shared_schema.trading_calendar import TradingCalendar
from shared_schema.words import say
from windows_side.quotes.bar_downloads import BarDownloads
from windows_side.quotes.bar_turns import BarTurns, final_until
from windows_side.quotes.quiet_codes import QuietCodes
from windows_side.quotes.xtdata_fields import DataError, Detail, bars_of, detail_of, quote_of

log = logging.getLogger(__name__)

BATCH = 50
"""Codes of one subscription; the maker of xtquant advises no more."""
_BARS_ASKED = BARS_SHOWN + 2
"""So that the first bar shown is never a 9:31 without its opening call."""
PULL_EVERY = 3.0
DETAILS_EVERY = 60.0
AHEAD = 60.0
"""Seconds a tick may be ahead of this host's clock; beyond that it is dropped, or every real tick after
it would be older than the newest."""


class XtdataReader:
    """The newest quotes and bars of ``codes``. ``step`` does what is due; ``snapshot`` is for any thread."""

    def __init__(
        self,
        xtdata: Any,
        codes: Sequence[Code],
        *,
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
        bar_pause: float = 1.0,
        aside: Callable[[Callable[[], None]], None] | None = None,
        calendar: TradingCalendar | None = None,
    ) -> None:
        """``wall``: this host's clock, Unix seconds; ``bar_pause``: seconds between two questions for bars
        that are not there yet; ``aside`` runs what may take minutes (a download), by default in a thread
        of its own; ``calendar``: ours, to hold the terminal's trading days against."""
        self._xtdata = xtdata
        self._clock = clock
        self._wall = wall
        self.codes = tuple(codes)
        self._calendar = calendar
        self._downloads = BarDownloads(xtdata.download_history_data, aside, calendar)
        self._differing: set[date] = set()
        self._told_ahead: set[tuple[date, Code]] = set()
        self._quiet = QuietCodes(self.codes)
        self._turn = threading.Lock()
        self._quotes: dict[Code, Quote] = {}
        self._bars: dict[Code, MinuteBars] = {}
        self._details: dict[Code, Detail] = {}
        self._details_day = ""
        self._client: Any = None
        self._unsubscribed: list[tuple[Code, ...]] = []
        self._bars_unsubscribed: list[Code] = []
        self._turns = BarTurns(bar_pause)
        self._newest = 0.0, float("-inf")
        """The newest tick of all codes, and when it came on ``clock``: one value, for two threads."""
        self._pulled_at = self._details_at = float("-inf")
        self.version = 0
        """Rises with every change of quotes or bars."""
        self.answered_at = float("-inf")
        """When the terminal last answered or pushed, on ``clock``."""
        self.taken_at = float("-inf")
        """When a tick was last taken, on ``clock``."""
        self.ahead: dict[Code, float] = {}
        """Codes whose newest tick was dropped, and by how many seconds it is ahead of this host's clock."""
        self.trading_dates: tuple[str, ...] = ()
        """The days the terminal knows as trading days, YYYY-MM-DD."""
        self._pulled_market = 0.0
        self._stale_details: set[Code] = set()

    # For any thread

    def snapshot(self) -> tuple[dict[Code, Quote], dict[Code, MinuteBars]]:
        """Quotes and bars as they stand."""
        with self._turn:
            return dict(self._quotes), dict(self._bars)

    @property
    def market_time(self) -> float:
        """The newest tick's time, Unix seconds; 0 before the first."""
        return self._newest[0]

    @property
    def names(self) -> dict[Code, str]:
        """What the terminal calls the codes."""
        return {code: detail.name for code, detail in self._details.items()}

    @property
    def is_subscribed(self) -> bool:
        """Whether every subscription stands."""
        return self._client is not None and not self._unsubscribed and not self._bars_unsubscribed

    # The steps

    def step(self) -> None:
        """Do what is due. Raises what xtdata raises."""
        now = self._clock()
        client = self._xtdata.get_client()
        if client is not self._client:
            self._begin_anew(client)
        self._read_details(now)
        self._subscribe()
        if now - self._pulled_at >= PULL_EVERY or self._crossed_opening():
            self._pulled_at = now
            self._take(self._xtdata.get_full_tick(list(self.codes)))
            self._quiet.look(now, _opening_of(self.market_time), self.snapshot()[0], self._details)
        self._read_bars(now)

    def _begin_anew(self, client: Any) -> None:
        self._client = client
        self._quiet.begin(self._clock())
        self._unsubscribed = [self.codes[at : at + BATCH] for at in range(0, len(self.codes), BATCH)]
        self._bars_unsubscribed = list(self.codes)
        self._turns.forget()
        self._pulled_at = self._details_at = float("-inf")

    def _subscribe(self) -> None:
        """What is refused stays on the list and is tried again with the next step."""
        for batch in list(self._unsubscribed):
            if _is_taken(self._xtdata.subscribe_whole_quote(list(batch), callback=self._pushed)):
                self._unsubscribed.remove(batch)
        for code in list(self._bars_unsubscribed):
            # The running day's bars are kept up to date at the terminal for subscribed codes only.
            if _is_taken(self._xtdata.subscribe_quote(code, period="1m", count=0, callback=_nothing)):
                self._bars_unsubscribed.remove(code)

    def _pushed(self, ticks: Mapping[str, Any]) -> None:
        self._take(ticks)

    def _take(self, ticks: object) -> None:
        if not isinstance(ticks, Mapping):
            raise DataError("qmt.ticks", detail=type(ticks).__name__)
        made = {}
        for code in self.codes:
            tick = ticks.get(code)
            if isinstance(tick, Mapping):
                quote = quote_of(code, tick, self._details.get(code))
                if quote is not None and not self._is_of_the_future(code, quote.tick_time):
                    made[code] = quote
        with self._turn:
            self.answered_at = self._clock()
            if made:
                self.taken_at = self.answered_at
            for code, quote in made.items():
                old = self._quotes.get(code)
                # A cached tick can come after a newer pushed one; time never runs back within a day.
                if old is None or quote.tick_time >= old.tick_time:
                    if quote != old:
                        self.version += 1
                    self._quotes[code] = quote
                if quote.tick_time > self._newest[0]:
                    self._newest = quote.tick_time, self.answered_at

    def _is_of_the_future(self, code: Code, tick_time: float) -> bool:
        """Whether a tick is too far ahead of this host's clock to be true; said once a day and code."""
        wall = self._wall()
        seconds = tick_time - wall
        if seconds <= AHEAD:
            self.ahead.pop(code, None)
            return False
        self.ahead[code] = seconds
        if (date_of(wall), code) not in self._told_ahead:
            self._told_ahead.add((date_of(wall), code))
            sentence = say("qmt.tick_ahead", code=code, seconds=round(seconds))
            log.warning(sentence, extra={"action": "tick_ahead"})
        return True

    def _crossed_opening(self) -> bool:
        """Whether no tick since 9:30 has been pulled yet although the market clock is there."""
        opening = _opening_of(self.market_time)
        crossed = self.market_time >= opening > self._pulled_market
        self._pulled_market = max(self._pulled_market, self.market_time)
        return crossed

    # Details

    def _read_details(self, now: float) -> None:
        day = date_of(self.market_time).isoformat() if self.market_time else ""
        if day != self._details_day:
            # Limits and previous closes are of one day.
            self._details_day, self._details_at = day, float("-inf")
            self._stale_details = set(self.codes)
        missing = [code for code in self.codes if code not in self._details or code in self._stale_details]
        if not missing or now - self._details_at < DETAILS_EVERY:
            return
        self._details_at = now
        for code in missing:
            told = self._xtdata.get_instrument_detail(code)
            if isinstance(told, Mapping):
                self._details[code] = detail_of(told)
                self._stale_details.discard(code)
        self._read_dates()

    def _read_dates(self) -> None:
        """The terminal's trading days; one of the last fortnight that our calendar has otherwise is said."""
        self.trading_dates = tuple(
            date_of(stamp / 1000).isoformat() for stamp in self._xtdata.get_trading_dates("SH") or ()
        )
        today = date_of(self.market_time) if self.market_time else None
        if self._calendar is None or today is None or not self.trading_dates:
            return
        first = max(self.trading_dates[0], (today - timedelta(days=14)).isoformat())
        for back in range(15):
            day = today - timedelta(days=back)
            ours, theirs = self._calendar.is_trading_day(day), day.isoformat() in self.trading_dates
            # Today is listed by some terminals in the evening only.
            if day.isoformat() < first or ours is None or ours == theirs or (back == 0 and ours):
                continue
            if day not in self._differing:
                self._differing.add(day)
                log.warning(say("qmt.calendar_differs", day=day.isoformat()))

    # Bars

    def _read_bars(self, now: float) -> None:
        if not self.market_time:
            return
        self._turns.again(self._downloads.take_ended())
        due = [code for code in self.codes if self._is_due(code, now)]
        for at in range(0, len(due), BATCH):
            self._ask_bars(due[at : at + BATCH], now)

    def _is_due(self, code: Code, now: float) -> bool:
        tick, until = self._tick_of(code), self._until(code, now)
        return self._turns.is_due(code, self._last_bar(code), tick, until, now)

    def _tick_of(self, code: Code) -> float:
        quote = self._quotes.get(code)
        return quote.tick_time if quote is not None else 0.0

    def _until(self, code: Code, now: float) -> float:
        market, came = self._newest
        return final_until(self._tick_of(code), market, now - came)

    def _last_bar(self, code: Code) -> float:
        bars = self._bars.get(code)
        return bars.time[-1] if bars is not None and bars.time else 0.0

    def _ask_bars(self, codes: Sequence[Code], now: float) -> None:
        until = {code: self._until(code, now) for code in codes}
        for code in codes:
            self._turns.note(code, self._tick_of(code), now)
        for code, columns in self._native_bars(codes):
            detail = self._details.get(code)
            bars = bars_of(code, columns, until[code], detail.tick_size if detail is not None else 0.0)
            bars = _newest_of(bars)
            self._downloads.look(code, bars.time, date_of(self.market_time), now)
            with self._turn:
                if bars != self._bars.get(code):
                    self.version += 1
                    self._bars[code] = bars

    def _native_bars(self, codes: Sequence[Code]) -> Iterable[tuple[Code, Any]]:
        """The native answer itself: xtdata's own wrapper makes data frames, and needs pandas for it."""
        answer = self._xtdata.get_client().get_market_data3(
            [], list(codes), "1m", "", "", _BARS_ASKED, "none", False, "v4", True, True, 0,
            self._xtdata.get_data_dir(),
        )  # fmt: skip
        try:
            return [(Code(code), columns) for code, _, columns in answer]
        except (TypeError, ValueError) as problem:
            raise DataError("qmt.bars", detail=repr(answer)[:80]) from problem


def _is_taken(number: object) -> bool:
    return isinstance(number, int) and not isinstance(number, bool) and number > 0


def _nothing(_: object) -> None:
    """The bars are asked for; the push only tells what is coming."""


def _newest_of(bars: MinuteBars) -> MinuteBars:
    shown = slice(-BARS_SHOWN, None)
    return MinuteBars(
        time=bars.time[shown],
        open=bars.open[shown],
        high=bars.high[shown],
        low=bars.low[shown],
        close=bars.close[shown],
        volume=bars.volume[shown],
    )


def _opening_of(market_time: float) -> float:
    """9:30 in Shanghai (UTC+8, no summer time) of that day, Unix seconds."""
    return (market_time + 28_800) // 86_400 * 86_400 - 28_800 + 9.5 * 3600
