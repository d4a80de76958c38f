"""A process may die after any commit: the next one ends the same, with the one submit there was."""

from __future__ import annotations

import pytest

from shared_schema.ids import OrderId, SignalId
from tests.execution.bench import Bench, limits_of, rules_of, signal_of
from windows_side.brokers.port import BrokerStatus, OrderUpdate, Placed, SubmitReturned, TradeUpdate
from windows_side.execution.events import Event

FIRST = SignalId("BUY_159201.SZ_L1_00000001")


def news(bench: Bench) -> list[list[Event]]:
    """The life of a partly filled, cancelled order, one commit a step."""
    part = bench.seen_order(status=BrokerStatus.PART_FILLED, filled_shares=400)
    ended = bench.seen_order(status=BrokerStatus.PART_CANCELLED, filled_shares=700)
    return [
        [SubmitReturned(FIRST, Placed(OrderId("1")))],
        [OrderUpdate(bench.seen_order())],
        [TradeUpdate(bench.seen_trade(shares=400))],
        [OrderUpdate(part)],
        [TradeUpdate(bench.seen_trade(trade_id="t2", shares=300))],
        [OrderUpdate(ended)],
    ]


@pytest.mark.parametrize("dies_after", range(7))
@pytest.mark.parametrize("news_lost", [False, True])
def test_a_restart_after_any_commit_ends_the_same(dies_after: int, news_lost: bool) -> None:
    """Also where all later pushes are lost and only the day's list tells."""
    bench = Bench()
    bench.drop(signal_of())
    steps = news(bench)
    for step in steps[:dies_after]:
        bench.tell(*step)
    bench.restart()
    bench.drop(signal_of())
    for step in () if news_lost else steps[dies_after:]:
        bench.tell(*step)
    ended = bench.seen_order(status=BrokerStatus.PART_CANCELLED, filled_shares=700)
    fills = (bench.seen_trade(shares=400), bench.seen_trade(trade_id="t2", shares=300))
    bench.pass_time(3)
    bench.day(ended, trades=fills)
    row = bench.row()
    assert (row.state, row.filled_shares, row.order_id, len(bench.submits)) == (
        "partly_cancelled",
        700,
        "1",
        1,
    )
    assert bench.core.halt_since is None


def test_what_waited_its_turn_is_closed_as_not_placed() -> None:
    """Fault 5: INTENT without CALLING is proof; it is not placed after the restart."""
    bench = Bench(rules_of(limits=limits_of(orders_per_second=1)))
    bench.drop(signal_of("s0", shares=500))
    bench.drop(signal_of())
    assert bench.state() == "accepted"
    bench.restart()
    bench.pass_time(5)
    assert (bench.state(), bench.result().error_code, len(bench.submits)) == ("not_placed", "not_placed", 1)


@pytest.mark.parametrize(("is_proof", "state"), [(True, "not_placed"), (False, "unknown")])
def test_a_call_that_was_running_when_the_process_died(is_proof: bool, state: str) -> None:
    """Fault 6: CALLING without an answer; the first complete list decides only where absence is proof."""
    bench = Bench(rules_of(absence_is_proof=is_proof))
    bench.drop(signal_of())
    bench.restart()
    assert bench.state() == state
    bench.drop(signal_of())
    assert len(bench.submits) == 1


def test_a_call_that_was_running_and_went_through_is_adopted() -> None:
    """Fault 7: the tag in the first list brings the order id."""
    bench = Bench()
    bench.drop(signal_of())
    order = bench.seen_order(order_id=OrderId("77"))
    bench.restart(ready=False)
    bench.quote()
    bench.make_ready(order)
    assert (bench.state(), bench.row().order_id) == ("submitted", "77")


def test_a_halt_and_its_lifting_survive_a_restart() -> None:
    """Latched in the ledger, not in the process."""
    bench = Bench()
    bench.halt()
    bench.restart()
    assert bench.core.halt_since is not None
    bench.halt(b'{"halt": false}')
    bench.restart()
    assert bench.core.halt_since is None


def test_results_go_on_with_their_numbers() -> None:
    """Revisions and envelope numbers rise over a restart: a reader keeps the highest."""
    bench = Bench()
    bench.drop(signal_of())
    before = bench.row()
    bench.restart()
    bench.placed(FIRST)
    after = bench.row()
    assert after.revision > before.revision and after.result_seq > before.result_seq
