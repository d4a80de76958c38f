"""A day of very many orders still makes a snapshot that readers take (account_message.fitting)."""

from __future__ import annotations

import pytest

from shared_schema.clock import Moment, Stamper
from shared_schema.ids import AccountAlias, Code, Epoch, OrderId, TradeId
from shared_schema.messages import (
    Account,
    AccountOrder,
    AccountSnapshot,
    AccountTrade,
    decode_account,
    encode,
)
from shared_schema.messages.record import LARGE_FILE
from windows_side.brokers.account_message import MOST_ROWS, fitting
from windows_side.brokers.port import BrokerStatus

CODE = Code("159201.SZ")
WALL = 1_795_000_000.123456


def day(ended: int, still_open: int = 0, fills: int = 1) -> Account:
    """Orders as long as a real counter's, the open ones the oldest."""
    orders = [
        AccountOrder(
            order_id=OrderId(f"10821312{number:06d}"),
            code=CODE,
            direction="SELL",
            price=12.345,
            shares=100_000,
            filled_shares=100_000,
            status=int(BrokerStatus.PART_FILLED if number < still_open else BrokerStatus.FILLED),
            remark="mq" + "x" * 22,
            time=WALL + number,
        )
        for number in range(still_open + ended)
    ]
    trades = [
        AccountTrade(
            trade_id=TradeId(f"00010000{number:06d}-{fill}"),
            order_id=order.order_id,
            code=CODE,
            direction="SELL",
            price=12.345,
            shares=100_000,
            time=order.time,
        )
        for number, order in enumerate(orders)
        for fill in range(fills)
    ]
    return Account(orders=tuple(orders), trades=tuple(trades), queried_at=WALL)


def test_an_ordinary_day_is_shown_as_it_is() -> None:
    """Ten thousand orders with a fill each lack nothing."""
    account = day(10)
    assert fitting(account) is account
    assert fitting(account).left_out == 0


@pytest.mark.slow
def test_what_may_be_alive_stays_and_the_file_can_be_read() -> None:
    """The oldest ended orders go with their fills, open ones never; the count says so; readers take it."""
    account = day(14_000, still_open=3)
    shown = fitting(account)
    assert len(shown.orders) + len(shown.trades) <= MOST_ROWS
    assert shown.left_out == len(account.orders) + len(account.trades) - len(shown.orders) - len(shown.trades)
    assert shown.orders[:3] == account.orders[:3]
    assert shown.orders[-1] == account.orders[-1]
    kept = {order.order_id for order in shown.orders}
    assert {trade.order_id for trade in shown.trades} == kept
    stamper = Stamper("executor@windows", Epoch("0198-a"), "simulate", AccountAlias("main"))
    envelope = stamper.next(Moment(WALL, WALL), "2026-11-20")
    raw = encode(envelope, AccountSnapshot(accounts={AccountAlias("main"): shown}))
    assert len(raw) <= LARGE_FILE
    assert decode_account(raw).body.accounts[AccountAlias("main")].left_out == shown.left_out


@pytest.mark.slow
def test_orders_that_live_with_fills_beyond_number_show_the_newest() -> None:
    """Nothing of it may leave, so the oldest fills do."""
    account = day(0, still_open=10, fills=3_000)
    shown = fitting(account)
    assert shown.orders == account.orders
    assert shown.trades == account.trades[-(MOST_ROWS - 10) :]
    assert shown.left_out == 30_000 - (MOST_ROWS - 10)
