"""``miniqmt data``: a file of bars is looked at before it is believed, and fetched whole or not at all."""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from commands.main import app_for
from shared_schema.bars_file import Bar, read_bars
from shared_schema.errors import DataError
from shared_schema.ids import Code
from shared_schema.messages import MinuteBars, Quote
from shared_schema.shanghai import unix_seconds
from test_offline.fake_qmt.data_room import DataRoom
from test_offline.fake_qmt.faults import Faults
from test_offline.fake_qmt.install import install, is_possible
from test_offline.fake_qmt.terminal import Terminal, make_userdata
from windows_side.quotes.history import Month, XtHistory, fetch_history
from windows_side.quotes.opening_call import join_opening_call

FUND = Code("159201.SZ")
SAMPLE = Path(__file__).resolve().parents[2] / "shared_schema" / "sample" / "sample_159201.csv"


def run(*typed: str) -> Any:
    """A command line as ``miniqmt`` runs it."""
    return CliRunner().invoke(app_for(typed), list(typed))


def at(text: str) -> float:
    """Unix seconds of a Shanghai time."""
    return unix_seconds(datetime.fromisoformat(text))


class Scripted:
    """A history that fails where it is told to, and remembers what it was asked."""

    def __init__(self, bars: list[Bar], fails_in: str = "") -> None:
        self.held, self.fails_in = bars, fails_in
        self.asked: list[tuple[date, date]] = []

    def download(self, code: Code, first: date, last: date) -> None:
        if f"{first:%Y-%m}" == self.fails_in:
            raise DataError("data.download_failed", code=code, month=self.fails_in, detail="no right")
        self.asked.append((first, last))

    def bars(self, code: Code, first: date, last: date, adjust: str) -> list[Bar]:
        return [b for b in self.held if at(f"{first} 00:00") <= b.end < at(f"{last} 23:59")]


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty working folder."""
    monkeypatch.chdir(tmp_path)
    yield tmp_path


def test_check_says_what_it_found_and_ends_accordingly(place: Path) -> None:
    """0 for a clean file, 1 for one a backtest reads all the same, 2 for rows it refuses; JSON the same."""
    assert run("data", "check", str(SAMPLE)).exit_code == 0
    lines = SAMPLE.read_text("utf-8").splitlines()
    odd = place / "odd.csv"
    odd.write_text("\n".join(lines[:20] + lines[30:]) + "\n", encoding="utf-8")
    ended = run("data", "check", str(odd))
    assert ended.exit_code == 1 and "10" in ended.output and "gap 1" in ended.output
    wrong = place / "wrong.csv"
    wrong.write_text("\n".join([*lines[:20], lines[19], *lines[20:]]) + "\n", encoding="utf-8")
    told = run("data", "check", str(wrong), "--json")
    answer = json.loads(told.output)
    assert told.exit_code == 2 and answer["counts"] == {"duplicate_time": 1}
    assert answer["findings"][0]["line"] == 21
    assert isinstance(run("data", "check", str(place / "none.csv")).exception, DataError)


def test_fetch_goes_month_by_month_and_tells_of_each(place: Path) -> None:
    """The span is asked for in whole months, the file reads back as the bars that were held."""
    bars = list(read_bars(SAMPLE))
    source, told = Scripted(bars), list[Month]()
    path = place / "history_159201_1m.csv"
    fetched = fetch_history(source, FUND, date(2025, 5, 20), date(2025, 6, 30), "none", path, told.append)
    assert source.asked == [
        (date(2025, 5, 20), date(2025, 5, 31)), (date(2025, 6, 1), date(2025, 6, 30)),
    ]  # fmt: skip
    assert [(month.name, month.bars) for month in told] == [("2025-05", 0), ("2025-06", 1920)]
    assert (fetched.bars, fetched.days) == (1920, 8)
    assert [bar[:6] for bar in read_bars(path)] == [bar[:6] for bar in bars]


def test_a_fetch_that_fails_leaves_the_old_file_alone(place: Path) -> None:
    """Whole or not at all, also in the second month; nothing half lies about."""
    path = place / "history_159201_1m.csv"
    path.write_text("kept", encoding="utf-8")
    source = Scripted(list(read_bars(SAMPLE)), fails_in="2025-07")
    with pytest.raises(DataError) as problem:
        fetch_history(source, FUND, date(2025, 6, 1), date(2025, 7, 2), "none", path, lambda _: None)
    assert "no right" in str(problem.value) and path.read_text("utf-8") == "kept"
    assert [file.name for file in place.iterdir()] == [path.name]
    with pytest.raises(DataError):
        fetch_history(Scripted([]), FUND, date(2025, 6, 1), date(2025, 6, 2), "none", path, lambda _: None)
    assert path.read_text("utf-8") == "kept"


def test_the_opening_calls_bar_joins_the_first_minute() -> None:
    """A day of 241 labels becomes one of 240; a day labelled by beginnings is left as it is."""
    call = Bar(at("2025-06-04 09:30"), 1.0, 1.1, 0.9, 1.05, 100.0, 105.0)
    first = Bar(at("2025-06-04 09:31"), 1.05, 1.2, 1.0, 1.1, 50.0, 55.0)
    last = Bar(at("2025-06-04 15:00"), 1.1, 1.1, 1.1, 1.1)
    assert join_opening_call([call, first, last]) == [
        Bar(first.end, 1.0, 1.2, 0.9, 1.1, 150.0, 160.0), last,
    ]  # fmt: skip
    assert join_opening_call([call, first]) == [call, first]


@pytest.mark.parametrize(
    ("typed", "key"),
    [
        (("--from", "yesterday"), "data.bad_day"),
        (("--from", "2025-06-02", "--to", "2025-06-01"), "data.from_after_to"),
        (("--from", "2025-06-01", "--adjust", "sideways"), "data.bad_adjust"),
    ],
)
def test_what_is_typed_wrongly_is_said(place: Path, typed: tuple[str, ...], key: str) -> None:
    """Before anything is asked of the terminal."""
    problem = run("data", "fetch", "159201.SZ", *typed).exception
    assert isinstance(problem, DataError) and problem.key == key


def test_a_column_that_is_not_understood_is_no_bar() -> None:
    """An answer in another form stops the fetch: prices are never guessed."""

    class Odd:
        def get_client(self) -> Odd:
            return self

        def get_data_dir(self) -> str:
            return ""

        def get_market_data3(self, *asked: object) -> list[object]:
            return [(FUND, [], [("time", "<i8", struct.pack("<q", 1)), ("close", "<U8", b"12345678")])]

    with pytest.raises(DataError) as problem:
        XtHistory(Odd()).bars(FUND, date(2025, 6, 1), date(2025, 6, 2), "none")
    assert problem.value.key == "data.bad_answer"


@pytest.mark.parametrize(("volume", "lot"), [(50, 100), (5000, 1)])
def test_volumes_are_shares_whatever_the_terminal_counts_in(volume: int, lot: int) -> None:
    """Fifty lots or five thousand shares at 1.05 for 5,250 yuan: the amount tells which."""

    class One:
        def get_client(self) -> One:
            return self

        def get_data_dir(self) -> str:
            return ""

        def get_market_data3(self, *asked: object) -> list[object]:
            end = int(at("2025-06-04 09:31") * 1000)
            columns = [("time", "<i8", struct.pack("<q", end)), ("volume", "<i8", struct.pack("<q", volume))]
            columns += [(n, "<f8", struct.pack("<d", 1.05)) for n in ("open", "high", "low", "close")]
            return [(FUND, [], [*columns, ("amount", "<f8", struct.pack("<d", 5250.0))])]

    (bar,) = XtHistory(One()).bars(FUND, date(2025, 6, 4), date(2025, 6, 4), "none")
    assert (bar.volume, bar.volume / volume) == (5000.0, lot)


@pytest.mark.slow
@pytest.mark.skipif(not is_possible(), reason="xtquant is not installed (requirements-dev.txt)")
def test_fetch_over_the_unmodified_xtdata(place: Path) -> None:
    """The real Python layer of xtquant over the stand-in terminal: lots become shares, nothing is lost."""
    bars = read_bars(SAMPLE)
    userdata = make_userdata(place)
    room = DataRoom(Faults())
    columns = MinuteBars(
        time=tuple(bar.end for bar in bars), open=tuple(bar.open for bar in bars),
        high=tuple(bar.high for bar in bars), low=tuple(bar.low for bar in bars),
        close=tuple(bar.close for bar in bars), volume=tuple(bar.volume for bar in bars),
    )  # fmt: skip
    room.show({FUND: Quote(price=1.05)}, {FUND: columns})
    terminal = Terminal(userdata, {}, room)
    install(userdata)
    try:
        ended = run("data", "fetch", "159201.SZ", "--from", "2025-06-01", "--to", "2025-06-12")
        assert ended.exit_code == 0, (ended.output, ended.exception)
        path = place / "history_159201_1m.csv"
        assert [bar[:6] for bar in read_bars(path)] == [bar[:6] for bar in bars[: 7 * 240]]
        assert room.downloads == [FUND] and "[1/1] 2025-06" in ended.output
        problem = run("data", "fetch", "159201.SZ", "--from", "2025-06-01").exception
        assert isinstance(problem, DataError) and problem.key == "data.exists"
    finally:
        terminal.stop()
