"""Position and money: what is held, what it earned, and how much of each limit is used."""

from __future__ import annotations

from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.text import Text

from mac_side.screen.look import (
    Gauge,
    Look,
    Pair,
    amounts,
    count,
    gauges,
    inside,
    money,
    pairs,
    panel,
    price,
    price_digits,
)
from mac_side.view import View
from shared_schema.words import say

ROWS = 10
"""Lines that show everything."""


def position_panel(view: View, look: Look, width: int, rows: int) -> Panel:
    """Position, profit, orders, money and limits; where lines are missing the last ones go to their page."""
    room = inside(width)
    lines: list[RenderableType] = [pairs(pair, room) for pair in _pairs(view, look)]
    money_lines = _gauges(view, look, room)
    # Where there is no room for all, the cash comes before fixed and flow.
    shown = [*lines, *money_lines] if rows >= ROWS else [*lines[:4], money_lines[0], *lines[4:]]
    return panel(say("screen.title.position"), Group(*shown[:rows]), look, width, rows)


def _pairs(view: View, look: Look) -> list[tuple[Pair, Pair]]:
    held, counts = view.position, view.counts
    digits = price_digits(view.code) + 1
    return [
        (
            (say("screen.position.volume"), Text(count(held.volume), style="bold")),
            (say("screen.position.can_use"), count(held.can_use)),
        ),
        (
            (say("screen.position.floating"), _gain(held.floating_profit, look)),
            (say("screen.position.cost"), price(held.cost, digits)),
        ),
        (
            (say("screen.position.open_orders"), count(counts.open_orders)),
            (say("screen.position.unknown"), _unknown(counts.unknown_orders)),
        ),
        (
            (say("screen.position.realised"), _gain(counts.realised_profit, look)),
            (say("screen.position.fees"), amounts(counts.fees)),
        ),
        (
            (say("screen.position.fixed"), count(held.fixed)),
            (say("screen.position.flow"), count(held.flow)),
        ),
        (
            (say("screen.position.market_value"), amounts(held.market_value)),
            (say("screen.position.total"), amounts(counts.total_asset)),
        ),
    ]


def _gain(value: float | None, look: Look) -> tuple[Text, ...]:
    return amounts(value, sign=True, style=f"bold {look.of_sign(value)}")


def _unknown(orders: int) -> Text:
    return Text(count(orders), style="bold red reverse" if orders else "")


def _gauges(view: View, look: Look, width: int) -> list[Text]:
    """Cash of all that is owned; pool, orders and turnover of their limits."""
    counts = view.counts
    pool = _share(counts.pool_used, counts.pool_limit)
    pool_style = "" if pool is None else "red" if pool > 0.9 else "yellow" if pool > 0.85 else "cyan"
    rows = (
        Gauge(_name("cash"), _share(counts.cash, counts.total_asset), money(counts.cash), "green"),
        Gauge(_name("pool"), *_of_limit(counts.pool_used, counts.pool_limit), pool_style),
        Gauge(_name("orders"), *_of_limit(counts.orders, counts.orders_limit)),
        Gauge(_name("turnover"), *_of_limit(counts.turnover, counts.turnover_limit)),
    )
    return gauges(rows, look, width)


def _name(row: str) -> str:
    return say(f"screen.position.{row}")


def _share(value: float | None, whole: float | None) -> float | None:
    return value / whole if value is not None and whole else None


def _of_limit(value: float, limit: float | None) -> tuple[float | None, str]:
    shown = count(value) if isinstance(value, int) else money(value)
    return _share(value, limit), f"{shown} / {limit:,.0f}" if limit else shown
