"""Fault 56: orders placed by hand or by other programs count in the day's limits, and are never touched."""

from __future__ import annotations

from dataclasses import replace

import pytest

from shared_schema.ids import Code, OrderId, TradeId
from tests.execution.bench import (
    FUND,
    OPEN_AT,
    OTHER_FUND,
    Bench,
    envelope_of,
    limits_of,
    next_day,
    of_kind,
    rules_of,
    signal_of,
)
from windows_side.brokers.port import BrokerOrder, BrokerStatus, BrokerTrade, Placed
from windows_side.execution.actions import CancelAtBroker


def by_hand(number: int, **changes: object) -> BrokerOrder:
    """A buy of 1000 shares at 1.20 yuan that a person placed."""
    plain = BrokerOrder(
        OrderId(f"f{number}"), FUND, "BUY", 1.2, 1000, 0, BrokerStatus.REPORTED, "by hand", "", OPEN_AT
    )
    return replace(plain, **changes)  # type: ignore[arg-type]


def refused(bench: Bench, signal_id: str = "s1", **changes: object) -> str:
    """Drop a signal; its error code, "" where it was let through."""
    wall = bench.now.wall
    bench.drop(signal_of(signal_id, timestamp=wall, **changes), envelope_of(written_at=wall))
    return bench.row(signal_id).error_code


@pytest.mark.parametrize(("foreign", "code"), [(2, ""), (3, "orders_per_day")])
def test_the_days_count_includes_them(foreign: int, code: str) -> None:
    """Three a day are allowed: with three by hand ours is refused, with two it is the third."""
    bench = Bench(rules_of(limits=limits_of(orders_per_day=3)))
    bench.day(*(by_hand(number) for number in range(foreign)))
    bench.day(*(by_hand(number) for number in range(foreign)))
    assert refused(bench) == code and len(bench.submits) == (not code)


@pytest.mark.parametrize(
    ("order", "code"),
    [
        (by_hand(1), "turnover"),
        (by_hand(1, direction="SELL"), "turnover"),
        (by_hand(1, code=OTHER_FUND), ""),
        (by_hand(1, status=BrokerStatus.CANCELLED), ""),
        (by_hand(1, status=BrokerStatus.FILLED, filled_shares=1000), "turnover"),
        (by_hand(1, status=BrokerStatus.PART_CANCELLED, filled_shares=300), ""),
        (by_hand(1, time=OPEN_AT - 86_400), ""),
        (by_hand(1, time=0.0), "turnover"),
    ],
    ids=["open", "a sell", "another code", "cancelled", "filled", "300 of it", "yesterday's", "undated"],
)
def test_the_turnover_of_a_code_includes_what_they_filled_or_may_fill(order: BrokerOrder, code: str) -> None:
    """2,000 yuan a code and day are allowed, ours is 1,200: only 800 may be others'."""
    bench = Bench(rules_of(limits=limits_of(turnover_yuan=2000.0)))
    bench.day(order)
    assert refused(bench) == code
    sell = refused(bench, "s2", direction="SELL", shares=500)
    assert sell == "", "turnover refuses buys only"


def test_their_fills_count_at_their_own_prices() -> None:
    """A market order has no price of its own: its trades tell the money, each once."""
    bench = Bench(rules_of(limits=limits_of(turnover_yuan=2000.0)))
    bench.update(by_hand(1, price=0.0, status=BrokerStatus.FILLED, filled_shares=1000))
    trade = BrokerTrade(TradeId("t9"), OrderId("f1"), FUND, "BUY", 0.5, 1000, OPEN_AT, "by hand")
    bench.trade(trade)
    bench.trade(trade)
    assert bench.core._desk.foreign.turnover_on("2026-11-18", Code(FUND)) == 500.0
    assert refused(bench) == ""


def test_one_that_turns_out_ours_is_counted_once() -> None:
    """Its push came before the answer that names it, without a remark: ours counts in our own tally only."""
    bench = Bench(rules_of(limits=limits_of(orders_per_day=2)))
    bench.drop(signal_of())
    bench.update(bench.seen_order(order_id=OrderId("1"), remark=""))
    bench.answer("BUY_159201.SZ_L1_00000001", Placed(OrderId("1")))
    bench.pass_time(15)
    assert refused(bench, "s2", price=1.199) == ""


def test_they_are_never_cancelled_and_count_for_their_day_only() -> None:
    """Nothing is sent for them, and the next day begins at nought."""
    bench = Bench(rules_of(limits=limits_of(orders_per_day=1)))
    bench.day(by_hand(1))
    assert refused(bench) == "orders_per_day"
    next_day(bench)
    bench.quote()
    bench.make_ready()
    assert refused(bench, "s2") == ""
    assert not of_kind(bench.actions, CancelAtBroker)
