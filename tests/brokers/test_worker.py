"""The worker: hung, raising, dying and late calls, guards, priorities. Races are scripted, nothing sleeps."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

import pytest

from shared_schema.ids import Code, OrderId, SignalId, Tag
from tests.brokers.contract.driver import WAIT, Events, Hang
from tests.brokers.contract.steps import first
from windows_side.brokers.port import (
    AccountAnswered,
    BrokerAsset,
    BrokerEvent,
    BrokerOrder,
    BrokerPosition,
    BrokerTrade,
    CancelReturned,
    DayAnswered,
    OrderRequest,
    OrderUpdate,
    PlaceAnswer,
    Placed,
    Readiness,
    ReadinessChanged,
    Refused,
    Sink,
    SubmitOverran,
    SubmitReturned,
    SubmitTurnedBack,
    Unclear,
)
from windows_side.brokers.worker import BrokerWorker
from windows_side.brokers.worker_parts import MOST_HUNG, Deadlines

LIMITS = Deadlines(open=30, submit=10, cancel=10, query=15, first_retry=1, longest_retry=60)


class Scripted:
    """BrokerCalls that do what the test put there, and keep the names of the calls made."""

    absence_is_proof = False
    answers_complete = False

    def __init__(self) -> None:
        self.called: list[str] = []
        self.steps: dict[str, Callable[[], object]] = {}
        self.sink: Sink | None = None

    def _do(self, name: str, default: object) -> object:
        self.called.append(name)
        step = self.steps.get(name.split(":")[0])
        return default if step is None else step()

    def open(self, sink: Sink) -> None:
        self.sink = sink
        self._do("open", None)

    def close(self) -> None:
        self._do("close", None)

    def probe(self) -> Readiness:
        return self._do("probe", Readiness(True))  # type: ignore[return-value]

    def place(self, request: OrderRequest) -> PlaceAnswer:
        return self._do(f"place:{request.signal_id}", Placed(OrderId("7")))  # type: ignore[return-value]

    def cancel(self, order_id: OrderId) -> CancelReturned:
        return self._do(f"cancel:{order_id}", CancelReturned(order_id, True))  # type: ignore[return-value]

    def orders(self) -> tuple[BrokerOrder, ...] | None:
        return self._do("orders", ())  # type: ignore[return-value]

    def trades(self) -> tuple[BrokerTrade, ...] | None:
        return self._do("trades", ())  # type: ignore[return-value]

    def positions(self) -> tuple[BrokerPosition, ...] | None:
        return self._do("positions", ())  # type: ignore[return-value]

    def asset(self) -> BrokerAsset | None:
        return self._do("asset", BrokerAsset(1.0, 0.0, 0.0, 1.0))  # type: ignore[return-value]


class Bench:
    """A worker over scripted calls with a clock of the test's own."""

    def __init__(self) -> None:
        self.calls = Scripted()
        self.events = Events()
        self.clock = 100.0
        self.hangs: list[Hang] = []
        self.worker = BrokerWorker(
            self.calls, self.events, deadlines=LIMITS, monotonic=lambda: self.clock, wall=lambda: 5.0
        )

    def hang(self, name: str) -> Hang:
        """The next call of ``name`` hangs; later ones answer as by default."""
        hang = Hang()
        self.hangs.append(hang)
        default = {"place": Placed(OrderId("7")), "probe": Readiness(True), "orders": ()}.get(name)

        def step() -> object:
            self.calls.steps.pop(name, None)
            hang.block()
            return default

        self.calls.steps[name] = step
        return hang

    def ready(self, count: int = 1) -> None:
        """Wait until the worker became ready for the ``count``-th time."""

        def times(seen: list[BrokerEvent]) -> bool | None:
            changes = [event for event in seen if isinstance(event, ReadinessChanged)]
            return len([change for change in changes if change.readiness.ready]) >= count or None

        self.events.wait(times)

    def later(self, seconds: float) -> None:
        self.clock += seconds
        self.worker.check_deadlines()


def request(name: str) -> OrderRequest:
    return OrderRequest(SignalId(name), Tag(f"mq{name}"), Code("159201.SZ"), "BUY", 100, 1.0)


def was_placed(name: str) -> SubmitReturned:
    return SubmitReturned(SignalId(name), Placed(OrderId("7")), started_at=5.0)


def go_on() -> None:
    return None


@pytest.fixture
def bench() -> Iterator[Bench]:
    bench = Bench()
    yield bench
    for hang in bench.hangs:
        hang.release.set()
    bench.worker.stop()


def started(bench: Bench) -> Bench:
    bench.worker.start()
    bench.ready()
    return bench


def test_overrun_then_late_answer(bench: Bench) -> None:
    """A hung place is said once, the next one goes on a fresh link, the late answer comes as it is."""
    started(bench)
    hang = bench.hang("place")
    bench.worker.submit(request("a"), go_on)
    bench.worker.submit(request("b"), go_on)
    assert hang.begun.wait(WAIT)
    bench.later(9.0)
    assert bench.events.of(SubmitOverran) == []
    bench.later(2.0)
    assert bench.events.of(SubmitOverran) == [SubmitOverran(SignalId("a"))]
    answer = bench.events.wait(lambda seen: first(seen, SubmitReturned))
    assert answer == was_placed("b")
    assert bench.calls.called[-4:] == ["close", "open", "probe", "place:b"]
    hang.release.set()
    bench.events.wait(lambda seen: True if was_placed("a") in seen else None)
    bench.later(100.0)
    assert len(bench.events.of(SubmitOverran)) == 1
    assert [call for call in bench.calls.called if call == "place:a"] == ["place:a"]


@pytest.mark.parametrize("absence_is_proof", [True, False])
def test_no_list_proves_absence_while_a_place_hangs(bench: Bench, absence_is_proof: bool) -> None:
    """Where absence is proof there is no day list until the hung place has ended: it may still reach
    the broker after the list was read. Where it is none, the list comes."""
    bench.worker.absence_is_proof = absence_is_proof
    started(bench)
    hang = bench.hang("place")
    bench.worker.submit(request("a"), go_on)
    assert hang.begun.wait(WAIT)
    bench.later(11.0)
    bench.ready(2)
    bench.worker.ask_day()
    answer = bench.events.wait(lambda seen: first(seen, DayAnswered))
    assert (answer.day is None) == absence_is_proof
    hang.release.set()
    bench.events.wait(lambda seen: first(seen, SubmitReturned))
    bench.worker.ask_day()
    bench.events.wait(
        lambda seen: True if len([e for e in seen if isinstance(e, DayAnswered)]) == 2 else None
    )
    assert bench.events.of(DayAnswered)[-1].day is not None


def test_readiness_falls_and_returns_around_a_hung_call(bench: Bench) -> None:
    """While a call hangs the broker is not ready; a fresh link that answers a query makes it so again."""
    started(bench)
    hang = bench.hang("orders")
    bench.worker.ask_day()
    assert hang.begun.wait(WAIT)
    bench.later(16.0)
    bench.ready(2)
    changes = [change.readiness.ready for change in bench.events.of(ReadinessChanged)]
    assert changes == [True, False, True]
    assert bench.events.of(DayAnswered) == [DayAnswered(None, 5.0)]
    hang.release.set()
    bench.worker.ask_account()
    bench.events.wait(lambda seen: first(seen, AccountAnswered))
    assert len(bench.events.of(DayAnswered)) == 1, "a late list is too old to be told"


def test_hung_open_is_replaced(bench: Bench) -> None:
    """An open that never returns does not keep the broker shut."""
    hang = bench.hang("open")
    bench.worker.start()
    assert hang.begun.wait(WAIT)
    bench.later(31.0)
    assert [change.readiness.ready for change in bench.events.of(ReadinessChanged)] == [False]
    bench.later(2.0)
    bench.ready()


def test_hung_threads_are_bounded(bench: Bench) -> None:
    """A terminal that hangs all night leaves a bounded number of threads behind."""
    before = threading.active_count()
    for count in range(MOST_HUNG):
        hang = bench.hang("open")
        if count == 0:
            bench.worker.start()
        else:
            bench.later(61.0)
        assert hang.begun.wait(WAIT)
        bench.later(31.0)
    opened = bench.calls.called.count("open")
    for _ in range(20):
        bench.later(61.0)
    assert bench.calls.called.count("open") == opened == MOST_HUNG
    assert threading.active_count() <= before + MOST_HUNG + 1


@pytest.mark.parametrize("answer", [None, -1, 0, "12", OrderId("12"), True, ("12",)])
def test_unusable_answer_is_unclear(bench: Bench, answer: object) -> None:
    """Whatever is not a clear answer is unclear, never refused and never placed (fault 44)."""
    started(bench)
    bench.calls.steps["place"] = lambda: answer
    bench.worker.submit(request("a"), go_on)
    returned = bench.events.wait(lambda seen: first(seen, SubmitReturned))
    assert returned.answer == Unclear(repr(answer))


def test_clear_answers_pass_as_they_are(bench: Bench) -> None:
    """A definite refusal stays one."""
    started(bench)
    bench.calls.steps["place"] = lambda: Refused("-1", "no such code")
    bench.worker.submit(request("a"), go_on)
    returned = bench.events.wait(lambda seen: first(seen, SubmitReturned))
    assert returned.answer == Refused("-1", "no such code")


def test_raising_calls_answer_and_the_thread_lives(bench: Bench) -> None:
    """place raises: unclear with the reason; cancel raises: not accepted; queries: None. Then all goes on."""
    started(bench)

    def fail() -> object:
        raise RuntimeError("counter said 乱码")

    for name in ("place", "cancel", "orders", "asset"):
        bench.calls.steps[name] = fail
    bench.worker.submit(request("a"), go_on)
    bench.worker.cancel(OrderId("9"))
    bench.worker.ask_day()
    bench.worker.ask_account()
    bench.events.wait(lambda seen: first(seen, AccountAnswered))
    assert bench.events.of(SubmitReturned)[0].answer == Unclear("RuntimeError: counter said 乱码")
    assert bench.events.of(CancelReturned) == [
        CancelReturned(OrderId("9"), False, "RuntimeError: counter said 乱码")
    ]
    assert bench.events.of(DayAnswered) == [DayAnswered(None, 5.0)]
    assert bench.events.of(AccountAnswered) == [AccountAnswered(None, 5.0)]
    bench.calls.steps.clear()
    bench.worker.submit(request("b"), go_on)
    bench.events.wait(lambda seen: True if was_placed("b") in seen else None)


@pytest.mark.parametrize("name", ["orders", "trades"])
def test_half_a_day_is_no_day(bench: Bench, name: str) -> None:
    """One failed query of two makes the whole answer None: empty is not none (fault 50)."""
    started(bench)
    bench.calls.steps[name] = lambda: None
    bench.worker.ask_day()
    assert bench.events.wait(lambda seen: first(seen, DayAnswered)).day is None


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_dead_thread_is_noticed(bench: Bench) -> None:
    """A call that ends its thread (SystemExit in a callback) counts as overrun at once; work goes on."""
    started(bench)
    begun = threading.Event()

    def die() -> object:
        bench.calls.steps.clear()
        begun.set()
        raise SystemExit

    bench.calls.steps["place"] = die
    bench.worker.submit(request("a"), go_on)
    assert begun.wait(WAIT)
    lane = bench.worker._lane
    assert lane is not None and lane.thread is not None
    lane.thread.join(WAIT)
    bench.worker.check_deadlines()
    assert bench.events.of(SubmitOverran) == [SubmitOverran(SignalId("a"))]
    bench.worker.submit(request("b"), go_on)
    bench.events.wait(lambda seen: True if was_placed("b") in seen else None)


def test_guard_is_looked_at_directly_before_the_call(bench: Bench) -> None:
    """A halt that comes while the order waits its turn stops it; nothing lies between guard and call."""
    started(bench)
    hang = bench.hang("orders")
    bench.worker.ask_day()
    assert hang.begun.wait(WAIT)
    halted = False

    def guard() -> str | None:
        bench.calls.called.append("guard")
        return "halt" if halted else None

    bench.worker.submit(request("a"), guard)
    halted = True
    hang.release.set()
    bench.events.wait(lambda seen: first(seen, SubmitTurnedBack))
    halted = False
    bench.worker.submit(request("b"), guard)
    bench.events.wait(lambda seen: first(seen, SubmitReturned))
    assert bench.events.of(SubmitTurnedBack) == [SubmitTurnedBack(SignalId("a"), "halt")]
    assert bench.calls.called[-2:] == ["guard", "place:b"]
    assert "place:a" not in bench.calls.called


def test_guard_that_raises_counts_as_halt(bench: Bench) -> None:
    """Whether trading is halted can't be told: nothing is placed."""
    started(bench)

    def guard() -> str | None:
        raise OSError("folder gone")

    bench.worker.submit(request("a"), guard)
    assert bench.events.wait(lambda seen: first(seen, SubmitTurnedBack)).reason == "halt"
    assert "place:a" not in bench.calls.called


def test_submits_overtake_queries(bench: Bench) -> None:
    """Orders and cancels keep their order and go before every query that waits; equal queries become one."""
    started(bench)
    hang = bench.hang("orders")
    bench.worker.ask_day()
    assert hang.begun.wait(WAIT)
    bench.worker.ask_account()
    bench.worker.ask_day()
    bench.worker.ask_account()
    bench.worker.submit(request("a"), go_on)
    bench.worker.cancel(OrderId("3"))
    bench.worker.submit(request("b"), go_on)
    hang.release.set()
    bench.events.wait(
        lambda seen: True if len([e for e in seen if isinstance(e, DayAnswered)]) == 2 else None
    )
    assert bench.calls.called[2:] == [
        *("orders", "trades", "place:a", "cancel:3", "place:b"),
        *("asset", "positions", "orders", "trades"),
    ]


def test_only_submits_wait_for_readiness(bench: Bench) -> None:
    """Before the broker is ready queries answer None at once; a submit waits, and its guard may end it."""
    bench.calls.steps["probe"] = lambda: Readiness(False, "terminal locked")
    bench.worker.start()
    bench.events.wait(lambda seen: first(seen, ReadinessChanged))
    bench.worker.ask_day()
    bench.worker.ask_account()
    bench.worker.cancel(OrderId("3"))
    assert bench.events.of(DayAnswered) == [DayAnswered(None, 5.0)]
    assert bench.events.of(AccountAnswered) == [AccountAnswered(None, 5.0)]
    assert not bench.events.of(CancelReturned)[0].accepted
    verdicts: dict[str, str | None] = {"a": None, "b": None}
    bench.worker.submit(request("a"), lambda: verdicts["a"])
    bench.worker.submit(request("b"), lambda: verdicts["b"])
    bench.worker.check_deadlines()
    assert bench.events.of(SubmitTurnedBack) == []
    verdicts["a"] = "expired"
    bench.worker.check_deadlines()
    assert bench.events.of(SubmitTurnedBack) == [SubmitTurnedBack(SignalId("a"), "expired")]
    bench.calls.steps.clear()
    bench.later(2.0)
    returned = bench.events.wait(lambda seen: first(seen, SubmitReturned))
    assert returned.signal_id == "b"
    assert "place:a" not in bench.calls.called


def test_retries_back_off_and_tell_only_changes(bench: Bench) -> None:
    """Attempts come after 1, 2, 4 ... at most 60 seconds; the same answer again is not told again."""
    refused = threading.Semaphore(0)

    def no() -> object:
        refused.release()
        return Readiness(False, "not logged in")

    bench.calls.steps["probe"] = no
    bench.worker.start()
    assert refused.acquire(timeout=WAIT)
    bench.events.wait(lambda seen: first(seen, ReadinessChanged))
    for pause in (1, 2, 4, 8, 16, 32, 60, 60):
        settle(bench)
        probes = bench.calls.called.count("probe")
        bench.later(pause - 0.5)
        settle(bench)
        assert bench.calls.called.count("probe") == probes, f"too early before {pause} s"
        bench.later(0.5)
        assert refused.acquire(timeout=WAIT)
    assert bench.events.of(ReadinessChanged) == [ReadinessChanged(Readiness(False, "not logged in"))]


def settle(bench: Bench) -> None:
    """Until the thread has nothing left to do: it then holds no job."""
    while True:
        with bench.worker._turn:
            lane = bench.worker._lane
            if bench.worker._opening is None and lane is not None and lane.job is None:
                return


def test_pushed_loss_of_the_link_counts_from_the_newest_link_only(bench: Bench) -> None:
    """A disconnect of the link in use makes it not ready, an old link's does not; orders always count."""
    started(bench)
    old = bench.calls.sink
    assert old is not None
    old(ReadinessChanged(Readiness(False, "disconnected")))
    bench.later(2.0)
    bench.ready(2)
    assert bench.calls.sink is not old
    told = len(bench.events.of(ReadinessChanged))
    old(ReadinessChanged(Readiness(False, "late news")))
    old(OrderUpdate(BrokerOrder(OrderId("1"), Code("159201.SZ"), "BUY", 1.0, 100, 0, 50)))
    assert len(bench.events.of(ReadinessChanged)) == told == 3
    assert len(bench.events.of(OrderUpdate)) == 1


def test_pushed_ready_is_not_believed(bench: Bench) -> None:
    """Only a query of our own that passed makes the broker ready (fault 58)."""
    bench.calls.steps["probe"] = lambda: Readiness(False, "no")
    bench.worker.start()
    bench.events.wait(lambda seen: first(seen, ReadinessChanged))
    assert bench.calls.sink is not None
    bench.calls.sink(ReadinessChanged(Readiness(True)))
    assert [change.readiness.ready for change in bench.events.of(ReadinessChanged)] == [False]


def test_loss_during_the_probe_is_not_overwritten_by_it(bench: Bench) -> None:
    """The link tells of its end while its own probe passes: it is not ready until a later attempt."""

    def probe() -> object:
        assert bench.calls.sink is not None
        bench.calls.sink(ReadinessChanged(Readiness(False, "disconnected")))
        return Readiness(True)

    bench.calls.steps["probe"] = probe
    bench.worker.start()
    bench.events.wait(lambda seen: first(seen, ReadinessChanged))
    settle(bench)
    assert [change.readiness.ready for change in bench.events.of(ReadinessChanged)] == [False]
    bench.calls.steps.clear()
    bench.later(3.0)
    bench.ready()


def test_failed_query_is_followed_by_a_probe(bench: Bench) -> None:
    """A link that no longer answers queries is found out without waiting for a disconnect message."""
    started(bench)
    bench.calls.steps["orders"] = lambda: None
    bench.calls.steps["probe"] = lambda: Readiness(False, "logged out")
    bench.worker.ask_day()
    bench.events.wait(lambda seen: first(seen, DayAnswered))
    bench.worker.check_deadlines()
    bench.events.wait(lambda seen: True if ReadinessChanged(Readiness(False, "logged out")) in seen else None)


def test_stop_turns_back_what_waits_and_closes(bench: Bench) -> None:
    """What had not begun is told as turned back, and the broker is closed by its own thread."""
    started(bench)
    hang = bench.hang("place")
    bench.worker.submit(request("a"), go_on)
    bench.worker.submit(request("b"), go_on)
    assert hang.begun.wait(WAIT)
    stopper = threading.Thread(target=bench.worker.stop)
    stopper.start()
    bench.events.wait(lambda seen: first(seen, SubmitTurnedBack))
    hang.release.set()
    stopper.join(WAIT)
    assert bench.events.of(SubmitTurnedBack) == [SubmitTurnedBack(SignalId("b"), "stopped")]
    assert bench.events.of(SubmitReturned) == [was_placed("a")]
    assert bench.calls.called[-1] == "close"
    bench.worker.submit(request("c"), go_on)
    assert bench.events.of(SubmitTurnedBack)[-1] == SubmitTurnedBack(SignalId("c"), "stopped")


def test_stop_leaves_a_hung_call_behind(bench: Bench) -> None:
    """stop returns in its time; the hung call's late answer is still told."""
    started(bench)
    hang = bench.hang("place")
    bench.worker.submit(request("a"), go_on)
    assert hang.begun.wait(WAIT)
    bench.worker.stop(at_most=0.0)
    hang.release.set()
    bench.events.wait(lambda seen: first(seen, SubmitReturned))


def test_asleep_past_its_deadline_before_it_began(bench: Bench) -> None:
    """A thread that was paused before the call finds its overrun said, and does not place any more."""
    started(bench)
    lane = bench.worker._lane
    assert lane is not None
    lane.abandoned = True
    answer = bench.worker._place(request("a"), go_on, lane)
    lane.abandoned = False
    assert answer == SubmitTurnedBack(SignalId("a"), "stopped")
    assert "place:a" not in bench.calls.called
