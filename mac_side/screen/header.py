"""The banner that cannot be missed, the line of what stands, and the line of keys."""

from __future__ import annotations

from rich.cells import cell_len, set_cell_size
from rich.text import Text

from mac_side.screen.look import Look, clock, session_word
from mac_side.screen.notices import Notice
from mac_side.view import View
from shared_schema.sessions import shanghai
from shared_schema.words import say


def banner(view: View, look: Look, width: int) -> Text:
    """One band over the whole width: mode, code, account, session and market time."""
    live = view.mode == "live"
    mode = f" {say('screen.mode.live' if live else 'screen.mode.simulate')} "
    what = "  ".join(part for part in (view.code, view.name, view.strategy) if part)
    replay = say("screen.replay") + " " if abs(view.market - view.wall) > 1 else ""
    session = session_word(view.session) if view.session else ""
    right = f"{session}  {replay}{clock(view.market)} "
    account = say("screen.account_is", account=view.account or "-")
    # What has to go where it is narrow: first the strategy and name, never mode, code, account and time.
    for middle in (f"{what}  {account}", f"{view.code}  {account}", view.code):
        if cell_len(mode) + cell_len(middle) + cell_len(right) + 3 <= width:
            break
    color = "magenta" if live else "yellow"  # red is kept for what is wrong
    left = f"{mode}  {middle}"
    line = left + " " * max(1, width - cell_len(left) - cell_len(right)) + right
    return Text(set_cell_size(line, width), style=look.band(color), no_wrap=True)


def status(view: View, found: list[Notice], look: Look, width: int) -> Text:
    """The gravest notice as a band; where there is none, what the market does."""
    if found:
        more = f"  (+{len(found) - 1})" if len(found) > 1 else ""
        text = f" {found[0].text}"
        room = width - cell_len(more) - 1
        line = set_cell_size(text if cell_len(text) <= room else _cut(text, room), room) + more + " "
        return Text(line, style=look.band(found[0].level), no_wrap=True)
    return Text(set_cell_size(f" {_calm(view)}", width), style="green" if look.color else "", no_wrap=True)


def _cut(text: str, width: int) -> str:
    return set_cell_size(text, max(0, width - 3)) + "..."


def _calm(view: View) -> str:
    if view.session == "continuous":
        return say("screen.calm.trading")
    state = session_word(view.session) if view.session else say("screen.calm.starting")
    if view.next_opening is None:
        return state
    return state + say("screen.calm.next_opening", at=shanghai(view.next_opening).strftime("%m-%d %H:%M"))


def footer(look: Look, width: int, prompt: str = "", note: str = "") -> Text:
    """The keys; a question while one is asked; a note for a while after an answer."""
    if prompt:
        return Text(set_cell_size(f" {prompt}", width), style=look.band("red"), no_wrap=True)
    keys = say("screen.keys") if width >= 72 else say("screen.keys_short")
    line = f" {note}" if note else f" {keys}"
    return Text(set_cell_size(line, width), style="bold" if note else "bright_black", no_wrap=True)
