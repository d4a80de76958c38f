"""Keys: a halt takes the whole word, quitting leaves the engine alone."""

from __future__ import annotations

from mac_side.screen.control import Control, pressed
from mac_side.screen.keys import END, without_sequences


def _typed(text: str, control: Control | None = None, *, read_only: bool = False) -> Control:
    control = control or Control()
    for key in text:
        control = pressed(control, key, read_only=read_only)
    return control


def test_halt_takes_the_word() -> None:
    """h alone, or another word, halts nothing; HALT and Enter does, with the reason behind it."""
    assert _typed("h").wish == "" and "HALT" in _typed("h").prompt
    assert _typed("h\r").wish == "" and _typed("h\r").note
    assert _typed("hyes\r").wish == ""
    done = _typed("hHALT fat finger\r")
    assert (done.wish, done.reason, done.asking) == ("halt", "fat finger", False)
    assert _typed("hhalt\r").wish == "halt"
    assert _typed("hHALTT\x7f\r").wish == "halt"


def test_keys_within_the_question_are_text() -> None:
    """While the word is typed, q and l are letters."""
    control = _typed("hql")
    assert control.wish == "" and control.typed == "ql"


def test_read_only_screen_asks_nothing() -> None:
    """A second viewer's screen can't halt, and says so."""
    control = _typed("hHALT\r", read_only=True)
    assert control.wish == "" and not control.asking


def test_pages_help_and_quit() -> None:
    """Digits choose pages, ? opens and closes help, q and a vanished terminal quit."""
    assert _typed("3").page == "grid"
    assert _typed("31").page == "overview"
    assert _typed("9").page == "overview"
    assert _typed("?").page == "help" and _typed("??").page == "overview"
    assert _typed("q").wish == "quit" and pressed(Control(asking=True), END).wish == "quit"
    assert _typed("l").wish == "language"
    assert _typed("²").page == "overview"


def test_a_wish_is_carried_out_once() -> None:
    """The next key does not repeat the last wish."""
    assert _typed("hHALT\rx").wish == ""


def test_arrow_keys_are_not_letters() -> None:
    """An arrow's escape sequence is no h, q or digit."""
    assert without_sequences("\x1b[A") == ""
    assert without_sequences("\x1bOHq") == "q"
    assert without_sequences("\x1b[1;5Dh") == "h"
    assert without_sequences("\x1b[3~2") == "2"
