"""Which panels a terminal gets: chosen by its size, so that no promised value is cut off.

Below 76x24 a plain list of the most important values; from there two columns; from 110x38
everything; from 190x50 everything with room for long lists. A key shows one panel alone.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from rich.cells import set_cell_size
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from mac_side.screen import header, help, position
from mac_side.screen.grid import grid_panel
from mac_side.screen.link import ROWS as LINK_ROWS
from mac_side.screen.link import link_panel
from mac_side.screen.look import Look, age, count, money, percent, price, price_digits
from mac_side.screen.market import market_panel
from mac_side.screen.messages import lines_needed, messages_panel
from mac_side.screen.notices import Notice, notices
from mac_side.screen.orders import orders_panel
from mac_side.screen.position import position_panel
from mac_side.screen.signals import signals_panel
from mac_side.view import View
from shared_schema.words import say

Page = Literal["overview", "market", "grid", "signals", "position", "messages", "link", "help"]
PAGES: tuple[Page, ...] = ("overview", "market", "grid", "signals", "position", "messages", "link")
"""By the keys 1 to 7."""
_FRAME = 2
"""Lines of a panel's border."""


@dataclass(frozen=True)
class Shown:
    """What a screen shows besides the view."""

    page: Page = "overview"
    silence: float = 0.0
    """Seconds since the engine last wrote."""
    prompt: str = ""
    note: str = ""


OVERVIEW = Shown()


@dataclass(frozen=True)
class _Frame:
    """One picture being made."""

    view: View
    look: Look
    found: list[Notice]
    width: int


Draw = Callable[[View, Look, int, int], RenderableType]


def layout(view: View, look: Look, width: int, height: int, shown: Shown = OVERVIEW) -> RenderableType:
    """The whole screen, ``width`` cells by ``height`` lines."""
    found = notices(view, shown.silence)
    frame = _Frame(view, look, found, width)
    if width < 76 or height < 24:
        return _tiny(frame, height, shown)
    body = height - 3
    if shown.page != "overview":
        middle = _one(frame, shown.page, body)
    elif width >= 190 and height >= 50:
        middle = _large(frame, body)
    elif width >= 110 and height >= 38:
        middle = _medium(frame, body)
    else:
        middle = _small(frame, body)
    return Group(
        header.banner(view, look, width),
        header.status(view, found, look, width),
        middle,
        header.footer(look, width, shown.prompt, shown.note),
    )


def nothing_yet(look: Look, width: int, height: int, where: str, note: str = "") -> RenderableType:
    """The screen before the engine has written anything."""
    lines = [f" {say('screen.no_view')}", f" {where}", "", f" {say('screen.no_view_next')}", "", f" {note}"]
    return Group(*(Text(set_cell_size(line, width)) for line in lines[:height]))


def _one(frame: _Frame, page: Page, height: int) -> RenderableType:
    rows = height - _FRAME
    if page == "help":
        return help.help_panel(frame.look, frame.width, rows)
    if page == "messages":
        return _messages(frame, frame.width, rows)
    if page == "position":
        above = position.ROWS
        return Group(
            position_panel(frame.view, frame.look, frame.width, above),
            orders_panel(frame.view, frame.look, frame.width, rows - above - _FRAME),
        )
    draw: dict[Page, Draw] = {
        "market": market_panel,
        "grid": grid_panel,
        "signals": signals_panel,
        "link": link_panel,
    }
    return draw[page](frame.view, frame.look, frame.width, rows)


def _small(frame: _Frame, height: int) -> RenderableType:
    left = frame.width * 46 // 100
    extra = height - 21
    upper, middle = LINK_ROWS, 5 + min(extra // 2, 3 + max(1, len(frame.view.lots)))
    lower = height - upper - middle - 2 * _FRAME
    blocks: list[RenderableType] = [
        _beside(frame, left, upper, market_panel, link_panel),
        _beside(frame, left, middle, grid_panel, position_panel),
    ]
    if frame.found:
        wanted = lines_needed(frame.found, frame.width)
        if wanted > lower - 2 * _FRAME - 2:
            # What is wrong comes before what was sent; the signals stand on their key.
            return Group(*blocks, _messages(frame, frame.width, lower - _FRAME))
        blocks.append(_messages(frame, frame.width, wanted))
        lower -= wanted + _FRAME
    blocks.append(signals_panel(frame.view, frame.look, frame.width, lower - _FRAME))
    return Group(*blocks)


def _medium(frame: _Frame, height: int) -> RenderableType:
    view, look = frame.view, frame.look
    right = 48 if frame.width >= 120 else 44
    left = frame.width - right
    messages = min(10, max(4, lines_needed(frame.found, left) + 2))
    orders = 1 + min(3, max(1, len(view.orders)))
    rest = height - messages - orders - 2 * _FRAME
    signals = max(5, min(1 + max(4, len(view.signals)), rest - 2 * _FRAME - 11))
    column = Group(
        market_panel(view, look, left, rest - signals - 2 * _FRAME),
        signals_panel(view, look, left, signals),
        orders_panel(view, look, left, orders),
        _messages(frame, left, messages),
    )
    link = LINK_ROWS + 1
    other = Group(
        link_panel(view, look, right, link),
        position_panel(view, look, right, position.ROWS),
        grid_panel(view, look, right, height - link - position.ROWS - 3 * _FRAME),
    )
    return _columns((left, column), (right, other))


def _large(frame: _Frame, height: int) -> RenderableType:
    view, look = frame.view, frame.look
    side = 58
    left = frame.width - 2 * side
    above = height * 3 // 5
    orders = max(6, min(12, 1 + len(view.orders)))
    link = LINK_ROWS + 1
    return _columns(
        (
            left,
            Group(
                market_panel(view, look, left, above - _FRAME),
                signals_panel(view, look, left, height - above - _FRAME),
            ),
        ),
        (
            side,
            Group(
                grid_panel(view, look, side, height - orders - 2 * _FRAME),
                orders_panel(view, look, side, orders),
            ),
        ),
        (
            side,
            Group(
                link_panel(view, look, side, link),
                position_panel(view, look, side, position.ROWS),
                _messages(frame, side, height - link - position.ROWS - 3 * _FRAME),
            ),
        ),
    )


def _beside(frame: _Frame, left: int, rows: int, one: Draw, other: Draw) -> Table:
    right = frame.width - left
    return _columns(
        (left, one(frame.view, frame.look, left, rows)), (right, other(frame.view, frame.look, right, rows))
    )


def _columns(*columns: tuple[int, RenderableType]) -> Table:
    grid = Table.grid(padding=0)
    for width, _ in columns:
        grid.add_column(width=width)
    grid.add_row(*(body for _, body in columns))
    return grid


def _messages(frame: _Frame, width: int, rows: int) -> RenderableType:
    return messages_panel(frame.view, frame.found, frame.look, width, rows)


def _tiny(frame: _Frame, height: int, shown: Shown) -> RenderableType:
    """One value a line, the gravest first; a terminal too small for more loses the last ones."""
    view, look, width = frame.view, frame.look, frame.width
    digits, grid, counts = price_digits(view.code), view.grid, view.counts
    next_sell = grid.next_sells[0] if grid.next_sells else None
    lines = [
        header.banner(view, look, width),
        *(Text(notice.text, style=f"bold {notice.level}") for notice in frame.found),
        Text(
            f"{price(view.price.price, digits)} {percent(view.price.change)}", look.of_sign(view.price.change)
        ),
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
    asked = bool(shown.prompt or shown.note)
    for line in lines:
        line.truncate(max(1, width), overflow="crop")
    kept = lines[: max(1, height - 1 if asked else height)]
    if asked and height > 1:
        kept.append(header.footer(look, width, shown.prompt, shown.note))
    return Group(*kept)
