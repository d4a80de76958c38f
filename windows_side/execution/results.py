"""From a row to the result that crosses the folder."""

from __future__ import annotations

from shared_schema.messages import OrderResult, Status, status_of
from shared_schema.sessions import trading_day_of
from shared_schema.words import has, say
from windows_side.brokers.port import FINAL_STATUSES
from windows_side.execution.order import Order


def status_word(order: Order) -> Status:
    """The seed's word for the row; a cancel succeeded when its target ended."""
    if order.is_cancel and order.state == "cancelled":
        return "success"
    return status_of(order.state, order.filled_shares)


def result_of(order: Order) -> OrderResult:
    """The result of a row: made from it alone, so it can be written again at any time, byte for byte."""
    signal = order.signal
    return OrderResult(
        signal_id=order.signal_id,
        status=status_word(order),
        order_id=order.order_id,
        message=order.message or sentence(order),
        timestamp=order.changed_at,
        direction=order.direction,
        requested_shares=signal.shares if signal else 0,
        filled_shares=order.filled_shares,
        state=order.state,
        signal_digest=order.digest if signal else "",
        revision=order.revision,
        average_price=order.average_price,
        trades=order.trades,
        error_code=order.error_code,
        broker_message=order.broker_message,
        code=signal.code if signal else None,
        price=signal.price if signal else None,
        strategy=signal.strategy if signal else None,
        signal_epoch=order.signal_epoch,
        signal_seq=order.signal_seq,
    )


def sentence(order: Order) -> str:
    """What became of the signal, in words."""
    if order.is_cancel:
        return say(f"executor.cancel_{order.state}") if has(f"executor.cancel_{order.state}") else order.state
    signal = order.signal
    if signal is None:
        return order.state
    return say(
        _key(order),
        direction=say(f"executor.{signal.direction}"),
        code=signal.code,
        shares=signal.shares,
        price=signal.price,
        filled=order.filled_shares,
        layer=signal.layer_index,
        signal_id=order.signal_id,
        day=order.trading_day,
    )


def _key(order: Order) -> str:
    """The sentence's name: an end that the terminal does not show, and a list that is gone, are said."""
    if order.state == "unknown" and trading_day_of(order.changed_market) > order.trading_day:
        return "executor.state_unknown_day_gone"
    ended_alive = order.is_terminal and order.broker_status and order.broker_status not in FINAL_STATUSES
    over = f"executor.day_over_{order.state}"
    return over if ended_alive and has(over) else f"executor.state_{order.state}"
