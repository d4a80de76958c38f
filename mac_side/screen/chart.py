"""Bars drawn with characters: candles with marks on the price axis, and a one-line sparkline."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rich.cells import cell_len
from rich.text import Text

from mac_side.screen.look import Look
from shared_schema.messages.quote import MinuteBars

# What fills the upper and lower half of a cell: 0 nothing, 1 the wick, 2 the body.
_HALVES = {
    (0, 0): " ",
    (0, 1): "╷",
    (1, 0): "╵",
    (1, 1): "│",
    (0, 2): "╻",
    (2, 0): "╹",
    (2, 2): "┃",
    (1, 2): "╽",
    (2, 1): "╿",
}
_LEVELS = "▁▂▃▄▅▆▇█"
_ASCII_LEVELS = "_.-~=+*#"


@dataclass(frozen=True)
class Mark:
    """A price marked on the axis."""

    price: float
    label: str
    style: str = ""


@dataclass(frozen=True)
class Candle:
    """One or several minutes, yuan."""

    open: float
    high: float
    low: float
    close: float


def candles_of(bars: MinuteBars, most: int) -> list[Candle]:
    """Candles of the newest bars, of so many minutes each that about ``most`` show most of the bars."""
    length = min(len(bars.open), len(bars.high), len(bars.low), len(bars.close))
    minutes = max(1, length // max(1, most))
    found = []
    for end in range(length, 0, -minutes):
        start = max(0, end - minutes)
        part = slice(start, end)
        found.append(Candle(bars.open[start], max(bars.high[part]), min(bars.low[part]), bars.close[end - 1]))
    return found[::-1]


def sparkline(closes: Sequence[float], width: int, rows: int, look: Look) -> str:
    """The newest ``width`` closes as blocks, ``rows`` lines high."""
    shown = closes[-width:] if width > 0 else ()
    if not shown or rows < 1:
        return ""
    levels = _LEVELS if look.unicode else _ASCII_LEVELS
    low, span = min(shown), max(shown) - min(shown)
    most = rows * len(levels)
    heights = [1 + round((close - low) / span * (most - 1)) if span > 0 else most // 2 for close in shown]
    return "\n".join(
        "".join(_filled(height - (rows - 1 - row) * len(levels), levels) for height in heights)
        for row in range(rows)
    )


def _filled(height: int, levels: str) -> str:
    return " " if height <= 0 else levels[min(height, len(levels)) - 1]


def candle_chart(
    candles: Sequence[Candle], marks: Sequence[Mark], look: Look, width: int, rows: int, digits: int
) -> Text:
    """``rows`` lines of candles with the price axis and its marks at the right.

    Marks too far away to be drawn without flattening the candles stand at the upper or lower
    edge, with their price.
    """
    axis = digits + 6 + max((cell_len(mark.label) for mark in marks), default=0) * 2 + 2
    room = max(1, width - axis)
    shown = list(candles)[-room:]
    if not shown or rows < 2:
        return Text("")
    low, high = _range(shown, marks)
    labels = _labels(marks, low, high, rows, digits, axis)
    lines = []
    for row in range(rows):
        line = Text(" " * (room - len(shown)))
        for candle in shown:
            line.append(*_cell(candle, row, low, high, rows, look))
        line.append("│" if look.unicode else "|", style="bright_black")
        lines.append(line + (labels.get(row) or _scale(row, low, high, rows, digits)))
    return Text("\n").join(lines)


def _range(candles: Sequence[Candle], marks: Sequence[Mark]) -> tuple[float, float]:
    low, high = min(c.low for c in candles), max(c.high for c in candles)
    span = max(high - low, high * 0.001)
    near = [m.price for m in marks if low - span < m.price < high + span]
    low, high = min([low, *near]), max([high, *near])
    margin = (high - low) * 0.02 or high * 0.0005
    return low - margin, high + margin


def _row(value: float, low: float, high: float, rows: int) -> int:
    return min(rows - 1, max(0, int((high - value) / (high - low) * rows)))


def _half(value: float, low: float, high: float, rows: int) -> int:
    return _row(value, low, high, rows * 2)


def _cell(candle: Candle, row: int, low: float, high: float, rows: int, look: Look) -> tuple[str, str]:
    top, bottom = _half(candle.high, low, high, rows), _half(candle.low, low, high, rows)
    body_top = _half(max(candle.open, candle.close), low, high, rows)
    body_bottom = _half(min(candle.open, candle.close), low, high, rows)
    upper, lower = (
        2 if body_top <= half <= body_bottom else 1 if top <= half <= bottom else 0
        for half in (row * 2, row * 2 + 1)
    )
    rising = candle.close >= candle.open
    style = look.up if rising else look.down
    if look.unicode:
        return _HALVES[upper, lower], style
    return {0: " ", 1: "|", 2: "O" if rising else "#"}[max(upper, lower)], style


def _labels(
    marks: Sequence[Mark], low: float, high: float, rows: int, digits: int, axis: int
) -> dict[int, Text]:
    by_row: dict[int, list[Mark]] = {}
    for mark in marks:
        by_row.setdefault(_row(mark.price, low, high, rows), []).append(mark)
    found = {}
    for row, here in by_row.items():
        line = Text(f" {here[0].price:.{digits}f}", style=here[0].style)
        for mark in {mark.label: mark for mark in here}.values():
            if line.cell_len + cell_len(mark.label) + 1 <= axis - 1:
                line.append(f" {mark.label}", style=mark.style)
        found[row] = line
    return found


def _scale(row: int, low: float, high: float, rows: int, digits: int) -> Text:
    if row % 2 or row in (0, rows - 1):
        return Text("")
    return Text(f" {high - (row + 0.5) * (high - low) / rows:.{digits}f}", style="bright_black")
