"""The worker and the link: only a query of our own that passed makes the broker ready."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from shared_schema.ids import Code, OrderId, SignalId
from tests.brokers.contract.driver import WAIT
from tests.brokers.contract.steps import first
from tests.brokers.worker_bench import Bench, request, started
from windows_side.brokers.port import (
    AccountAnswered,
    BrokerOrder,
    CancelReturned,
    DayAnswered,
    OrderUpdate,
    Readiness,
    ReadinessChanged,
    SubmitReturned,
    SubmitTurnedBack,
)


@pytest.fixture
def bench() -> Iterator[Bench]:
    bench = Bench()
    yield bench
    bench.end()


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
