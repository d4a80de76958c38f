"""The simulated broker's books: exact sums, T+1, the day's roll, kills and full disks."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from shared_schema.clock import Moment
from shared_schema.errors import BrokerError
from shared_schema.ids import Code, Direction, OrderId, Tag
from shared_schema.messages import Quote
from tests.brokers.simulated_bench import A_DAY, FUND, GOLD, MORNING, SHARE, Bench
from windows_side.brokers.port import (
    AccountAnswered,
    AccountState,
    BrokerAsset,
    BrokerEvent,
    BrokerPosition,
    BrokerStatus,
    OrderRequest,
    OrderUpdate,
    Refused,
    TradeUpdate,
)
from windows_side.brokers.simulated_books import SimulatedBooks


@pytest.fixture
def books_path(tmp_path: Path) -> Path:
    return tmp_path / "main.simulate.sqlite3"


@pytest.fixture
def bench(books_path: Path) -> Bench:
    return Bench(books_path)


def test_instant_fill_is_whole_and_at_the_orders_price(bench: Bench) -> None:
    """Without a market an order fills in full at its own price, fee unrounded."""
    order_id = bench.place("BUY", 2200, 1.051)
    assert bench.order(order_id).status == BrokerStatus.FILLED
    trade = bench.broker.trades()[0]
    assert (trade.price, trade.shares, trade.order_id, trade.remark) == (1.051, 2200, order_id, "mq1")
    assert trade.time == MORNING
    assert bench.broker.trade_fees() == {trade.trade_id: 0.23122}
    assert bench.broker.asset().cash == 997_687.56878


def test_events_follow_the_commit_trades_first(bench: Bench) -> None:
    """A fill is told as trade, then order, then account; and is in the file before it is told."""
    seen_in_file: list[int] = []

    def sink(event: BrokerEvent) -> None:
        bench.told.append(event)
        if isinstance(event, TradeUpdate):
            with sqlite3.connect(bench.path) as other:
                seen_in_file.append(other.execute("SELECT COUNT(*) FROM trades").fetchone()[0])

    bench.broker.open(sink)
    bench.place("BUY", 200, 1.05)
    assert [type(event) for event in bench.told] == [TradeUpdate, OrderUpdate, AccountAnswered]
    assert seen_in_file == [1]
    account = bench.told[-1]
    assert isinstance(account, AccountAnswered) and account.account is not None
    assert account.asked_at == MORNING + 1
    assert account.account.positions[0].volume == 200


@pytest.mark.parametrize(
    ("direction", "shares", "price", "code", "number"),
    [
        ("BUY", 1_000_000, 1.05, FUND, "260200"),
        ("SELL", 100, 1.05, FUND, "260201"),
        ("BUY", 100, 1.0505, FUND, "260202"),
        ("BUY", 100, 30.005, SHARE, "260202"),
        ("BUY", 150, 1.05, FUND, "260203"),
        ("BUY", 1_000_100, 1.05, FUND, "260203"),
    ],
)
def test_the_counter_rejects_after_acceptance(
    bench: Bench, direction: Direction, shares: int, price: float, code: Code, number: str
) -> None:
    """An order of status 57 with the counter's own number; nothing held, nothing traded."""
    order_id = bench.place(direction, shares, price, code)
    order = bench.order(order_id)
    assert order.status == BrokerStatus.JUNK
    assert order.message.startswith(f"[COUNTER][{number}][")
    assert bench.broker.trades() == ()
    assert bench.broker.asset() == BrokerAsset(1_000_000.0, 0.0, 0.0, 1_000_000.0)


def test_too_little_cash_says_the_known_words(bench: Bench) -> None:
    """The text people search for is the one real counters send."""
    order_id = bench.place("BUY", 1_000_000, 1.05)
    assert bench.order(order_id).message.startswith("[COUNTER][260200][可用资金不足]")


@pytest.mark.parametrize(
    ("more", "price", "number"),
    [
        ({"limit_up": 1.155, "limit_down": 0.945}, 1.156, "260204"),
        ({"limit_up": 1.155, "limit_down": 0.945}, 0.944, "260204"),
        ({}, 1.156, "260204"),
        ({"status": "suspended"}, 1.05, "260206"),
    ],
)
def test_prices_are_checked_against_the_quote(
    books_path: Path, more: dict[str, Any], price: float, number: str
) -> None:
    """Off the day's limits (the quote's, else the table's on pre_close) or suspended: 废单."""
    bench = Bench(books_path, instant=False)
    bench.trade(1.05, 1000, **more)
    assert f"[{number}]" in bench.order(bench.place("BUY", 100, price)).message


def test_price_cage_of_shares(books_path: Path) -> None:
    """A share's buy above 102 % of the best ask is rejected, one at it stands; funds have no cage."""
    bench = Bench(books_path, instant=False)
    quote = Quote(price=30.0, pre_close=30.0, volume=1000, ask=(30.0,), bid=(29.99,))
    bench.broker.feed({SHARE: quote}, Moment(MORNING, MORNING))
    assert "[260205]" in bench.order(bench.place("BUY", 100, 30.61, SHARE)).message
    assert not bench.order(bench.place("BUY", 100, 30.60, SHARE)).is_final
    bench.trade(1.05, 1000)
    assert not bench.order(bench.place("BUY", 100, 1.15)).is_final


@pytest.mark.parametrize(
    "changes",
    [
        {"code": Code("000300.SH")},
        {"code": Code("159201")},
        {"price": float("nan")},
        {"price": 0.0},
        {"price": -1.0},
        {"price": 1e12},
        {"shares": 0},
        {"shares": -100},
        {"tag": Tag("x" * 24)},
        {"tag": Tag("中文")},
        {"direction": "HOLD"},
    ],
)
def test_the_terminal_refuses_what_is_no_order(bench: Bench, changes: dict[str, object]) -> None:
    """A definite refusal leaves no record at all, which is what makes it definite."""
    fields = vars(bench.request("BUY", 100, 1.05)) | changes
    answer = bench.broker.place(OrderRequest(**fields))  # type: ignore[arg-type]
    assert isinstance(answer, Refused)
    assert answer.message
    assert bench.broker.orders() == ()
    assert bench.told == []


def test_t_plus_one_and_same_day_funds(bench: Bench) -> None:
    """A stock fund waits for the next day, a gold fund is sold at once."""
    bench.place("BUY", 500, 1.05)
    bench.place("BUY", 500, 5.0, GOLD)
    assert bench.held(FUND) == (500, 0)
    assert bench.held(GOLD) == (500, 500)
    bench.place("SELL", 500, 5.1, GOLD)
    assert bench.held(GOLD) == (0, 0)
    bench.clock += A_DAY
    assert bench.held(FUND) == (500, 500)


def test_open_sell_holds_shares_and_cancel_frees_them(books_path: Path) -> None:
    """What is offered can't be offered twice, nor is it lost."""
    start = AccountState(
        BrokerAsset(1000.0, 500.0, 2100.0, 3600.0), (BrokerPosition(FUND, 2000, 1500, 1.0, 2100.0),)
    )
    bench = Bench(books_path, instant=False, start=start)
    assert bench.broker.asset() == BrokerAsset(1500.0, 0.0, 2100.0, 3600.0)
    assert bench.held() == (2000, 1500)
    order_id = bench.place("SELL", 1000, 1.1)
    assert bench.held() == (2000, 500)
    assert bench.order(bench.place("SELL", 600, 1.1)).status == BrokerStatus.JUNK
    assert bench.broker.cancel(order_id).accepted
    assert bench.held() == (2000, 1500)
    assert not bench.broker.cancel(order_id).accepted
    assert not bench.broker.cancel(OrderId("999")).accepted
    assert not bench.broker.cancel(OrderId("-1")).accepted


def test_start_counts_only_for_a_new_file(books_path: Path) -> None:
    """Books that are there are never overwritten by a snapshot."""
    bench = Bench(books_path)
    bench.place("BUY", 100, 1.05)
    bench.broker.close()
    start = AccountState(BrokerAsset(7.0, 0.0, 0.0, 7.0), ())
    assert Bench(books_path, start=start).held() == (100, 0)


def test_partial_fill_releases_what_it_no_longer_needs(books_path: Path) -> None:
    """Frozen cash is always limit times what is open, with its fee; a better price is free at once."""
    bench = Bench(books_path, instant=False)
    bench.trade(1.05, 1000)
    order_id = bench.place("BUY", 2000, 1.06)
    assert bench.broker.asset().frozen_cash == pytest.approx(2120 * 1.0001, abs=1e-9)
    bench.trade(1.05, 4000)
    assert bench.order(order_id).filled_shares == 1000
    asset = bench.broker.asset()
    assert asset.frozen_cash == pytest.approx(1060 * 1.0001, abs=1e-9)
    assert asset.cash + asset.frozen_cash == pytest.approx(1_000_000 - 1050 * 1.0001, abs=1e-9)
    bench.broker.cancel(order_id)
    assert bench.order(order_id).status == BrokerStatus.PART_CANCELLED
    assert bench.broker.asset().frozen_cash == 0


def test_minimum_commission_counts_once_an_order(books_path: Path) -> None:
    """5 yuan an order, not a trade, however many parts it fills in."""
    bench = Bench(books_path, instant=False, min_commission=5.0)
    bench.trade(1.05, 1000)
    bench.place("BUY", 2000, 1.05)
    bench.trade(1.05, 4000)
    bench.trade(1.05, 4000)
    assert list(bench.broker.trade_fees().values()) == [5.0, 0.0]


def test_stamp_duty_is_for_sales_of_shares(books_path: Path) -> None:
    """Funds pay none, buys pay none."""
    bench = Bench(books_path, stamp_duty_rate=0.0005)
    for code, price in ((SHARE, 30.0), (FUND, 1.05)):
        bench.place("BUY", 100, price, code)
    bench.clock += A_DAY
    for code, price in ((SHARE, 30.0), (FUND, 1.05)):
        bench.place("SELL", 100, price, code)
    assert list(bench.broker.trade_fees().values()) == [0.3, 0.0105, 1.8, 0.0105]


def test_day_roll_ends_open_orders_once(books_path: Path) -> None:
    """A new trading day ends what is open and frees it; a clock set back rolls nothing again (fault 40)."""
    bench = Bench(books_path, instant=False)
    bench.trade(1.05, 1000)
    open_id, part_id = bench.place("BUY", 1000, 1.04), bench.place("BUY", 1000, 1.05)
    bench.trade(1.05, 2000)
    bench.told.clear()
    bench.clock += A_DAY
    bench.trade(1.03, 100_000)
    assert bench.order(open_id).status == BrokerStatus.CANCELLED
    assert bench.order(part_id).status == BrokerStatus.PART_CANCELLED
    assert bench.broker.asset().frozen_cash == 0
    assert bench.held() == (500, 500)
    assert len([event for event in bench.told if isinstance(event, OrderUpdate)]) == 2
    bench.told.clear()
    bench.place("BUY", 100, 1.0)
    bench.clock -= A_DAY
    bench.trade(1.02, 1000)
    bench.clock += A_DAY
    bench.trade(1.02, 1000)
    assert len([event for event in bench.told if isinstance(event, OrderUpdate)]) == 1


def test_new_books_follow_a_replay_into_the_past(books_path: Path) -> None:
    """Books are made before the first quote tells of a replay: they begin on its first day, T+1 and all."""
    bench = Bench(books_path, instant=False)
    today = bench.clock
    bench.clock -= 100 * A_DAY
    bench.trade(1.05, 1000)
    bench.place("BUY", 500, 1.05)
    bench.trade(1.05, 10_000)
    assert bench.held() == (500, 0)
    bench.clock += A_DAY
    bench.trade(1.05, 1000)
    assert bench.held() == (500, 500)
    bench.place("BUY", 100, 1.05)
    bench.clock, replayed = today, bench.clock
    bench.reopen()
    bench.clock = replayed
    bench.trade(1.05, 1000)
    assert len(bench.broker.account_snapshot().orders) == 1, "reopening rolls nothing by itself"


def test_yesterdays_orders_stay_listed_so_that_absence_is_proof(bench: Bench) -> None:
    """An order placed before midnight is found by an executor that comes back after it; ids never repeat."""
    first = bench.place("BUY", 100, 1.05, tag="mqnight")
    bench.broker.close()
    bench.clock += 3 * A_DAY
    bench.broker = bench.opened()
    assert bench.order(first).remark == "mqnight"
    assert [trade.remark for trade in bench.broker.trades()] == ["mqnight"]
    assert int(bench.place("BUY", 100, 1.05)) > int(first)
    assert [order.remark for order in bench.broker.account_snapshot().orders] == ["mq2"]


def test_snapshot_is_the_account_as_a_message(bench: Bench) -> None:
    """Orders with status and remark, trades, asset and positions; complete, at wall time."""
    bench.place("BUY", 200, 1.05)
    bench.trade(1.10, 1000)
    account = bench.broker.account_snapshot()
    assert account.complete and account.queried_at == MORNING + 1
    assert (account.orders[0].status, account.orders[0].remark) == (56, "mq1")
    assert account.trades[0].shares == 200
    position = account.positions[FUND]
    assert (position.volume, position.can_use_volume, position.open_price) == (200, 0, 1.05)
    assert position.market_value == 220.0
    assert account.asset.total_asset == account.asset.cash + 220.0


def test_a_place_that_fails_leaves_no_order(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """An exception inside undoes all of it: no order, no frozen cash, nothing told."""

    def fail(*_: object, **__: object) -> None:
        raise sqlite3.OperationalError("database or disk is full")

    monkeypatch.setattr(SimulatedBooks, "fill", fail)
    with pytest.raises(BrokerError, match="disk is full"):
        bench.broker.place(bench.request("BUY", 100, 1.05))
    assert bench.broker.orders() == ()
    assert bench.broker.asset().cash == 1_000_000
    assert bench.told == []


KILLED = """
import os, signal, sys
from pathlib import Path
from shared_schema.clock import Moment
from windows_side.brokers.port import OrderRequest
from windows_side.brokers.simulated import SimulatedBroker
broker = SimulatedBroker(Path(sys.argv[1]), account="main", now=lambda: Moment(1772501400.0, 1772501400.0),
                         instant_fill=lambda code: True)
broker.open(lambda event: os.kill(os.getpid(), signal.SIGKILL))
broker.place(OrderRequest("s1", "mqkilled", "159201.SZ", "BUY", 100, 1.05))
print("still alive")
"""


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="no SIGKILL on Windows")
def test_killed_before_place_returns_the_order_is_there(books_path: Path) -> None:
    """kill -9 between the commit and the answer: after the restart the order is found by its remark, once."""
    ended = subprocess.run(
        [sys.executable, "-c", KILLED, str(books_path)],
        cwd=Path(__file__).parents[2],
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])},
        capture_output=True,
        timeout=300,
    )
    assert ended.returncode == -signal.SIGKILL, ended.stderr
    bench = Bench(books_path)
    assert [order.remark for order in bench.broker.orders()] == ["mqkilled"]
    assert bench.held() == (100, 0)


def test_closed_books_answer_nothing(bench: Bench) -> None:
    """After close every call raises, nothing is read as empty, and feed waits for the reopening."""
    bench.broker.close()
    bench.broker.close()
    with pytest.raises(BrokerError) as problem:
        bench.broker.orders()
    assert str(problem.value), "the sentence stands in the catalogue"
    with pytest.raises(BrokerError):
        bench.broker.place(bench.request("BUY", 100, 1.05))
    bench.trade(1.05, 1000)
    bench.broker.open(bench.told.append)
    assert bench.broker.orders() == ()


def test_a_full_disk_at_a_fill_loses_neither_order_nor_sums(
    books_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A fill that can't be written did not happen: the order rests on, a later quote fills it (fault 26)."""
    bench = Bench(books_path, instant=False)
    bench.trade(1.05, 1000)
    order_id = bench.place("BUY", 500, 1.05)
    bench.told.clear()
    with monkeypatch.context() as full:

        def fail(*_: object, **__: object) -> None:
            raise sqlite3.OperationalError("database or disk is full")

        full.setattr(SimulatedBooks, "fill", fail)
        with pytest.raises(BrokerError, match="disk is full"):
            bench.trade(1.05, 10_000)
    assert bench.told == []
    assert bench.order(order_id).filled_shares == 0
    bench.trade(1.05, 10_000)
    assert bench.order(order_id).status == BrokerStatus.FILLED
