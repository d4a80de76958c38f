"""Which panels a terminal gets: chosen by its size, so that no promised value is cut off.

Below 76x24 a plain list of the most important values; from there two columns; from 110x38
everything; from 190x50 everything with room for long lists. A key shows one panel alone.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass, field

from rich.cells import set_cell_size
from rich.console import Group, RenderableType
from rich.text import Text

from mac_side.screen import header, position
from mac_side.screen.blocks import Block, Drawings, below, beside, drawn
from mac_side.screen.cancel import cancel_panel
from mac_side.screen.control import Page
from mac_side.screen.events import events_panel
from mac_side.screen.grid import grid_panel
from mac_side.screen.header import CodeTab, Footer
from mac_side.screen.help import help_panel
from mac_side.screen.link import ROWS as LINK_ROWS
from mac_side.screen.link import link_panel
from mac_side.screen.look import Look
from mac_side.screen.market import market_panel
from mac_side.screen.messages import lines_needed, messages_panel
from mac_side.screen.narrowing import narrowed
from mac_side.screen.notices import Notice, notices
from mac_side.screen.orders import orders_panel
from mac_side.screen.position import position_panel
from mac_side.screen.signals import signals_panel
from mac_side.screen.tiny import tiny
from mac_side.screen.unknown import unknown_panel
from mac_side.view import View
from shared_schema.words import language, say

_FRAME = 2
"""Lines of a panel's border."""
SMALLEST = (76, 24)


@dataclass(frozen=True)
class Shown:
    """What a screen shows besides the view."""

    page: Page = "overview"
    silence: float = 0.0
    """Seconds since the engine last wrote."""
    prompt: str = ""
    note: str = ""
    wanted: str = ""
    """The filter in force."""
    offset: int = 0
    offered: tuple[str, ...] = ()
    """Orders that may be cancelled by number."""
    tabs: tuple[CodeTab, ...] = ()
    read_only: bool = False


OVERVIEW = Shown()
_PARTS: dict[str, Callable[[View], Hashable]] = {
    "market": lambda view: (view.price, view.bars, view.grid, view.lots, view.code),
    "grid": lambda view: (view.price.price, view.grid, view.lots, view.code),
    "position": lambda view: (view.position, view.counts, view.code),
    "signals": lambda view: (view.signals, view.counts, view.code),
    "orders": lambda view: (view.orders, view.code),
    "link": lambda view: (view.link, view.halt, view.session),
    "events": lambda view: view.events,
    "unknown": lambda view: (view.signals, view.orders, view.code),
}
"""Which facts of a view each panel shows: while they stay, it is not drawn again."""
_Draw = Callable[[View, Look, int, int], RenderableType]
_PANELS: dict[str, _Draw] = {
    "market": market_panel,
    "grid": grid_panel,
    "position": position_panel,
    "signals": signals_panel,
    "orders": orders_panel,
    "link": link_panel,
    "events": events_panel,
    "unknown": unknown_panel,
}


@dataclass(frozen=True)
class _Frame:
    """One picture being made."""

    view: View
    look: Look
    found: list[Notice]
    width: int
    shown: Shown
    drawings: Drawings = field(default_factory=Drawings)

    def panel(self, name: str, width: int, height: int) -> Block:
        """The panel ``name`` in ``width`` by ``height``, drawn anew only where its facts changed."""
        facts = (_PARTS[name](self.view), self.look, width, height, language())
        draw = _PANELS[name]
        return self.drawings.get(
            name,
            facts,
            lambda: drawn(draw(self.view, self.look, width, height - _FRAME), width, height),
        )

    def messages(self, width: int, height: int) -> Block:
        """Alarms, then events."""
        facts = (tuple(self.found), self.view.events, self.look, width, height, language())
        return self.drawings.get(
            "messages",
            facts,
            lambda: drawn(
                messages_panel(self.view, self.found, self.look, width, height - _FRAME), width, height
            ),
        )


def layout(
    view: View,
    look: Look,
    width: int,
    height: int,
    shown: Shown = OVERVIEW,
    drawings: Drawings | None = None,
) -> RenderableType:
    """The whole screen, ``width`` cells by ``height`` lines; ``drawings`` are those of the picture before."""
    found = notices(view, shown.silence)
    listed = narrowed(view, shown.wanted, shown.offset)
    frame = _Frame(listed, look, found, width, shown, drawings if drawings is not None else Drawings())
    if width < SMALLEST[0] or height < SMALLEST[1]:
        return tiny(view, found, look, width, height, shown.prompt, shown.note)
    body = height - 3
    if shown.page != "overview":
        middle = _one(frame, body)
    elif width >= 190 and height >= 50:
        middle = _large(frame, body)
    elif width >= 110 and height >= 38:
        middle = _medium(frame, body)
    else:
        middle = _small(frame, body)
    above = [header.banner(view, look, width, shown.tabs), header.status(view, found, look, width)]
    footer = Footer(shown.prompt, shown.note, shown.wanted, shown.read_only, len(shown.tabs) > 1)
    keys = header.footer(look, width, footer)
    return below([drawn(Group(*above), width, 2), middle, drawn(keys, width, 1)])


def nothing_yet(
    look: Look, width: int, height: int, where: str, note: str = "", *, read_only: bool = False
) -> RenderableType:
    """The screen before the engine has written anything; a viewer (``read_only``) has started none."""
    what = say("screen.no_engine" if read_only else "screen.no_view")
    lines = [f" {what}", f" {where}", "", f" {say('screen.no_view_next')}", "", f" {note}"]
    return Group(*(Text(set_cell_size(line, width)) for line in lines[:height]))


def _one(frame: _Frame, height: int) -> Block:
    """One page alone."""
    page, width = frame.shown.page, frame.width
    if page == "help":
        return drawn(help_panel(frame.look, width, height - _FRAME), width, height)
    if page == "cancel":
        body = cancel_panel(frame.view, frame.look, width, height - _FRAME, frame.shown.offered)
        return drawn(body, width, height)
    if page == "messages":
        return frame.messages(width, height)
    if page == "position":
        above = position.ROWS + _FRAME
        return below([frame.panel("position", width, above), frame.panel("orders", width, height - above)])
    return frame.panel(page, width, height)


def _small(frame: _Frame, height: int) -> Block:
    left = frame.width * 46 // 100
    right = frame.width - left
    extra = height - 21
    upper, middle = LINK_ROWS + _FRAME, 5 + _FRAME + min(extra // 2, 3 + max(1, len(frame.view.lots)))
    lower = height - upper - middle
    blocks = [
        beside([frame.panel("market", left, upper), frame.panel("link", right, upper)]),
        beside([frame.panel("grid", left, middle), frame.panel("position", right, middle)]),
    ]
    if frame.found:
        wanted = lines_needed(frame.found, frame.width)
        if wanted > lower - 2 * _FRAME - 2:
            # What is wrong comes before what was sent; the signals stand on their key.
            return below([*blocks, frame.messages(frame.width, lower)])
        blocks.append(frame.messages(frame.width, wanted + _FRAME))
        lower -= wanted + _FRAME
    return below([*blocks, frame.panel("signals", frame.width, lower)])


def _medium(frame: _Frame, height: int) -> Block:
    view = frame.view
    right = 48 if frame.width >= 120 else 44
    left = frame.width - right
    messages = min(12, max(7, lines_needed(frame.found, left) + 4))
    orders = 1 + min(3, max(1, len(view.orders))) + _FRAME
    rest = height - messages - orders
    signals = max(5, min(1 + max(4, len(view.signals)), rest - 2 * _FRAME - 11)) + _FRAME
    link = LINK_ROWS + 1 + _FRAME
    money = position.ROWS + _FRAME
    return beside(
        [
            below(
                [
                    frame.panel("market", left, rest - signals),
                    frame.panel("signals", left, signals),
                    frame.panel("orders", left, orders),
                    frame.messages(left, messages),
                ]
            ),
            below(
                [
                    frame.panel("link", right, link),
                    frame.panel("position", right, money),
                    frame.panel("grid", right, height - link - money),
                ]
            ),
        ]
    )


def _large(frame: _Frame, height: int) -> Block:
    """Chart and grid above, signals and orders over their whole width below; the rest at the right."""
    side = 58
    wide = frame.width - side
    lower = height - height * 8 // 15
    orders = lower * 2 // 5
    link = LINK_ROWS + 1 + _FRAME
    money = position.ROWS + _FRAME
    chart_and_grid = [
        frame.panel("market", wide - side, height - lower),
        frame.panel("grid", side, height - lower),
    ]
    return beside(
        [
            below(
                [
                    beside(chart_and_grid),
                    frame.panel("signals", wide, lower - orders),
                    frame.panel("orders", wide, orders),
                ]
            ),
            below(
                [
                    frame.panel("link", side, link),
                    frame.panel("position", side, money),
                    frame.messages(side, height - link - money),
                ]
            ),
        ]
    )
