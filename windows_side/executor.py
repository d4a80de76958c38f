"""The executor's shell: moves data between folder, broker, ledger and core, and decides nothing.

Every turn collects what happened, asks the core, makes all it wants recorded durable in
one commit, and only then performs the rest. A commit that fails ends the process: what
is not known to be durable must not be built on.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from shared_schema.clock import Moment, ReplayFollower
from shared_schema.drop_folder import DropFolder, Found, Name, NameKind
from shared_schema.drop_folder.names import QUOTE
from shared_schema.errors import BrokerError, FolderError, MessageError
from shared_schema.ids import Code, SignalId
from shared_schema.logs import Log
from shared_schema.messages import Heartbeat, Quote, Received, Seen, decode_quote, reads_as_halt
from shared_schema.messages.record import UNSIGNED
from shared_schema.watch import FolderWatch
from windows_side.brokers.port import (
    AccountAnswered,
    BrokerEvent,
    BrokerPort,
    OrderUpdate,
    SubmitReturned,
    TradeUpdate,
)
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
)
from windows_side.execution.core import ExecutorCore
from windows_side.execution.events import Event, FileSeen, HaltsSeen, QuoteSeen, TimePassed
from windows_side.execution.intake import RefusedFile, SignalFile, SignalIntake
from windows_side.execution.ledger import Change, Ledger
from windows_side.execution.order import Order
from windows_side.execution.rules import Rules
from windows_side.executor_views import ExecutorViews, seen_of

FILES_A_TURN = 64
"""Signals taken in one turn, so that a backlog does not starve the broker's events."""
LOOK_AGAIN = 0.5
"""Seconds after which a file that was left alone is looked at again though it has not changed."""


class FeedsMarket(Protocol):
    """A simulated broker, which knows the market by what it is fed."""

    def feed(self, quotes: Mapping[Code, Quote], now: Moment) -> None:
        """Match resting orders against new quotes."""


class KeyboardOrders(Protocol):
    """What people typed on this host for the running executor (resume, rebind)."""

    def take(self) -> list[Event]:
        """The events typed since the last call."""


@dataclass
class _LeftAlone:
    fingerprint: tuple[int, int, int]
    look_at: float


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
    ) -> None:
        self._folder = folder
        self._ledger = ledger
        self._core = core
        self._rules = rules
        self._views = views
        self._watch = watch
        self._keyboard = keyboard
        self._clock = clock
        self._log = log
        self._monotonic = monotonic
        self._intake = SignalIntake(folder.key)
        self._inbox: queue.SimpleQueue[BrokerEvent] = queue.SimpleQueue()
        self._broker: BrokerPort | None = None
        self._market: FeedsMarket | None = None
        self._left_alone: dict[str, _LeftAlone] = {}
        self._quote_fingerprint: tuple[int, int, int] | None = None
        self._seen: dict[str, Seen] = {}
        self._folder_failed = False
        self._said_unsigned: set[str] = set()
        self._results_due: dict[SignalId, Order] = {}
        self._results_again_at = float("-inf")

    # Wiring

    def heard(self, event: BrokerEvent) -> None:
        """The broker's sink: takes an event from any thread and wakes the loop."""
        self._inbox.put(event)
        self._watch.wake()

    def attach(self, broker: BrokerPort, market: FeedsMarket | None) -> None:
        """Give the executor its broker, and the market to feed where the broker is a simulated one."""
        self._broker = broker
        self._market = market

    @property
    def _port(self) -> BrokerPort:
        if self._broker is None:
            raise RuntimeError("attach a broker before the executor starts")
        return self._broker

    def is_without_market(self, code: Code) -> bool:
        """Whether a simulated order of ``code`` has nothing to match against: OFFLINE, or no fresh quote."""
        age = self._core.quote_age(code, self._clock.now())
        return self._rules.offline or age > self._rules.limits.max_quote_age_seconds

    # The loop

    def run(self, stop: threading.Event) -> None:
        """Work until ``stop`` is set. Raises StateError where the ledger fails."""
        self.start()
        while not stop.is_set():
            self.turn()
            self._watch.wait()
        self.end()

    def start(self) -> None:
        """Look at the quotes first (they carry the market clock), then at the ledger, then at the broker."""
        self._perform(self._quote_events())
        self._perform_actions(self._core.start(self._clock.now()))
        for order in self._core.book.everything():
            self._tolerantly(lambda order=order: self._views.result_if_missing(order))  # type: ignore[misc]
        self._port.start()

    def turn(self) -> None:
        """One round: quotes, halts, the broker's news, files, time, views."""
        self._port.check_deadlines()
        self._perform(self._quote_events())
        self._perform(self._halt_events())
        self._perform(self._broker_events())
        self._perform(self._keyboard.take())
        self._perform(self._file_events())
        self._perform([TimePassed()])
        self._write_views()

    def end(self) -> None:
        """Stop cleanly: the broker's worker, then a last look of the views."""
        self._port.stop()
        self._perform(self._broker_events())
        self._write_views(last=True)

    # What happened

    def _quote_events(self) -> Iterable[Event]:
        try:
            entry = self._folder.stat(QUOTE)
            if entry is None or entry.fingerprint == self._quote_fingerprint:
                return []
            raw = self._folder.read_large(QUOTE)
            if raw is None:
                return []
            received = decode_quote(raw, QUOTE, self._folder.key)
        except MessageError as problem:
            self._say_unsigned(QUOTE, problem)
            return []  # half a quote file is normal: its age tells how long it lasts
        except FolderError:
            return []
        self._quote_fingerprint = entry.fingerprint
        envelope = received.envelope
        if envelope is not None:
            self._seen["shared_quote"] = seen_of(envelope, self._clock.now().wall)
            if self._rules.mode == "simulate":
                self._clock.quote_seen(envelope.written_at, envelope.market_time)
            self._feed_market(received.body.quotes)
        return [QuoteSeen(received)]

    def _say_unsigned(self, name: str, problem: MessageError) -> None:
        """Once: a file that is whole and not signed with our key will never become usable."""
        if problem.error_code in UNSIGNED and name not in self._said_unsigned:
            self._said_unsigned.add(name)
            self._log.say("error", "not_signed", file=name)

    def _feed_market(self, quotes: Mapping[Code, Quote]) -> None:
        if self._market is None:
            return
        try:
            self._market.feed(quotes, self._clock.now())
        except BrokerError as problem:
            # Nothing of that step happened; the next quote matches again.
            self._log.say("error", "market_not_fed", problem=problem)

    def _halt_events(self) -> Iterable[Event]:
        try:
            files = self._folder.halts()
        except FolderError as problem:
            self._folder_says(problem)
            return []
        return [HaltsSeen(files, self._folder.key)] if files else []

    def _broker_events(self) -> Iterable[Event]:
        events: list[Event] = []
        while True:
            try:
                events.append(self._inbox.get_nowait())
            except queue.Empty:
                break
        if any(isinstance(event, (AccountAnswered, OrderUpdate, TradeUpdate)) for event in events):
            self._views.account_changed()
        for event in events:
            if isinstance(event, SubmitReturned):
                self._say_latency(event)
        return events

    def _say_latency(self, event: SubmitReturned) -> None:
        order = self._core.book.get(event.signal_id)
        if order is not None and order.file_time and event.started_at:
            taken = round((event.started_at - order.file_time) * 1000, 3)
            self._log.say("info", "order_submitted", signal_id=event.signal_id, milliseconds=taken)

    def _file_events(self) -> list[Event]:
        try:
            found = self._folder.scan()
        except FolderError as problem:
            self._folder_says(problem)
            return []
        self._folder_works()
        self._intake.forget_missing({file.name.text for file in found})
        wanted = (NameKind.SIGNAL, NameKind.SIGNAL_SLOT, NameKind.CONFLICT)
        due = [file for file in found if file.name.kind in wanted and self._is_due(file)]
        return [event for file in due[:FILES_A_TURN] for event in self._look(file)]

    def _is_due(self, file: Found) -> bool:
        left = self._left_alone.get(file.name.text)
        return left is None or left.fingerprint != file.entry.fingerprint or self._monotonic() >= left.look_at

    def _look(self, file: Found) -> list[Event]:
        name = file.name.text
        self._left_alone[name] = _LeftAlone(file.entry.fingerprint, self._monotonic() + LOOK_AGAIN)
        try:
            raw = self._folder.read(name)
        except FolderError as problem:
            self._log.say("warning", "file_unreadable", file=name, problem=problem)
            return []
        if raw is None:
            return []
        return [self._file_seen(file.name, raw, file.entry.modified_ns / 1e9)]

    def _file_seen(self, name: Name, raw: bytes, file_time: float) -> FileSeen:
        intake = self._intake.look(name, raw, self._clock.now(), self._monotonic())
        if isinstance(intake, SignalFile):
            self._note(intake.received)
        return FileSeen(name, raw, intake, file_time)

    def _note(self, received: Received[Any]) -> None:
        envelope = received.envelope
        if envelope is None:
            return
        stream = f"signals.{received.body.strategy}"
        newest = self._seen.get(stream)
        if newest is None or (newest.epoch, newest.seq) < (envelope.epoch, envelope.seq):
            self._seen[stream] = seen_of(envelope, self._clock.now().wall)

    # What is done about it

    def _perform(self, events: Iterable[Event]) -> None:
        now = self._clock.now()
        actions: list[Action] = []
        for event in events:
            actions += self._core.handle(event, now)
        self._perform_actions(actions)

    def _perform_actions(self, actions: list[Action]) -> None:
        change = _change_of(actions)
        if not change.is_empty:
            self._ledger.commit(change)
        for action in actions:
            if isinstance(action, (Submit, CancelAtBroker, AskDay, AskAccount)):
                self._to_broker(action)
        for action in actions:
            if isinstance(action, PublishResult):
                self._results_due[action.order.signal_id] = action.order
        self._publish_results()
        for action in actions:
            self._in_folder(action)

    def _publish_results(self, *, last: bool = False) -> None:
        """Write the results that are due; what the folder refuses stays due and is tried again."""
        if not last and self._monotonic() < self._results_again_at:
            return
        for signal_id, order in list(self._results_due.items()):
            del self._results_due[signal_id]
            try:
                self._views.result(order)
            except FolderError as problem:
                self._results_due[signal_id] = order  # at the end: one bad name must not hold the others
                self._results_again_at = self._monotonic() + LOOK_AGAIN
                self._folder_says(problem)
                return

    def _to_broker(self, action: Submit | CancelAtBroker | AskDay | AskAccount) -> None:
        match action:
            case Submit(request, expires_at):
                if self._rules.mode == "simulate":
                    self._log.say(
                        "info",
                        "simulated_order",
                        signal_id=request.signal_id,
                        code=request.code,
                        direction=request.direction,
                        shares=request.shares,
                        price=request.price,
                    )
                else:
                    self._log.say("info", "order_sent", signal_id=request.signal_id, tag=request.tag)
                self._port.submit(request, lambda: self.stops(expires_at))
            case CancelAtBroker(order_id):
                self._port.cancel(order_id)
            case AskDay():
                self._port.ask_day()
            case AskAccount():
                self._port.ask_account()

    def stops(self, expires_at: float) -> str | None:
        """The guard, looked at in the worker directly before the native call: "halt", "expired" or None."""
        if self._core.halt_since is not None:
            return "halt"
        try:
            if any(
                reads_as_halt(raw, self._folder.key, name)[0] and not self._core.was_lifted(name, raw)
                for name, raw in self._folder.halts().items()
            ):
                return "halt"
        except FolderError:
            # Whether a halt lies there can't be known: the one safe answer is to place nothing.
            return "halt"
        return "expired" if self._clock.now().wall > expires_at else None

    def _in_folder(self, action: Action) -> None:
        match action:
            case Archive(file_name, signal_id):
                self._tolerantly(lambda: self._archive(file_name, signal_id))
            case AnswerAgain(signal_id):
                self._tolerantly(lambda: self._answer_again(signal_id))
            case CopyToQuarantine(file_name, raw, reason):
                self._tolerantly(lambda: self._folder.quarantine_copy(file_name, raw, reason))
            case MoveToQuarantine(file_name, reason):
                self._tolerantly(lambda: self._folder.quarantine_move(file_name, reason))
            case Say(level, word, fields):
                self._log.say("error" if level == "alarm" else "info", word, **fields)  # type: ignore[arg-type]
            case _:
                pass

    def _archive(self, file_name: str, signal_id: SignalId) -> None:
        moved = self._folder.archive(file_name, signal_id)
        self._left_alone.pop(file_name, None)
        if moved is None:
            return
        name = Name(file_name, NameKind.SIGNAL_SLOT)
        seen = self._file_seen(name, moved, self._clock.now().wall)
        match seen.intake:
            case SignalFile(received):
                found = received.body.signal_id
            case RefusedFile(found):
                pass
            case _:
                return
        if found != signal_id:
            # Somebody put the next signal under this name between our reading and our moving.
            self._perform([seen])
            self._folder.rename_done(signal_id, found)

    def _answer_again(self, signal_id: SignalId) -> None:
        order = self._core.book.get(signal_id) or self._ledger.order(signal_id)
        if order is not None:
            self._views.result_if_missing(order)

    def _write_views(self, *, last: bool = False) -> None:
        now, monotonic = self._clock.now(), self._monotonic()
        self._publish_results(last=last)
        self._tolerantly(lambda: self._views.time_passed(now, monotonic, force=last))
        self._tolerantly(lambda: self._views.restore(self._core.book.everything, now, monotonic))
        if not last:  # the broker is closed by then
            self._tolerantly(lambda: self._views.snapshot(now, monotonic))
        self._tolerantly(lambda: self._views.heartbeat(now, monotonic, self._heartbeat(stopped=last)))

    def _heartbeat(self, *, stopped: bool) -> Heartbeat:
        halted = self._core.halt_since is not None
        state = "stopped" if stopped else "halted" if halted else self._core.waits_for or "ready"
        return Heartbeat(
            role="executor",
            instance=self._rules.instance,
            ready=self._core.ready and not stopped,
            state=state,
            seen=dict(self._seen),
            accounts=(self._rules.account,),
            ledger_id=self._ledger.ledger_id,
            commits=self._ledger.commits,
            halt_since=self._core.halt_since,
        )

    # Failures of the folder stop nothing that is durable

    def _tolerantly(self, step: Callable[[], object]) -> None:
        try:
            step()
        except FolderError as problem:
            self._folder_says(problem)

    def _folder_says(self, problem: FolderError) -> None:
        if not self._folder_failed:
            self._folder_failed = True
            self._log.say("error", "folder_failed", problem=problem)

    def _folder_works(self) -> None:
        if self._folder_failed:
            self._folder_failed = False
            self._log.say("info", "folder_recovered", folder=self._folder.path)


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
