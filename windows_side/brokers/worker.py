"""The worker: makes a broker of blocking calls into the asynchronous port.

One thread runs the calls in order: submits and cancels first, queries after them. A
call that hangs is never interrupted (its order may be live): after its deadline it is
reported, its thread is left behind as a daemon and a fresh one opens the broker anew,
so that nothing else stalls. A submit's late answer is still delivered. Until the broker
is ready only submits wait, and their guard ends them; whatever else is asked then is
answered "no answer" at once, which says nothing (I4).
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable

from shared_schema.ids import OrderId
from shared_schema.words import say
from windows_side.brokers.port import (
    AccountAnswered,
    BrokerCalls,
    BrokerEvent,
    CancelReturned,
    DayAnswered,
    Guard,
    OrderRequest,
    Readiness,
    ReadinessChanged,
    Sink,
    SubmitOverran,
    SubmitReturned,
    SubmitTurnedBack,
)
from windows_side.brokers.safe_calls import SafeCalls, stopped_by
from windows_side.brokers.worker_parts import DEADLINES, MOST_HUNG, Deadlines, Job, Lane, Link

log = logging.getLogger(__name__)

_KEPT_WHEN_LATE = (SubmitReturned, SubmitTurnedBack, CancelReturned)


class BrokerWorker:
    """BrokerPort over BrokerCalls. All methods return at once and may be called from any thread."""

    def __init__(
        self,
        calls: BrokerCalls,
        sink: Sink,
        *,
        deadlines: Deadlines = DEADLINES,
        monotonic: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self.absence_is_proof = calls.absence_is_proof
        self.answers_complete = calls.answers_complete
        self._calls = SafeCalls(calls, wall)
        self._sink = sink
        self._deadlines = deadlines
        self._monotonic = monotonic
        self._wall = wall
        self._turn = threading.Condition(threading.RLock())
        self._lane: Lane | None = None
        self._link = Link(pause=deadlines.first_retry)
        self._opening: Job | None = None
        self._orders: deque[Job] = deque()
        self._queries: deque[Job] = deque()
        self._stopping = False
        self._closed = False

    # What the executor calls

    def start(self) -> None:
        """Open the broker in the worker; ReadinessChanged tells what came of it. Once only."""
        with self._turn:
            if self._lane is None:
                self._queue_open()
                self._new_lane()

    def submit(self, request: OrderRequest, guard: Guard) -> None:
        """Place an order unless ``guard`` stops it; see BrokerPort."""
        identity = request.signal_id
        job = Job(
            "submit",
            lambda lane: self._place(request, guard, lane),
            self._deadlines.submit,
            SubmitOverran(identity),
            guard,
            identity,
        )
        with self._turn:
            if self._stopping:
                self._sink(SubmitTurnedBack(identity, "stopped"))
                return
            self._orders.append(job)
            self._turn.notify_all()

    def cancel(self, order_id: OrderId) -> None:
        """Ask to take an order back; see BrokerPort."""
        unanswered = CancelReturned(order_id, False, say("broker.no_answer"))
        self._ask(
            self._orders,
            Job("cancel", lambda _: self._calls.cancel(order_id), self._deadlines.cancel, unanswered),
        )

    def ask_day(self) -> None:
        """Query orders and trades; a query that still waits in the queue serves both askers."""
        nothing = DayAnswered(None, self._wall())
        self._ask(
            self._queries,
            Job("day", lambda _: self._day(), self._deadlines.query, nothing),
        )

    def ask_account(self) -> None:
        """Query asset and positions; a query that still waits in the queue serves both askers."""
        nothing = AccountAnswered(None, self._wall())
        self._ask(
            self._queries,
            Job("account", lambda _: self._account(), self._deadlines.query, nothing),
        )

    def check_deadlines(self) -> None:
        """Report overruns, replace a hung or dead thread, try again to open, end waiting submits."""
        with self._turn:
            lane = self._lane
            if lane is None or self._stopping:
                return
            now = self._monotonic()
            if not lane.is_alive or (lane.job is not None and now - lane.started > lane.job.limit):
                self._replace(lane, now)
            self._try_again(now)
            self._end_waiting()
            if self._opening is not None:
                # For nothing else: asked at every turn, a thread that wakes stands in a signal's way.
                self._turn.notify_all()

    def stop(self, at_most: float = 5.0) -> None:
        """Turn back what waits, close the broker, end the thread within ``at_most`` seconds."""
        with self._turn:
            lane = self._lane
            self._stopping = True
            waiting, self._orders, self._opening = list(self._orders), deque(), None
            self._queries.clear()
            for job in waiting:
                if job.signal_id is not None:
                    self._sink(SubmitTurnedBack(job.signal_id, "stopped"))
            self._turn.notify_all()
        if lane is None or lane.thread is None:
            return
        lane.thread.join(at_most)
        if lane.thread.is_alive():
            with self._turn:
                lane.abandoned = True
            log.warning(say("broker.left_behind"), extra={"action": "broker_left_behind"})

    # The thread

    def _new_lane(self) -> None:
        lane = Lane()
        lane.thread = threading.Thread(target=self._run, args=(lane,), name="broker", daemon=True)
        self._lane = lane
        lane.thread.start()

    def _run(self, lane: Lane) -> None:
        while (job := self._take(lane)) is not None:
            event = job.call(lane)
            with self._turn:
                if lane.abandoned:
                    # The overrun was said already; only what ends a doubt still counts.
                    lane.job = None
                    if isinstance(event, _KEPT_WHEN_LATE):
                        self._sink(event)
                    return
                lane.job = None
                if isinstance(event, ReadinessChanged):
                    fell = self._link.readiness if self._link.dropped == self._link.number else None
                    self._note(fell or event.readiness)
                elif event is not None:
                    self._sink(event)

    def _take(self, lane: Lane) -> Job | None:
        with self._turn:
            while not lane.abandoned:
                job = self._next_job()
                if job is not None:
                    lane.job, lane.started = job, self._monotonic()
                    return job
                if self._closed:
                    return None
                self._turn.wait()
            return None

    def _next_job(self) -> Job | None:
        if self._stopping:
            if self._closed:
                return None
            self._closed = True
            return Job("close", lambda _: self._calls.close(), self._deadlines.open)
        if self._link.ready and self._orders:
            return self._orders.popleft()
        if self._opening is not None:
            job, self._opening = self._opening, None
            return job
        if not self._link.ready:
            return None
        return self._queries.popleft() if self._queries else None

    def _ask(self, queue: deque[Job], job: Job) -> None:
        with self._turn:
            if self._stopping:
                return
            if not self._link.ready:
                self._say_no_answer((job,))
            elif job.kind == "cancel" or all(waiting.kind != job.kind for waiting in queue):
                queue.append(job)
                self._turn.notify_all()

    def _say_no_answer(self, jobs: Iterable[Job]) -> None:
        for job in jobs:
            if job.no_answer is not None:
                self._sink(job.no_answer)

    # The link

    def _queue_open(self) -> None:
        self._link.number += 1
        number, renew = self._link.number, self._link.renew
        self._link.renew = False
        self._opening = Job("open", lambda _: self._open(number, renew), self._deadlines.open)

    def _open(self, number: int, renew: bool) -> BrokerEvent:
        if renew:
            self._calls.close()
        return ReadinessChanged(self._calls.open(lambda event: self._heard(number, event)))

    def _place(self, request: OrderRequest, guard: Guard, lane: Lane) -> BrokerEvent:
        if lane.abandoned:
            # Asleep past its deadline before it began: the overrun was said, so it must not begin now.
            return SubmitTurnedBack(request.signal_id, "stopped")
        return self._calls.place(request, guard)

    def _day(self) -> DayAnswered:
        with self._turn:
            in_doubt = [lane for lane in self._link.hung if lane.is_alive and lane.holds_a_submit]
        if self.absence_is_proof and in_doubt:
            # A place left behind may still reach the broker after this list was read:
            # absence from it would prove nothing, so there is no list (I4).
            return DayAnswered(None, self._wall())
        answer = self._calls.day()
        self._link.failed_query |= answer.day is None
        return answer

    def _account(self) -> AccountAnswered:
        answer = self._calls.account()
        self._link.failed_query |= answer.account is None
        return answer

    def _heard(self, number: int, event: BrokerEvent) -> None:
        """What the broker pushes; news of the link counts only from the newest link (fault 49)."""
        if not isinstance(event, ReadinessChanged):
            self._sink(event)
            return
        with self._turn:
            if number == self._link.number and not event.readiness.ready:
                # "Ready" is only believed after a query of our own.
                self._link.dropped = number
                self._note(event.readiness)

    def _note(self, readiness: Readiness) -> None:
        link = self._link
        if readiness.ready:
            link.pause = self._deadlines.first_retry
        else:
            link.retry_at = self._monotonic() + link.pause
            link.pause = min(link.pause * 2, self._deadlines.longest_retry)
        if readiness != link.readiness:
            link.readiness = readiness
            self._sink(ReadinessChanged(readiness))
        if not readiness.ready:
            unanswered = [job for job in self._orders if job.signal_id is None] + list(self._queries)
            self._orders = deque(job for job in self._orders if job.signal_id is not None)
            self._queries.clear()
            self._say_no_answer(unanswered)
        self._turn.notify_all()

    def _try_again(self, now: float) -> None:
        link, lane = self._link, self._lane
        if self._opening is not None or (
            lane is not None and lane.job is not None and lane.job.kind == "open"
        ):
            return
        link.hung = [lane for lane in link.hung if lane.is_alive]
        if link.ready:
            if not link.failed_query:
                return
            link.failed_query = False
        elif now < link.retry_at or len(link.hung) >= MOST_HUNG:
            return
        self._queue_open()

    def _replace(self, lane: Lane, now: float) -> None:
        lane.abandoned = True
        self._link.hung.append(lane)
        kind = lane.job.kind if lane.job is not None else "thread"
        log.error(say("broker.call_hung", call=kind), extra={"action": "broker_call_hung"})
        if lane.job is not None:
            self._say_no_answer((lane.job,))
        self._link.renew = True
        self._link.number += 1  # whatever the old link says of itself from now on is old
        self._note(Readiness(False, say("broker.call_hung", call=kind)))
        if kind != "open":
            self._link.retry_at = now
        self._new_lane()

    def _end_waiting(self) -> None:
        """While nothing can be placed the guards still end what has expired or was halted."""
        if self._link.ready:
            return
        still: deque[Job] = deque()
        for job in self._orders:
            reason = stopped_by(job.guard) if job.guard is not None else None
            if reason is None or job.signal_id is None:
                still.append(job)
            else:
                self._sink(SubmitTurnedBack(job.signal_id, reason))
        self._orders = still
