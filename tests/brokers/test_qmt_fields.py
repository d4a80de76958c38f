"""The terminal's records as our own: what another client placed keeps an identity of its own."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from tests.execution.bench import FUND, Bench, limits_of, rules_of, signal_of
from windows_side.brokers.qmt_fields import order_of, trade_of


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
