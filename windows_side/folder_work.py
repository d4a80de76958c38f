"""What is written into the folder after the commit: results, archives, quarantine, views.

Nothing of it is memory, so nothing waits for it: in production a thread of its own does it,
so that no fsync of a result stands in the way of the next signal. A result that is
superseded before it was written is written once, in its newest revision. In simulations
the same work is done at once by the caller.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from functools import partial

from shared_schema.drop_folder import DropFolder
from shared_schema.errors import FolderError, MessageError
from shared_schema.ids import SignalId
from shared_schema.logs import Log
from shared_schema.messages import decode_signal
from shared_schema.points import Reach, pass_by
from windows_side.execution.order import Order
from windows_side.execution.points import Point
from windows_side.executor_views import ExecutorViews, Step

RETRY = 0.5
"""Seconds after which a result that the folder refused is tried again."""
STANDS_BACK = 0.02
"""Seconds of the loop's turn in which no step begins; in a longer one, a backlog's, the views go on."""
BEHIND = 64
"""Pieces of work waiting, above which a view that is due goes first: a heartbeat can't wait for them all."""
RESULTS_TOGETHER = 32
"""Results written before the folder's fsync and the slot, which they share; behind a full group as many
steps have their turn, for a signal not moved away in time is read, and answered, once more."""
CALM = 10.0
"""Seconds without a failure after which the folder is said to work again."""

FoundInArchive = Callable[[SignalId, bytes], None]
"""Told of a signal that lay under an archived name and has another id."""
NotMoved = Callable[[str], None]
"""Told the name of a file that could not be moved away."""


class FolderWork:
    """The queue of folder work; ``threaded`` gives it a thread of its own."""

    def __init__(
        self,
        folder: DropFolder,
        views: ExecutorViews,
        log: Log,
        monotonic: Callable[[], float],
        found_in_archive: FoundInArchive,
        reach: Reach = pass_by,
        not_moved: NotMoved = lambda name: None,
        *,
        threaded: bool,
    ) -> None:
        self._folder = folder
        self._views = views
        self._log = log
        self._monotonic = monotonic
        self._found_in_archive = found_in_archive
        self._reach = reach
        self._not_moved = not_moved
        self._steps: deque[Step] = deque()
        self._first: deque[Step] = deque()
        self._shown: dict[str, Step] = {}
        self._results: dict[SignalId, Order] = {}
        self._written_together = 0
        self._steps_between = 0
        self._slot: bytes | None = None
        self._results_again_at = float("-inf")
        self._refused: set[SignalId] = set()
        self._listing_failed = self._writing_failed = self._said = False
        self._failed_at = float("-inf")
        self._problem: BaseException | None = None
        self._turn = threading.Condition()
        self._busy = self._ended = False
        self._loop_rests = True
        self._in_backlog = False
        self._stood_back_at = float("-inf")
        self._thread = (
            threading.Thread(target=self._run, name="folder work", daemon=True) if threaded else None
        )
        if self._thread is not None:
            self._thread.start()

    # What the executor asks for

    def result(self, order: Order) -> None:
        """Let the newest result of a row be written."""
        with self._turn:
            self._results[order.signal_id] = order

    def do(self, step: Step) -> None:
        """Let ``step`` be done in turn; a FolderError of it is said, not raised.

        A step that returns True has written something: the folder takes writings."""
        with self._turn:
            self._steps.append(step)

    def show(self, name: str, step: Step) -> None:
        """The same for a view that others go by: where much waits it goes first.

        What still waits for ``name`` is dropped: it must not be written after the newer one."""
        with self._turn:
            self._shown[name] = step
            behind = len(self._steps) + len(self._results) > BEHIND
            (self._first if behind else self._steps).append(partial(self._show, name))

    def archive(self, file_name: str, signal_id: SignalId) -> None:
        """Move a recorded signal's file away; what is found under its name is told of."""
        self.do(lambda: self._archive(file_name, signal_id))

    def quarantine(self, step: Step) -> None:
        """Keep a file apart."""

        def kept() -> None:
            self._reach(Point.BEFORE_QUARANTINE)
            step()
            self._reach(Point.AFTER_QUARANTINE)

        self.do(kept)

    def stand_back(self, *, backlog: bool = False) -> None:
        """The loop works: a step that has not begun waits, for disk and processor belong to the signal.

        In a ``backlog`` it waits between any two steps: what was submitted can be answered after it."""
        self._in_backlog = backlog
        self._stood_back_at = time.monotonic()
        self._loop_rests = False

    def go_on(self) -> None:
        """The loop rests: do what is due (without a thread), or raise what killed the thread (with one)."""
        if self._problem is not None:
            raise self._problem
        self._say_recovered()
        if self._thread is None:
            while self._one():
                pass
            return
        if self._in_backlog:
            return
        with self._turn:
            self._loop_rests = True
            if self._is_due():
                self._turn.notify()

    def finish(self, at_most: float = 5.0) -> None:
        """Do all that is left, what was refused once more included, within ``at_most`` seconds.

        Raises what killed the thread."""
        self._results_again_at = float("-inf")
        if self._thread is None:
            self.go_on()
            return
        deadline = time.monotonic() + at_most
        self._in_backlog = False
        with self._turn:
            self._loop_rests = True
            self._turn.notify()
            while (self._has_any() or self._busy) and time.monotonic() < deadline:
                if self._problem is not None:
                    raise self._problem
                self._turn.wait(0.05)
            self._ended = True
            self._turn.notify()
        self._thread.join(1.0)

    @property
    def takes_writings(self) -> bool:
        """Whether the last writing succeeded: where nobody could be answered nothing new is taken."""
        return not self._writing_failed

    def listing_worked(self) -> None:
        """The folder could be listed."""
        self._listing_failed = False

    def listing_failed(self, problem: FolderError) -> None:
        """The folder could not be listed."""
        self._listing_failed = True
        self._say_failed(problem)

    def _writing_worked(self) -> None:
        self._writing_failed = False

    def _did_not_write(self, problem: FolderError) -> None:
        self._writing_failed = True
        self._say_failed(problem)

    def _say_failed(self, problem: FolderError) -> None:
        """Said once, until the folder was calm for a while: one bad name must not flood the log."""
        self._failed_at = self._monotonic()
        if not self._said:
            self._said = True
            self._log.say("error", "folder_failed", problem=problem)

    def _say_recovered(self) -> None:
        calm = self._monotonic() - self._failed_at >= CALM
        if self._said and calm and not self._listing_failed and not self._writing_failed:
            self._said = False
            self._log.say("info", "folder_works_again", folder=self._folder.path)

    # The work

    def _run(self) -> None:
        try:
            while True:
                with self._turn:
                    while not self._is_due():
                        if self._ended:
                            return
                        self._turn.wait(RETRY)
                    patience = self._stood_back_at + STANDS_BACK - time.monotonic()
                    if not self._loop_rests and patience > 0:
                        self._turn.wait(patience)
                    self._busy = True
                try:
                    self._one()
                finally:
                    self._busy = False
                    if self._in_backlog:
                        self._stood_back_at = time.monotonic()
        except BaseException as problem:  # the executor's loop raises it: a dead thread is never silent
            self._problem = problem

    def _has_any(self) -> bool:
        return bool(self._first or self._steps or self._results or self._written_together)

    def _is_due(self) -> bool:
        return bool(self._first or self._steps) or self._results_are_due()

    def _results_are_due(self) -> bool:
        return bool(self._results or self._written_together) and self._monotonic() >= self._results_again_at

    def _one(self) -> bool:
        """Show what goes first, write one result or do one step; whether there was anything to do."""
        order: Order | None = None
        step: Step | None = None
        with self._turn:
            if self._first:
                step = self._first.popleft()
            elif self._results_are_due() and not (self._steps_between and self._steps):
                if self._results and self._written_together < RESULTS_TOGETHER:
                    order = self._results.pop(next(iter(self._results)))
                else:
                    step = self._end_results
            elif self._steps:
                self._steps_between = max(0, self._steps_between - 1)
                step = self._steps.popleft()
        if order is not None:
            self._write(order)
        elif step is not None:
            try:
                if step() is True:
                    self._writing_worked()
            except FolderError as problem:
                self._did_not_write(problem)
        return order is not None or step is not None

    def _show(self, name: str) -> object:
        with self._turn:
            step = self._shown.pop(name, None)
        return step() if step is not None else None

    def _end_results(self) -> None:
        """What the results written since the last time share."""
        try:
            self._views.end_results(self._slot)
        except FolderError:
            self._results_again_at = self._monotonic() + RETRY
            raise
        self._steps_between = RESULTS_TOGETHER if self._written_together >= RESULTS_TOGETHER else 0
        self._written_together, self._slot = 0, None

    def _write(self, order: Order) -> None:
        try:
            raw = self._views.result(order)
        except FolderError as problem:
            with self._turn:
                # At the end: one bad name must not hold the others; a newer revision wins.
                self._results.setdefault(order.signal_id, order)
                self._results_again_at = self._monotonic() + RETRY
            if order.signal_id in self._refused:
                self._say_failed(problem)  # told before: whether the folder takes others is another matter
            else:
                self._refused.add(order.signal_id)
                self._did_not_write(problem)
        else:
            self._written_together += 1
            self._slot = raw if order.is_terminal else self._slot
            self._refused.discard(order.signal_id)
            self._writing_worked()

    def _archive(self, file_name: str, signal_id: SignalId) -> None:
        self._reach(Point.BEFORE_ARCHIVE)
        try:
            moved = self._folder.archive(file_name, signal_id)
        except FolderError:
            self._not_moved(file_name)
            raise
        self._reach(Point.AFTER_ARCHIVE)
        if moved is None:
            return
        try:
            found = decode_signal(moved, file_name, self._folder.key).body.signal_id
        except MessageError as problem:
            if problem.signal_id is None:
                return
            found = SignalId(problem.signal_id)
        if found != signal_id:
            # Somebody put the next signal under this name between our reading and our moving.
            self._folder.rename_done(signal_id, found)
            self._found_in_archive(found, moved)
