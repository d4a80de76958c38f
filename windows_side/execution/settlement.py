"""What the broker's facts about an order amount to: from status and trades to one event.

A status alone settles nothing: fills are our distinct trades (I5), and an end counts
only when the broker's traded volume and our trades agree.
"""

from __future__ import annotations

from windows_side.brokers.port import FINAL_STATUSES, BrokerStatus
from windows_side.execution.order import Order
from windows_side.execution.states import OrderEvent


def overfilled(order: Order) -> bool:
    """Whether more was traded than ordered: impossible, and so a reason to halt."""
    return order.signal is not None and order.filled_shares > order.signal.shares


def event_of(order: Order, *, final_confirmed: bool) -> OrderEvent | None:
    """The event the order's newest facts amount to; None where they decide nothing yet.

    ``final_confirmed``: the final status was read once more (or the broker's answers are
    declared complete), so that no trade is still on its way.
    """
    filled = order.filled_shares
    if order.signal is not None and filled >= order.signal.shares:
        return OrderEvent.FILL_ALL
    if order.broker_status in FINAL_STATUSES and not order.is_terminal:
        ended = _end(order, filled) if final_confirmed and order.broker_filled == filled else None
        if ended is not None:
            return ended
    if filled > 0:
        return OrderEvent.FILL_PART
    if order.is_terminal or not order.broker_status:
        return None
    return OrderEvent.LIVE


def _end(order: Order, filled: int) -> OrderEvent | None:
    if order.broker_status == BrokerStatus.FILLED:
        return None  # "filled" ahead of its trades: pending until they add up
    if order.broker_status == BrokerStatus.JUNK:
        # Fills count whatever the counter calls the end (fault 55: rejected after it was accepted).
        return OrderEvent.END_PARTLY if filled else OrderEvent.JUNK
    return OrderEvent.END_PARTLY if filled else OrderEvent.END_EMPTY
