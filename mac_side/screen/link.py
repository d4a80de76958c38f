"""The link to the other host: ages of what arrives, and who executes."""

from __future__ import annotations

from rich.panel import Panel
from rich.text import Text

from mac_side.screen.look import Look, Pair, age, clock, inside, pairs, panel, word
from mac_side.view import Link, View
from shared_schema.words import say

ROWS = 4
"""Lines it needs in two columns."""


def link_panel(view: View, look: Look, width: int, rows: int) -> Panel:
    """Quote, heartbeats, delays of the sync tool, the executor and the halt."""
    link = view.link
    items: list[Pair] = [
        (say("screen.link.quote"), _aged(link.quote_age, _stale_after(view))),
        (say("screen.link.sync"), _way(link.sync_age, link.lost_in)),
        (say("screen.link.executor"), _aged(link.executor_age, link.red_after)),
        (say("screen.link.sync_back"), _way(link.sync_age_back, link.lost_out)),
        (say("screen.link.producer"), _aged(link.producer_age, link.red_after)),
        (say("screen.link.skew"), _skew(link)),
        (say("screen.link.instance"), _instance(view)),
        (say("screen.link.halt"), _halt(view)),
    ]
    ready = say("screen.link.ready") if link.executor_ready else say("screen.link.not_ready")
    if view.halt.halted:
        ready = say("screen.executor.halted")  # ready it may be, and takes none
    if rows >= 5:
        items += [
            (say("screen.link.executor_state"), word("executor", link.executor_state) or "-"),
            (say("screen.link.orders"), ready if link.executor_instance else "-"),
        ]
    return panel(say("screen.title.link"), pairs(items[: rows * 2], inside(width)), look, width, rows)


def _stale_after(view: View) -> float:
    """Outside the session an old quote is as it must be."""
    return view.link.quote_stale_after if view.session in ("", "continuous") else float("inf")


def _aged(seconds: float | None, red_after: float) -> Text:
    if seconds is None:
        return Text("-", style="yellow")
    return Text(age(seconds), style="bold red" if seconds > red_after else "green")


def _way(seconds: float | None, lost: bool) -> Text:
    return Text(say("screen.link.lost"), style="bold red") if lost else Text(age(seconds))


def _skew(link: Link) -> str | tuple[Text, ...]:
    """With what it is known to within: nothing smaller than half the round trip can be seen."""
    if link.skew is None or link.skew_blind is None:
        return age(link.skew)
    return (Text(f"{age(link.skew)} ±{age(link.skew_blind)}"), Text(age(link.skew)))


def _instance(view: View) -> tuple[Text, ...]:
    instance = view.link.executor_instance
    if not instance:
        return (Text("-", style="yellow"),)
    return tuple(Text(instance[-length:]) for length in (len(instance), 8, 6, 4))


def _halt(view: View) -> Text:
    if not view.halt.halted:
        return Text(say("screen.link.no_halt"))
    if view.halt.confirmed_at is None:
        return Text(say("screen.link.unconfirmed"), style="bold red")
    return Text(clock(view.halt.confirmed_at), style="bold red")
