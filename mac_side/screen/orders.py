"""The orders at the broker, foreign ones included."""

from __future__ import annotations

from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from mac_side.screen.look import Look, count, inside, panel, price, price_digits, table, word
from mac_side.view import View
from shared_schema.words import say


def orders_panel(view: View, look: Look, width: int, rows: int) -> Panel:
    """Open orders first: side, code, price, filled of shares, state, whose it is and its number."""
    title = f"{say('screen.title.orders')}  {say('screen.orders.counts', open=view.counts.open_orders)}"
    return panel(title, _rows(view, look, inside(width), rows - 1), look, width, rows)


def _rows(view: View, look: Look, width: int, rows: int) -> Table | Text:
    if not view.orders:
        return Text(say("screen.orders.none"), style="bright_black")
    cells: list[list[str | Text]] = []
    for order in view.orders[: max(1, rows)]:
        buying = order.direction == "BUY"
        cells.append(
            [
                Text(say("screen.buy" if buying else "screen.sell"), style=look.up if buying else look.down),
                order.code[:6],
                price(order.price, price_digits(order.code or view.code)),
                f"{count(order.filled)}/{count(order.shares)}",
                word("state", order.status),
                "" if order.ours else Text(say("screen.orders.foreign"), style="yellow"),
                Text(order.order_id, style="bright_black"),
            ]
        )
    used = 4 + 6 + 8 + 15 + 8 + 4 + 7
    headings = [
        (say("screen.signals.side"), 4, "left"),
        (say("screen.orders.code"), 6, "left"),
        (say("screen.signals.price"), 8, "right"),
        (say("screen.signals.filled"), 15, "right"),
        (say("screen.signals.state"), 8, "left"),
        ("", 4, "left"),
        (say("screen.orders.number"), max(4, width - used), "left"),
    ]
    return table(headings if width >= used + 10 else headings[:-1], cells, look)
