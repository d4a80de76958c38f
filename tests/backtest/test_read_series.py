"""The risk: the quick reader takes what the strict one refuses, or reads another number."""

from __future__ import annotations

import gzip
import random
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from mac_side.backtest.compiled import Engine, have_numba
from mac_side.backtest.read_series import _quickly, read_series
from mac_side.backtest.series import COLUMNS, series_of
from shared_schema.bars_file import Bar, read_bars
from shared_schema.errors import DataError
from shared_schema.shanghai import shanghai
from tests.strategy.series import random_bars

FAST: tuple[Engine, ...] = ("python", "numba") if have_numba() else ("python",)
BARS = random_bars(5, days=2)
TIMES: dict[str, Callable[[Bar], str]] = {
    "text": lambda bar: shanghai(bar.end).isoformat(" "),
    "text with T": lambda bar: shanghai(bar.end).isoformat("T"),
    "compact": lambda bar: shanghai(bar.end).strftime("%Y%m%d%H%M%S"),
    "seconds": lambda bar: f"{bar.end:.0f}",
    "seconds with a point": lambda bar: f"{bar.end:.1f}",
    "milliseconds": lambda bar: f"{bar.end * 1000:.0f}",
    "minutes only": lambda bar: shanghai(bar.end).strftime("%Y-%m-%d %H:%M"),
    "with zone": lambda bar: shanghai(bar.end).isoformat(" ") + "+08:00",
}
HEADS = (
    "time,open,high,low,close",
    "datetime,open,high,low,close,volume,amount",
    ",open,high,low,close,volume",
)


def text_of(head: str, time: Callable[[Bar], str], digits: int | None = None) -> str:
    names = head.split(",")
    lines = [head]
    for bar in BARS:
        values = dict(zip(COLUMNS, bar._replace(volume=1200.0, amount=1234.5), strict=True))
        cells = [time(bar)]
        cells += [str(values[n]) if digits is None else f"{values[n]:.{digits}f}" for n in names[1:]]
        lines.append(",".join(cells))
    return "\n".join(lines) + "\n"


def written(folder: Path, content: bytes) -> Path:
    path = folder / "bars.csv"
    path.write_bytes(content)
    return path


def check(path: Path) -> None:
    """Every way of reading gives the same columns to the bit, or the same error."""
    try:
        wanted = series_of(read_bars(path))
    except DataError as wrong:
        for engine in FAST:
            with pytest.raises(DataError) as found:
                read_series(path, engine)
            assert str(found.value) == str(wrong)
        return
    for engine in FAST:
        series = read_series(path, engine)
        for name in COLUMNS:
            assert np.array_equal(getattr(series, name), getattr(wanted, name)), (engine, name)


@pytest.mark.parametrize("head", HEADS)
@pytest.mark.parametrize("form", TIMES)
def test_every_form_of_file_reads_as_by_the_strict_reader(form: str, head: str, tmp_path: Path) -> None:
    """Time forms, with and without volume, any number of digits, CRLF, BOM, comments, gzip: the same bits."""
    text = text_of(head, TIMES[form])
    for content in (
        text.encode(),
        text_of(head, TIMES[form], 5).encode(),
        b"\xef\xbb\xbf" + text.replace("\n", "\r\n").encode(),
        gzip.compress(b"# made by hand\n" + text.encode()),
        text.rstrip("\n").encode(),
    ):
        check(written(tmp_path, content))
    series = read_series(tmp_path / "bars.csv")
    assert series.end.tolist() == [bar.end for bar in BARS]


@pytest.mark.parametrize("form", ["text", "text with T", "compact", "seconds", "milliseconds"])
def test_usual_files_are_read_the_quick_way(form: str) -> None:
    """The usual forms do not fall back to the strict reader, which would only be slow."""
    for head in HEADS:
        raw = text_of(head, TIMES[form]).encode()
        assert all(_quickly(raw, engine) is not None for engine in FAST)


@pytest.mark.slow
def test_a_damaged_file_is_refused_as_by_the_strict_reader(tmp_path: Path) -> None:
    """One or two characters changed anywhere: the same columns or the same sentence, never a quiet repair."""
    chance = random.Random(7)
    whole = text_of(HEADS[1], TIMES["text"])[: 40 * 60].rpartition("\n")[0] + "\n"
    refused = 0
    for _ in range(400):
        text = list(whole)
        for _ in range(chance.choice([1, 1, 2])):
            text[chance.randrange(len(text))] = chance.choice(
                '0123456789,,..--: T\nenx"#'
            ) * chance.randrange(3)
        path = written(tmp_path, "".join(text).encode())
        check(path)
        try:
            read_bars(path)
        except DataError:
            refused += 1
    assert refused > 100


def test_every_wrong_row_is_named_with_its_line(tmp_path: Path) -> None:
    """Three wrong rows give one error with three lines."""
    text = text_of(HEADS[0], TIMES["text"]).splitlines()
    text[10] = text[9]
    text[20] = text[20].rpartition(",")[0] + ",nan"
    text[30] = text[30].replace(" 10:", " 02:").replace(" 09:", " 01:")
    with pytest.raises(DataError) as wrong:
        read_series(written(tmp_path, "\n".join(text).encode()))
    assert all(str(line) in str(wrong.value) for line in (11, 21, 31))
