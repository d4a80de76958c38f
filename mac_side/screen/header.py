"""The banner that cannot be missed, the line of what stands, and the line of keys."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from rich.cells import cell_len, set_cell_size
from rich.text import Text

from mac_side.screen.look import Look, clock, instrument_name, session_word
from mac_side.screen.notices import Notice
from mac_side.view import View
from shared_schema.sessions import shanghai
from shared_schema.words import say


@dataclass(frozen=True)
class CodeTab:
    """One of several codes in the banner."""

    code: str
    chosen: bool = False
    alarmed: bool = False
    """Something there needs a person."""


def banner(view: View, look: Look, width: int, tabs: Sequence[CodeTab] = ()) -> Text:
    """One band over the whole width: mode, code, account, session and market time."""
    live = view.mode == "live"
    style = look.band("magenta" if live else "yellow")  # red is kept for what is wrong
    mode = f" {say('screen.mode.live' if live else 'screen.mode.simulate')} "
    replay = say("screen.replay") + " " if abs(view.market - view.wall) > 1 else ""
    session = session_word(view.session) if view.session else ""
    right = f"{session}  {replay}{clock(view.market)} "
    account = say("screen.account_is", account=view.account or "-")
    name = view.name or instrument_name(view.code)
    # What has to go where it is narrow: first the strategy and name, never mode, code, account and time.
    further = [part for part in (name, view.strategy) if part]
    left = Text()
    for kept in range(len(further), -2, -1):
        left = Text.assemble(mode, " ", _codes(view, tabs, live, look))
        for part in (*further[: max(0, kept)], *([account] if kept >= 0 else [])):
            left.append(f"  {part}")
        if left.cell_len + cell_len(right) < width:
            break
    left.append(" " * max(1, width - left.cell_len - cell_len(right)) + right)
    left.truncate(width, overflow="crop")
    left.style = style
    left.no_wrap = True
    return left


def _codes(view: View, tabs: Sequence[CodeTab], live: bool, look: Look) -> Text:
    if len(tabs) < 2:
        return Text(view.code)
    line = Text()
    for tab in tabs:
        shown = f" {tab.code}{'!' if tab.alarmed else ''} "
        color = "magenta" if live else "yellow"
        # Without colours the band is reversed: what is chosen there stands out by not being so.
        chosen = f"bold {color} on black" if look.color else "bold not reverse"
        line.append(shown, style=chosen if tab.chosen else "")
    return line


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


_KEYS = ("screen.keys", "screen.keys_80", "screen.keys_short")
_READ_ONLY_KEYS = ("screen.keys_read_only", "screen.keys_read_only_80", "screen.keys_read_only_short")


@dataclass(frozen=True)
class Footer:
    """What the last line has to say besides the keys."""

    prompt: str = ""
    """A question while one is asked."""
    note: str = ""
    """An answer, for a while."""
    wanted: str = ""
    """A filter in force."""
    read_only: bool = False
    several: bool = False
    """Whether there are more codes than the one shown."""


def footer(look: Look, width: int, told: Footer) -> Text:
    """A question, else an answer, else a filter, else the keys that do something here."""
    prompt, note, wanted = told.prompt, told.note, told.wanted
    if prompt:
        # The end is what is being typed: where it is narrow the beginning goes.
        while cell_len(prompt) > width - 3:
            prompt = prompt[1:]
        line = set_cell_size(f" {prompt}" + ("█" if look.unicode else "_"), width)
        return Text(line, style=look.band("red"), no_wrap=True)
    if note:
        return Text(set_cell_size(f" {note}", width), style="bold", no_wrap=True)
    if wanted:
        return Text(
            set_cell_size(f" {say('screen.filtered', wanted=wanted)}", width), style="bold", no_wrap=True
        )
    several = say("screen.keys_several") if told.several else ""
    sizes = _READ_ONLY_KEYS if told.read_only else _KEYS
    lines = [several + say(key) for key in sizes]
    keys = next((line for line in lines if cell_len(line) < width - 1), say(sizes[-1]))
    shown = Text(set_cell_size(f" {keys}", width), style="bright_black", no_wrap=True)
    for found in re.finditer(r"\[([^]]+)\]", shown.plain):
        shown.stylize("bold default", *found.span(1))
    return shown
