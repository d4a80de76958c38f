"""The risk: between the mark in the ledger and the broker an order waits, and is taken for one that arrived.

The worker has one thread: a query that hangs holds back for its whole deadline what stands behind it.
"""

from __future__ import annotations

import pytest

from shared_schema.ids import OrderId, SignalId
from tests.execution.bench import Bench, account_of, rules_of, signal_of
from windows_side.brokers.port import (
    AccountAnswered,
    BrokerEvent,
    Placed,
    SubmitOverran,
    SubmitReturned,
    SubmitTurnedBack,
)


def returned(bench: Bench, number: int) -> SubmitReturned:
    """The native call of ``s<number>`` begins and comes back now."""
    return SubmitReturned(SignalId(f"s{number}"), Placed(OrderId(str(number))), bench.now.wall)


def test_what_a_hanging_query_holds_back_leaves_in_no_burst() -> None:
    """I6: two orders a second reach the counter at most, however long the worker stood still."""
    bench = Bench()
    for number in range(6):
        bench.drop(signal_of(f"s{number}", shares=1000 + 100 * number, timestamp=bench.now.wall))
        bench.pass_time(0.6)
    assert len(bench.submits) == 2
    began: list[float] = []
    for _ in range(12):
        while len(began) < len(bench.submits):
            began.append(bench.now.wall)
            bench.tell(returned(bench, len(began) - 1))
        bench.pass_time(0.25)
    assert len(began) == 6
    assert all(sum(0 <= other - one < 1.0 for other in began) <= 2 for one in began)


@pytest.mark.parametrize(
    ("end", "state"),
    [
        (SubmitTurnedBack(SignalId("s0"), "stopped"), "submitted"),
        (SubmitOverran(SignalId("s0")), "rejected"),  # in turn it meets the unknown order of its code
    ],
    ids=["turned back", "overran"],
)
def test_a_call_that_never_answers_gives_its_turn_back(end: BrokerEvent, state: str) -> None:
    """I13: a call that was stopped, or is given up at its deadline, holds up no later order for good."""
    bench = Bench()
    for number in range(3):
        bench.drop(signal_of(f"s{number}", shares=1000 + 100 * number, timestamp=bench.now.wall))
    bench.tell(returned(bench, 1))
    bench.tell(end)
    bench.pass_time(1.1)
    assert bench.state("s2") == state


@pytest.mark.parametrize("pushed_first", [False, True])
def test_an_account_asked_after_the_mark_and_before_the_call_does_not_show_the_order(
    pushed_first: bool,
) -> None:
    """I6: its shares look free in that answer; a second sell of them is refused until a newer one."""
    bench = Bench(rules_of(final_read=2.0))
    bench.account = account_of(sellable=1000)
    bench.tell(AccountAnswered(bench.account, bench.now.wall))
    bench.drop(signal_of("s1", direction="SELL", shares=1000, price=1.2, timestamp=bench.now.wall))
    bench.pass_time(0.01)
    bench.tell(AccountAnswered(bench.account, bench.now.wall))
    bench.pass_time(0.01)
    if pushed_first:
        bench.update(bench.seen_order("s1", order_id=OrderId("1")))
    else:
        bench.tell(returned(bench, 1))
    bench.drop(signal_of("s2", direction="SELL", shares=1000, price=1.21, timestamp=bench.now.wall))
    assert bench.result("s2").error_code == "not_enough_shares"


def test_an_account_asked_after_the_call_shows_the_order() -> None:
    """What it holds free then is free: the order that filled before is not counted twice."""
    bench = Bench(rules_of(final_read=2.0))
    bench.account = account_of(sellable=2000)
    bench.tell(AccountAnswered(bench.account, bench.now.wall))
    bench.drop(signal_of("s1", direction="SELL", shares=1000, price=1.2, timestamp=bench.now.wall))
    bench.pass_time(0.01)
    bench.tell(returned(bench, 1))
    bench.update(bench.seen_order("s1", order_id=OrderId("1")))
    bench.pass_time(0.01)
    bench.tell(AccountAnswered(account_of(sellable=1000), bench.now.wall))
    bench.drop(signal_of("s2", direction="SELL", shares=1000, price=1.21, timestamp=bench.now.wall))
    assert bench.state("s2") == "submitted"
