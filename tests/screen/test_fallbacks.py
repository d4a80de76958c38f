"""The screen on poor terminals: no colours, no Unicode, far too small."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from mac_side.screen.chart import candle_chart, candles_of, sparkline
from mac_side.screen.control import PAGES
from mac_side.screen.layout import Shown, layout, nothing_yet
from mac_side.screen.look import Look, age, can_show_chinese, look_for, money, price_digits
from shared_schema.words import language, use_language
from tests.screen import sample_views as sample
from tests.screen.rendering import lines_of, screen_lines

EVERY_VIEW = (
    sample.trading,
    sample.waiting,
    sample.lunch,
    sample.stale,
    sample.halted,
    sample.unknown_order,
    sample.everything_at_once,
)


@pytest.fixture(autouse=True)
def _same_language() -> Iterator[None]:
    before = language()
    use_language("zh")
    yield
    use_language(before)


def test_without_unicode_only_ascii_is_written() -> None:
    """On a terminal without Unicode the whole English screen is ASCII, candles and boxes included."""
    use_language("en")
    view = sample.with_changes(sample.halted(), name="", signals=(), events=(), halt=sample.halted().halt)
    view = sample.with_changes(view, halt=view.halt.model_copy(update={"reason": "by hand"}))
    for size in ((80, 24), (120, 40)):
        for page in (*PAGES, "help"):
            lines = screen_lines(view, *size, Shown(page=page), Look(unicode=False))
            assert [line for line in lines if not line.isascii()] == []


def test_without_colours_the_mode_is_still_a_band() -> None:
    """Without colours the banner and the halt stand in reverse and in words."""
    view = sample.halted()
    lines = lines_of(layout(view, Look(color=False), 80, 24), 80, color="standard")
    assert "\x1b[1;7m" in lines[0] and "SIMULATE" in lines[0]
    assert "\x1b[1;7m" in lines[1] and "已停止交易" in lines[1]


def test_modes_differ_in_colour_and_words() -> None:
    """LIVE can't be taken for SIMULATE: another band, another word."""
    simulated = lines_of(layout(sample.trading(), Look(), 80, 24), 80, color="standard")[0]
    live_view = sample.with_changes(sample.trading(), mode="live")
    live = lines_of(layout(live_view, Look(), 80, 24), 80, color="standard")[0]
    assert "LIVE" in live and "SIMULATE" not in live and "模拟" not in live
    assert simulated.split("m", 1)[0] != live.split("m", 1)[0]


def test_rising_is_red_in_chinese_and_green_in_english() -> None:
    """Colours of rising and falling follow the language, or the setting where there is one."""
    assert look_for("utf-8").up == "red"
    use_language("en")
    assert look_for("utf-8").up == "green"
    assert look_for("utf-8", colors="zh").up == "red"


def test_no_color_in_the_environment_is_respected(monkeypatch: pytest.MonkeyPatch) -> None:
    """NO_COLOR turns colours off."""
    monkeypatch.setenv("NO_COLOR", "1")
    assert look_for("utf-8").color is False


@pytest.mark.parametrize(
    ("encoding", "chinese", "unicode"), [("utf-8", True, True), ("gbk", True, False), ("ascii", False, False)]
)
def test_terminal_encoding_decides_characters(encoding: str, chinese: bool, unicode: bool) -> None:
    """A GBK console gets Chinese with ASCII boxes, an ASCII one English."""
    assert can_show_chinese(encoding) is chinese
    assert look_for(encoding).unicode is unicode


@pytest.mark.parametrize("size", [(20, 5), (1, 1), (10, 2), (40, 12), (75, 24), (76, 23), (300, 10)])
def test_tiny_terminals_show_the_gravest_first(size: tuple[int, int]) -> None:
    """However small, nothing crashes or overflows, and a halt is on the first lines."""
    for make in EVERY_VIEW:
        for shown in (Shown(), Shown(prompt="HALT?"), Shown(note="asked")):
            screen_lines(make(), *size, shown)
    if size[0] >= 20 and size[1] >= 5:
        assert "已停止交易" in screen_lines(sample.halted(), *size)[1]
    nothing = lines_of(nothing_yet(Look(), *size, "view.json"), size[0])
    assert len(nothing) <= max(size[1], 1)


def test_a_viewer_without_an_engine_says_what_it_waits_for() -> None:
    """--read-only starts none: it is not "the first view" that is awaited but an engine."""
    shown = "\n".join(lines_of(nothing_yet(Look(), 80, 24, "view.json", read_only=True), 80))
    assert "没有引擎在运行" in shown
    assert "没有引擎在运行" not in "\n".join(lines_of(nothing_yet(Look(), 80, 24, "view.json"), 80))


@pytest.mark.slow
@pytest.mark.parametrize("width", range(76, 211, 9))
def test_between_the_sizes_every_screen_fits(width: int) -> None:
    """At any size in between the screen fills the terminal exactly and no line overflows."""
    view = sample.everything_at_once()
    for height in (24, 31, 38, 44, 50, 61):
        screen_lines(view, width, height)
    for page in (*PAGES, "unknown", "help"):
        screen_lines(view, width, 24 + width % 30, Shown(page=page))


def test_wide_characters_align() -> None:
    """Chinese takes two cells: the right border of every panel stands in one column."""
    for line in screen_lines(sample.trading(), 120, 40)[2:-1]:
        assert line[-1] in "│╮╯"


def test_chart_bears_flat_single_and_missing_bars() -> None:
    """One bar, bars without movement and no bars draw without an error."""
    flat = sample.bars(1)
    candles = candles_of(flat, 20)
    assert candle_chart(candles, (), Look(), 30, 6, 3).plain
    assert candle_chart([], (), Look(), 30, 6, 3).plain == ""
    assert sparkline([1.0, 1.0], 10, 1, Look()) and sparkline([], 10, 1, Look()) == ""


def test_candles_keep_the_extremes() -> None:
    """Joining minutes into candles keeps the highest high, lowest low and last close."""
    bars = sample.bars(120)
    candles = candles_of(bars, 40)
    assert max(c.high for c in candles) == max(bars.high)
    assert min(c.low for c in candles) == min(bars.low)
    assert candles[-1].close == bars.close[-1]


def test_numbers_read_as_meant() -> None:
    """No minus zero, no rounding to 1000 ms, funds with three decimals."""
    assert money(-0.001, sign=True) == "0.00"
    assert money(None) == "-"
    assert age(0.9996) == "1.0秒" and age(0.02) == "20毫秒" and age(None) == "-" and age(600) == "10分"
    assert price_digits("159201.SZ") == 3 and price_digits("600009.SH") == 2
