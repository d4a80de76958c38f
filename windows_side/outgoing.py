"""What goes out after the commit: results, archives and log lines of actions, and the views that are due."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial

from shared_schema.clock import ReplayFollower
from shared_schema.drop_folder import DropFolder
from shared_schema.ids import SignalId
from shared_schema.logs import Log
from shared_schema.messages import Heartbeat
from windows_side.aged_results import AgedResults
from windows_side.brokers.port import AccountAnswered, BrokerEvent, OrderUpdate, TradeUpdate
from windows_side.conflict_copies import ConflictCopies
from windows_side.day_keeper import DayKeeper
from windows_side.execution.actions import (
    Action,
    AnswerAgain,
    Archive,
    CopyToQuarantine,
    MoveToQuarantine,
    PublishResult,
    Say,
)
from windows_side.execution.core import ExecutorCore
from windows_side.execution.ledger import Ledger
from windows_side.execution.order import Order
from windows_side.execution.rules import Rules
from windows_side.executor_views import ExecutorViews, Shown
from windows_side.folder_work import FolderWork
from windows_side.incoming import Incoming
from windows_side.lost_results import LostResults
from windows_side.pruning import Pruner


class Outgoing:
    """Hands to the folder's worker what is due. Used by the loop alone; nothing here waits for a disk."""

    def __init__(
        self,
        folder: DropFolder,
        ledger: Ledger,
        core: ExecutorCore,
        rules: Rules,
        work: FolderWork,
        views: ExecutorViews,
        incoming: Incoming,
        clock: ReplayFollower,
        log: Log,
        monotonic: Callable[[], float],
        days: DayKeeper | None,
    ) -> None:
        self._folder = folder
        self._ledger = ledger
        self._core = core
        self._rules = rules
        self._work = work
        self._views = views
        self._incoming = incoming
        self._clock = clock
        self._log = log
        self._monotonic = monotonic
        self._days = days
        self._pruner = Pruner(
            folder, rules.calendar, monotonic, lambda count: log.say("info", "put_away", count=count)
        )
        self._aged = AgedResults(folder, ledger, rules.calendar, monotonic, self._pruner.said)
        self._lost = LostResults(views, self._pruner, core.book.everything, monotonic)
        self._copies = ConflictCopies(folder, log, lambda: clock.now().wall, monotonic)
        self._ends_said: dict[SignalId, tuple[str, int]] = {}

    # Of one action

    def perform(self, action: Action) -> None:
        """What ``action`` wants of folder and log; nothing where it is the broker's or the ledger's."""
        match action:
            case PublishResult(order):
                self._work.result(order)
                if order.is_terminal:
                    self._views.settled(order)
                    self._say_end(order)
            case Archive(file_name, signal_id):
                self._incoming.scan.recorded(file_name)
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

    def show_again(self, order: Order) -> None:
        """At the start: a result that the folder lacks, unless it was put away."""

        def show() -> None:
            if not self._pruner.has_put_away(order):
                self._views.result_if_missing(order)

        self._work.do(show)

    # By time

    def heard(self, events: Iterable[BrokerEvent]) -> None:
        """The broker's news: snapshot and day files follow them."""
        events = list(events)
        if any(isinstance(event, (AccountAnswered, OrderUpdate, TradeUpdate)) for event in events):
            self._views.account_changed()
        if self._days is not None:
            self._days.heard(events)

    def views(self, *, last: bool = False) -> None:
        """The views that are due; ``last``: the broker is closed, each goes out once more."""
        now, monotonic = self._clock.now(), self._monotonic()
        core, ready = self._core, self._core.ready and not last
        shown = (core.halt_since, ready, self._state_word(stopped=last))
        beat = partial(self._heartbeat, shown)
        orders, pool = core.book.everything, partial(core.pool, now)
        for name, step in self._views.due(now, monotonic, shown, beat, orders, pool, last=last):
            self._work.show(name, step)
        if self._days is not None and self._days.is_due(now, last=last):
            both_days = self._rules.mode == "simulate"
            self._work.do(partial(self._days.keep, now, last=last, lists_day_before=both_days))

    def put_away(self) -> None:
        """The looks that come by the minute: what is done with, conflict copies, lost results."""
        now = self._clock.now()
        for prune in (self._pruner.due(now, self._incoming.applied()), self._aged.due(now)):
            if prune is not None:
                self._work.do(prune)
        for step in (*self._copies.due(), *self._lost.due(now, self._incoming.applied)):
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
            seen=self._incoming.seen,
            accounts=(self._rules.account,),
            ledger_id=self._ledger.ledger_id,
            commits=self._ledger.commits,
            halt_since=halt_since,
        )
