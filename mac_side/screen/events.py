"""What happened, newest first."""

from __future__ import annotations

import re

from rich.cells import cell_len
from rich.console import Group
from rich.panel import Panel
from rich.text import Text

from mac_side.screen.look import Look, clock, inside, panel
from mac_side.view import View
from shared_schema.words import say

_LONG_ID = re.compile(r"\b(?:BUY|SELL)_\d{6}\.(?:SH|SZ|BJ)_")
_BEFORE = len("00:00:00  ")


def events_panel(view: View, look: Look, width: int, rows: int) -> Panel:
    """As many events as there are lines for, the newest on top."""
    lines = event_lines(view, inside(width), rows) or [
        Text(say("screen.messages.no_events"), style="bright_black")
    ]
    return panel(say("screen.title.events"), Group(*lines), look, width, rows)


def event_lines(view: View, width: int, rows: int) -> list[Text]:
    """One event a line, newest first; what is too long is cut and marked."""
    lines = []
    for event in reversed(view.events[-rows:] if rows > 0 else ()):
        room = width - _BEFORE
        # Direction and code go first: what happened stands at the end.
        text = event.text if cell_len(event.text) <= room else _LONG_ID.sub("", event.text)
        line = Text.assemble((clock(event.at), "bright_black"), "  ", text, no_wrap=True)
        line.truncate(width, overflow="ellipsis")
        lines.append(line)
    return lines
