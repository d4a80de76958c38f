"""The day's final list as proof that an order was never placed (I4), where absence alone is none.

Four things have to hold together, of one trading day: the list was asked after 15:05 and came whole;
it shows every order of that day we know by its id (a stale or cut list is not final); the account was
asked after it; and no cash and no shares are frozen beyond what the listed orders explain.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from shared_schema.clock import Moment
from shared_schema.ids import Code
from shared_schema.instruments import InstrumentError, instrument
from shared_schema.sessions import date_of, final_list_at, trading_day_of
from windows_side.brokers.port import FINAL_STATUSES, AccountState, BrokerOrder, Day
from windows_side.execution.order import Order

AFTER_CLOSE = 300.0
"""Seconds from the close, 15:00, to the final list."""
CENT = 0.01
"""Yuan: sums of a counter's rounded figures differ by less."""


@dataclass(frozen=True)
class FinalList:
    """A day's list that was asked after the close."""

    day: Day
    trading_day: str
    asked_at: float
    """Wall Unix seconds."""
    closed_at: float
    """15:00 of the day, market time."""


def final_list_of(
    day: Day, asked_at: float, now: Moment, known: Iterable[Order], newest_tick: float
) -> FinalList | None:
    """The list as a final one; None where it was asked too early or lacks an order we know.

    ``newest_tick``: market time of the newest quote, Unix seconds. This host's clock alone is no proof that
    the market has closed (it may have leapt ahead): the exchange's own time must have passed 15:00 as well.
    """
    market = now.market - (now.wall - asked_at)
    final = final_list_at(market)
    if market < final or asked_at > now.wall or newest_tick < final - AFTER_CLOSE:
        return None
    trading_day = trading_day_of(market)
    listed = {order.order_id for order in day.orders}
    ours = {order.order_id for order in known if order.trading_day == trading_day and order.order_id}
    return FinalList(day, trading_day, asked_at, final - AFTER_CLOSE) if ours <= listed else None


def nothing_unexplained(final: FinalList, account: AccountState, code: Code) -> bool:
    """Whether the listed orders explain all the cash that is frozen, and all shares of ``code``."""
    if account.lacks_positions:
        return False
    live = [order for order in final.day.orders if order.status not in FINAL_STATUSES]
    explained = sum(_open(order) * order.price for order in live if order.direction == "BUY")
    if account.asset.frozen_cash > explained + CENT:
        return False
    held = next((position for position in account.positions if position.code == code), None)
    if held is None:
        return True
    selling = sum(_open(order) for order in live if order.direction == "SELL" and order.code == code)
    return held.volume - held.can_use_volume <= selling + _bought_today(final, code)


def _open(order: BrokerOrder) -> int:
    return max(0, order.shares - order.filled_shares)


def _bought_today(final: FinalList, code: Code) -> int:
    """Shares that rest until tomorrow because they were bought today (T+1)."""
    try:
        if instrument(code, on=date_of(final.asked_at)).same_day_sell:
            return 0
    except InstrumentError:
        return 0
    return sum(trade.shares for trade in final.day.trades if trade.code == code and trade.direction == "BUY")
