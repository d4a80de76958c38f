"""The terminal's records as our own: what another client placed keeps an identity of its own."""

from __future__ import annotations

import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests.execution.bench import FUND, Bench, limits_of, rules_of, signal_of
from windows_side.brokers.port import BrokerEvent, BrokerPosition, ReadinessChanged
from windows_side.brokers.qmt import QmtAccount, QmtCalls, no_record
from windows_side.brokers.qmt_fields import FieldError, asset_of, order_of, position_of, trade_of
from windows_side.brokers.qmt_session import _Heard
from windows_side.brokers.qmt_session_ids import SessionIds


def native(order_id: int, counters: str, **changes: Any) -> SimpleNamespace:
    """A buy of 1000 shares as a phone's order is shown: without remark, filled."""
    plain = {
        "order_id": order_id, "order_sysid": counters, "stock_code": FUND, "order_type": 23, "price": 1.2,
        "order_volume": 1000, "traded_volume": 1000, "order_status": 56, "order_remark": "",
        "traded_id": f"t{counters}", "traded_price": 1.2,
    }  # fmt: skip
    return SimpleNamespace(**(plain | changes))


def test_orders_of_other_clients_count_one_by_one() -> None:
    """Fault 56: they all show order id 0 here; three by phone fill a limit of three."""
    orders = [order_of(native(0, f"S{number}")) for number in range(3)]
    trades = [trade_of(native(0, f"S{number}")) for number in range(3)]
    assert len({order.order_id for order in orders if order}) == 3
    assert [order.order_id for order in orders if order] == [trade.order_id for trade in trades if trade]
    bench = Bench(rules_of(limits=limits_of(orders_per_day=3)))
    bench.day(*(order for order in orders if order), trades=tuple(trade for trade in trades if trade))
    bench.drop(signal_of())
    assert bench.row().error_code == "orders_per_day"


def test_the_terminals_largest_number_is_no_money() -> None:
    """It stands where the terminal knows none: taken for cash it would let any buy pass."""
    largest = sys.float_info.max
    with pytest.raises(FieldError):
        asset_of(SimpleNamespace(cash=largest, frozen_cash=0.0, market_value=0.0, total_asset=0.0))


def test_a_position_that_was_sold_out_has_no_cost_and_hides_no_other() -> None:
    """Its shares are told and count; a cost that is no number must not make the whole account unusable."""
    for untold in (sys.float_info.max, float("nan")):
        told = SimpleNamespace(
            stock_code=FUND, volume=0, can_use_volume=0, open_price=untold, market_value=untold
        )
        assert position_of(told) == BrokerPosition(FUND, 0, 0, 0.0, 0.0)


def status_of(kind: int, status: int) -> SimpleNamespace:
    """What the terminal says of one of the accounts with our number."""
    return SimpleNamespace(account_id="88001234", account_type=kind, status=status)


def test_stock_connects_account_of_the_same_number_stops_nobody(tmp_path: Path) -> None:
    """It is listed beside the stock account, often first and not logged in."""
    ours = SimpleNamespace(account_id="88001234", account_type=2)
    calls = QmtCalls(QmtAccount(tmp_path, "88001234"), SessionIds(tmp_path, "executor"))
    assert calls._objection([status_of(7, 3), status_of(2, 0)], ours) is None
    assert calls._objection([status_of(7, 0), status_of(2, 3)], ours) is not None
    heard: list[BrokerEvent] = []
    session = _Heard(ours, heard.append, no_record)
    session.on_account_status(status_of(7, 3))
    assert not heard
    session.on_account_status(status_of(2, 3))
    assert [type(event) for event in heard] == [ReadinessChanged]


def test_another_clients_order_without_a_number_waits_until_it_has_one() -> None:
    """Without any name two would be one, and the nameless one would be missed for ever in the day's files."""
    assert order_of(native(0, "", order_status=49, traded_volume=0)) is None
    named = order_of(native(0, "S1"))
    ours = order_of(native(0, "", order_remark="mq00000000000000000000"))
    assert named is not None and named.order_id == "S1@SZ"
    assert ours is not None, "what carries a tag is never left out"
    bench = Bench(rules_of(limits=limits_of(orders_per_day=2)))
    listed = [order_of(native(0, number)) for number in ("", "S1")]
    bench.day(*(order for order in listed if order))
    bench.drop(signal_of())
    assert bench.state() == "submitted", "one order of two so far"
