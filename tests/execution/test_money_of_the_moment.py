"""The account is asked every few seconds: what was filled since counts too (I6)."""

from __future__ import annotations

from shared_schema.ids import SignalId
from tests.execution.bench import Bench, account_of, signal_of

FIRST = SignalId("BUY_159201.SZ_L1_00000001")


def test_cash_of_a_buy_filled_since_the_account_was_asked_is_gone() -> None:
    """The answer of before the order shows neither frozen nor spent money."""
    bench = Bench()
    bench.account = account_of(cash=1_900.0)
    bench.make_ready()
    bench.pass_time(1)
    bench.drop(signal_of())
    bench.placed(FIRST)
    bench.trade(bench.seen_trade(shares=1000))
    bench.pass_time(1)
    bench.drop(signal_of("next", price=1.19, timestamp=bench.now.wall))
    assert bench.state() == "filled"
    assert bench.result("next").error_code == "not_enough_cash"


def test_cash_of_the_filled_part_counts_as_well() -> None:
    """A part filled is no less spent than the rest is frozen."""
    bench = Bench()
    bench.account = account_of(cash=1_900.0)
    bench.make_ready()
    bench.pass_time(1)
    bench.drop(signal_of())
    bench.placed(FIRST)
    bench.trade(bench.seen_trade(shares=900))
    bench.pass_time(1)
    bench.drop(signal_of("next", price=1.19, timestamp=bench.now.wall))
    assert bench.result("next").error_code == "not_enough_cash"


def test_shares_sold_since_the_account_was_asked_are_not_sold_again() -> None:
    """Refused here, not left to the broker (fault 61); a fresh answer counts by itself."""
    bench = Bench()
    bench.account = account_of(sellable=1_500)
    bench.make_ready()
    bench.pass_time(1)
    bench.drop(signal_of("SELL_1", direction="SELL"))
    bench.placed("SELL_1")
    bench.trade(bench.seen_trade("SELL_1", shares=1000))
    bench.pass_time(1)
    bench.drop(signal_of("SELL_2", direction="SELL", price=1.21, timestamp=bench.now.wall))
    assert bench.result("SELL_2").error_code == "not_enough_shares"
    bench.account = account_of(sellable=1_000)
    bench.make_ready()
    bench.drop(signal_of("SELL_3", direction="SELL", price=1.22, timestamp=bench.now.wall))
    assert bench.state("SELL_3") == "submitted"
