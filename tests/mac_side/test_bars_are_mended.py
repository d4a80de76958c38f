"""The risk: bars that were missing or not final when first shown stay wrong in a running engine."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from mac_side.engine_core import EngineCore
from mac_side.engine_events import Say
from mac_side.engine_memory import EngineConfig
from mac_side.market_view import BARS_KEPT, BarFeed
from mac_side.state_file import new_state
from mac_side.strategy.indicators import Reading
from mac_side.strategy.presets import preset
from shared_schema.bars_file import Bar, read_bars
from shared_schema.clock import Moment
from shared_schema.ids import AccountAlias, InstanceId, StrategyName
from shared_schema.words import use_language
from tests.mac_side.live_run import CALENDAR, PARITY, PLENTY, filled, quote_file
from tests.mac_side.world import CODE, account, beats

BARS = read_bars(PARITY)[: 240 * 3]
AWAY = range(300, 330)
"""The bars the terminal did not have at first: 10:31 to 11:00 of the second day."""
SHOWN = 240


@pytest.fixture(autouse=True)
def _english() -> None:
    use_language("en")


class Run:
    """An engine fed one quote file a bar, filled at once; which bars it decided on and what it read."""

    def __init__(self) -> None:
        first = Moment(BARS[SHOWN - 1].end, BARS[SHOWN - 1].end)
        config = EngineConfig(CODE, preset("159201"), InstanceId("dash"), CALENDAR, offline=True)
        state = new_state(first, "simulate", AccountAlias("main"), StrategyName("grid"), "dashboard@mac")
        self.core = EngineCore(config, state)
        self.decided: list[float] = []
        self.readings: dict[int, Reading | None] = {}
        self.said: list[Say] = []
        decide = self.core._decide
        self.core._decide = lambda price, end, now: (self.decided.append(end), decide(price, end, now))[1]  # type: ignore

    def show(self, row: int, bars: Sequence[Bar]) -> None:
        """The quote file of the minute that bar ``row`` ended, with ``bars``."""
        now = Moment(BARS[row].end, BARS[row].end)
        self.core.handle(beats(now), now)
        self.core.handle(account(now, PLENTY, PLENTY, seq=row), now)
        known = len(self.core.state.outbox.entries)
        done = self.core.handle(quote_file(bars, row), now)
        self.said += [one for one in done if isinstance(one, Say) and one.action == "bars_mended"]
        for entry in self.core.state.outbox.entries[known:]:
            self.core.handle(filled(entry.raw, now, row), now)
        self.core.state = replace(self.core.state, outbox=replace(self.core.state.outbox, entries=()))
        self.readings[row] = self.core.feed.reading


def window(row: int) -> tuple[Bar, ...]:
    """What a whole file shows at bar ``row``."""
    return BARS[row - SHOWN + 1 : row + 1]


def test_bars_that_come_later_are_read_and_never_decided_on() -> None:
    """After a hole was filled every reading is that of an engine that saw all; no order of then."""
    whole, holed = Run(), Run()
    for row in range(SHOWN - 1, 420):
        whole.show(row, window(row))
        if row == AWAY.stop:
            lost = {BARS[place].end for place in AWAY}
            holed.show(row, [bar for bar in window(row) if bar.end not in lost])
        elif row not in AWAY:
            holed.show(row, window(row))
    after = range(AWAY.stop + 1, 420)
    # The carried slope and one begun within 240 bars differ by less than a float shows at four places.
    assert [holed.readings[row] for row in after] == [
        pytest.approx(whole.readings[row], rel=1e-9, abs=1e-12) for row in after
    ]
    assert holed.decided == [end for end in whole.decided if end not in {BARS[p].end for p in AWAY}]
    assert [one.fields["count"] for one in holed.said] == [len(AWAY)]
    assert whole.said == []


def test_a_close_that_was_not_final_is_corrected_and_its_bar_decided_once() -> None:
    """The next file's bar of the same minute closes elsewhere: it is taken, and not decided on again."""
    run, row = Run(), 300
    for at in range(SHOWN - 1, row):
        run.show(at, window(at))
    early = BARS[row]._replace(close=BARS[row].close + 0.002, high=BARS[row].high + 0.002)
    run.show(row, [*window(row)[:-1], early])
    run.show(row + 1, window(row + 1))
    assert run.core.feed.bars[-2].close == BARS[row].close
    assert len(run.decided) == len(set(run.decided))
    assert [one.fields["count"] for one in run.said] == [1]


def test_a_file_with_fewer_bars_takes_nothing_away() -> None:
    """A terminal that lost bars it had shown: what was seen stays, and nothing is told."""
    feed = BarFeed(preset("159201"))
    feed.begin(BARS[:300])
    before = (list(feed.bars), feed.reading)
    assert feed.mend(BARS[100:150] + BARS[200:300]) == []
    assert feed.mend(BARS[400:500]) == [], "what is newer is taken as new, bar by bar"
    assert (feed.bars, feed.reading) == before


def test_bars_older_than_the_feed_keeps_are_no_news() -> None:
    """A file that shows more than is kept mends nothing; one with older bars where there is room does."""
    feed = BarFeed(preset("159201"))
    feed.begin(BARS)
    assert len(feed.bars) == BARS_KEPT and feed.mend(BARS) == []
    short = BarFeed(preset("159201"))
    short.begin(BARS[200:300])
    assert short.mend(BARS[:300]) == list(BARS[:200])
    assert short.bars == list(BARS[:300])
