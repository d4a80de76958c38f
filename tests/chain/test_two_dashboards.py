"""Two dashboards share one executor and one cash pool, and nothing is lost when the executor dies."""

from __future__ import annotations

import math
from collections.abc import Iterator

import pytest

from commands.demo_room.summary import read_orders
from tests.chain.two_codes import CODE_YUAN, POOL_YUAN, Ended, run
from windows_side.brokers.simulated_books import SimulatedBooks
from windows_side.execution.order import Order


@pytest.fixture(scope="module")
def ended(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ended]:
    """One morning, the executor killed in the middle of it."""
    yield run(tmp_path_factory.mktemp("two"), kill_after=50)


def _orders(ended: Ended) -> list[Order]:
    return [order for order in read_orders(ended.stage.executor_files.ledger) if not order.is_cancel]


@pytest.mark.slow
def test_each_book_is_what_its_own_orders_filled(ended: Ended) -> None:
    """Both strategies traded; each one's lots are its own fills; every order stands once at the broker."""
    orders = _orders(ended)
    for state in ended.states:
        own = [o for o in orders if o.signal is not None and o.signal.strategy == state.strategy]
        bought = sum(o.filled_shares for o in own if o.direction == "BUY")
        sold = sum(o.filled_shares for o in own if o.direction == "SELL")
        assert bought > 0, f"{state.strategy} never bought"
        assert state.books.shares == bought - sold, state.strategy
        assert {o.signal.code for o in own if o.signal} <= {"159201.SZ", "512890.SH"}
    books = SimulatedBooks.existing(ended.stage.executor_files.simulated_books)
    try:
        tags = [order.as_broker_order().remark for order in books.orders()]
    finally:
        books.close()
    assert len(tags) == len(set(tags))
    assert sorted(tags) == sorted(o.tag for o in orders if o.order_id)


@pytest.mark.slow
def test_the_pool_is_what_the_lots_of_both_cost(ended: Ended) -> None:
    """After a kill -9 used money equals the cost of the lots held, to the cent; none is frozen."""
    for state, six in zip(ended.states, ("159201", "512890"), strict=True):
        assert math.isclose(ended.pool[f"used_{six}"], state.books.cost, abs_tol=0.01), six
        assert ended.pool[f"frozen_{six}"] == 0.0
    assert (ended.pool["pool_total"], ended.pool["pool_code_cap"]) == (POOL_YUAN, CODE_YUAN)


@pytest.mark.slow
def test_the_pool_was_never_overspent(ended: Ended) -> None:
    """At no moment did the fills of both codes cost more than the pool, nor of one more than its cap."""
    events = []
    for order in _orders(ended):
        assert order.signal is not None
        sign = 1 if order.direction == "BUY" else -1
        events += [(t.time, sign, order.signal.code, t.price * t.shares) for t in order.trades]
    held = {"159201.SZ": 0.0, "512890.SH": 0.0}
    for _, sign, code, yuan in sorted(events):
        held[code] += sign * yuan
        # Sold above cost a sale takes off more than it freed: this bound is the looser one.
        assert held[code] <= CODE_YUAN + 0.01 and sum(held.values()) <= POOL_YUAN + 0.01


@pytest.mark.slow
def test_the_second_strategy_uses_files_of_its_own(ended: Ended) -> None:
    """Its ids carry its name, so neither can overwrite the other's signals."""
    names = [name for name in ended.signal_files if "_second_" in name]
    assert names and len(names) < len(ended.signal_files)
