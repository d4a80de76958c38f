"""The worker where a call hangs, comes late or ends its thread: said once, replaced, bounded."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from shared_schema.ids import SignalId
from tests.brokers.contract.driver import WAIT
from tests.brokers.contract.steps import first
from tests.brokers.worker_bench import Bench, go_on, request, started, was_placed
from windows_side.brokers.port import (
    AccountAnswered,
    DayAnswered,
    ReadinessChanged,
    SubmitOverran,
    SubmitReturned,
    SubmitTurnedBack,
)
from windows_side.brokers.worker_parts import MOST_HUNG


@pytest.fixture
def bench() -> Iterator[Bench]:
    bench = Bench()
    yield bench
    bench.end()


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
