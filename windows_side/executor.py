"""The executor's shell: moves data between folder, broker, ledger and core, and decides nothing.

Every turn collects what happened, asks the core, makes all it wants recorded durable in
one commit, and only then performs the rest. A commit that fails ends the process: what
is not known to be durable must not be built on.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable
from typing import Any, Protocol

from shared_schema.clock import ReplayFollower
from shared_schema.drop_folder import DropFolder
from shared_schema.ids import SignalId
from shared_schema.logs import Log
from shared_schema.points import Reach, pass_by
from shared_schema.watch import FolderWatch
from windows_side.broker_hand import BrokerHand
from windows_side.brokers.port import BrokerEvent
from windows_side.day_keeper import DayKeeper
from windows_side.execution.actions import (
    Action,
    AskAccount,
    AskDay,
    CancelAtBroker,
    RecordMeta,
    RecordOrder,
    Submit,
    TrustLedger,
)
from windows_side.execution.core import ExecutorCore
from windows_side.execution.events import Event, TimePassed
from windows_side.execution.ledger import Change, Ledger
from windows_side.execution.order import Order
from windows_side.execution.points import Point
from windows_side.execution.rules import Rules
from windows_side.execution.second_counter import Counted, SecondCounter
from windows_side.executor_views import ExecutorViews
from windows_side.folder_work import FolderWork
from windows_side.incoming import Incoming
from windows_side.outgoing import Outgoing
from windows_side.signal_scan import SignalScan

GATHERS = 0.01
"""Seconds the loop lets answers gather while a backlog of submits is out: they share a commit."""
QUIET = 2.0
"""Seconds without a commit after which the ledger may tidy up."""
LAST_ANSWERS = 2.0
"""Seconds at most that a clean end waits for the day and the account."""
KEYBOARD_INTERVAL = 0.25
"""Seconds between two looks at what people typed."""
STILL = 0.25
"""Seconds between two whole turns at most while nothing is open and the folder lists the same files."""


class KeyboardOrders(Protocol):
    """What people typed on this host for the running executor (resume, rebind)."""

    def take(self) -> list[Event]:
        """The events typed since the last call."""


class Executor:
    """One executor process. ``run`` returns when ``stop`` is set; errors that must stop it are raised."""

    def __init__(
        self,
        *,
        folder: DropFolder,
        ledger: Ledger,
        core: ExecutorCore,
        rules: Rules,
        views: ExecutorViews,
        watch: FolderWatch,
        keyboard: KeyboardOrders,
        clock: ReplayFollower,
        log: Log,
        monotonic: Callable[[], float] = time.monotonic,
        counter: SecondCounter | None = None,
        put_back: str = "",
        reach: Reach = pass_by,
        threaded: bool = False,
        quote_ring: bool = False,
        days: DayKeeper | None = None,
    ) -> None:
        """``threaded``: broker and folder work have threads of their own; without it a turn does all itself.

        ``put_back``: why the ledger can't be the newest one, "" where nothing speaks against it."""
        self._ledger = ledger
        self._counter = counter
        self._put_back = put_back
        self._reach = reach
        self._threaded = threaded
        self._was_ready = False
        self._keyboard_at = float("-inf")
        self._untidy_since: float | None = None
        self._core = core
        self._rules = rules
        self._days = days
        self._watch = watch
        self._keyboard = keyboard
        self._clock = clock
        self._log = log
        self._monotonic = monotonic
        self._scan = SignalScan(folder, log, clock.now, monotonic, reach)
        self._work = FolderWork(
            folder,
            views,
            log,
            monotonic,
            self._found_in_archive,
            reach,
            self._scan.not_moved,
            threaded=threaded,
        )
        self.broker = BrokerHand(folder, core, rules, clock, log, watch.wake, reach)
        self._incoming = Incoming(
            folder,
            core,
            rules,
            self.broker,
            self._scan,
            self._work,
            clock,
            log,
            monotonic,
            views.ledger_epoch,
            quote_ring=quote_ring,
        )
        self._outgoing = Outgoing(
            folder, ledger, core, rules, self._work, views, self._incoming, clock, log, monotonic, days
        )

    # The loop

    def run(self, stop: threading.Event, *beside: Callable[[], object]) -> None:
        """Work until ``stop`` is set, ``beside`` being called each turn. Raises StateError of the ledger."""
        self.start()
        while not stop.is_set():
            self.turn()
            self._watch.look_after(self._log)
            for look in beside:
                look()
            if self.broker.has_many_out and not self._scan.has_more:
                stop.wait(GATHERS)
            self._rest(stop)
        self.end()

    def _rest(self, stop: threading.Event) -> None:
        """Wait for news; a scan that finds nothing new while nothing is open is not worth a whole turn."""
        until = self._monotonic() + STILL
        woken = self._watch.wait(0.0 if self._scan.has_more else None)
        while not woken and not stop.is_set() and self._monotonic() < until and self._is_still():
            woken = self._watch.wait()

    def _is_still(self) -> bool:
        core = self._core
        return self._threaded and core.ready and not core.book.open() and self._incoming.is_still()

    def start(self) -> None:
        """Look at the quotes first (they carry the market clock), then at the ledger, then at the broker."""
        self._perform(self._incoming.quotes())
        self._perform_actions(self._core.start(self._clock.now(), self._put_back))
        self._reach(Point.STARTED)
        for order in self._core.book.everything():
            self._outgoing.show_again(order)
        self._work.go_on()
        self._reach(Point.RESULTS_RESTORED)
        self.broker.port.start()

    def turn(self) -> None:
        """One round: quotes, halts, the broker's news, files, time, views."""
        self._work.stand_back(backlog=self._scan.has_more or self.broker.has_many_out)
        self.broker.port.check_deadlines()
        self._perform(self._incoming.quotes())
        self._perform(self._incoming.links())
        self._perform(self._incoming.halts())
        self._perform(self._broker_events())
        files = self._incoming.files()
        if any(self._incoming.is_of_silent_writer(event) for event in files):
            # Its heartbeat may have come with the signal, and no order holds between files.
            self._perform(self._incoming.links(urgent=True))
        self._perform(files)
        if self._monotonic() >= self._keyboard_at:
            self._keyboard_at = self._monotonic() + KEYBOARD_INTERVAL
            self._perform(self._keyboard.take())
        self._perform([TimePassed()])
        self._outgoing.views()
        self._outgoing.put_away()
        self._work.go_on()
        if self._untidy_since is not None and self._monotonic() - self._untidy_since > QUIET:
            self._untidy_since = None
            self._ledger.tidy()
        if self._core.ready and not self._was_ready:
            self._reach(Point.RECONCILED)
            self._scan.look_again()
            self._watch.wake()
        self._was_ready = self._core.ready

    def end(self) -> None:
        """Stop cleanly: the broker's worker, then a last look of the views."""
        self._ask_for_the_day()
        self.broker.port.stop()
        self._perform(self._broker_events())
        self._outgoing.views(last=True)
        self._work.finish()
        self._reach(Point.STOPPED)

    def _ask_for_the_day(self) -> None:
        """The day's files shall hold what the broker shows at the end; a hung one is not waited for."""
        if self._days is None or not self._core.ready:
            return
        asked, deadline = self._clock.now().wall, self._monotonic() + LAST_ANSWERS
        self.broker.port.ask_day()
        self.broker.port.ask_account()
        while not self._days.has_answers_since(asked) and self._monotonic() < deadline:
            self._watch.wait()
            self._perform(self._broker_events())

    def _broker_events(self) -> list[BrokerEvent]:
        events = self.broker.news()
        self._outgoing.heard(events)
        return events

    def _found_in_archive(self, signal_id: SignalId, raw: bytes) -> None:
        self._incoming.found_in_archive(signal_id, raw)
        self._watch.wake()

    # What is done about it

    def _perform(self, events: Iterable[Event]) -> None:
        now = self._clock.now()
        actions: list[Action] = []
        for event in events:
            actions += self._core.handle(event, now)
        self._perform_actions(actions)

    def _perform_actions(self, actions: list[Action]) -> None:
        if not actions:
            return
        change = _change_of(actions)
        submits = any(isinstance(action, Submit) for action in actions)
        if not change.is_empty:
            self._reach(Point.BEFORE_COMMIT)
            self._ledger.commit(change)
            self._untidy_since = self._monotonic()
            self._reach(Point.AFTER_COMMIT)
        if submits:
            self._reach(Point.AFTER_INTENT)
        if submits or TrustLedger() in actions:
            self._count()
        for action in actions:
            if isinstance(action, (Submit, CancelAtBroker, AskDay, AskAccount)):
                self.broker.perform(action)
        if submits and self._threaded:
            self.broker.let_go()
        for action in actions:
            self._outgoing.perform(action)
        if submits:
            self._work.go_on()  # the signal's own path ends here: its result need not wait for the turn
        for action in actions:
            if isinstance(action, Submit):
                self.broker.say_sent(action.request)

    def _count(self) -> None:
        """Keep the ledger's count a second time, before any submit of this commit leaves."""
        if self._counter is not None:
            ledger = self._ledger
            self._counter.write(Counted(ledger.ledger_id, ledger.commits, self._rules.instance))
            self._reach(Point.COUNTED)


def _change_of(actions: list[Action]) -> Change:
    """Everything to be recorded in one commit; of one row the newest value."""
    orders: dict[SignalId, Order] = {}
    meta: dict[str, Any] = {}
    journal = []
    for action in actions:
        if isinstance(action, RecordOrder):
            orders[action.order.signal_id] = action.order
            journal.append(action.journal)
        elif isinstance(action, RecordMeta):
            meta[action.name] = action.value
    return Change(tuple(orders.values()), meta, tuple(journal))
