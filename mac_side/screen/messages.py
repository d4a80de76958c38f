"""Alarms with what to do about them, then what happened last."""

from __future__ import annotations

from rich.console import Group
from rich.panel import Panel
from rich.text import Text

from mac_side.screen.events import event_lines
from mac_side.screen.look import Look, folded, inside, panel
from mac_side.screen.notices import Notice
from mac_side.view import View
from shared_schema.words import say


def messages_panel(view: View, found: list[Notice], look: Look, width: int, rows: int) -> Panel:
    """All notices, gravest first, then events, newest first, as many as there are lines for."""
    room = inside(width)
    alarms = _notice_lines(found, room)
    if len(alarms) > rows:
        alarms = [*alarms[: rows - 1], Text(say("screen.messages.more"), style="bold")]
    lines = alarms + event_lines(view, room, rows - len(alarms))
    if not lines:
        lines = [Text(say("screen.messages.none"), style="bright_black")]
    title = say("screen.title.messages")
    if found:
        title += f"  {say('screen.messages.count', count=len(found))}"
    style = f"bold {found[0].level}" if found else ""
    return panel(title, Group(*lines), look, width, rows, style)


def lines_needed(found: list[Notice], width: int) -> int:
    """Lines the notices take in a panel ``width`` wide."""
    return len(_notice_lines(found, inside(width)))


def _notice_lines(found: list[Notice], width: int) -> list[Text]:
    lines: list[Text] = []
    for notice in found:
        lines += _hanging("! ", notice.text, width, f"bold {notice.level}")
        if notice.what_to_do:
            lines += _hanging("  > ", notice.what_to_do, width, "")
    return lines


def _hanging(sign: str, text: str, width: int, style: str) -> list[Text]:
    lines = folded(text, width - len(sign), style)
    return [Text(sign if i == 0 else " " * len(sign), style=style) + line for i, line in enumerate(lines)]
