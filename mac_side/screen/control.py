"""What the keys do: pages, language, and the question before a halt. Pure: keys in, state out."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from mac_side.screen.keys import END
from mac_side.screen.layout import PAGES, Page
from shared_schema.words import say

HALT_WORD = "HALT"
"""What has to be typed after ``h``; what follows it is the reason."""
_LONGEST = 80


@dataclass(frozen=True)
class Control:
    """Where the person is."""

    page: Page = "overview"
    asking: bool = False
    typed: str = ""
    wish: Literal["", "quit", "halt", "language"] = ""
    """What the process has to do now."""
    reason: str = ""
    note: str = ""

    @property
    def prompt(self) -> str:
        """The question in the footer; "" where none is asked."""
        return say("screen.halt_prompt", word=HALT_WORD, typed=self.typed) if self.asking else ""


def pressed(control: Control, key: str, *, read_only: bool = False) -> Control:
    """The control after one key."""
    control = replace(control, wish="", note="")
    if key == END:
        return replace(control, wish="quit")
    if control.asking:
        return _answering(control, key)
    if key in ("q", "Q"):
        return replace(control, wish="quit")
    if key in ("l", "L"):
        return replace(control, wish="language")
    if key in ("?", "？"):
        return replace(control, page="overview" if control.page == "help" else "help")
    if key in ("h", "H"):
        if read_only:
            return replace(control, note=say("screen.read_only"))
        return replace(control, asking=True, typed="")
    if key.isascii() and key.isdigit() and 1 <= int(key) <= len(PAGES):
        return replace(control, page=PAGES[int(key) - 1])
    return replace(control, page="overview") if key == "\x1b" else control


def _answering(control: Control, key: str) -> Control:
    if key in ("\r", "\n"):
        word, _, reason = control.typed.strip().partition(" ")
        if word.upper() == HALT_WORD:
            return replace(control, asking=False, typed="", wish="halt", reason=reason.strip())
        return replace(control, asking=False, typed="", note=say("screen.halt_not"))
    if key in ("\x7f", "\b"):
        return replace(control, typed=control.typed[:-1])
    if key.isprintable() and len(control.typed) < _LONGEST:
        return replace(control, typed=control.typed + key)
    return control
