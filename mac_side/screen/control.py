"""What the keys do: pages, codes, questions and commands. Pure: a key and a view in, state out."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal, get_args

from mac_side.screen import keys
from mac_side.screen_commands import Kind
from mac_side.view import SignalView, View
from shared_schema.words import say

HALT_WORD, RESUME_WORD = "HALT", "RESUME"
"""What has to be typed after ``h`` and ``r``; what follows is the reason."""
_LONGEST = 80

Page = Literal[
    "overview", "market", "grid", "signals", "position", "messages", "link", "orders", "events",
    "unknown", "cancel", "help",
]  # fmt: skip
PAGES: tuple[Page, ...] = get_args(Page)[:9]
"""By the keys 1 to 9."""
_LISTS: tuple[Page, ...] = ("grid", "signals", "messages", "orders", "events")
Question = Literal["", "halt", "resume", "unpause", "cancel", "filter"]
_LETTERS: dict[str, Page] = {"e": "events", "u": "unknown", "?": "help", "？": "help"}


@dataclass(frozen=True)
class Control:
    """Where the person is, and what the process has to do now."""

    page: Page = "overview"
    code: int = 0
    """Which of the views, from 0."""
    offset: int = 0
    """Rows scrolled down in a list."""
    filter: str = ""
    asking: Question = ""
    typed: str = ""
    offered: tuple[str, ...] = ()
    """Cancel: the ids offered by number; they stay while orders come and go."""
    wish: Literal["", "quit", "language", "command"] = ""
    command: Kind = "halt"
    argument: str = ""
    note: str = ""

    @property
    def prompt(self) -> str:
        """The question in the footer; "" where none is asked."""
        if not self.asking:
            return ""
        word = {"halt": HALT_WORD, "resume": RESUME_WORD}.get(self.asking, "")
        return say(f"screen.ask.{self.asking}", word=word, typed=self.typed)


def pressed(
    control: Control, key: str, view: View | None = None, *, codes: int = 1, read_only: bool = False
) -> Control:
    """The control after one key; ``view`` is what is shown, ``codes`` how many views there are."""
    control = replace(control, wish="", note="")
    if key in (keys.END, keys.GONE):
        return replace(control, wish="quit")
    if control.asking:
        return _answering(control, key)
    if key.lower() in ("h", "r", "p", "c"):
        return _commanding(control, key.lower(), view, read_only)
    return _looking(control, key, codes)


def may_be_cancelled(view: View | None) -> list[SignalView]:
    """The open orders of ours that no cancel was sent for, oldest first, at most nine."""
    signals = view.signals if view is not None else ()
    return [signal for signal in signals if signal.open and not signal.cancelling][:9]


def _looking(control: Control, key: str, codes: int) -> Control:
    letter = key.lower()
    if letter == "q":
        return replace(control, wish="quit")
    if letter == "l":
        return replace(control, wish="language")
    if key == "/":
        return replace(control, asking="filter", typed=control.filter)
    if key in (keys.TAB, keys.BACK_TAB):
        step = 1 if key == keys.TAB else -1
        return replace(control, code=(control.code + step) % max(1, codes), offset=0)
    if key.isascii() and key.isdigit() and 1 <= int(key) <= len(PAGES):
        return _turned(control, PAGES[int(key) - 1])
    if letter in _LETTERS:
        page = _LETTERS[letter]
        return _turned(control, "overview" if control.page == page else page)
    if key == keys.ESCAPE:
        return replace(control, filter="", offset=0) if control.filter else _turned(control, "overview")
    return _scrolled(control, key)


def _turned(control: Control, page: Page) -> Control:
    return replace(control, page=page, offset=0)


def _scrolled(control: Control, key: str) -> Control:
    if control.page not in _LISTS:
        return control
    rows = {keys.UP: -1, "k": -1, keys.DOWN: 1, "j": 1, keys.PAGE_UP: -10, keys.PAGE_DOWN: 10}.get(key)
    if key == keys.HOME:
        return replace(control, offset=0)
    return control if rows is None else replace(control, offset=max(0, control.offset + rows))


def _commanding(control: Control, key: str, view: View | None, read_only: bool) -> Control:
    if read_only:
        return replace(control, note=say("screen.read_only"))
    if key == "h":
        return replace(control, asking="halt", typed="")
    if view is None:
        return replace(control, note=say("screen.no_view"))
    if key == "r":
        return _resuming(control, view)
    if key == "p":
        if view.grid.paused_by_hand:
            return replace(control, asking="unpause", typed="")
        return _command(control, "pause", "")
    offered = tuple(signal.signal_id for signal in may_be_cancelled(view))
    if not offered:
        return replace(control, note=say("screen.nothing_to_cancel"))
    return replace(control, page="cancel", asking="cancel", typed="", offered=offered)


def _resuming(control: Control, view: View) -> Control:
    if not view.halt.halted:
        return replace(control, note=say("screen.not_halted"))
    if not view.halt.own:
        return replace(control, note=say("screen.halted_elsewhere", by=view.halt.by or "?"))
    return replace(control, asking="resume", typed="")


def _command(control: Control, kind: Kind, argument: str) -> Control:
    return replace(control, asking="", typed="", offset=0, wish="command", command=kind, argument=argument)


def _answering(control: Control, key: str) -> Control:
    if key == keys.ENTER:
        return _answered(control)
    if key == keys.ESCAPE:
        back: Page = "overview" if control.asking == "cancel" else control.page
        kept = "" if control.asking == "filter" else control.filter
        return replace(control, asking="", typed="", page=back, filter=kept)
    if key == keys.DELETE:
        control = replace(control, typed=control.typed[:-1])
    elif len(key) == 1 and len(control.typed) < _LONGEST:
        control = replace(control, typed=control.typed + key)
    # A filter works while it is typed.
    return replace(control, filter=control.typed, offset=0) if control.asking == "filter" else control


def _answered(control: Control) -> Control:
    typed = control.typed.strip()
    word, _, reason = typed.partition(" ")
    asked = control.asking
    nothing = replace(control, asking="", typed="")
    if asked == "filter":
        return nothing
    if asked == "halt":
        if word.upper() == HALT_WORD:
            return _command(control, "halt", reason.strip() or say("screen.no_reason"))
        return replace(nothing, note=say("screen.halt_not"))
    if asked == "resume":
        if word.upper() == RESUME_WORD and reason.strip():
            return _command(control, "resume", reason.strip())
        return replace(nothing, note=say("screen.resume_not"))
    if asked == "unpause":
        if typed.lower() in ("y", "yes"):
            return _command(control, "unpause", "")
        return replace(nothing, note=say("screen.unpause_not"))
    if typed.isascii() and typed.isdigit() and 1 <= int(typed) <= len(control.offered):
        chosen = _command(control, "cancel", control.offered[int(typed) - 1])
        return replace(chosen, page="overview")
    return replace(nothing, page="overview", note=say("screen.cancel_not"))
