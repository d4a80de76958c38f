"""The risk: a replay that shows other prices, bars or volumes than its file."""

from __future__ import annotations

from pathlib import Path

import pytest

from shared_schema.bars_file import bars_of_prints, read_bars, read_prints
from shared_schema.errors import DataError
from shared_schema.ids import Code
from shared_schema.sessions import hms
from shared_schema.shanghai import day_of
from tests.producer.world import CODE, DAY_1, at, bars_file, two_days
from windows_side.quotes.port import QuoteData
from windows_side.quotes.replay import AS_FAST_AS_POSSIBLE, ReplaySource
from windows_side.quotes.tape import last_full_day, read_tape

ROOT = Path(__file__).resolve().parents[2]
SAMPLE = ROOT / "shared_schema" / "sample" / "sample_159201.csv"
MARKET = ROOT.parent / "shared" / "data" / "market"
REAL_BARS = MARKET / "SH600009_1min_20200102_20200410_wondertrader.csv.gz"
REAL_PRINTS = MARKET / "SH600000_trans_20190201_20190211.csv.gz"


def shown(source: ReplaySource) -> list[QuoteData]:
    """Everything the source shows at top speed."""
    found = []
    while (data := source.poll(0.0)) is not None:
        found.append(data)
    return found


@pytest.mark.parametrize(
    "path,code",
    [
        (SAMPLE, "159201.SZ"),
        pytest.param(
            REAL_BARS, "600009.SH", marks=pytest.mark.skipif(not REAL_BARS.exists(), reason="no real bars")
        ),
    ],
)
@pytest.mark.slow
def test_each_bar_is_shown_once_at_its_end(path: Path, code: str) -> None:
    """A bar appears when market time reaches its end, with its close as the price; volumes add up."""
    tape = read_tape(path, Code(code))
    expected = [bar for bar in read_bars(path) if day_of(bar.end) == tape.day]
    at_ends = []
    count = 0
    last_end = tape.history[-1].end
    for data in shown(ReplaySource([tape], AS_FAST_AS_POSSIBLE)):
        bars, quote = data.bars[Code(code)], data.quotes[Code(code)]
        assert len(bars.time) >= 80
        assert bars.time[-1] <= data.market_time
        if bars.time[-1] != last_end:
            count += 1
            last_end = bars.time[-1]
            assert data.market_time == last_end
            at_ends.append((last_end, quote.price, bars.close[-1], bars.high[-1], bars.low[-1], quote.volume))
    volume = 0
    wanted = []
    for bar in expected:
        volume += round(bar.volume)
        wanted.append((bar.end, bar.close, bar.close, bar.high, bar.low, volume))
    assert at_ends == wanted
    assert count == len(expected)


def test_a_bar_walks_through_its_extremes(tmp_path: Path) -> None:
    """Between two closes a rising bar shows open, low, high, close, a falling one open, high, low, close."""
    source = ReplaySource([read_tape(two_days(tmp_path), CODE)], AS_FAST_AS_POSSIBLE)
    steps = [(hms(d.market_time), d.quotes[CODE].price, d.quotes[CODE].volume) for d in shown(source)]
    assert steps[:9] == [
        ("09:29:57", 10.0, 0),
        ("09:30:03", 10.0, 1000),
        ("09:30:20", 9.8, 2100),
        ("09:30:40", 10.3, 3200),
        ("09:31:00", 10.2, 4300),
        ("09:31:03", 10.2, 4500),
        ("09:31:20", 10.4, 4700),
        ("09:31:40", 9.9, 4900),
        ("09:32:00", 10.0, 5101),
    ]


def test_the_closing_call_prints_once_and_the_day_ends(tmp_path: Path) -> None:
    """From 14:57 there is one print, without a book; then market time stands after the final list."""
    source = ReplaySource([read_tape(two_days(tmp_path), CODE)], AS_FAST_AS_POSSIBLE)
    before, close, end = shown(source)[-3:]
    assert hms(before.market_time) == "13:01:00"
    assert (hms(close.market_time), close.quotes[CODE].price) == ("15:00:00", 9.95)
    assert close.quotes[CODE].bid == (0.0,) * 5
    assert end.finished
    assert hms(end.market_time) == "15:06:00"
    assert end.quotes[CODE] == close.quotes[CODE].model_copy(update={"status": "closed"})
    assert source.poll(1e12) is None


def test_day_figures_and_limits(tmp_path: Path) -> None:
    """Open, high, low, previous close and limits are the day's; amount follows the prices."""
    data = shown(ReplaySource([read_tape(two_days(tmp_path), CODE)], AS_FAST_AS_POSSIBLE))[-1]
    quote = data.quotes[CODE]
    assert (quote.open, quote.high, quote.low, quote.pre_close) == (10.0, 10.4, 9.8, 10.0)
    assert (quote.limit_down, quote.limit_up) == (9.0, 11.0)
    assert quote.volume == 4300 + 801 + 400 + 400 + 700
    assert 9.8 * quote.volume < quote.amount < 10.4 * quote.volume


def test_limits_the_day_itself_breaks_are_not_shown(tmp_path: Path) -> None:
    """After a price jump (adjusted history) the limits of the old close would refuse every order."""
    rows = [("09:31", 20.0, 20.0, 20.0, 20.0, 100), ("15:00", 20.0, 20.0, 20.0, 20.0, 100)]
    path = bars_file(tmp_path, {"2024-01-02": DAY_1, "2024-01-03": rows})
    source = ReplaySource([read_tape(path, CODE)], AS_FAST_AS_POSSIBLE)
    quote = shown(source)[-1].quotes[CODE]
    assert source.running[CODE].limits_broken
    assert (quote.limit_down, quote.limit_up) == (0.0, 0.0)


def test_the_book_stands_around_the_price_within_the_limits(tmp_path: Path) -> None:
    """After a fall the price is the best ask, after a rise the best bid; never crossed, never outside."""
    rows = [("09:31", 10.0, 11.0, 10.0, 11.0, 4000), ("09:32", 11.0, 11.0, 10.5, 10.6, 4000)]
    path = bars_file(tmp_path, {"2024-01-02": DAY_1, "2024-01-03": rows})
    by_time = {
        hms(d.market_time): d.quotes[CODE]
        for d in shown(ReplaySource([read_tape(path, CODE, "2024-01-03")], AS_FAST_AS_POSSIBLE))
    }
    at_limit = by_time["09:30:40"]
    assert at_limit.bid[0] == 11.0
    assert at_limit.ask == (0.0,) * 5 and at_limit.ask_volume == (0,) * 5
    fallen = by_time["09:31:40"]
    assert (fallen.price, fallen.ask[0], fallen.bid[0]) == (10.5, 10.5, 10.49)
    assert fallen.ask[:3] == (10.5, 10.51, 10.52)
    assert fallen.bid_volume == (200, 300, 400, 500, 600)
    for quote in by_time.values():
        assert not (quote.ask[0] and quote.bid[0]) or quote.bid[0] < quote.ask[0]


@pytest.mark.slow
@pytest.mark.skipif(not REAL_PRINTS.exists(), reason="no real prints")
def test_tick_prints_reproduce() -> None:
    """Every print is shown with its time and price; volumes add up; bars are those of the prints."""
    code = Code("600000.SH")
    tape = read_tape(REAL_PRINTS, code)
    prints = [tick for tick in read_prints(REAL_PRINTS) if day_of(tick.time) == tape.day]
    everything = shown(ReplaySource([tape], AS_FAST_AS_POSSIBLE))
    ticks: list[tuple[float, float, int]] = []
    for data in everything:
        quote = data.quotes[code]
        now = (quote.tick_time, quote.price, quote.volume)
        if not ticks or ticks[-1] != now:
            ticks.append(now)
    total = 0
    wanted = []
    for tick in prints:
        total += round(tick.volume)
        wanted.append((tick.time, tick.price, total))
    assert ticks[1:] == [w for w in wanted if w[0] > tape.day_bars[0].end - 63]
    assert everything[0].quotes[code].volume == round(prints[0].volume)
    bars = everything[-1].bars[code]
    day_bars = [bar for bar in bars_of_prints(prints)]
    assert bars.close[-len(day_bars) :] == tuple(bar.close for bar in day_bars)
    for data in everything[1:-1]:
        if data.bars[code].time[-1] == data.market_time and data.quotes[code].tick_time < data.market_time:
            assert data.quotes[code].price == data.bars[code].close[-1]


def test_a_print_at_the_minute_belongs_to_the_next_bar(tmp_path: Path) -> None:
    """The bar's end is shown with its own close, then the print of that very second."""
    path = tmp_path / "SH600009.csv"
    path.write_text(
        "datetime,price,volume_lots\n2024-01-03T09:30:01,10.00,1\n2024-01-03T09:30:59,10.01,2\n"
        "2024-01-03T09:31:00,10.05,3\n2024-01-03T09:31:00,10.06,4\n2024-01-03T15:00:02,10.02,5\n"
    )
    source = ReplaySource([read_tape(path, CODE)], AS_FAST_AS_POSSIBLE)
    steps = [
        (hms(d.market_time), d.quotes[CODE].price, d.quotes[CODE].volume, len(d.bars[CODE].time))
        for d in shown(source)
    ]
    assert steps == [
        ("09:29:57", 10.0, 0, 0),
        ("09:30:01", 10.0, 100, 0),
        ("09:30:59", 10.01, 300, 0),
        ("09:31:00", 10.01, 300, 1),
        ("09:31:00", 10.05, 600, 1),
        ("09:31:00", 10.06, 1000, 1),
        ("09:32:00", 10.06, 1000, 2),
        ("15:00:02", 10.02, 1500, 2),
        ("15:00:02", 10.02, 1500, 3),
        ("15:06:00", 10.02, 1500, 3),
    ]


def test_speed_sets_when_a_step_is_due_and_skips_none(tmp_path: Path) -> None:
    """At 60 market seconds a second each step comes when due; a late poll gets all of them, in order."""
    source = ReplaySource([read_tape(two_days(tmp_path), CODE)], 60.0)
    assert source.poll(100.0) is not None
    assert source.poll(200.0) is None, "the clock starts with the second poll"
    assert source.next_due(200.0) == pytest.approx(6 / 60)
    assert source.poll(200.05) is None
    assert hms(source.market_now()) == "09:30:00"
    first = source.poll(200.1 + 1e-9)
    assert first is not None and hms(first.market_time) == "09:30:03"
    late = []
    while (data := source.poll(201.06)) is not None:
        late.append(hms(data.market_time))
    assert late == ["09:30:20", "09:30:40", "09:31:00"]


def test_lunch_takes_no_wall_time(tmp_path: Path) -> None:
    """From 11:30:00 to 13:00:03 pass three market seconds; the clock jumps from 11:30 to 13:00."""
    source = ReplaySource([read_tape(two_days(tmp_path), CODE)], 1.0)
    source.poll(0.0)
    source.poll(0.0)
    until_lunch = 2 * 3600 + 3
    while source.poll(float(until_lunch)) is not None:
        pass
    assert hms(source.market_now()) == "11:30:00"
    assert source.next_due(float(until_lunch)) == 3.0
    assert source.poll(until_lunch + 2.0) is None
    assert hms(source.market_now()) == "13:00:02"
    after = source.poll(until_lunch + 3.0)
    assert after is not None and hms(after.market_time) == "13:00:03"


def test_a_cut_off_replay_goes_on_where_it_was(tmp_path: Path) -> None:
    """Resumed, it shows the same quotes from there on, without those before."""
    tape = read_tape(two_days(tmp_path), CODE)
    whole = shown(ReplaySource([tape], AS_FAST_AS_POSSIBLE))
    for cut in (4, 5, 8, len(whole) - 2, len(whole) - 1):
        resumed = ReplaySource([tape], AS_FAST_AS_POSSIBLE)
        resumed.resume_at(whole[cut].market_time)
        rest = shown(resumed)
        assert [d.quotes for d in rest[1:]] == [d.quotes for d in whole[cut + 1 :]] or cut == len(whole) - 1
        assert rest[0].market_time == whole[cut].market_time
        assert rest[0].bars == whole[cut].bars
        assert rest[-1].finished


def test_two_codes_share_one_clock(tmp_path: Path) -> None:
    """Bars that end together are shown together; the first code fills the seed fields."""
    first = read_tape(two_days(tmp_path), CODE)
    second = read_tape(two_days(tmp_path), Code("600000.SH"))
    source = ReplaySource([first, second], AS_FAST_AS_POSSIBLE)
    for data in shown(source):
        assert data.bars[CODE].time == data.bars[Code("600000.SH")].time
    other = read_tape(two_days(tmp_path), Code("600000.SH"), "2024-01-02")
    with pytest.raises(DataError) as refused:
        ReplaySource([first, other])
    assert "2024-01-02, 2024-01-03" in str(refused.value)


def test_the_default_day_is_the_last_full_one(tmp_path: Path) -> None:
    """A last day that ends in the morning is left out; where no day is full the last one is taken."""
    rows = [("09:31", 10.0, 10.0, 10.0, 10.0, 100), ("10:27", 10.0, 10.0, 10.0, 10.0, 100)]
    path = bars_file(tmp_path, {"2024-01-02": DAY_1, "2024-01-03": rows})
    assert read_tape(path, CODE).day == "2024-01-02"
    only = bars_file(tmp_path, {"2024-01-03": rows})
    assert last_full_day(read_bars(only)) == "2024-01-03"
    tape = read_tape(only, CODE)
    assert tape.pre_close == 10.0
    assert shown(ReplaySource([tape], AS_FAST_AS_POSSIBLE))[-1].market_time == at("2024-01-03T15:06:00")
