"""The open orders with the numbers by which one can be taken back."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Group
from rich.panel import Panel
from rich.text import Text

from mac_side.screen.look import Look, clock, count, panel, price, price_digits, word
from mac_side.view import View
from shared_schema.words import say


def cancel_panel(view: View, look: Look, width: int, rows: int, offered: Sequence[str]) -> Panel:
    """One line for each order offered; the numbers stay with their orders while others come and go."""
    known = {signal.signal_id: signal for signal in view.signals}
    lines = [Text(say("screen.cancel.which"), style="bright_black"), Text("")]
    for number, identity in enumerate(offered, start=1):
        signal = known.get(identity)
        line = Text.assemble((f"{number}", "bold"), "  ")
        if signal is not None:
            buying = signal.direction == "BUY"
            shown = price(signal.price, price_digits(signal.code or view.code))
            line.append(f"{clock(signal.sent_at)}  ", style="bright_black")
            line.append(word("side", signal.direction), style=look.up if buying else look.down)
            line.append(f" {count(signal.filled)}/{count(signal.shares)} @{shown}  ")
            state = word("state", signal.state) if signal.open else say("screen.cancel.ended")
            line.append(f"{state}  ", style="" if signal.open else "bold yellow")
        line.append(identity, style="bright_black")
        lines.append(line)
    for line in lines:
        line.no_wrap = True
    return panel(say("screen.title.cancel"), Group(*lines[:rows]), look, width, rows)
