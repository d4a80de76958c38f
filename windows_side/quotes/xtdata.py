"""Live quotes from the terminal: a QuoteSource whose thread reads xtdata, so that nothing here ever waits.

A terminal that is down, restarts or hangs shows as a raise of ``poll``: the producer then says so and
marks its quotes incomplete, until the thread gets answers again.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence

from shared_schema.ids import Code, Mode
from shared_schema.sessions import SessionState, hms, state_at, trading_seconds_between
from shared_schema.trading_calendar import TradingCalendar
from windows_side.quotes.port import QuoteData
from windows_side.quotes.xtdata_fields import DataError
from windows_side.quotes.xtdata_reader import XtdataReader

STEP = 0.2
"""Seconds between two steps of the reader; pushes come in between."""
SILENT = 10.0
"""Seconds without any answer after which the source counts as failed."""
FROZEN = 60.0
"""Seconds of continuous trading in which not one code ticked: what is shown is no market."""


class XtdataSource:
    """Real quotes of ``codes``."""

    mode: Mode = "live"

    def __init__(
        self,
        make_reader: Callable[[], XtdataReader],
        codes: Sequence[Code],
        calendar: TradingCalendar,
        *,
        monotonic: Callable[[], float] = time.monotonic,
        threaded: bool = True,
        frozen_after: float = FROZEN,
    ) -> None:
        """``make_reader`` imports xtdata, which takes a second: it is called in the reader's thread.

        Without ``threaded`` each ``poll`` does one step itself."""
        self.codes = tuple(codes)
        self._make_reader = make_reader
        self._calendar = calendar
        self._monotonic = monotonic
        self._threaded = threaded
        self._frozen_after = frozen_after
        self._reader: XtdataReader | None = None
        self._problem: Exception | None = None
        self._ended = threading.Event()
        self._begun_at = 0.0
        self._shown: tuple[object, ...] = ()

    def start(self) -> None:
        """Begin reading."""
        self._begun_at = self._monotonic()
        if self._threaded:
            threading.Thread(target=self._read, name="xtdata", daemon=True).start()

    def poll(self, now: float) -> QuoteData | None:
        """What has changed since the last poll. Raises what stands in the way."""
        if not self._threaded:
            self._step()
        reader = self._reader
        quiet = self._monotonic() - max(self._begun_at, reader.answered_at if reader is not None else 0.0)
        if reader is None or quiet > SILENT or reader.answered_at < 0:
            self._shown = ()
            if self._problem is not None:
                raise DataError("qmt.data_unreachable", detail=self._problem) from self._problem
            if quiet > SILENT:
                raise DataError("qmt.data_silent", seconds=round(quiet))
            return None
        self._refuse_empty(reader)
        self._refuse_frozen(reader, now)
        shown = (reader.version, reader.is_subscribed)
        if shown == self._shown or not reader.version:
            return None
        self._shown = shown
        quotes, bars = reader.snapshot()
        return QuoteData(quotes, bars, self.market_now() or now, complete=reader.is_subscribed)

    def _refuse_empty(self, reader: XtdataReader) -> None:
        """Raise where the terminal answers, but with no tick of any code that can be taken."""
        if self._monotonic() - max(self._begun_at, reader.taken_at) <= SILENT:
            return
        self._shown = ()
        for code, seconds in dict(reader.ahead).items():
            # All that comes is ahead of this host's clock: more likely it is the clock.
            raise DataError("qmt.ticks_ahead", code=code, seconds=round(seconds))
        raise DataError("qmt.no_ticks", codes=", ".join(self.codes[:5]))

    def _refuse_frozen(self, reader: XtdataReader, now: float) -> None:
        """Raise where what is shown is one old picture of a market that trades."""
        market_time, last = self.market_now() or now, reader.market_time
        trading = state_at(market_time, self._calendar) is SessionState.CONTINUOUS
        if not last or not trading or market_time - last <= self._frozen_after:
            return
        # Nobody ticks from 9:25 to 9:30, at lunch and overnight: the first tick after it is still to come.
        silent = trading_seconds_between(last, market_time, self._calendar)
        if silent > self._frozen_after:
            self._shown = ()
            raise DataError("qmt.frozen", time=hms(last), seconds=round(silent))

    def next_due(self, now: float) -> float | None:
        """Soon: pushes come at any time."""
        return 0.05

    def market_now(self) -> float | None:
        """None: market time is wall time."""
        return None

    def stop(self) -> None:
        """Let the thread end; one that hangs in a call is left behind."""
        self._ended.set()

    def _read(self) -> None:
        while not self._ended.is_set():
            self._step()
            self._ended.wait(STEP if self._problem is None else 1.0)

    def _step(self) -> None:
        try:
            if self._reader is None:
                self._reader = self._make_reader()
            self._reader.step()
            self._problem = None
        except Exception as problem:  # xtdata raises plain Exception; told by the next poll
            self._problem = problem
