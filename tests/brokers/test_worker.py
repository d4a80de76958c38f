"""The worker's calls: their answers, guards and order. Races are scripted, nothing sleeps."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from shared_schema.ids import OrderId, SignalId
from tests.brokers.contract.driver import WAIT
from tests.brokers.contract.steps import first
from tests.brokers.worker_bench import Bench, go_on, request, started, was_placed
from windows_side.brokers.port import (
    AccountAnswered,
    CancelReturned,
    DayAnswered,
    Refused,
    SubmitReturned,
    SubmitTurnedBack,
    Unclear,
)


@pytest.fixture
def bench() -> Iterator[Bench]:
    bench = Bench()
    yield bench
    bench.end()


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
