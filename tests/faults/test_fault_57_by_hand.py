"""Fault 57: what a person does at the terminal is followed: a cancelled order ends, sold shares are gone."""

from __future__ import annotations

from tests.execution.bench import Bench, account_of, signal_of
from windows_side.brokers.port import AccountAnswered, BrokerStatus


def test_an_order_cancelled_by_hand_ends_with_what_it_filled() -> None:
    """Nobody of ours asked for the cancel: partly cancelled, and the strategy gets its result."""
    bench = Bench()
    bench.drop(signal_of("s1"))
    bench.placed("s1")
    bench.trade(bench.seen_trade("s1", shares=400))
    bench.update(bench.seen_order("s1", status=BrokerStatus.PART_CANCELLED, filled_shares=400))
    assert bench.state("s1") == "partly_cancelled"
    assert bench.result("s1").filled_shares == 400 and bench.result("s1").status == "success"


def test_shares_sold_by_hand_cannot_be_sold_again() -> None:
    """The account's next answer bounds every sell; the refusal names what is left."""
    bench = Bench()
    bench.pass_time(10)
    bench.tell(AccountAnswered(account_of(sellable=300), bench.now.wall))
    bench.drop(signal_of("s1", direction="SELL", timestamp=bench.now.wall))
    assert bench.result("s1").error_code == "not_enough_shares" and "300" in bench.result("s1").message
