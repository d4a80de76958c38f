"""Keys: what acts on money takes a whole word or number, everything else only looks."""

from __future__ import annotations

import pytest

from mac_side.screen import keys
from mac_side.screen.control import PAGES, Control, pressed
from mac_side.screen.keys import END, ESCAPE, keys_in
from mac_side.screen.notices import notices
from mac_side.view import View
from shared_schema.words import say
from tests.screen import sample_views as sample

TRADING = sample.trading()


def _typed(
    text: str, control: Control | None = None, *, view: View | None = TRADING, read_only: bool = False
) -> Control:
    control = control or Control()
    for key in keys_in(text):
        control = pressed(control, key, view, codes=2, read_only=read_only)
    return control


def test_halt_takes_the_word() -> None:
    """h alone, or another word, halts nothing; HALT and Enter does, with the reason behind it."""
    assert _typed("h").wish == "" and "HALT" in _typed("h").prompt
    assert _typed("h\r").wish == "" and _typed("h\r").note
    assert _typed("hyes\r").wish == ""
    done = _typed("hHALT fat finger\r")
    assert (done.wish, done.command, done.argument) == ("command", "halt", "fat finger")
    assert _typed("hHALT\r").argument == say("screen.no_reason"), "a sentence never ends after its colon"
    assert _typed("hhalt\r").command == "halt" and _typed("hHALTT\x7f\r").wish == "command"


def test_halt_works_before_anything_is_known() -> None:
    """Without a view the halt can still be typed; nothing else can be asked for."""
    assert _typed("hHALT\r", view=None).wish == "command"
    assert [_typed(key, view=None).asking for key in "rpc"] == ["", "", ""]


def test_resume_lifts_only_this_hosts_halt_and_takes_a_reason() -> None:
    """Nothing is resumed without the word and a reason, nor a halt that came from elsewhere."""
    assert "没有停止" in _typed("r").note
    elsewhere, own = sample.halted(), sample.halted_here()
    asked = _typed("r", view=elsewhere)
    assert not asked.asking and "miniqmt resume" in asked.note
    assert _typed("rRESUME\r", view=own).wish == ""
    done = _typed("rRESUME checked\r", view=own)
    assert (done.wish, done.command, done.argument) == ("command", "resume", "checked")


def test_what_the_executor_does_not_hold_is_lifted_here() -> None:
    """A halt left behind: the notice says that the executor goes on, and that r lifts it."""
    view = sample.halted(confirmed=False)
    left = sample.with_changes(view, halt=view.halt.model_copy(update={"own": True, "only_here": True}))
    assert _typed("rRESUME checked\r", view=left).command == "resume"
    told = notices(left)[0]
    assert "执行器没有停止" in told.text and "按 r" in told.what_to_do


def test_pause_is_immediate_and_its_end_is_asked() -> None:
    """Stopping takes one key, sending again takes a y."""
    assert (_typed("p").wish, _typed("p").command) == ("command", "pause")
    paused = sample.paused()
    assert _typed("p\r", view=paused).wish == "" and _typed("px\r", view=paused).wish == ""
    assert _typed("py\r", view=paused).command == "unpause"


def test_cancel_takes_the_number_of_an_open_order() -> None:
    """c offers open orders by number; the numbers stay with their orders while others come and go."""
    asked = _typed("c")
    assert asked.page == "cancel" and len(asked.offered) == 3
    fewer = sample.with_changes(TRADING, signals=TRADING.signals[:2])
    done = _typed("2\r", asked, view=fewer)
    assert (done.command, done.argument, done.page) == ("cancel", asked.offered[1], "overview")
    for answer in ("\r", "9\r", "y\r", "²\r", "\x1b"):
        assert _typed(f"c{answer}").wish == ""
    assert "没有可撤" in _typed("c", view=fewer).note


def test_keys_within_the_question_are_text() -> None:
    """While the word is typed, q and l are letters."""
    control = _typed("hql")
    assert control.wish == "" and control.typed == "ql"


@pytest.mark.parametrize("asked", ["hHALT\r", "rRESUME x\r", "p", "c1\r"])
def test_read_only_screen_asks_nothing(asked: str) -> None:
    """A second viewer's screen gives no command, and says so."""
    control = _typed(asked[0], read_only=True)
    assert control.wish == "" and not control.asking and control.note
    assert _typed(asked, view=sample.halted_here(), read_only=True).wish != "command"


def test_pages_help_and_quit() -> None:
    """Digits, e, u and ? choose pages, Esc and ? lead back, q and a vanished terminal quit."""
    assert [_typed(str(number + 1)).page for number in range(9)] == list(PAGES)
    assert _typed("31").page == "overview" and _typed("e").page == "events" and _typed("u").page == "unknown"
    assert _typed("?").page == "help" and _typed("??").page == "overview"
    assert _typed("4\x1b").page == "overview"
    assert _typed("q").wish == "quit" and pressed(Control(asking="halt"), END).wish == "quit"
    assert _typed("l").wish == "language" and _typed("²0").page == "overview"


def test_tab_goes_round_the_codes() -> None:
    """Tab and Shift+Tab walk through the codes and come round; a question holds its code."""
    assert _typed("\t").code == 1 and _typed("\t\t").code == 0 and _typed("\x1b[Z").code == 1
    assert _typed("h\t").code == 0


def test_filter_works_while_it_is_typed() -> None:
    """/ narrows at once, Enter keeps it, Esc clears it."""
    assert _typed("/sel").filter == "sel" and _typed("/sel").asking == "filter"
    kept = _typed("/sel\r")
    assert (kept.filter, kept.asking) == ("sel", "")
    assert _typed("\x1b", kept).filter == "" and _typed("/sel\x1b").filter == ""


def test_lists_scroll_and_pages_begin_at_the_top() -> None:
    """Arrows, j and k and page keys move in a list, and nowhere else."""
    assert _typed("4jj\x1b[B\x1b[6~").offset == 13 and _typed("4jjk").offset == 1
    assert _typed("4jj5").offset == 0 and _typed("jj").offset == 0 and _typed("4k").offset == 0


def test_a_wish_is_carried_out_once() -> None:
    """The next key does not repeat the last wish."""
    assert _typed("hHALT\rx").wish == "" and _typed("pj").wish == ""


def test_sequences_and_pastes_are_not_letters() -> None:
    """An arrow is no h, q or digit; a bracketed paste presses nothing."""
    assert keys_in("\x1b[A") == [keys.UP] and keys_in("\x1bOHq") == [keys.HOME, "q"]
    assert keys_in("\x1b[1;5Dh") == ["h"] and keys_in("\x1b[3~2") == ["2"]
    assert keys_in("\x1b[200~hHALT\r\x1b[201~5") == ["5"]
    assert keys_in("\x1bq") == [] and keys_in("\x1b") == [ESCAPE] and keys_in("\x00\x07") == []
