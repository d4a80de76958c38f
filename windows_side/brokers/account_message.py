"""What a broker answered, as the account in the snapshot files."""

from __future__ import annotations

from collections import Counter

from shared_schema.messages import Account, AccountOrder, AccountTrade, Asset, Position
from windows_side.brokers.port import (
    FINAL_STATUSES,
    AccountState,
    BrokerOrder,
    BrokerPosition,
    BrokerTrade,
    Day,
)

MOST_ROWS = 20_000
"""Orders and fills one snapshot file takes: 200 bytes each at most, and readers take 4 MiB."""


class AccountMessages:
    """Message after message of one account: what a broker shows as the same object as before is made once.

    Of thousands that are nearly all; making each anew would keep the next result waiting.
    """

    def __init__(self) -> None:
        # By identity: the row stands beside what was made of it, so that none else can get its number.
        self._orders: dict[int, tuple[BrokerOrder, AccountOrder]] = {}
        self._trades: dict[int, tuple[BrokerTrade, AccountTrade]] = {}

    def of(self, account: AccountState, day: Day, *, queried_at: float) -> Account:
        """The account from complete answers; ``queried_at`` in Unix seconds."""
        orders, trades = self._orders, self._trades
        self._orders = {id(row): orders.get(id(row)) or (row, _order(row)) for row in day.orders}
        self._trades = {id(row): trades.get(id(row)) or (row, _trade(row)) for row in day.trades}
        return Account(
            asset=Asset(
                cash=account.asset.cash,
                frozen_cash=account.asset.frozen_cash,
                market_value=account.asset.market_value,
                total_asset=account.asset.total_asset,
            ),
            positions={held.code: _position(held) for held in account.positions},
            orders=tuple(self._orders[id(row)][1] for row in day.orders),
            trades=tuple(self._trades[id(row)][1] for row in day.trades),
            complete=True,
            queried_at=queried_at,
        )


def account_message(account: AccountState, day: Day, *, queried_at: float) -> Account:
    """One account of ``account_snapshot.json`` from complete answers; ``queried_at`` in Unix seconds."""
    return AccountMessages().of(account, day, queried_at=queried_at)


def fitting(account: Account) -> Account:
    """The account as a snapshot file can hold it, ``left_out`` telling how many rows it lacks.

    Beyond ``MOST_ROWS`` the orders that ended longest ago go, with their fills: whoever reads the file asks
    of orders what may still be alive. The day files keep them all.
    """
    left_out = len(account.orders) + len(account.trades) - MOST_ROWS
    if left_out <= 0:
        return account
    fills = Counter(trade.order_id for trade in account.trades)
    gone, room = set(), -left_out
    for order in sorted(account.orders, key=lambda order: order.time):
        if room >= 0:
            break
        if order.status in FINAL_STATUSES:
            gone.add(order.order_id)
            room += 1 + fills[order.order_id]
    orders = tuple(order for order in account.orders if order.order_id not in gone)
    trades = tuple(trade for trade in account.trades if trade.order_id not in gone)
    trades = trades[max(0, -room) :]  # of orders that live: the newest fills
    left_out = len(account.orders) - len(orders) + len(account.trades) - len(trades)
    return account.model_copy(update={"orders": orders, "trades": trades, "left_out": left_out})


def _position(held: BrokerPosition) -> Position:
    return Position(
        volume=held.volume,
        can_use_volume=held.can_use_volume,
        open_price=held.open_price,
        market_value=held.market_value,
    )


def _order(order: BrokerOrder) -> AccountOrder:
    return AccountOrder(
        order_id=order.order_id,
        code=order.code,
        direction=order.direction,
        price=order.price,
        shares=order.shares,
        filled_shares=order.filled_shares,
        status=order.status,
        remark=order.remark,
        time=order.time,
    )


def _trade(trade: BrokerTrade) -> AccountTrade:
    return AccountTrade(
        trade_id=trade.trade_id,
        order_id=trade.order_id,
        code=trade.code,
        direction=trade.direction,
        price=trade.price,
        shares=trade.shares,
        time=trade.time,
    )
