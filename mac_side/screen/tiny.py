"""A terminal too small for panels: one value a line, the gravest first."""

from __future__ import annotations

from rich.console import Group, RenderableType
from rich.text import Text

from mac_side.screen import header
from mac_side.screen.look import Look, age, count, money, percent, price, price_digits
from mac_side.screen.notices import Notice
from mac_side.view import View
from shared_schema.words import say


def tiny(
    view: View, found: list[Notice], look: Look, width: int, height: int, prompt: str = "", note: str = ""
) -> RenderableType:
    """The banner, what is wrong, then values; where lines are missing the last ones go."""
    lines = [header.banner(view, look, width), *(_notice(notice) for notice in found), *_values(view, look)]
    asked = bool(prompt or note)
    for line in lines:
        line.no_wrap = True
        line.truncate(max(1, width), overflow="crop")
    kept = lines[: max(1, height - 1 if asked else height)]
    if asked and height > 1:
        kept.append(header.footer(look, width, header.Footer(prompt, note)))
    return Group(*kept)


def _notice(notice: Notice) -> Text:
    return Text(notice.text, style=f"bold {notice.level}")


def _values(view: View, look: Look) -> list[Text]:
    digits, grid, counts = price_digits(view.code), view.grid, view.counts
    next_sell = grid.next_sells[0] if grid.next_sells else None
    now = f"{price(view.price.price, digits)} {percent(view.price.change)}"
    return [
        Text(now, look.of_sign(view.price.change)),
        Text(f"{say('screen.position.volume')} {count(view.position.volume)}"),
        Text(f"{say('screen.position.floating')} {money(view.position.floating_profit, sign=True)}"),
        Text(f"{say('screen.grid.next_buy')} {price(grid.next_buy, digits + 1)}"),
        Text(f"{say('screen.grid.next_sell')} {price(next_sell, digits + 1)}"),
        Text(f"{say('screen.grid.layers')} {grid.layers}/{grid.max_layers}"),
        Text(f"{say('screen.position.open_orders')} {count(counts.open_orders)}"),
        Text(f"{say('screen.position.unknown')} {count(counts.unknown_orders)}"),
        Text(f"{say('screen.link.executor')} {age(view.link.executor_age)}"),
        Text(f"{say('screen.link.quote')} {age(view.link.quote_age)}"),
    ]
