"""The executor's shell: moves data between folder, broker, ledger and core, and decides nothing.

Every turn collects what happened, asks the core, makes all it wants recorded durable in
one commit, and only then performs the rest. A commit that fails ends the process: what
is not known to be durable must not be built on.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any, Protocol

from shared_schema.clock import ReplayFollower
from shared_schema.drop_folder import DropFolder
from shared_schema.errors import FolderError
from shared_schema.ids import SignalId
from shared_schema.logs import Log
from shared_schema.messages import Heartbeat, Seen
from shared_schema.points import Reach, pass_by
from shared_schema.watch import FolderWatch
from windows_side.broker_hand import BrokerHand
from windows_side.brokers.port import (
    AccountAnswered,
    BrokerEvent,
    OrderUpdate,
    TradeUpdate,
)
from windows_side.conflict_copies import ConflictCopies
from windows_side.day_keeper import DayKeeper
from windows_side.execution.actions import (
    Action,
    AnswerAgain,
    Archive,
    AskAccount,
    AskDay,
    CancelAtBroker,
    CopyToQuarantine,
    MoveToQuarantine,
    PublishResult,
    RecordMeta,
    RecordOrder,
    Say,
    Submit,
    TrustLedger,
)
from windows_side.execution.core import ExecutorCore
from windows_side.execution.events import Event, FileSeen, HaltsSeen, QuoteSeen, TimePassed
from windows_side.execution.intake import SignalFile
from windows_side.execution.ledger import Change, Ledger
from windows_side.execution.order import Order
from windows_side.execution.points import Point
from windows_side.execution.rules import Rules
from windows_side.execution.second_counter import Counted, SecondCounter
from windows_side.executor_views import ExecutorViews, Shown, seen_of
from windows_side.folder_work import FolderWork
from windows_side.link_watch import LinkWatch
from windows_side.lost_results import LostResults
from windows_side.pruning import Pruner
from windows_side.quote_files import QuoteFiles
from windows_side.signal_scan import SignalScan

GATHERS = 0.01
"""Seconds the loop lets answers gather while a backlog of submits is out: they share a commit."""
QUIET = 2.0
"""Seconds without a commit after which the ledger may tidy up."""
LAST_ANSWERS = 2.0
"""Seconds at most that a clean end waits for the day and the account."""
KEYBOARD_INTERVAL = 0.25
"""Seconds between two looks at what people typed."""


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
        self._folder = folder
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
        self._views = views
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
        self._again: queue.SimpleQueue[FileSeen] = queue.SimpleQueue()
        self.broker = BrokerHand(folder, core, rules, clock, log, watch.wake, reach)
        self._quotes = QuoteFiles(folder, log, ring=quote_ring)
        self._links = LinkWatch(
            folder, rules.instance, views.ledger_epoch, rules.calendar, core.book.everything, monotonic
        )
        self._pruner = Pruner(
            folder, rules.calendar, monotonic, lambda count: log.say("info", "put_away", count=count)
        )
        self._lost = LostResults(views, self._pruner, core.book.everything, monotonic)
        self._copies = ConflictCopies(folder, log, lambda: clock.now().wall, monotonic)
        self._seen: dict[str, Seen] = {}
        self._ends_said: dict[SignalId, tuple[str, int]] = {}
        self._days = days

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
            self._watch.wait(0.0 if self._scan.has_more else None)
        self.end()

    def start(self) -> None:
        """Look at the quotes first (they carry the market clock), then at the ledger, then at the broker."""
        self._perform(self._quote_events())
        self._perform_actions(self._core.start(self._clock.now(), self._put_back))
        self._reach(Point.STARTED)
        for order in self._core.book.everything():
            self._work.do(lambda order=order: self._show_again(order))  # type: ignore[misc]
        self._work.go_on()
        self._reach(Point.RESULTS_RESTORED)
        self.broker.port.start()

    def _show_again(self, order: Order) -> None:
        if not self._pruner.has_put_away(order):
            self._views.result_if_missing(order)

    def turn(self) -> None:
        """One round: quotes, halts, the broker's news, files, time, views."""
        self._work.stand_back(backlog=self._scan.has_more or self.broker.has_many_out)
        self.broker.port.check_deadlines()
        self._perform(self._quote_events())
        self._perform(self._link_events())
        self._perform(self._halt_events())
        self._perform(self._broker_events())
        files = self._file_events()
        if any(self._is_of_silent_writer(event) for event in files):
            # Its heartbeat may have come with the signal, and no order holds between files.
            self._perform(self._link_events(urgent=True))
        self._perform(files)
        if self._monotonic() >= self._keyboard_at:
            self._keyboard_at = self._monotonic() + KEYBOARD_INTERVAL
            self._perform(self._keyboard.take())
        self._perform([TimePassed()])
        self._write_views()
        self._put_away()
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
        self._write_views(last=True)
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

    # What happened

    def _quote_events(self) -> list[Event]:
        events: list[Event] = []
        for received in self._quotes.fresh():
            envelope = received.envelope
            if envelope is not None:
                self._seen["shared_quote"] = seen_of(envelope, self._clock.now().wall)
                if self._rules.mode == "simulate":
                    self._clock.quote_seen(envelope.written_at, envelope.market_time)
                self.broker.feed_market(received.body.quotes)
            events.append(QuoteSeen(received))
        return events

    def _link_events(self, *, urgent: bool = False) -> list[Event]:
        try:
            return self._links.events(self._clock.now(), urgent=urgent)
        except FolderError as problem:
            self._work.listing_failed(problem)
            return []

    def _halt_events(self) -> Iterable[Event]:
        try:
            files = self._folder.halts()
        except FolderError as problem:
            self._work.listing_failed(problem)
            return []
        return [HaltsSeen(files, self._folder.key)] if files else []

    def _broker_events(self) -> list[BrokerEvent]:
        events = self.broker.news()
        if any(isinstance(event, (AccountAnswered, OrderUpdate, TradeUpdate)) for event in events):
            self._views.account_changed()
        if self._days is not None:
            self._days.heard(events)
        return events

    def _file_events(self) -> list[Event]:
        events: list[Event] = []
        if not self._work.takes_writings:
            # Nobody could be answered: what lies there waits until it can be, or expires.
            return events
        while not self._again.empty():
            events.append(self._again.get_nowait())
        try:
            events += self._scan.events()
        except FolderError as problem:
            self._work.listing_failed(problem)
            return events
        self._work.listing_worked()
        return events

    def _is_of_silent_writer(self, event: Event) -> bool:
        signal = event.intake if isinstance(event, FileSeen) else None
        if not isinstance(signal, SignalFile) or signal.received.envelope is None:
            return False
        return self._core.is_silent(signal.received.envelope.writer)

    def _found_in_archive(self, signal_id: SignalId, raw: bytes) -> None:
        self._again.put(self._scan.found_in_archive(signal_id, raw))
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
            self._in_folder(action)
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

    def _in_folder(self, action: Action) -> None:
        match action:
            case PublishResult(order):
                self._work.result(order)
                if order.is_terminal:
                    self._views.settled(order)
                    self._say_end(order)
            case Archive(file_name, signal_id):
                self._scan.recorded(file_name)
                self._work.archive(file_name, signal_id)
            case AnswerAgain(signal_id):
                self._answer_again(signal_id)
            case CopyToQuarantine(file_name, raw, reason):
                self._work.quarantine(lambda: self._folder.quarantine_copy(file_name, raw, reason))
            case MoveToQuarantine(file_name, reason):
                self._work.quarantine(lambda: self._folder.quarantine_move(file_name, reason))
            case Say(level, word, fields):
                self._log.say("error" if level == "alarm" else "info", word, **fields)  # type: ignore[arg-type]
            case _:
                pass

    def _say_end(self, order: Order) -> None:
        """Once for an end and its fills: a broker that pushes trade and status apart ends an order twice."""
        end = (order.state, order.filled_shares)
        if not order.calling_at or order.is_cancel or self._ends_said.get(order.signal_id) == end:
            return
        self._ends_said[order.signal_id] = end
        self._log.say(
            "info",
            "order_ended",
            signal_id=order.signal_id,
            state=order.state,
            filled=order.filled_shares,
            sentence=order.message,
        )

    def _answer_again(self, signal_id: SignalId) -> None:
        order = self._core.book.get(signal_id) or self._ledger.order(signal_id)
        if order is not None:
            self._work.do(lambda: self._views.result_again(order))

    def _write_views(self, *, last: bool = False) -> None:
        now, monotonic = self._clock.now(), self._monotonic()
        core, ready = self._core, self._core.ready and not last
        shown = (core.halt_since, ready, self._state_word(stopped=last))
        beat = partial(self._heartbeat, shown)
        orders, pool = core.book.everything, partial(core.pool, now)
        for step in self._views.due(now, monotonic, shown, beat, orders, pool, last=last):
            self._work.show(step)
        if self._days is not None and self._days.is_due(now, last=last):
            self._work.do(partial(self._days.keep, now, last=last))

    def _applied(self) -> frozenset[SignalId]:
        return self._links.applied(self._clock.now().wall, self._rules.red_after)

    def _put_away(self) -> None:
        now = self._clock.now()
        for step in (
            self._pruner.due(now, self._applied()),
            self._copies.due(),
            *self._lost.due(now, self._applied),
        ):
            if step is not None:
                self._work.do(step)

    def _state_word(self, *, stopped: bool) -> str:
        halted = self._core.halt_since is not None
        return "stopped" if stopped else "halted" if halted else self._core.waits_for or "ready"

    def _heartbeat(self, shown: Shown) -> Heartbeat:
        halt_since, ready, state = shown
        return Heartbeat(
            role="executor",
            instance=self._rules.instance,
            ready=ready,
            state=state,
            seen={**self._seen, **self._scan.seen, **self._links.seen},
            accounts=(self._rules.account,),
            ledger_id=self._ledger.ledger_id,
            commits=self._ledger.commits,
            halt_since=halt_since,
        )


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
