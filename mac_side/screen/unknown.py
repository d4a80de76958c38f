"""Orders whose outcome nobody knows: what that means, and what to type where."""

from __future__ import annotations

from rich.console import Group
from rich.panel import Panel
from rich.text import Text

from mac_side.screen.look import Look, clock, count, folded, inside, panel, price, price_digits, word
from mac_side.view import OrderView, SignalView, View
from shared_schema.words import say


def unknown_panel(view: View, look: Look, width: int, rows: int) -> Panel:
    """Each unknown order with the ``miniqmt resolve`` line for the executor's host."""
    room = inside(width)
    unknown = [signal for signal in view.signals if signal.state == "unknown"]
    if not unknown:
        lines = folded(say("screen.unknown.none"), room, "green" if look.color else "")
    else:
        lines = folded(say("screen.unknown.means"), room)
    for signal in unknown:
        lines += [Text(""), _order(signal, view, look)]
        lines += [Text.assemble("  ", (f"miniqmt resolve {signal.signal_id}", "bold"))]
        lines += [_candidate(order, view) for order in view.orders if _could_be(order, signal)]
    if unknown:
        lines += [Text(""), *folded(say("screen.unknown.then"), room, "bright_black")]
    if len(lines) > rows:
        lines = [*lines[: rows - 1], Text(say("screen.unknown.more"), style="bold")]
    return panel(say("screen.title.unknown"), Group(*lines), look, width, rows, "bold red" if unknown else "")


def _order(signal: SignalView, view: View, look: Look) -> Text:
    buying = signal.direction == "BUY"
    at = price(signal.price, price_digits(signal.code or view.code))
    return Text.assemble(
        (clock(signal.sent_at), "bright_black"),
        "  ",
        (word("side", signal.direction), look.up if buying else look.down),
        f" {signal.code} {count(signal.shares)} @{at}",
    )


def _could_be(order: OrderView, signal: SignalView) -> bool:
    """Equal in code, side and shares: shown to the person, who alone may say so (invariant I4)."""
    return (order.code, order.direction, order.shares) == (signal.code, signal.direction, signal.shares)


def _candidate(order: OrderView, view: View) -> Text:
    text = say(
        "screen.unknown.candidate",
        number=order.order_id,
        price=price(order.price, price_digits(order.code or view.code)),
        filled=count(order.filled),
        state=word("state", order.status),
        at=clock(order.at),
    )
    return Text(f"  {text}", style="yellow", no_wrap=True, overflow="ellipsis")
