"""``account_snapshot.json``: asset, positions, orders and trades of each account."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from shared_schema.ids import AccountAlias, Code, Direction, OrderId, TradeId
from shared_schema.integrity import Key
from shared_schema.messages.quote import Position
from shared_schema.messages.record import LARGE_FILE, Received, Record, decode


class Asset(Record):
    """Money of an account, yuan."""

    cash: float = 0.0
    """Free to use."""
    frozen_cash: float = 0.0
    market_value: float = 0.0
    total_asset: float = 0.0


class AccountOrder(Record):
    """One of the day's orders at the broker, ours or another's."""

    order_id: OrderId
    code: Code
    direction: Direction
    price: float
    shares: int
    filled_shares: int = 0
    status: int
    """The broker's status code (xtquant's 48 to 57)."""
    remark: str = ""
    time: float = 0.0


class AccountTrade(Record):
    """One of the day's fills at the broker."""

    trade_id: TradeId
    order_id: OrderId
    code: Code
    direction: Direction
    price: float
    shares: int
    time: float = 0.0


class Account(Record):
    """One account as last queried."""

    asset: Asset = Asset()
    positions: dict[Code, Position] = {}
    orders: Annotated[tuple[AccountOrder, ...], Field(strict=False)] = ()
    trades: Annotated[tuple[AccountTrade, ...], Field(strict=False)] = ()
    complete: bool = True
    """False when a query failed: then nothing in here means "none"."""
    queried_at: float = 0.0
    left_out: int = 0
    """Rows of ended orders and their fills that the file had no room for."""


class AccountSnapshot(Record):
    """All accounts of one host, by alias."""

    accounts: dict[AccountAlias, Account] = {}


def decode_account(raw: bytes, where: str = "", key: Key | None = None) -> Received[AccountSnapshot]:
    """The snapshot in ``raw``; raises MessageError."""
    return decode(raw, AccountSnapshot, where=where, limit=LARGE_FILE, key=key)
