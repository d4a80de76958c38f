"""The risk: the engine decides on bars the backtest never saw, the opening call's first of all."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest

from shared_schema.bars_file import Bar, read_bars
from shared_schema.ids import Code
from shared_schema.shanghai import day_of, minute_of_day
from windows_side.quotes.opening_call import join_opening_call
from windows_side.quotes.xtdata_fields import bars_of

FUND = Code("159201.SZ")
PARITY = Path(__file__).parent.parent / "data" / "parity" / "bars_20d.csv.gz"
CALL = 9 * 60 + 30


def as_a_terminal_gives_them(days: int) -> list[Bar]:
    """``days`` days of 241 labels each: 9:30 is the opening call, a little wider than the open."""
    made: list[Bar] = []
    for bar in read_bars(PARITY)[: 240 * days]:
        if minute_of_day(bar.end) == CALL + 1:
            high, low = bar.open + 0.003, bar.open - 0.003
            made.append(Bar(bar.end - 60, bar.open, high, low, bar.open, 100_000.0, bar.open * 100_000))
        made.append(bar._replace(volume=100_000.0, amount=bar.close * 100_000))
    return made


def shown(bars: list[Bar], until: float) -> list[tuple[float, ...]]:
    """What the live producer makes of the terminal's answer, row by row; volume in shares."""
    columns = [("time", "<i8", struct.pack(f"<{len(bars)}q", *(round(bar.end * 1000) for bar in bars)))]
    for name in ("open", "high", "low", "close", "amount"):
        values = [getattr(bar, name) for bar in bars]
        columns.append((name, "<f8", struct.pack(f"<{len(bars)}d", *values)))
    lots = [round(bar.volume / 100) for bar in bars]
    columns.append(("volume", "<i8", struct.pack(f"<{len(bars)}q", *lots)))
    made = bars_of(FUND, columns, until)
    return list(zip(made.time, made.open, made.high, made.low, made.close, made.volume, strict=True))


def test_live_bars_are_those_a_fetch_writes() -> None:
    """Two days of 241 labels: 240 each, the same ones by both ways."""
    given = as_a_terminal_gives_them(2)
    joined = join_opening_call(given)
    assert len(given) == 482 and len(joined) == 480
    assert shown(given, given[-1].end) == [pytest.approx(bar[:6]) for bar in joined]
    first = joined[240]
    assert (first.open, first.volume) == (given[241].open, 200_000.0)
    assert first.high >= given[241].high and first.low <= given[241].low


def test_the_calls_bar_waits_for_the_first_minute() -> None:
    """At 9:30:30 yesterday's close is the newest bar, whether the running minute is in the answer or not."""
    given = as_a_terminal_gives_them(2)
    call, opening = given[241], given[242]
    assert minute_of_day(call.end) == CALL
    for answer in (given[:242], given[:243]):
        assert shown(answer, call.end + 30)[-1][0] == given[240].end
    whole = shown(given[:243], opening.end)[-1]
    assert (whole[0], whole[1], whole[5]) == (opening.end, call.open, pytest.approx(200_000.0))


def test_a_first_minute_without_a_trade_is_the_calls() -> None:
    """No bar of 9:31 in the answer: the call's bar is it, once the minute is over."""
    given = as_a_terminal_gives_them(2)
    quiet = [bar for bar in given if bar is not given[242]]
    assert shown(quiet, given[243].end)[-2][0] == given[242].end
    assert [minute_of_day(bar.end) for bar in join_opening_call(quiet)[240:242]] == [CALL + 1, CALL + 2]


def test_labels_of_beginnings_are_left_alone() -> None:
    """A day of 9:30 to 14:59 has no opening call's bar: nothing is joined."""
    given = [bar._replace(end=bar.end - 60) for bar in read_bars(PARITY)[:240]]
    assert join_opening_call(given) == given
    assert len({day_of(bar.end) for bar in given}) == 1
