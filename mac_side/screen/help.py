"""The page of keys."""

from __future__ import annotations

from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from mac_side.screen.look import Look, inside, panel, table
from shared_schema.words import say

PAGES = ("1", "2", "3", "4", "5", "6", "7", "8", "9")
ACTIONS = ("h", "r", "p", "c", "u")
MOVING = ("tab", "arrows", "slash", "e", "l", "esc", "question", "q")
_SHOWN = {"tab": "Tab", "arrows": "j k", "slash": "/", "esc": "Esc", "question": "?"}


def help_panel(look: Look, width: int, rows: int) -> Panel:
    """Every key with what it does; in two columns where there is room."""
    room = inside(width)
    if room >= 72:
        half = room // 2
        columns = Table.grid(padding=0)
        columns.add_column(width=half)
        columns.add_column(width=room - half)
        right: list[RenderableType] = [_keys(MOVING, room - half, look)]
        columns.add_row(_keys(PAGES, half, look), Group(*right))
        body: RenderableType = Group(_keys(ACTIONS, room, look), Text(""), columns)
    else:
        body = _keys((*ACTIONS, *MOVING, *PAGES), room, look)
    return panel(say("screen.title.help"), body, look, width, rows)


def _keys(names: tuple[str, ...], width: int, look: Look) -> Table:
    lines: list[list[str | Text]] = [
        [Text(_SHOWN.get(name, name), style="bold"), say(f"screen.help.key_{name}")] for name in names
    ]
    body = table([("", 4, "left"), ("", max(10, width - 6), "left")], lines, look)
    body.show_header = False
    return body
