"""What came in since the last turn: quotes, heartbeats, halts and signals, as events for the core."""

from __future__ import annotations

import queue
from collections.abc import Callable, Iterable

from shared_schema.clock import ReplayFollower
from shared_schema.disk import FileEntry
from shared_schema.drop_folder import DropFolder
from shared_schema.drop_folder.names import CONTROL_FOLDER
from shared_schema.errors import FolderError
from shared_schema.ids import Epoch, SignalId
from shared_schema.logs import Log
from shared_schema.messages import Seen
from windows_side.broker_hand import BrokerHand
from windows_side.execution.core import ExecutorCore
from windows_side.execution.events import Event, FileSeen, HaltsSeen, QuoteSeen
from windows_side.execution.intake import SignalFile
from windows_side.execution.rules import Rules
from windows_side.executor_views import seen_of
from windows_side.folder_work import FolderWork
from windows_side.link_watch import LinkWatch
from windows_side.quote_files import QuoteFiles
from windows_side.signal_scan import SignalScan


class Incoming:
    """Looks at the folder, one method for each thing of it. Used by the loop alone, but for one method."""

    def __init__(
        self,
        folder: DropFolder,
        core: ExecutorCore,
        rules: Rules,
        broker: BrokerHand,
        scan: SignalScan,
        work: FolderWork,
        clock: ReplayFollower,
        log: Log,
        monotonic: Callable[[], float],
        ledger_epoch: Epoch,
        *,
        quote_ring: bool,
    ) -> None:
        self._folder = folder
        self._core = core
        self._rules = rules
        self._broker = broker
        self._work = work
        self._clock = clock
        self._quotes = QuoteFiles(folder, log, ring=quote_ring)
        self._links = LinkWatch(
            folder, rules.instance, ledger_epoch, rules.calendar, core.book.everything, monotonic
        )
        self.scan = scan
        """The scan for signals."""
        self._again: queue.SimpleQueue[FileSeen] = queue.SimpleQueue()
        self._seen: dict[str, Seen] = {}
        self._listed: tuple[list[FileEntry], list[FileEntry]] | None = None
        self._had_halts = True

    @property
    def seen(self) -> dict[str, Seen]:
        """The newest file of every stream, for the heartbeat."""
        return {**self._seen, **self.scan.seen, **self._links.seen}

    def applied(self) -> frozenset[SignalId]:
        """Signals whose results every living dashboard has applied."""
        return self._links.applied(self._clock.now().wall, self._rules.red_after)

    def is_still(self) -> bool:
        """Whether the folder and ``control/`` list the very files they listed when this was asked before.

        Signals, quotes and halts are in these two; names, sizes and times of all files are compared.
        """
        if self.scan.has_many:
            return False  # its listings are dear, and rest by themselves
        before = self._listed
        try:
            self._listed = (self._folder.list_folder(""), self._folder.list_folder(CONTROL_FOLDER))
        except FolderError:
            self._listed = None  # the turn says it
        return self._listed is not None and self._listed == before

    def quotes(self) -> list[Event]:
        """New quotes; the simulated market and the market clock have seen them by then."""
        events: list[Event] = []
        for received in self._quotes.fresh():
            envelope = received.envelope
            if envelope is not None:
                self._seen["shared_quote"] = seen_of(envelope, self._clock.now().wall)
                if self._rules.mode == "simulate":
                    self._clock.quote_seen(envelope.written_at, envelope.market_time)
                self._broker.feed_market(received.body.quotes)
            events.append(QuoteSeen(received))
        return events

    def links(self, *, urgent: bool = False) -> list[Event]:
        """News of the other processes' heartbeats, looked at now and then or when it is ``urgent``."""
        try:
            return self._links.events(self._clock.now(), urgent=urgent)
        except FolderError as problem:
            self._work.listing_failed(problem)
            return []

    def halts(self) -> Iterable[Event]:
        """The halt files that lie there."""
        try:
            files = self._folder.halts()
        except FolderError as problem:
            self._work.listing_failed(problem)
            return []
        # That the last one has gone is news as well: made again, it is another halt.
        is_news, self._had_halts = bool(files) or self._had_halts, bool(files)
        return [HaltsSeen(files, self._folder.key)] if is_news else []

    def files(self) -> list[Event]:
        """Signals, as many as one turn takes."""
        events: list[Event] = []
        if not self._work.takes_writings:
            # Nobody could be answered: what lies there waits until it can be, or expires.
            return events
        while not self._again.empty():
            events.append(self._again.get_nowait())
        try:
            events += self.scan.events()
        except FolderError as problem:
            self._work.listing_failed(problem)
            return events
        self._work.listing_worked()
        return events

    def is_of_silent_writer(self, event: Event) -> bool:
        """Whether it is a signal whose writer's heartbeat counts as red."""
        signal = event.intake if isinstance(event, FileSeen) else None
        if not isinstance(signal, SignalFile) or signal.received.envelope is None:
            return False
        return self._core.is_silent(signal.received.envelope.writer)

    def found_in_archive(self, signal_id: SignalId, raw: bytes) -> None:
        """A signal that lay under another's archived name; told from any thread."""
        self._again.put(self.scan.found_in_archive(signal_id, raw))
