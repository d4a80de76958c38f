"""Position and money: what is held, what it earned, and what may still be spent."""

from __future__ import annotations

from rich.panel import Panel
from rich.text import Text

from mac_side.screen.look import Look, Pair, amounts, bar, count, inside, pairs, panel, price, price_digits
from mac_side.view import View
from shared_schema.words import say


def position_panel(view: View, look: Look, width: int, rows: int) -> Panel:
    """Position, profit, counts against limits, cash and pool; the most important lines first."""
    held, counts = view.position, view.counts
    digits = price_digits(view.code) + 1
    items: list[Pair] = [
        (say("screen.position.volume"), Text(count(held.volume), style="bold")),
        (say("screen.position.can_use"), count(held.can_use)),
        (say("screen.position.floating"), _gain(held.floating_profit, look)),
        (say("screen.position.cost"), price(held.cost, digits)),
        (say("screen.position.open_orders"), count(counts.open_orders)),
        (say("screen.position.unknown"), _unknown(counts.unknown_orders)),
        (say("screen.position.realised"), _gain(counts.realised_profit, look)),
        (say("screen.position.fees"), amounts(counts.fees)),
        (say("screen.position.market_value"), amounts(held.market_value)),
        (say("screen.position.cash"), amounts(counts.cash)),
        (say("screen.position.fixed"), count(held.fixed)),
        (say("screen.position.flow"), count(held.flow)),
        (say("screen.position.orders"), _of(counts.orders, counts.orders_limit)),
        (say("screen.position.turnover"), amounts(counts.turnover)),
        (say("screen.position.pool"), amounts(counts.pool_used)),
        ("", _pool(view, look)),
    ]
    return panel(say("screen.title.position"), pairs(items[: rows * 2], inside(width)), look, width, rows)


ROWS = 8
"""Lines that show everything."""


def _gain(value: float | None, look: Look) -> tuple[Text, ...]:
    return amounts(value, sign=True, style=f"bold {look.of_sign(value)}")


def _unknown(orders: int) -> Text:
    return Text(count(orders), style="bold red reverse" if orders else "")


def _of(value: int, limit: int | None) -> str:
    return f"{count(value)}/{count(limit)}" if limit is not None else count(value)


def _pool(view: View, look: Look) -> tuple[Text, ...]:
    limit = view.counts.pool_limit
    if not limit:
        return (Text("-"),)
    share = view.counts.pool_used / limit
    style = "red" if share > 0.9 else "yellow" if share > 0.85 else "cyan"
    number = Text(f"{share * 100:.0f}%")
    return (*(Text.assemble(bar(share, cells, look, style), " ", number) for cells in (12, 9, 6)), number)
