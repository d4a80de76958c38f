"""One source of quotes for the rooms of several accounts: asked once, shown to each.

The terminal's subscriptions are the process's own, so there is one source; the first account's producer
asks it, and the rooms' producers write what it was told.
"""

from __future__ import annotations

from shared_schema.ids import Code, Mode
from windows_side.quotes.port import QuoteData, QuoteSource


class SharedSource:
    """A source whose answers others see as well. ``echo`` gives each of them a source of its own."""

    def __init__(self, source: QuoteSource) -> None:
        self._source = source
        self.mode: Mode = source.mode
        self.codes: tuple[Code, ...] = source.codes
        self.data: QuoteData | None = None
        self.number = 0
        """Counts what was shown."""
        self.problem: Exception | None = None
        """What the last question ended in, None where it was answered."""

    def start(self) -> None:
        """Start the source."""
        try:
            self._source.start()
        except Exception as problem:
            self.problem = problem
            raise

    def poll(self, now: float) -> QuoteData | None:
        """What is new; what it raises the others are told as well."""
        try:
            data = self._source.poll(now)
        except Exception as problem:
            self.problem = problem
            raise
        self.problem = None
        if data is not None:
            self.data = data
            self.number += 1
        return data

    def next_due(self, now: float) -> float | None:
        """As the source says."""
        return self._source.next_due(now)

    def market_now(self) -> float | None:
        """As the source says."""
        return self._source.market_now()

    def stop(self) -> None:
        """Stop the source."""
        self._source.stop()

    def echo(self) -> Echo:
        """A source that shows what this one last showed."""
        return Echo(self)


class Echo:
    """Shows what the shared source was last told; asks nobody, starts and stops nothing."""

    def __init__(self, shared: SharedSource) -> None:
        self._shared = shared
        self._shown = 0
        self.mode: Mode = shared.mode
        self.codes: tuple[Code, ...] = shared.codes

    def start(self) -> None:
        """The shared source is started by whoever asks it."""

    def poll(self, now: float) -> QuoteData | None:
        """The newest not shown yet. Raises what the shared source raised."""
        shared = self._shared
        if shared.problem is not None:
            raise shared.problem
        if self._shown == shared.number:
            return None
        self._shown = shared.number
        return shared.data

    def next_due(self, now: float) -> float | None:
        """As the shared source says: it is asked first."""
        return self._shared.next_due(now)

    def market_now(self) -> float | None:
        """As the shared source says."""
        return self._shared.market_now()

    def stop(self) -> None:
        """The shared source is stopped by whoever asks it."""
