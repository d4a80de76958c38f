"""The terminal's day is not the calendar's: until its daily restart its lists show the day before.

QMT clears its lists when it restarts and logs in anew in the morning, and counts its order ids from the
same number again. An executor that runs through the night reads yesterday's lists after midnight.
"""

from __future__ import annotations

from shared_schema.clock import Moment
from shared_schema.ids import OrderId, SignalId
from tests.execution.bench import OPEN_AT, Bench, alarms, of_kind, rules_of, signal_of
from windows_side.brokers.port import BrokerOrder, BrokerStatus, BrokerTrade, Readiness, ReadinessChanged
from windows_side.execution.actions import CancelAtBroker

FIRST = SignalId("BUY_159201.SZ_L1_00000001")
AN_HOUR = 3600.0


def filled_yesterday(bench: Bench) -> tuple[BrokerOrder, BrokerTrade]:
    """An order of id 7 that filled on Wednesday, as the terminal goes on showing it."""
    bench.drop(signal_of())
    bench.placed(FIRST, "7")
    trade = bench.seen_trade(order_id=OrderId("7"), shares=1000)
    order = bench.seen_order(order_id=OrderId("7"), status=BrokerStatus.FILLED, filled_shares=1000)
    bench.trade(trade)
    bench.day(order, trades=(trade,))
    bench.pass_time(3)
    bench.day(order, trades=(trade,))
    assert bench.state() == "filled"
    return order, trade


def night(bench: Bench, *orders: BrokerOrder, trades: tuple[BrokerTrade, ...] = ()) -> None:
    """Five past midnight: the terminal still lists Wednesday."""
    bench.now = Moment(OPEN_AT + 14 * AN_HOUR + 300, OPEN_AT + 14 * AN_HOUR + 300)
    bench.day(*orders, trades=trades)


def morning(bench: Bench) -> None:
    """Ten o'clock after the terminal's restart: its lists are empty."""
    bench.now = Moment(OPEN_AT + 24 * AN_HOUR, OPEN_AT + 24 * AN_HOUR)
    bench.tell(ReadinessChanged(Readiness(False, "restart")))
    bench.quote()
    bench.make_ready()


def test_yesterdays_fills_read_after_midnight_never_become_todays() -> None:
    """I5: an order of today that gets yesterday's id takes none of yesterday's trades."""
    bench = Bench(rules_of(final_read=2.0))
    order, trade = filled_yesterday(bench)
    night(bench, order, trades=(trade,))
    morning(bench)
    bench.drop(signal_of("today", price=1.19, timestamp=bench.now.wall))
    # The push comes before the call returns, as measured on the real Python layer.
    bench.update(bench.seen_order("today", order_id=OrderId("7")))
    bench.answered("today", "7")
    assert (bench.state("today"), bench.row("today").filled_shares) == ("submitted", 0)
    assert bench.core.halt_since is None


def test_an_id_given_again_after_the_night_is_no_doubt() -> None:
    """Three mornings' orders in doubt would halt the account, for nothing."""
    bench = Bench(rules_of(final_read=2.0))
    order, trade = filled_yesterday(bench)
    night(bench, order, trades=(trade,))
    morning(bench)
    bench.drop(signal_of("today", price=1.19, timestamp=bench.now.wall))
    actions = bench.answered("today", "7")
    assert (bench.state("today"), bench.row("today").order_id) == ("submitted", "7")
    assert not alarms(actions)


def test_an_order_the_night_still_showed_is_not_taken_back_by_its_id_in_the_morning() -> None:
    """Its id may be another order's by then: a cancel by it would end that one."""
    bench = Bench(rules_of(final_read=2.0))
    bench.drop(signal_of())
    bench.placed(FIRST, "7")
    order = bench.seen_order(order_id=OrderId("7"))
    night(bench, order)
    morning(bench)
    actions = bench.drop(signal_of("today", direction="SELL", timestamp=bench.now.wall))
    actions += bench.placed("today", "7")
    for _ in range(5):
        actions += bench.pass_time(6)
    assert not of_kind(actions, CancelAtBroker)
    assert bench.state("today") == "submitted"
