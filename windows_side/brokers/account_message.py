"""What a broker answered, as the account in the snapshot files."""

from __future__ import annotations

from shared_schema.messages import Account, AccountOrder, AccountTrade, Asset, Position
from windows_side.brokers.port import AccountState, BrokerOrder, BrokerPosition, BrokerTrade, Day


def account_message(account: AccountState, day: Day, *, queried_at: float) -> Account:
    """One account of ``account_snapshot.json`` from complete answers; ``queried_at`` in Unix seconds."""
    return Account(
        asset=Asset(
            cash=account.asset.cash,
            frozen_cash=account.asset.frozen_cash,
            market_value=account.asset.market_value,
            total_asset=account.asset.total_asset,
        ),
        positions={held.code: _position(held) for held in account.positions},
        orders=tuple(_order(order) for order in day.orders),
        trades=tuple(_trade(trade) for trade in day.trades),
        complete=True,
        queried_at=queried_at,
    )


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
