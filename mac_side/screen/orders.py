"""The orders at the broker, foreign ones included."""

from __future__ import annotations

from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from mac_side.screen.look import Look, clock, count, inside, panel, price, price_digits, table, word
from mac_side.view import OrderView, View
from shared_schema.words import say


def orders_panel(view: View, look: Look, width: int, rows: int) -> Panel:
    """Open orders first: side, code, price, filled of shares, state, whose it is and its number."""
    counts = say(
        "screen.orders.counts",
        open=sum(1 for order in view.orders if order.open),
        foreign=sum(1 for order in view.orders if not order.ours),
    )
    title = f"{say('screen.title.orders')}  {counts}"
    return panel(title, _rows(view, look, inside(width), rows - 1), look, width, rows)


def _rows(view: View, look: Look, width: int, rows: int) -> Table | Text:
    if not view.orders:
        return Text(say("screen.orders.none"), style="bright_black")
    columns = [
        (say("screen.signals.side"), 4, "left"),
        (say("screen.orders.code"), 6, "left"),
        (say("screen.signals.price"), 8, "right"),
        (say("screen.signals.filled"), 15, "right"),
        (say("screen.signals.state"), 8, "left"),
        (say("screen.orders.whose"), 4, "left"),
    ]
    used = sum(cells + 1 for _, cells, _ in columns)
    if width - used >= 6:
        columns.append((say("screen.orders.number"), min(24, width - used), "left"))
    if width - used >= 24 + 1 + 8:
        columns.append((say("screen.signals.time"), 8, "left"))
    lines = [_cells(order, view, look)[: len(columns)] for order in view.orders[: max(1, rows)]]
    return table(columns, lines, look)


def _cells(order: OrderView, view: View, look: Look) -> list[str | Text]:
    buying = order.direction == "BUY"
    ours = Text(say("screen.orders.ours"), style="bright_black")
    whose = ours if order.ours else Text(say("screen.orders.foreign"), style="yellow")
    return [
        Text(word("side", order.direction), style=look.up if buying else look.down),
        order.code[:6],
        price(order.price, price_digits(order.code or view.code)),
        f"{count(order.filled)}/{count(order.shares)}",
        Text(word("state", order.status), style="bold" if order.open else ""),
        whose,
        Text(order.order_id, style="bright_black"),
        Text(clock(order.at), style="bright_black"),
    ]
