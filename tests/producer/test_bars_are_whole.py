"""The risk: a minute is shown before its last tick, or minutes are missing and nobody asks for them."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from datetime import date, datetime
from pathlib import Path

import pytest

from shared_schema.ids import Code
from shared_schema.messages import MinuteBars, Quote
from shared_schema.sessions import SHANGHAI, hms
from tests.execution.bench import CALENDAR
from tests.producer.test_xtdata import FUND, SHARE, World, needs_xtquant
from windows_side.quotes.bar_downloads import MOST_STUCK, STUCK, BarDownloads, Hole, holes_in
from windows_side.quotes.bar_turns import final_until
from windows_side.quotes.xtdata_reader import XtdataReader

YESTERDAY, TODAY = "2026-03-02", "2026-03-03"


def at(clock: str, day: str = TODAY) -> float:
    """Unix seconds of a clock time in Shanghai; a Monday and a Tuesday that trade."""
    return datetime.fromisoformat(f"{day}T{clock}").replace(tzinfo=SHANGHAI).timestamp()


def minutes(first: str, last: str, day: str = TODAY) -> list[float]:
    """Every bar's end from ``first`` to ``last``."""
    begin = at(first, day)
    return [begin + 60 * step for step in range(round((at(last, day) - begin) / 60) + 1)]


OLD = minutes("13:01:00", "15:00:00", YESTERDAY)
"""Two hours of yesterday: enough bars not to ask for older ones."""


def bars(ends: Sequence[float], last_close: float = 1.05) -> MinuteBars:
    """Flat minutes, the last of them closing at ``last_close``."""
    close = (*(1.05,) * (len(ends) - 1), last_close)
    flat = (1.05,) * len(ends)
    return MinuteBars(
        time=tuple(ends), open=flat, high=flat, low=(0.9,) * len(ends), close=close,
        volume=(4200.0,) * len(ends),
    )  # fmt: skip


def tick(time: float) -> Quote:
    """A quote of ``time``."""
    return Quote(price=1.05, open=1.05, high=1.05, low=1.05, pre_close=1.05, status="trading", tick_time=time)


class Stage:
    """A terminal of the stand-in and a reader that is stepped by hand."""

    def __init__(self, place: Path, codes: tuple[Code, ...]) -> None:
        self.world = World(place, codes)
        self.data = self.world.data
        self.now = 1000.0
        self.reader = XtdataReader(
            self.world.xtdata, codes, clock=lambda: self.now, wall=lambda: self.world.wall,
            aside=lambda work: work(), calendar=CALENDAR,
        )  # fmt: skip

    def step(self, seconds: float = 4.0) -> None:
        """Time goes on and the reader does what is due; by default long enough for ticks to be pulled."""
        self.now += seconds
        self.reader.step()

    def last(self, code: Code) -> tuple[str, float]:
        """The newest bar shown, and its close."""
        shown = self.reader.snapshot()[1][code]
        return hms(shown.time[-1]), shown.close[-1]


@pytest.fixture
def make_stage(tmp_path: Path) -> Iterator[Callable[..., Stage]]:
    made: list[Stage] = []

    def make(*codes: Code) -> Stage:
        made.append(Stage(tmp_path, codes or (FUND,)))
        return made[-1]

    yield make
    for stage in made:
        stage.world.close()


@needs_xtquant
def test_a_minute_ends_with_the_codes_own_tick(make_stage: Callable[..., Stage]) -> None:
    """Another code's tick at 10:01:00 says nothing of one that is at 10:00:57; its own next one does."""
    stage = make_stage(FUND, SHARE)
    ends = OLD + minutes("09:31:00", "10:01:00")
    stage.data.show({FUND: tick(at("10:01:00")), SHARE: tick(at("10:00:57"))}, {
        FUND: bars(ends), SHARE: bars(ends, 1.04),
    })  # fmt: skip
    stage.step()
    assert stage.last(FUND)[0] == "10:01:00" and stage.last(SHARE)[0] == "10:00:00"
    stage.data.show({SHARE: tick(at("10:01:01"))}, {SHARE: bars(ends, 1.03)})
    stage.step()
    assert stage.last(SHARE) == ("10:01:00", 1.03)


@needs_xtquant
def test_a_quiet_codes_minute_ends_five_seconds_later_and_is_asked_for_again(
    make_stage: Callable[..., Stage],
) -> None:
    """Shown without a tick of its own it may be not final: its close is right once the code has gone on."""
    stage = make_stage(FUND, SHARE)
    ends = OLD + minutes("09:31:00", "10:01:00")
    stage.data.show({FUND: tick(at("10:01:04")), SHARE: tick(at("10:00:40"))}, {
        FUND: bars(ends), SHARE: bars(ends, 1.04),
    })  # fmt: skip
    stage.step()
    assert stage.last(SHARE)[0] == "10:00:00"
    stage.data.show({FUND: tick(at("10:01:05"))})
    stage.step()
    assert stage.last(SHARE) == ("10:01:00", 1.04)
    asked = stage.data.asked["bars"]
    stage.data.show({SHARE: tick(at("10:01:06"))}, {SHARE: bars(ends, 1.03)})
    stage.step()
    assert stage.last(SHARE) == ("10:01:00", 1.03)
    stage.data.show({SHARE: tick(at("10:01:20")), FUND: tick(at("10:01:20"))})
    for _ in range(5):
        stage.step()
    assert stage.data.asked["bars"] <= asked + 2, "once more for each code, not at every tick"


@pytest.mark.parametrize(
    ("own", "market", "idle", "until"),
    [
        ("10:00:57", "10:01:00", 0.0, "10:00:57"),
        ("10:00:30", "10:01:05", 0.0, "10:01:00"),
        ("10:00:30", "10:00:58", 600.0, "10:00:53"),
        ("11:29:20", "11:29:58", 1.0, "11:29:54"),
        ("11:29:20", "11:29:58", 600.0, "11:30:00"),
        ("14:59:20", "15:00:00", 600.0, "15:00:00"),
        ("11:29:57", "11:30:03", 0.0, "11:29:58"),
        ("11:29:57", "11:30:03", 2.0, "11:30:00"),
        ("14:59:57", "15:00:03", 3600.0, "15:00:00"),
        ("14:59:57", "15:00:40", 3600.0, "15:00:35"),
    ],
)
def test_our_own_clock_ends_a_minute_only_before_a_break(
    own: str, market: str, idle: float, until: str
) -> None:
    """A terminal that stands still in trading ends no minute; at 11:30 and 15:00 nobody may tick any more."""
    assert hms(final_until(at(own), at(market), idle)) == until


def test_lunch_nights_calls_and_holidays_are_no_holes() -> None:
    """Only minutes of continuous trading count; a whole day away does."""
    whole = minutes("09:31:00", "11:30:00") + minutes("13:01:00", "14:57:00") + [at("15:00:00")]
    friday = minutes("14:00:00", "15:00:00", "2026-02-27")
    assert holes_in(friday + OLD[-2:] + whole, CALENDAR)[0].minutes == 237
    assert holes_in(OLD + whole, CALENDAR) == ()
    cut = [end for end in whole if not at("10:30:00") <= end < at("11:00:00")]
    assert holes_in(cut, CALENDAR) == (Hole(at("10:30:00"), at("10:59:00"), 30),)
    late = minutes("09:41:00", "09:50:00")
    assert [hole.minutes for hole in holes_in(OLD + late, CALENDAR)] == [10]


@needs_xtquant
def test_a_hole_is_downloaded_from_its_day_told_and_shown_whole(
    make_stage: Callable[..., Stage], caplog: pytest.LogCaptureFixture
) -> None:
    """The terminal was away from 10:29 to 11:00: asked for at once, with a beginning, and shown."""
    caplog.set_level(logging.INFO)
    stage = make_stage()
    whole = bars(OLD + minutes("09:31:00", "11:05:00"))
    stage.data.server[FUND] = whole
    stage.data.show({FUND: tick(at("11:05:03"))}, {
        FUND: bars(OLD + minutes("09:31:00", "10:29:00") + minutes("11:00:00", "11:05:00")),
    })  # fmt: skip
    stage.step()
    assert (stage.data.downloads, stage.data.downloads_from) == ([FUND], ["20260303"])
    stage.step()
    assert stage.reader.snapshot()[1][FUND].time == whole.time
    told = [record for record in caplog.records if str(getattr(record, "action", "")).startswith("bars_")]
    assert [getattr(record, "action", "") for record in told] == ["bars_missing", "bars_whole"]
    assert "30" in told[0].message and "03-03 10:30" in told[0].message and told[0].levelname == "WARNING"


@needs_xtquant
def test_minutes_that_nobody_has_are_asked_for_less_and_less(make_stage: Callable[..., Stage]) -> None:
    """A quiet code really has no bar of some minutes: in two hours seven downloads, then one an hour."""
    stage = make_stage()
    ends = OLD + [end for end in minutes("09:31:00", "10:30:00") if end != at("10:00:00")]
    stage.data.show({FUND: tick(at("10:30:03"))}, {FUND: bars(ends)})
    for _ in range(120):
        stage.step(60.0)
        stage.reader._turns.again({FUND})
    assert len(stage.data.downloads) == 7


@needs_xtquant
def test_a_new_long_hole_does_not_wait_for_a_quiet_codes_pause(make_stage: Callable[..., Stage]) -> None:
    """Single minutes are missing all day; when half an hour is, it is asked for at once, and once."""
    stage = make_stage()
    quiet = [end for end in minutes("09:31:00", "10:29:00") if end != at("10:00:00")]
    stage.data.show({FUND: tick(at("10:29:03"))}, {FUND: bars(OLD + quiet)})
    stage.step()
    stage.data.show({FUND: tick(at("11:05:03"))}, {
        FUND: bars(OLD + quiet + minutes("11:00:00", "11:05:00")),
    })  # fmt: skip
    for _ in range(5):
        stage.step()
    assert len(stage.data.downloads) == 2


def holey(downloads: BarDownloads, now: float, *gaps: str) -> None:
    """The code is looked at at ``now`` with a hole of six minutes at each of ``gaps``."""
    ends = OLD + minutes("09:31:00", "11:30:00") + minutes("13:01:00", "14:57:00")
    for gap in gaps:
        ends = [end for end in ends if not at(gap) <= end < at(gap) + 360]
    downloads.look(FUND, ends, date(2026, 3, 3), now)


def test_a_code_that_trades_seldom_hurries_once_a_pause() -> None:
    """Each of its bars makes another long hole; the pauses grow all the same."""
    asked: list[str] = []
    downloads = BarDownloads(lambda *wanted: asked.append(wanted[2]), lambda work: work(), CALENDAR)
    gaps = [f"{hour}:{minute:02}:00" for hour in ("10", "13", "14") for minute in range(1, 50, 7)]
    for place in range(1, len(gaps) + 1):
        holey(downloads, place * 420.0, *gaps[:place])
    assert len(gaps) == 21 and 5 <= len(asked) <= 10


def test_a_download_that_hangs_is_waited_for_ten_minutes() -> None:
    """It is said, the others go on beside it, and a terminal that hangs for ever costs a few threads."""
    asked: list[str] = []
    waiting: list[Callable[[], None]] = []
    downloads = BarDownloads(lambda *wanted: asked.append(wanted[2]), waiting.append, CALENDAR)
    holey(downloads, 0.0, "10:00:00")
    holey(downloads, 70.0, "10:00:00")
    assert len(waiting) == 1, "one after the other"
    holey(downloads, STUCK + 200.0, "10:00:00")
    assert len(waiting) == 2
    waiting[1]()
    assert asked == ["20260303"]
    waiting[0]()
    assert asked == ["20260303"], "what came back late has nothing left to do"
    for turn in range(2, 50):
        holey(downloads, turn * 3_601.0, "10:00:00")
    assert len(waiting) == 2 + MOST_STUCK


def test_a_long_suspension_is_no_hole_of_years() -> None:
    """A code that trades again after two years: ten days are asked for, not all of them."""
    asked: list[str] = []
    downloads = BarDownloads(lambda *wanted: asked.append(wanted[2]), lambda work: work(), CALENDAR)
    ends = minutes("14:00:00", "15:00:00", "2026-01-05") + minutes("09:31:00", "09:40:00")
    downloads.look(FUND, ends, date(2026, 3, 3), 0.0)
    assert asked == ["20260221"]


@needs_xtquant
def test_the_first_bar_shown_never_lacks_its_opening_call(make_stage: Callable[..., Stage]) -> None:
    """At 15:00 of a day of 241 labels 240 bars are shown, from a 9:31 that holds the call's volume."""
    stage = make_stage()
    day = minutes("09:30:00", "11:30:00") + minutes("13:01:00", "15:00:00")
    stage.data.show({FUND: tick(at("15:00:03"))}, {FUND: bars(OLD + day)})
    stage.step()
    shown = stage.reader.snapshot()[1][FUND]
    assert len(shown.time) == 240 and hms(shown.time[0]) == "09:31:00"
    assert shown.volume[:2] == (8400.0, 4200.0)
