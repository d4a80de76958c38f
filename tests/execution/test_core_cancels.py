"""Taking orders back: by signal before, during and after the order, and by time."""

from __future__ import annotations

from datetime import datetime

import pytest

from shared_schema.clock import Moment
from shared_schema.ids import SignalId
from shared_schema.messages import OrderSignal
from shared_schema.sessions import SHANGHAI
from tests.execution.bench import OPEN_AT, Bench, limits_of, next_day, of_kind, rules_of, signal_of
from windows_side.brokers.port import BrokerStatus, CancelReturned, Unclear
from windows_side.execution.actions import AskDay, CancelAtBroker

FIRST = SignalId("BUY_159201.SZ_L1_00000001")


def cancel_of(target: str = FIRST, **changes: object) -> OrderSignal:
    """A cancel of ``target``."""
    return signal_of("C_1", action="cancel", target_signal_id=target, **changes)


def test_a_cancel_that_comes_first_settles_its_order_as_cancelled() -> None:
    """The order is never sent; both results tell the end."""
    bench = Bench()
    bench.drop(cancel_of())
    assert bench.result("C_1").status == "pending"
    bench.drop(signal_of())
    assert (bench.state(), bench.result("C_1").status, bench.submits) == ("cancelled", "success", [])


def test_a_cancel_takes_back_an_order_that_waits_its_turn() -> None:
    """INTENT without a call: it ends here, without the broker."""
    bench = Bench(rules_of(limits=limits_of(orders_per_second=1)))
    bench.drop(signal_of("s0", shares=500))
    bench.drop(signal_of())
    bench.drop(cancel_of())
    assert (bench.state(), bench.result("C_1").status) == ("cancelled", "success")
    bench.pass_time(5)
    assert len(bench.submits) == 1


def test_a_cancel_of_a_live_order_goes_to_the_broker_and_ends_with_it() -> None:
    """Asked once; the broker's own news end both."""
    bench = Bench()
    bench.drop(signal_of())
    bench.placed(FIRST)
    actions = bench.drop(cancel_of())
    assert of_kind(actions, CancelAtBroker) == [CancelAtBroker(bench.row().order_id)]
    assert bench.result("C_1").status == "pending"
    bench.update(bench.seen_order(status=BrokerStatus.CANCELLED))
    assert (bench.state(), bench.result("C_1").status) == ("cancelled", "success")


def test_a_cancel_of_an_unknown_order_is_kept_and_sent_on_adoption() -> None:
    """There is nothing to cancel by yet; over a restart too."""
    bench = Bench()
    bench.drop(signal_of())
    bench.answer(FIRST, Unclear("timeout"))
    assert not of_kind(bench.drop(cancel_of()), CancelAtBroker)
    bench.restart()
    actions = bench.update(bench.seen_order())
    assert len(of_kind(actions, CancelAtBroker)) == 1


def test_a_cancel_of_a_settled_order_is_done_at_once() -> None:
    """Also of one settled on an earlier day, of which only the id is kept."""
    bench = Bench()
    bench.drop(signal_of())
    bench.placed(FIRST)
    bench.trade(bench.seen_trade(shares=1000))
    next_day(bench)
    bench.drop(cancel_of(timestamp=bench.now.wall))
    assert bench.result("C_1").status == "success"


def test_a_cancel_goes_on_under_a_halt() -> None:
    """I7: a halt stops orders, never cancels."""
    bench = Bench()
    bench.drop(signal_of())
    bench.placed(FIRST)
    bench.halt()
    assert of_kind(bench.drop(cancel_of()), CancelAtBroker)


def test_a_cancel_whose_order_never_comes_ends_with_the_day() -> None:
    """It does not expire within its trading day."""
    bench = Bench()
    bench.drop(cancel_of())
    bench.pass_time(4 * 3600)
    assert bench.result("C_1").status == "pending"
    next_day(bench)
    bench.pass_time(0)
    assert (bench.state("C_1"), bench.result("C_1").status) == ("expired", "failed")


def test_an_old_cancel_file_that_comes_late_in_the_day_still_cancels() -> None:
    """Expiry is for orders."""
    bench = Bench()
    bench.drop(signal_of(cancel_after_seconds=10_000))
    bench.placed(FIRST)
    bench.pass_time(1000)
    assert of_kind(bench.drop(cancel_of()), CancelAtBroker)


def test_a_refused_cancel_is_looked_into_and_asked_again() -> None:
    """The list is read at once; the next cancel follows ``cancel_retry`` seconds later, no sooner."""
    bench = Bench()
    bench.drop(signal_of())
    bench.placed(FIRST)
    bench.drop(cancel_of())
    assert of_kind(bench.tell(CancelReturned(bench.row().order_id, False, "busy")), AskDay)
    assert not of_kind(bench.pass_time(4.9), CancelAtBroker)
    assert len(of_kind(bench.pass_time(0.2), CancelAtBroker)) == 1


@pytest.mark.parametrize(("begin", "wait"), [("10:00:00", 120.0), ("11:29:00", 5520.0)])
def test_an_order_ends_by_itself_after_its_trading_time(begin: str, wait: float) -> None:
    """I13: 120 s of trading; lunch does not count."""
    hour, minute, second = (int(part) for part in begin.split(":"))
    bench = Bench()
    start = datetime(2026, 11, 18, hour, minute, second, tzinfo=SHANGHAI).timestamp()
    bench.now = Moment(start, start)
    bench.quote()
    bench.drop(signal_of(timestamp=start))
    bench.placed(FIRST)
    assert not of_kind(bench.pass_time(wait - 1), CancelAtBroker)
    assert len(of_kind(bench.pass_time(1.1), CancelAtBroker)) == 1


def test_no_cancel_is_asked_while_the_exchange_takes_none() -> None:
    """At lunch a cancel waits for the afternoon."""
    bench = Bench()
    bench.drop(signal_of(cancel_after_seconds=10_000))
    bench.placed(FIRST)
    bench.now = Moment(OPEN_AT + 2 * 3600, OPEN_AT + 2 * 3600)
    assert not of_kind(bench.drop(cancel_of(timestamp=bench.now.wall)), CancelAtBroker)
    assert len(of_kind(bench.pass_time(3600), CancelAtBroker)) == 1


def test_a_clock_set_back_does_not_stop_cancels() -> None:
    """Fault 40."""
    bench = Bench()
    bench.drop(signal_of())
    bench.placed(FIRST)
    bench.drop(cancel_of())
    bench.now = Moment(bench.now.wall - 3600, bench.now.market + 60)
    assert of_kind(bench.pass_time(0), CancelAtBroker)
