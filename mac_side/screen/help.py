"""The page of keys."""

from __future__ import annotations

from rich.panel import Panel
from rich.text import Text

from mac_side.screen.look import Look, inside, panel, table
from shared_schema.words import say

KEYS = ("1", "2", "3", "4", "5", "6", "7", "h", "l", "?", "q")


def help_panel(look: Look, width: int, rows: int) -> Panel:
    """Every key with what it does."""
    lines: list[list[str | Text]] = [
        [Text(key, style="bold"), say(f"screen.help.{_name(key)}")] for key in KEYS
    ]
    body = table([("", 4, "left"), ("", max(10, inside(width) - 6), "left")], lines, look)
    body.show_header = False
    return panel(say("screen.title.help"), body, look, width, rows)


def _name(key: str) -> str:
    return {"?": "question"}.get(key, f"key_{key}")
