"""Faults 43 and 51: where absence proves nothing, only the day's whole final list closes an unknown order."""

from __future__ import annotations

from dataclasses import replace

import pytest

from shared_schema.clock import Moment
from shared_schema.ids import OrderId
from tests.execution.bench import OPEN_AT, PRICE, Bench, account_of, rules_of, signal_of
from windows_side.brokers.port import AccountAnswered, AccountState, BrokerOrder, BrokerStatus, Unclear

CLOSE = OPEN_AT + 5 * 3600 + 6 * 60
"""Six minutes past three."""


def in_doubt() -> tuple[Bench, BrokerOrder]:
    """QMT's rules; one order filled, a second one unknown. Returns the first as the broker shows it."""
    bench = Bench(rules_of(absence_is_proof=False))
    bench.drop(signal_of("s0", price=1.19))
    bench.placed("s0", "1")
    filled = bench.seen_order("s0", status=BrokerStatus.FILLED, filled_shares=1000)
    bench.trade(bench.seen_trade("s0", shares=1000))
    bench.update(filled)
    bench.pass_time(2)
    bench.drop(signal_of("s1", price=1.18, timestamp=bench.now.wall))
    bench.answer("s1", Unclear("no answer"))
    bench.pass_time(2)
    return bench, filled


def close(bench: Bench, *orders: BrokerOrder, account: AccountState, at: float = CLOSE) -> str:
    """The list and then the account, read after the close; the state of the order in doubt."""
    bench.now = Moment(at, at)
    bench.day(*orders, trades=(bench.seen_trade("s0", shares=1000),) if orders else ())
    bench.pass_time(1)
    bench.tell(AccountAnswered(account, bench.now.wall))
    return bench.state("s1")


def held(frozen_cash: float = 0.0, unusable: int = 1000) -> AccountState:
    """After the buy of s0: its 1,000 shares rest until tomorrow (T+1)."""
    plain = account_of()
    position = replace(plain.positions[0], volume=10_000 + unusable, can_use_volume=10_000)
    return AccountState(replace(plain.asset, frozen_cash=frozen_cash), (position,))


def test_the_whole_final_list_closes_it_as_not_placed() -> None:
    """After 15:05, every order we know listed, nothing frozen that the list does not explain."""
    bench, filled = in_doubt()
    assert close(bench, filled, account=held()) == "not_placed"
    assert bench.result("s1").filled_shares == 0


@pytest.mark.parametrize(
    "lie",
    ["stale list", "empty list", "too early", "frozen cash", "frozen shares"],
)
def test_anything_less_leaves_it_unknown(lie: str) -> None:
    """Empty, cut, early or unexplained: no terminal decision from it (I4)."""
    bench, filled = in_doubt()
    orders = {"stale list": (_another(filled),), "empty list": ()}.get(lie, (filled,))
    account = held(1180.0 if lie == "frozen cash" else 0.0, 2000 if lie == "frozen shares" else 1000)
    at = CLOSE - 600 if lie == "too early" else CLOSE
    assert close(bench, *orders, account=account, at=at) == "unknown"


def test_an_account_read_before_the_list_proves_nothing() -> None:
    """It may show the cash of a moment before the order froze it."""
    bench, filled = in_doubt()
    bench.now = Moment(CLOSE, CLOSE)
    bench.tell(AccountAnswered(held(), bench.now.wall))
    bench.day(filled)
    assert bench.state("s1") == "unknown"


def _another(order: BrokerOrder) -> BrokerOrder:
    return replace(order, order_id=OrderId("9"), remark="hand", price=PRICE)
