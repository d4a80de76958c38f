"""A view with its lists filtered and scrolled: panels then show what is left as they always do."""

from __future__ import annotations

from mac_side.screen.look import word
from mac_side.view import View


def narrowed(view: View, wanted: str, offset: int = 0) -> View:
    """``view`` with only those signals, orders and events that hold ``wanted``, from row ``offset`` on.

    Case does not matter. A list never scrolls past its last row.
    """
    if not wanted and not offset:
        return view
    signals = [
        signal
        for signal in view.signals
        if _holds(
            wanted,
            signal.signal_id,
            signal.message,
            signal.state,
            word("state", signal.state),
            word("side", signal.direction),
        )
    ]
    orders = [
        order
        for order in view.orders
        if _holds(
            wanted, order.order_id, order.code, word("state", order.status), word("side", order.direction)
        )
    ]
    events = [event for event in view.events if _holds(wanted, event.text)]
    lots = sorted(view.lots, key=lambda lot: lot.target)
    return view.model_copy(
        update={
            # Shown from their end: the newest first.
            "signals": tuple(signals[: max(1, len(signals) - offset)]),
            "events": tuple(events[: max(1, len(events) - offset)]),
            "orders": tuple(orders[min(offset, max(0, len(orders) - 1)) :]),
            "lots": tuple(lots[min(offset, max(0, len(lots) - 1)) :]),
        }
    )


def _holds(wanted: str, *texts: str) -> bool:
    return not wanted or any(wanted.casefold() in text.casefold() for text in texts)
