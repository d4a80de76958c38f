"""Lists narrow and scroll without losing a row, and a panel is drawn again only when its facts change."""

from __future__ import annotations

import pytest

from mac_side.screen.blocks import Drawings, below, beside, drawn
from mac_side.screen.layout import OVERVIEW, Shown, layout
from mac_side.screen.look import Gauge, Look, gauges
from mac_side.screen.narrowing import narrowed
from tests.screen import sample_views as sample
from tests.screen.rendering import lines_of, screen_lines

LOOK = Look()


@pytest.mark.parametrize(
    ("wanted", "signals", "orders", "events"),
    [
        ("卖出", 2, 1, 1),
        ("SELL", 2, 0, 0),
        ("l3", 2, 0, 0),
        ("被拒", 1, 0, 0),
        ("1082", 0, 1, 0),
        ("不存在", 0, 0, 0),
    ],
)
def test_a_filter_keeps_what_holds_it(wanted: str, signals: int, orders: int, events: int) -> None:
    """By id, side, state, message and number, in words and on the wire's, whatever the case."""
    view = narrowed(sample.trading(), wanted)
    assert (len(view.signals), len(view.orders), len(view.events)) == (signals, orders, events)


def test_scrolling_shows_every_row_and_stops_at_the_last() -> None:
    """Row by row each signal comes to the top; beyond the last one nothing moves."""
    view = sample.trading()
    tops = [narrowed(view, "", offset).signals[-1].signal_id for offset in range(20)]
    assert list(dict.fromkeys(tops)) == [signal.signal_id for signal in reversed(view.signals)]
    assert len(narrowed(view, "", 99).orders) == 1 and len(narrowed(view, "", 99).lots) == 1


def test_a_filter_in_force_is_said() -> None:
    """What is missing because of a filter is never taken for missing."""
    lines = screen_lines(sample.trading(), 120, 40, Shown(wanted="卖出"))
    assert "筛选：卖出" in lines[-1]


def test_a_panel_is_drawn_again_only_for_its_own_facts() -> None:
    """The same view draws nothing; an older link draws the link alone; a new size everything."""
    drawings, view = Drawings(), sample.trading()
    layout(view, LOOK, 120, 40, OVERVIEW, drawings)
    first = drawings.made
    layout(sample.trading(), LOOK, 120, 40, OVERVIEW, drawings)
    assert drawings.made == first
    older = view.link.model_copy(update={"quote_age": 3.0})
    layout(sample.with_changes(view, link=older), LOOK, 120, 40, OVERVIEW, drawings)
    assert drawings.made == first + 1
    layout(view, LOOK, 200, 60, OVERVIEW, drawings)
    assert drawings.made == 2 * first + 1


def test_what_is_kept_is_what_would_be_drawn() -> None:
    """A screen from kept drawings is, line for line, the one drawn anew, after every change."""
    drawings = Drawings()
    for view in (
        sample.trading(),
        sample.stale(),
        sample.unknown_order(),
        sample.dividend(),
        sample.trading(),
    ):
        for size in ((80, 24), (120, 40)):
            kept = lines_of(layout(view, LOOK, *size, OVERVIEW, drawings), *size)
            assert kept == lines_of(layout(view, LOOK, *size), *size)


def test_blocks_keep_their_rectangles() -> None:
    """Beside and below each other, a lower block is filled up and nothing is shifted."""
    left, right = drawn("一二\nab", 6), drawn("x", 3)
    both = below([beside([left, right]), drawn("y", 9, 2)])
    assert lines_of(both, 20) == ["一二  x  ", "ab       ", "y        ", "         "]


def test_bars_of_one_panel_are_equally_long() -> None:
    """Fuller means longer, whatever the numbers beside them; an unknown limit has no bar."""
    rows = (Gauge("资金", 0.5, "1,000.00"), Gauge("今日委托", 1.0, "200 / 200"), Gauge("池", None, "0.00"))
    half, full, none = (line.plain for line in gauges(rows, LOOK, 44))
    assert half.count("█") * 2 == pytest.approx(full.count("█"), abs=1)
    assert half.count("█") + half.count("░") == full.count("█") and "█" not in none
    assert {line.rstrip()[-1] for line in (half, full, none)} == {"0"}
