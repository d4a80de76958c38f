"""What an earlier day left in memory, and ids that the terminal gives again."""

from __future__ import annotations

import pytest

from shared_schema.ids import OrderId, SignalId
from tests.execution.bench import Bench, alarms, next_day, of_kind, rules_of, signal_of
from windows_side.brokers.port import BrokerStatus
from windows_side.execution.actions import CancelAtBroker
from windows_side.execution.events import ResolveTyped

FIRST = SignalId("BUY_159201.SZ_L1_00000001")


def morning(bench: Bench) -> None:
    """Ten o'clock of the next day, with a quote and a broker that lists nothing yet."""
    next_day(bench)
    bench.quote()
    bench.make_ready()


@pytest.mark.parametrize("restart", [False, True])
def test_a_cancel_of_yesterdays_order_never_meets_todays_of_the_same_id(restart: bool) -> None:
    """An order is of its day: the terminal may give its id again, and that order is another one's."""
    bench = Bench(rules_of(final_read=2.0))
    bench.drop(signal_of())
    bench.placed(FIRST, "7")
    next_day(bench)
    if restart:
        bench.restart(ready=False)
    bench.quote()
    actions = bench.make_ready()
    actions += bench.drop(signal_of("today", direction="SELL", timestamp=bench.now.wall))
    actions += bench.placed("today", "7")
    for _ in range(5):
        actions += bench.pass_time(6)
    assert (bench.state("today"), bench.row("today").order_id) == ("submitted", "7")
    assert not of_kind(actions, CancelAtBroker)
    assert bench.core.halt_since is None


@pytest.mark.parametrize("filled", [0, 400])
def test_yesterdays_order_whose_end_nobody_saw_is_unknown_until_a_person_ends_it(filled: int) -> None:
    """I13: alarmed and held, its code buys nothing; it neither stays open for ever nor ends by itself."""
    bench = Bench(rules_of(final_read=2.0))
    bench.drop(signal_of())
    bench.placed(FIRST, "7")
    if filled:
        bench.trade(bench.seen_trade(order_id=OrderId("7"), shares=filled))
    next_day(bench)
    bench.quote()
    assert "order_unknown" in alarms(bench.make_ready())
    assert (bench.state(), bench.row().order_id, bench.row().filled_shares) == ("unknown", "", filled)
    bench.drop(signal_of("more", price=1.19, timestamp=bench.now.wall))
    assert bench.result("more").error_code == "unknown_order"
    bench.restart()
    bench.tell(ResolveTyped(FIRST, None, "seen in the terminal"))
    ended = bench.result()
    assert (ended.is_terminal, ended.filled_shares) == (True, filled)
    assert ended.state == ("partly_cancelled" if filled else "not_placed")


def test_yesterdays_order_that_is_still_shown_is_followed_and_taken_back() -> None:
    """A simulated broker's list goes on over the night: our tag says whose it is."""
    bench = Bench()
    bench.drop(signal_of())
    bench.placed(FIRST, "7")
    order = bench.seen_order(order_id=OrderId("7"))
    next_day(bench)
    bench.quote()
    assert of_kind(bench.make_ready(order), CancelAtBroker)
    bench.update(bench.seen_order(order_id=OrderId("7"), status=BrokerStatus.CANCELLED))
    assert bench.state() == "cancelled"


def test_an_id_given_again_is_taken_without_an_alarm() -> None:
    """Yesterday's settled order says nothing about today's of the same id."""
    bench = Bench()
    bench.drop(signal_of())
    bench.placed(FIRST, "7")
    bench.trade(bench.seen_trade(order_id=OrderId("7"), shares=1000))
    bench.update(bench.seen_order(order_id=OrderId("7"), status=BrokerStatus.FILLED, filled_shares=1000))
    assert bench.state() == "filled"
    morning(bench)
    bench.drop(signal_of("today", price=1.19, timestamp=bench.now.wall))
    actions = bench.answered("today", "7")
    assert (bench.state("today"), bench.row("today").order_id) == ("submitted", "7")
    assert not alarms(actions)
