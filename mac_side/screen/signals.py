"""Today's signals, moving from sent to filled."""

from __future__ import annotations

from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from mac_side.screen.look import Look, age, clock, count, inside, panel, price, price_digits, table, word
from mac_side.view import SignalView, View
from shared_schema.words import say

_STYLES = {
    "filled": "bold",
    "partly_filled": "cyan",
    "partly_cancelled": "cyan",
    "unknown": "bold red",
    "rejected": "yellow",
    "refused_by_broker": "yellow",
    "not_placed": "yellow",
    "expired": "yellow",
    "cancelled": "bright_black",
}
_WITH_REASON = frozenset({"unknown", "rejected", "refused_by_broker", "not_placed", "expired"})
_ID = 27
"""Cells of a whole id, ``SELL_159201.SZ_L10_1a2b3c4d``."""
_SHORT_ID = 12
"""Cells of an id without direction and code, ``L10_1a2b3c4d``."""


def signals_panel(view: View, look: Look, width: int, rows: int) -> Panel:
    """The newest signals first: time, side, price, filled of shares, state, latency, id and message."""
    body = _rows(view, look, inside(width), rows - 1)
    counts = say(
        "screen.signals.counts",
        signals=view.counts.signals,
        fills=view.counts.fills,
        refusals=view.counts.refusals,
        cancels=view.counts.cancels,
    )
    return panel(f"{say('screen.title.signals')}  {counts}", body, look, width, rows)


def _rows(view: View, look: Look, width: int, rows: int) -> Table | Text:
    if not view.signals:
        return Text(say("screen.signals.none"), style="bright_black")
    room = width - (8 + 4 + 8 + 15 + 8 + 7 + 6)
    wide = room >= _ID + 18
    id_width = _ID if wide else min(_SHORT_ID, max(8, room))
    message = room - id_width - 1 if room >= _SHORT_ID + 10 else 0
    cells = []
    for signal in reversed(view.signals):
        cells.append(_cells(signal, view, wide, message > 0, look))
        if len(cells) >= rows:
            break
    headings = [
        (say("screen.signals.time"), 8, "left"),
        (say("screen.signals.side"), 4, "left"),
        (say("screen.signals.price"), 8, "right"),
        (say("screen.signals.filled"), 15, "right"),
        (say("screen.signals.state"), 8, "left"),
        (say("screen.signals.latency"), 7, "right"),
        (say("screen.signals.id"), id_width, "left"),
    ]
    if message > 0:
        headings.append((say("screen.signals.message"), message, "left"))
    return table(headings, cells, look)


def _cells(signal: SignalView, view: View, wide: bool, with_message: bool, look: Look) -> list[str | Text]:
    buying = signal.direction == "BUY"
    # Where there is no column for messages, a reason is worth more than the id: the id stands in the log.
    reason = signal.message if signal.state in _WITH_REASON else ""
    short = short_id(signal) if with_message else reason or short_id(signal)
    identity = signal.signal_id if wide else short
    row: list[str | Text] = [
        clock(signal.sent_at),
        Text(say("screen.buy" if buying else "screen.sell"), style=look.up if buying else look.down),
        price(signal.price, price_digits(signal.code or view.code)),
        f"{count(signal.filled)}/{count(signal.shares)}",
        Text(word("state", signal.state), style=_STYLES.get(signal.state, "")),
        age(signal.latency),
        Text(identity, style="bright_black"),
    ]
    # Filled says it all; the executor's sentence would only say it again, and longer.
    message = "" if signal.state == "filled" else signal.message
    return [*row, Text(message, style="bright_black")] if with_message else row


def short_id(signal: SignalView) -> str:
    """The id without direction and code, which stand beside it."""
    prefix = f"{signal.direction}_{signal.code}_"
    return signal.signal_id.removeprefix(prefix) if signal.code else signal.signal_id
