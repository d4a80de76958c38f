"""The grid: its step and targets, and the ladder of lots held."""

from __future__ import annotations

from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from mac_side.screen.look import (
    Look,
    Pair,
    bar,
    count,
    inside,
    pairs,
    pairs_width,
    panel,
    percent,
    price,
    price_digits,
    table,
)
from mac_side.view import View
from shared_schema.words import say

FACTS = 5
"""Lines of values above the ladder."""


def grid_panel(view: View, look: Look, width: int, rows: int) -> Panel:
    """Next buy and sell, layers, anchor, step, take-profit, ATR and trend; then lots as rows allow."""
    body: list[RenderableType] = [pairs(_facts(view, look), inside(width))]
    left = rows - FACTS
    if left >= 3:
        body += [Text(""), _ladder(view, look, inside(width), left - 2)]
    return panel(say("screen.title.grid"), Group(*body), look, width, rows)


def _facts(view: View, look: Look) -> list[Pair]:
    grid, now = view.grid, view.price.price
    digits = price_digits(view.code) + 1
    next_sell = grid.next_sells[0] if grid.next_sells else None
    take_profit = grid.take_profit - 1 if grid.take_profit is not None else None
    return [
        (say("screen.grid.next_buy"), Text(price(grid.next_buy, digits), style=f"bold {look.up}")),
        (say("screen.grid.away"), percent(_away(grid.next_buy, now))),
        (say("screen.grid.next_sell"), Text(price(next_sell, digits), style=f"bold {look.down}")),
        (say("screen.grid.away"), percent(_away(next_sell, now))),
        (say("screen.grid.layers"), _layers(view, look)),
        (say("screen.grid.anchor"), price(grid.anchor, digits)),
        (say("screen.grid.step"), percent(grid.step, 3, sign=False)),
        (say("screen.grid.take_profit"), percent(take_profit, 3)),
        (say("screen.grid.atr"), _atr(view)),
        (say("screen.grid.trend"), _trend(view, look)),
    ]


def _away(target: float | None, now: float) -> float | None:
    return target / now - 1 if target and now > 0 else None


def _layers(view: View, look: Look) -> tuple[Text, ...]:
    grid = view.grid
    if not grid.max_layers:
        return (Text("-"),)
    number = Text(f"{grid.layers}/{grid.max_layers}", style="bold")
    shown = bar(grid.layers / grid.max_layers, min(grid.max_layers, 9), look)
    return Text.assemble(number, " ", shown), number


def _atr(view: View) -> tuple[Text, ...]:
    grid = view.grid
    if grid.atr is None:
        return (Text("-"),)
    plain = Text(f"{grid.atr:.5f}")
    if not grid.atr_mean:
        return (plain,)
    style = "bold yellow" if grid.paused else "bright_black"
    return Text.assemble(plain, (f" {grid.atr / grid.atr_mean:.1f}x", style)), plain


def _trend(view: View, look: Look) -> Text:
    """The trend; instead of it, what holds buying."""
    grid = view.grid
    if grid.paused:
        return Text(say("screen.grid.paused"), style="bold yellow")
    if grid.cooling_bars > 0:
        return Text(say("screen.grid.cooling", bars=grid.cooling_bars), style="yellow")
    if grid.trend is None:
        return Text("-")
    key = {1: "screen.grid.up", 0: "screen.grid.neutral", -1: "screen.grid.down"}[max(-1, min(1, grid.trend))]
    return Text(say(key), style=look.of_sign(grid.trend))


def _ladder(view: View, look: Look, width: int, rows: int) -> Table | Text:
    """The lots, nearest target first, at most ``rows`` lines below the heading."""
    if not view.lots:
        return Text(say("screen.grid.no_lots"), style="bright_black")
    digits = price_digits(view.code)
    lots = sorted(view.lots, key=lambda lot: lot.target)
    most = rows if len(lots) <= rows else rows - 1
    cells: list[list[str | Text]] = []
    for lot in lots[:most]:
        style = "yellow" if lot.pending else ""
        distance = lot.distance(view.price.price)
        cells.append(
            [
                Text(f"{lot.layer} {say('screen.grid.pending') if lot.pending else ''}", style=style),
                Text(count(lot.shares), style=style),
                Text(price(lot.cost, digits + 1), style=style),
                Text(price(lot.target, digits + 1), style=look.down),
                Text(percent(distance), style="bold" if distance is not None and distance <= 0 else ""),
            ]
        )
    if most < len(lots):
        cells.append(
            [Text("+"), Text(say("screen.more", count=len(lots) - most), style="bright_black"), "", "", ""]
        )
    width = pairs_width(width)
    each = (width - 6 - 4) // 4
    headings = [
        (say("screen.grid.layer"), 6, "left"),
        (say("screen.grid.shares"), each, "right"),
        (say("screen.grid.cost"), each, "right"),
        (say("screen.grid.target"), each, "right"),
        (say("screen.grid.distance"), width - 6 - 4 - 3 * each, "right"),
    ]
    return table(headings, cells, look)
