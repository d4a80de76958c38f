"""Bars drawn with characters: candles with levels across them and marks on the axis, volume, sparkline."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rich.cells import cell_len
from rich.text import Text

from mac_side.screen.look import Look
from shared_schema.messages.quote import MinuteBars
from shared_schema.sessions import shanghai

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
_AXIS = "bright_black"


@dataclass(frozen=True)
class Mark:
    """A price marked on the axis; with ``line`` it is drawn across the candles too."""

    price: float
    label: str
    style: str = ""
    line: bool = False


@dataclass(frozen=True)
class Candle:
    """One or several minutes: yuan, shares, and the Unix seconds at which it ends."""

    open: float
    high: float
    low: float
    close: float
    volume: float = 0.0
    end: float = 0.0


def candles_of(bars: MinuteBars, most: int) -> list[Candle]:
    """Candles of the newest bars, of so many minutes each that about ``most`` show most of the bars."""
    length = min(len(bars.open), len(bars.high), len(bars.low), len(bars.close))
    minutes = max(1, length // max(1, most))
    found = []
    for end in range(length, 0, -minutes):
        part = slice(max(0, end - minutes), end)
        found.append(
            Candle(
                bars.open[part.start],
                max(bars.high[part]),
                min(bars.low[part]),
                bars.close[end - 1],
                sum(bars.volume[part]),
                bars.time[end - 1] if end <= len(bars.time) else 0.0,
            )
        )
    return found[::-1]


def sparkline(closes: Sequence[float], width: int, rows: int, look: Look) -> str:
    """The newest ``width`` closes as blocks, ``rows`` lines high."""
    shown = closes[-width:] if width > 0 else ()
    if not shown or rows < 1:
        return ""
    low, span = min(shown), max(shown) - min(shown)
    levels = rows * len(_LEVELS)
    heights = [1 + round((close - low) / span * (levels - 1)) if span > 0 else levels // 2 for close in shown]
    return "\n".join(_columns(heights, rows, look))


def _columns(heights: Sequence[int], rows: int, look: Look) -> list[str]:
    """Columns of ``heights`` in eighths of a line, as ``rows`` lines."""
    levels = _LEVELS if look.unicode else _ASCII_LEVELS
    return [
        "".join(_filled(height - (rows - 1 - row) * len(levels), levels) for height in heights)
        for row in range(rows)
    ]


def _filled(height: int, levels: str) -> str:
    return " " if height <= 0 else levels[min(height, len(levels)) - 1]


def axis_width(marks: Sequence[Mark], digits: int) -> int:
    """Cells the price axis takes at the right: the price and two labels at most."""
    return digits + 7 + 2 * max((cell_len(mark.label) + 1 for mark in marks), default=0)


def candle_chart(
    candles: Sequence[Candle], marks: Sequence[Mark], look: Look, width: int, rows: int, digits: int
) -> Text:
    """``rows`` lines: candles with the price axis and its marks at the right, volume and time below.

    Marks too far away to be drawn without flattening the candles stand at the upper or lower
    edge, with their price.
    """
    axis = axis_width(marks, digits)
    shown = list(candles)[-max(1, width - axis) :]
    if not shown or rows < 2:
        return Text("")
    below = _below(shown, rows, look)
    rows -= len(below)
    low, high = _range(shown, marks)
    at_row = _by_row(marks, low, high, rows)
    lines = []
    for row in range(rows):
        level = next((mark for mark in at_row.get(row, ()) if mark.line), None)
        line = Text()
        for candle in shown:
            line.append(*_cell(candle, level, row, low, high, rows, look))
        line.append("│" if look.unicode else "|", style=_AXIS)
        if row in at_row:
            line.append(_labels(at_row[row], digits, axis))
        elif row % 2 == 0:
            line.append(f" {high - (row + 0.5) * (high - low) / rows:.{digits}f}", style=_AXIS)
        lines.append(line)
    return Text("\n").join([*lines, *below])


def _below(candles: Sequence[Candle], rows: int, look: Look) -> list[Text]:
    """The volume where there is much room, and the times where there is some."""
    lines = []
    most = max(candle.volume for candle in candles)
    if rows >= 16 and most > 0:
        high = rows // 8
        heights = [max(1, round(candle.volume / most * high * 8)) for candle in candles]
        lines += [Text(line, style="blue") for line in _columns(heights, high, look)]
    if rows >= 7 and candles[0].end and len(candles) >= 16:
        first, last = (shanghai(candles[place].end).strftime("%H:%M") for place in (0, -1))
        middle = shanghai(candles[len(candles) // 2].end).strftime("%H:%M")
        half = len(candles) // 2
        left = first.ljust(max(0, half - 2)) + middle
        lines.append(Text(left.ljust(max(0, len(candles) - len(last))) + last, style=_AXIS))
    return lines


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


def _cell(
    candle: Candle, level: Mark | None, row: int, low: float, high: float, rows: int, look: Look
) -> tuple[str, str]:
    top, bottom = _half(candle.high, low, high, rows), _half(candle.low, low, high, rows)
    body_top = _half(max(candle.open, candle.close), low, high, rows)
    body_bottom = _half(min(candle.open, candle.close), low, high, rows)
    upper, lower = (
        2 if body_top <= half <= body_bottom else 1 if top <= half <= bottom else 0
        for half in (row * 2, row * 2 + 1)
    )
    if not (upper or lower) and level is not None:
        return "┄" if look.unicode else "-", f"dim {level.style}"
    rising = candle.close >= candle.open
    style = look.up if rising else look.down
    if look.unicode:
        return _HALVES[upper, lower], style
    return {0: " ", 1: "|", 2: "O" if rising else "#"}[max(upper, lower)], style


def _by_row(marks: Sequence[Mark], low: float, high: float, rows: int) -> dict[int, list[Mark]]:
    by_row: dict[int, list[Mark]] = {}
    for mark in marks:
        by_row.setdefault(_row(mark.price, low, high, rows), []).append(mark)
    return by_row


def _exact(value: float, digits: int) -> str:
    """A level between two ticks with one decimal more: rounded, it would name a price that does nothing."""
    between = abs(value - round(value, digits)) > 10 ** -(digits + 2)
    return f"{value:.{digits + between}f}"


def _labels(here: Sequence[Mark], digits: int, axis: int) -> Text:
    line = Text(f" {_exact(here[0].price, digits)}", style=here[0].style)
    for mark in {mark.label: mark for mark in here}.values():
        if line.cell_len + cell_len(mark.label) + 1 <= axis - 1:
            line.append(f" {mark.label}", style=mark.style)
    return line
