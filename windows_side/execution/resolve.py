"""What a person may say about an unknown order, and which of the broker's orders could be it. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from shared_schema.ids import TradeId
from shared_schema.instruments import instrument, to_ticks
from shared_schema.messages import Trade
from shared_schema.sessions import trading_day_of
from windows_side.brokers.port import BrokerOrder, BrokerTrade
from windows_side.execution.order import Order
from windows_side.execution.order_book import OrderBook

WINDOW = 300.0
"""Seconds around the call within which an order may be the one that was placed."""
FAR = 2.0
"""A limit order that filled at half its price, or at twice, is a slip of the finger."""
BEFORE_CALL = 120.0
"""Seconds before the call that a broker's clock may show for an order of ours."""


def candidates_of(order: Order, listed: Iterable[BrokerOrder], book: OrderBook) -> list[BrokerOrder]:
    """Orders equal in code, side, shares, price and window that no row owns: shown, never adopted."""
    begin = order.calling_market or order.received_market
    return [
        seen
        for seen in listed
        if objection_to(order, seen, book) is None and _same_price(order, seen) and _in_window(seen, begin)
    ]


def objection_to(order: Order, seen: BrokerOrder, book: OrderBook) -> str | None:
    """Why the broker's order can't be this row's, one word for the sentence ``recovery.refused_*``."""
    signal = order.signal
    if signal is None:
        return "no_signal"
    by_tag = book.by_tag(seen.remark) if seen.remark else None
    if book.by_order_id(seen.order_id) not in (None, order) or by_tag not in (None, order):
        return "owned"
    if seen.remark != order.tag and book.knows_tag(seen.remark):
        return "owned"  # of a row settled on an earlier day
    if (seen.code, seen.direction, seen.shares) != (signal.code, signal.direction, signal.shares):
        return "differs"
    return None


def is_anothers(order: Order, seen: BrokerOrder | BrokerTrade) -> bool:
    """Whether remark or time say that what carries this row's order id is not this row's.

    An empty remark says nothing: a terminal shows remarks to the client alone that wrote them.
    """
    if order.order_id_typed or seen.remark == order.tag:
        return False
    return bool(seen.remark) or 0 < seen.time < order.calling_market - BEFORE_CALL


def objection_to_fill(order: Order, filled: int, price: float, today: str) -> str | None:
    """Why the row can't have filled so, as for ``objection_to``; ``today`` the trading day."""
    signal = order.signal
    if signal is None:
        return "no_signal"
    if order.trading_day >= today:
        return "day_runs"
    if not max(1, order.filled_shares) <= filled <= signal.shares:
        return "shares"
    rest = filled - order.filled_shares
    if not rest:
        return None
    # The terminal shows an average rounded to the tick; the rest's price is that much less exact.
    slack = instrument(signal.code).tick_size / 2 * filled / rest
    ratio = _rest_price(order, filled, price) / signal.price
    within = slack / signal.price
    fits = 1 / FAR < ratio <= 1 + within if signal.direction == "BUY" else 1 - within <= ratio < FAR
    return None if fits else "price"


def typed_trade(order: Order, filled: int, price: float) -> Trade | None:
    """What the row lacks of ``filled`` shares at ``price`` yuan on average; its id says it was typed."""
    rest = filled - order.filled_shares
    if not rest:
        return None
    return Trade(
        trade_id=TradeId(f"typed-{order.signal_id}"),
        price=_rest_price(order, filled, price),
        shares=rest,
        time=order.calling_market or order.received_market,
    )


def _rest_price(order: Order, filled: int, price: float) -> float:
    if not order.trades:
        return price
    return (price * filled - order.filled_yuan) / (filled - order.filled_shares)


def _same_price(order: Order, seen: BrokerOrder) -> bool:
    signal = order.signal
    if signal is None or seen.price <= 0:
        return signal is not None
    tick = instrument(signal.code).tick_size
    return to_ticks(seen.price, tick) == to_ticks(signal.price, tick)


def _in_window(seen: BrokerOrder, begin: float) -> bool:
    if not seen.time:
        return True  # the broker did not say when: nothing speaks against it
    return abs(seen.time - begin) <= WINDOW and trading_day_of(seen.time) == trading_day_of(begin)
