"""Live quotes from the unmodified xtdata.py over the stand-in: units, subscriptions, restarts, silence."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from shared_schema.errors import BrokerError
from shared_schema.ids import Code
from shared_schema.messages import MinuteBars, Quote
from test_offline.fake_qmt.data_room import DataRoom, tick_of
from test_offline.fake_qmt.faults import Faults
from test_offline.fake_qmt.install import install, is_possible
from test_offline.fake_qmt.terminal import Terminal, make_userdata
from tests.execution.bench import CALENDAR
from windows_side.quotes.xtdata import FROZEN, SILENT, XtdataSource
from windows_side.quotes.xtdata_fields import Detail, bars_of, detail_of, lot_of, quote_of
from windows_side.quotes.xtdata_reader import BATCH, XtdataReader

needs_xtquant = pytest.mark.skipif(
    not is_possible(), reason="xtquant is not installed (requirements-dev.txt)"
)
FUND, SHARE = Code("159201.SZ"), Code("600009.SH")
MORNING = 1772501400.0
"""2026-03-03 09:30 in Shanghai, a Tuesday."""
QUOTE = Quote(
    price=1.05, open=1.049, high=1.051, low=1.048, pre_close=1.047, volume=7_586_100, amount=7_965_405.0,
    bid=(1.049, 1.048, 1.047, 1.046, 1.045), ask=(1.05, 1.051, 1.052, 1.053, 1.054),
    bid_volume=(100, 200, 300, 400, 500), ask_volume=(600, 700, 800, 900, 1000),
    limit_up=1.152, limit_down=0.942, status="trading", tick_time=MORNING + 60,
)  # fmt: skip


def bars(count: int, end: float) -> MinuteBars:
    """``count`` flat minutes up to ``end``."""
    times = tuple(end - 60.0 * back for back in range(count - 1, -1, -1))
    flat = (1.05,) * count
    return MinuteBars(time=times, open=flat, high=flat, low=flat, close=flat, volume=(4200.0,) * count)


class World:
    """A terminal with quotes, a source that takes one step a poll, and the clock of both."""

    def __init__(self, place: Path, codes: tuple[Code, ...] = (FUND,)) -> None:
        from windows_side.brokers.qmt_package import load_package, xtdata

        self.userdata = make_userdata(place)
        install(self.userdata)
        load_package()
        self.xtdata = xtdata()
        self.xtdata.disconnect()
        self.clock = 1000.0
        self.wall = MORNING + 30 * 86_400
        """This host's clock; behind no tick of these cases unless a case sets it."""
        self.codes = codes
        self.open_terminal()
        self.source = XtdataSource(
            lambda: XtdataReader(
                self.xtdata,
                codes,
                clock=lambda: self.clock,
                wall=lambda: self.wall,
                aside=lambda work: work(),
            ),
            codes,
            CALENDAR,
            monotonic=lambda: self.clock,
            threaded=False,
        )
        self.source.start()

    def open_terminal(self) -> None:
        """Start the terminal, or start it again."""
        self.data = DataRoom(Faults())
        self.terminal = Terminal(self.userdata, {}, self.data)
        self.data.dates = [int(MORNING * 1000)]

    def close(self) -> None:
        """Hang up, and close the terminal."""
        self.xtdata.disconnect()
        self.terminal.stop()


@pytest.fixture
def make_world(tmp_path: Path) -> Iterator[Callable[..., World]]:
    made: list[World] = []

    def make(codes: tuple[Code, ...] = (FUND,)) -> World:
        made.append(World(tmp_path, codes))
        return made[-1]

    yield make
    for world in made:
        world.close()


@needs_xtquant
def test_what_the_terminal_shows_is_what_is_published(make_world: Callable[..., World]) -> None:
    """Lots become shares, milliseconds seconds, raw floats ticks; limits come from the terminal; 240 bars."""
    world = make_world()
    world.data.show({FUND: QUOTE}, {FUND: bars(240, MORNING + 60)})
    data = world.source.poll(MORNING + 61)
    assert data is not None
    assert data.quotes[FUND] == QUOTE
    assert data.bars[FUND] == bars(240, MORNING + 60)
    assert data.complete
    assert world.source._reader is not None
    assert world.source._reader.trading_dates == ("2026-03-03",)
    assert world.source.poll(MORNING + 61) is None  # nothing new


@needs_xtquant
def test_a_pushed_tick_shows_without_asking(make_world: Callable[..., World]) -> None:
    """Between two pulls the subscription tells; an older cached tick never overwrites a newer one."""
    world = make_world()
    world.data.show({FUND: QUOTE}, {FUND: bars(100, MORNING + 60)})
    assert world.source.poll(MORNING + 61) is not None
    newer = QUOTE.model_copy(update={"price": 1.051, "tick_time": MORNING + 63})
    world.data.show({FUND: newer})
    reader = world.source._reader
    assert reader is not None
    while reader.market_time < newer.tick_time:  # the push comes in a thread of xtdata's own
        assert reader.is_subscribed
    assert reader.snapshot()[0][FUND].price == 1.051
    reader._take({FUND: tick_of(QUOTE)})
    assert reader.snapshot()[0][FUND].price == 1.051


@needs_xtquant
def test_only_ended_minutes_are_bars(make_world: Callable[..., World]) -> None:
    """The running minute is no bar yet; it comes when its minute has ended."""
    world = make_world()
    world.data.show({FUND: QUOTE}, {FUND: bars(100, MORNING + 120)})
    first = world.source.poll(MORNING + 61)
    assert first is not None and first.bars[FUND].time[-1] == MORNING + 60
    world.data.show({FUND: QUOTE.model_copy(update={"tick_time": MORNING + 121})})
    world.clock += 5
    second = world.source.poll(MORNING + 122)
    assert second is not None and second.bars[FUND].time[-1] == MORNING + 120


@needs_xtquant
def test_too_few_bars_are_downloaded_once(make_world: Callable[..., World]) -> None:
    """Yesterday's minutes are asked for where fewer than 80 are there; once a day, not at every minute."""
    world = make_world()
    world.data.show({FUND: QUOTE}, {FUND: bars(5, MORNING + 60)})
    world.source.poll(MORNING + 61)
    world.clock += 5
    world.source.poll(MORNING + 66)
    assert world.data.downloads == [FUND]


@needs_xtquant
def test_refused_subscriptions_are_tried_again(make_world: Callable[..., World]) -> None:
    """In batches of 50; one that is refused is incomplete data, and asked for with every step until taken."""
    codes = tuple(Code(f"6000{number:02d}.SH") for number in range(BATCH + 10))
    world = make_world(codes)
    world.data.show({code: QUOTE for code in codes}, {code: bars(90, MORNING + 60) for code in codes})
    world.terminal.faults.set("subscribe", "refuse", 1)
    first = world.source.poll(MORNING + 61)
    assert first is not None and not first.complete
    world.clock += 5
    second = world.source.poll(MORNING + 66)
    assert second is not None and second.complete
    whole = [chosen for chosen in world.data.subscribed if len(chosen) > 1]
    assert sorted(map(len, whole)) == [10, BATCH]


@needs_xtquant
def test_after_a_restart_everything_is_subscribed_again(make_world: Callable[..., World]) -> None:
    """While the terminal is away poll raises; afterwards quotes go on by themselves, pushes included."""
    world = make_world()
    world.data.show({FUND: QUOTE}, {FUND: bars(90, MORNING + 60)})
    assert world.source.poll(MORNING + 61) is not None
    world.terminal.stop()
    while world.xtdata.get_client.__globals__["__client"].is_connected():
        pass
    world.clock += SILENT + 1
    with pytest.raises(Exception, match="无法连接xtquant服务"):
        world.source.poll(MORNING + 72)
    world.open_terminal()
    later = QUOTE.model_copy(update={"tick_time": MORNING + 90})
    world.data.show({FUND: later}, {FUND: bars(90, MORNING + 60)})
    again = world.source.poll(MORNING + 91)
    assert again is not None and again.quotes[FUND].tick_time == MORNING + 90 and again.complete
    assert (FUND,) in world.data.subscribed


@needs_xtquant
def test_a_frozen_market_is_said(make_world: Callable[..., World]) -> None:
    """A cached tick looks fresh; in continuous trading no tick at all for a minute is no market."""
    world = make_world()
    world.data.show({FUND: QUOTE}, {FUND: bars(90, MORNING + 60)})
    assert world.source.poll(MORNING + 61) is not None
    world.clock += 5
    with pytest.raises(BrokerError, match="行情停住了"):
        world.source.poll(MORNING + 60 + FROZEN + 1)
    lunch = MORNING + 2 * 3600 + 600
    assert world.source.poll(lunch) is not None  # nobody trades: an old tick is the newest there is
    world.data.show({FUND: QUOTE.model_copy(update={"tick_time": MORNING + 122})})
    world.clock += 5
    healed = world.source.poll(MORNING + 123)
    assert healed is not None and healed.complete


@needs_xtquant
def test_all_ticks_are_pulled_at_the_opening(make_world: Callable[..., World]) -> None:
    """9:30 is pulled when the market clock gets there, not up to three seconds later."""
    world = make_world()
    early = QUOTE.model_copy(update={"tick_time": MORNING - 300})
    world.data.show({FUND: early}, {FUND: bars(90, MORNING - 300)})
    world.source.poll(MORNING - 1)
    world.clock += 0.5
    world.source.poll(MORNING - 0.5)
    before = world.data.asked["full_tick"]
    world.data.show({FUND: QUOTE.model_copy(update={"tick_time": MORNING + 0.5})})
    reader = world.source._reader
    assert reader is not None
    while reader.market_time < MORNING:
        pass
    world.clock += 0.5
    world.source.poll(MORNING + 0.5)
    assert world.data.asked["full_tick"] == before + 1


@needs_xtquant
def test_a_calendar_that_differs_is_said(
    make_world: Callable[..., World], caplog: pytest.LogCaptureFixture
) -> None:
    """The terminal lacks a Friday that our calendar has as a trading day."""
    world = make_world()
    world.data.dates = [int((MORNING - days * 86_400) * 1000) for days in (5, 1, 0)]
    world.data.show({FUND: QUOTE}, {FUND: bars(90, MORNING + 60)})
    reader = XtdataReader(
        world.xtdata, (FUND,), clock=lambda: world.clock, aside=lambda work: work(), calendar=CALENDAR
    )
    for _ in range(3):
        world.clock += 61
        reader.step()
    assert {record.message.split(" ")[0] for record in caplog.records} == {"2026-02-27"}


@needs_xtquant
def test_codes_without_quotes_are_said_once_with_their_reason(
    make_world: Callable[..., World], caplog: pytest.LogCaptureFixture
) -> None:
    """One that QMT doesn't know, one whose last tick is of another day: each named once; the rest goes on."""
    old = Code("600002.SH")
    world = make_world((FUND, SHARE, old))
    world.data.show({FUND: QUOTE, old: QUOTE.model_copy(update={"tick_time": MORNING - 86_400 * 3})})
    data = None
    for _ in range(25):
        data = world.source.poll(MORNING + 61) or data
        world.clock += 3.1
    assert data is not None and FUND in data.quotes
    said = [record.message for record in caplog.records if record.levelname == "WARNING"]
    assert len(said) == 2 and "600009.SH" in said[0] and "producer.codes" in said[0]
    assert "600002.SH" in said[1] and "2026-02-28" in said[1]


@needs_xtquant
def test_a_terminal_that_answers_without_any_tick_is_said(make_world: Callable[..., World]) -> None:
    """The quote server is down at the start: not a silent wait, and it goes on by itself."""
    world = make_world()
    assert world.source.poll(MORNING) is None
    world.clock += SILENT + 1
    with pytest.raises(BrokerError) as found:
        world.source.poll(MORNING + 11)
    assert found.value.key == "qmt.no_ticks"
    world.data.show({FUND: QUOTE}, {FUND: bars(100, MORNING + 60)})
    world.clock += 4
    assert world.source.poll(MORNING + 61) is not None


@needs_xtquant
@pytest.mark.slow
def test_no_pandas_on_the_way(tmp_path: Path) -> None:
    """Windows installs the small set: reading quotes and bars imports neither pandas nor numpy."""
    code = (
        "import sys; from pathlib import Path; from tests.producer.test_xtdata import *\n"
        "sys.modules['pandas'] = sys.modules['numpy'] = None\n"
        f"world = World(Path({str(tmp_path)!r}))\n"
        "world.data.show({FUND: QUOTE}, {FUND: bars(90, MORNING + 60)})\n"
        "assert len(world.source.poll(MORNING + 61).bars[FUND].time) == 90\n"
        "world.close()\n"
    )
    root = Path(__file__).resolve().parents[2]
    subprocess.run([sys.executable, "-c", code], cwd=root, check=True, timeout=300)


def test_a_suspended_code_keeps_yesterdays_close() -> None:
    """No last price, an empty book: the close stands for it and the status says that nothing trades."""
    tick = tick_of(QUOTE) | {"lastPrice": 0.0, "openInt": 1, "askPrice": [0] * 5, "bidPrice": [0] * 5}
    quote = quote_of(FUND, tick, None)
    assert quote is not None
    assert (quote.price, quote.status, quote.ask[0]) == (1.047, "suspended", 0.0)


def test_a_limit_up_book_has_one_side() -> None:
    """An empty side stays 0, and limits are the terminal's."""
    tick = tick_of(QUOTE) | {"lastPrice": 1.152, "askPrice": [0.0] * 5, "askVol": [0] * 5}
    quote = quote_of(FUND, tick, Detail(limit_up=1.1520000001, limit_down=0.942, tick_size=0.001))
    assert quote is not None
    assert (quote.ask[0], quote.bid[0], quote.limit_up) == (0.0, 1.049, 1.152)


@pytest.mark.parametrize(
    ("code", "tick", "lot"),
    [
        (FUND, {"volume": 758613, "pvolume": 75861284}, 100),
        (Code("688001.SH"), {"volume": 5000, "pvolume": 5000}, 1),
        (Code("600009.SH"), {"volume": 100, "amount": 350_000.0, "lastPrice": 35.0}, 100),
        (Code("113050.SH"), {"volume": 100, "amount": 120_000.0, "lastPrice": 120.0}, 10),
        (Code("113050.SH"), {"volume": 0}, 10),
        (Code("600009.SH"), {"volume": 0}, 100),
    ],
)
def test_the_lot_is_what_the_data_tell(code: Code, tick: dict[str, float], lot: int) -> None:
    """Raw volume beside lots, else the amount, decides how many shares a lot is."""
    assert lot_of(code, tick) == lot


def test_bars_without_a_column_are_no_bars() -> None:
    """A missing column is an error, never a bar with zeros."""
    with pytest.raises(Exception, match="volume"):
        bars_of(
            FUND,
            [(name, "<f8", b"") for name in ("open", "high", "low", "close")] + [("time", "<i8", b"")],
            0,
        )


@pytest.mark.parametrize("tick", [{}, {"lastPrice": float("nan"), "time": 1}, {"lastPrice": 1.0, "time": 0}])
def test_a_tick_without_price_or_time_is_none(tick: dict[str, float]) -> None:
    """Nothing is made up for it."""
    assert quote_of(FUND, tick, None) is None


@needs_xtquant
@pytest.mark.parametrize("last, begins", [(7200 - 1, 7200 + 5400), (-300, 0), (5.5 * 3600, 86_400)])
def test_the_first_moment_of_a_session_is_no_frozen_market(
    make_world: Callable[..., World], last: float, begins: float
) -> None:
    """At 13:00 and 9:30 the newest tick is of before the break: a false alarm twice a day is soon unread."""
    world = make_world()
    world.data.show({FUND: QUOTE.model_copy(update={"tick_time": MORNING + last})})
    assert world.source.poll(MORNING + last) is not None
    world.clock += 5
    world.source.poll(MORNING + begins + 0.2)
    world.source.poll(MORNING + begins + FROZEN - 1)
    with pytest.raises(BrokerError, match="行情停住了"):
        world.source.poll(MORNING + begins + FROZEN + 2)


def test_the_terminals_largest_number_is_no_price() -> None:
    """It stands where there is no limit: one such code must not take the quotes of all others with it."""
    largest = sys.float_info.max
    tick = {"lastPrice": 10.0, "lastClose": 9.9, "askPrice": [10.01, largest], "time": MORNING * 1000}
    detail = detail_of({"UpStopPrice": largest, "DownStopPrice": largest, "PriceTick": 0.01})
    quote = quote_of(SHARE, tick, detail)
    assert quote is not None
    assert (quote.price, quote.limit_up, quote.limit_down) == (10.0, 0.0, 0.0)
    assert quote.ask[:2] == (10.01, 0.0)
