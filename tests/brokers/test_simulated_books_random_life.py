"""Whatever happens to the simulated broker: sums stay exact, and its lists show what stands in the file."""

from __future__ import annotations

import sqlite3
from contextlib import suppress

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shared_schema.errors import BrokerError
from tests.brokers.simulated_bench import A_DAY, Bench
from windows_side.brokers.account_message import account_message
from windows_side.brokers.port import (
    AccountState,
    Day,
)
from windows_side.brokers.simulated_books import SimulatedBooks

actions = st.lists(
    st.tuples(
        st.sampled_from(("BUY", "SELL", "cancel", "trade", "day", "restart")),
        st.integers(1, 40),
        st.integers(1000, 1100),
    ),
    max_size=40,
)


@given(actions, st.sampled_from((0.0, 0.0001, 0.00025)), st.sampled_from((0.0, 5.0)), st.booleans())
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@pytest.mark.slow
def test_nothing_is_ever_lost_or_made(
    tmp_path_factory: pytest.TempPathFactory,
    steps: list[tuple[str, int, int]],
    rate: float,
    minimum: float,
    instant: bool,
) -> None:
    """Whatever happens: start cash = cash + what the trades paid and cost; shares = the trades; no
    overdraft by buys; nothing stays frozen for ended orders."""
    path = tmp_path_factory.mktemp("books") / "books.sqlite3"
    bench = Bench(path, instant, commission_rate=rate, min_commission=minimum, cash=20_000.0)
    bench.trade(1.05, 1)
    for kind, size, ticks in steps:
        act(bench, kind, size, ticks / 1000)
        asset = bench.broker.asset()
        assert asset.cash >= -minimum and asset.frozen_cash >= 0
    bench.broker.close()
    books = SimulatedBooks.existing(path)
    flow, shares = 0, 0
    fees = 0.0
    for trade, fee in books.trades_with_fees():
        sign = 1 if trade.direction == "BUY" else -1
        flow += sign * round(trade.price * 1000) * trade.shares
        shares += sign * trade.shares
        fees += fee
    assert abs(books.cash() / 1e8 + flow / 1000 + fees - 20_000) < 1e-9 * 20
    exact_fees = sum(round(fee * 1e8) for _, fee in books.trades_with_fees())
    assert books.cash() + flow * 10**5 + exact_fees == 20_000 * 10**8
    assert sum(position.volume for position in books.positions({})) == shares
    for order in books.orders("0"):
        traded = sum(t.shares for t, _ in books.trades_with_fees() if t.order_id == str(order.order_id))
        assert traded == order.filled
        if order.as_broker_order().is_final:
            assert order.frozen == 0
    books.close()


@given(
    steps=st.lists(
        st.tuples(
            st.sampled_from(["BUY", "SELL", "BUY", "cancel", "trade", "full disk", "day", "restart"]),
            st.integers(1, 30),
            st.integers(1040, 1060),
        ),
        max_size=25,
    ),
    instant=st.booleans(),
)
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@pytest.mark.slow
def test_a_kept_list_is_the_list_read_anew(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[str, int, int]], instant: bool
) -> None:
    """What was listed before is not read again, yet every list and snapshot shows what stands in the file,
    after undone commits, new days and reopening too."""
    path = tmp_path_factory.mktemp("books") / "books.sqlite3"
    bench = Bench(path, instant, cash=20_000.0)
    bench.trade(1.05, 1)
    for kind, size, ticks in steps:
        if kind == "full disk":
            with pytest.MonkeyPatch.context() as full, suppress(BrokerError):
                full.setattr(SimulatedBooks, "_known", _full_disk)
                bench.place("BUY", size * 100, ticks / 1000)
        else:
            act(bench, kind, size, ticks / 1000)
        shown = bench.broker.account_snapshot()
        anew = SimulatedBooks.existing(path)
        try:
            assert bench.broker.orders() == tuple(row.as_broker_order() for row in anew.orders())
            assert bench.broker.trades() == tuple(anew.trades())
            rows, trades = anew.orders(anew.day), anew.trades(anew.day)
            day = Day(tuple(row.as_broker_order() for row in rows), tuple(trades))
            state = AccountState(bench.broker.asset(), bench.broker.positions())
            assert shown == account_message(state, day, queried_at=bench.clock + 1)
        finally:
            anew.close()
    bench.broker.close()


def _full_disk(*_: object) -> None:
    raise sqlite3.OperationalError("database or disk is full")


def act(bench: Bench, kind: str, size: int, price: float) -> None:
    """One step of the random life above."""
    if kind == "BUY" or kind == "SELL":
        bench.place("BUY" if kind == "BUY" else "SELL", size * 100, price)
    elif kind == "cancel" and bench.broker.orders():
        orders = bench.broker.orders()
        bench.broker.cancel(orders[size % len(orders)].order_id)
    elif kind == "trade":
        bench.trade(price, size * 1000)
    elif kind == "day":
        bench.clock += A_DAY
    elif kind == "restart":
        bench.reopen()
