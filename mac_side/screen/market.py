"""The price, its change, and the last bars with the grid's prices on the axis."""

from __future__ import annotations

from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.text import Text

from mac_side.screen.chart import Mark, axis_width, candle_chart, candles_of, sparkline
from mac_side.screen.look import Look, inside, pairs, panel, percent, price, price_digits
from mac_side.view import View
from shared_schema.words import say

ROWS_FOR_CANDLES = 9


def market_panel(view: View, look: Look, width: int, rows: int) -> Panel:
    """Price, change, previous close and the day's range; below candles or a sparkline."""
    room = inside(width)
    body: list[RenderableType] = [_headline(view, look, room)]
    if rows >= ROWS_FOR_CANDLES:
        body += [Text(""), _candles(view, look, room, rows - 2)]
    else:
        day = _day(view)[: 2 * max(0, rows - 1)]
        body.append(pairs(day, room))
        left = rows - 1 - (len(day) + 1) // 2
        body.append(Text(sparkline(view.bars.close, room, left, look), style=look.of_sign(view.price.change)))
    return panel(say("screen.title.market"), Group(*body), look, width, rows)


def _headline(view: View, look: Look, width: int) -> Text:
    digits, now = price_digits(view.code), view.price
    style = look.of_sign(now.change)
    line = Text.assemble(
        (price(now.price, digits), f"bold {style}"), "  ", (percent(now.change), f"bold {style}")
    )
    if now.change is not None:
        line.append(f"  {now.price - now.pre_close:+.{digits}f}", style=style)
    for shown in range(len(_day(view)), 0, -1):  # the previous close stays longest
        day = [Text.assemble((f"{label} ", "bright_black"), value) for label, value in _day(view)[:shown]]
        tail = Text("  ").join(day)
        if width >= 48 and line.cell_len + tail.cell_len + 2 <= width:
            return Text.assemble(line, " " * (width - line.cell_len - tail.cell_len), tail)
    return line


def _day(view: View) -> list[tuple[str, str]]:
    digits, now = price_digits(view.code), view.price
    return [
        (say("screen.market.pre_close"), price(now.pre_close, digits)),
        (say("screen.market.open"), price(now.open, digits)),
        (say("screen.market.high"), price(now.high, digits)),
        (say("screen.market.low"), price(now.low, digits)),
    ]


def _candles(view: View, look: Look, width: int, rows: int) -> Text:
    digits, grid = price_digits(view.code), view.grid
    given = [
        (view.price.price, "screen.mark.now", "bold", False),
        (grid.next_buy, "screen.mark.buy", look.up, True),
        *(
            (target, f"screen.mark.{'further' if place else 'sell'}", look.down, not place)
            for place, target in enumerate(grid.next_sells)
        ),
        (grid.anchor, "screen.mark.anchor", "cyan", True),
        *((lot.buy_price, "screen.mark.lot", "bright_black", False) for lot in view.lots),
    ]
    marks = [Mark(value, say(key), style, line) for value, key, style, line in given if value]
    candles = candles_of(view.bars, width - axis_width(marks, digits))
    if not candles:
        return Text(say("screen.market.no_bars"), style="bright_black")
    return candle_chart(candles, marks, look, width, rows, digits)
