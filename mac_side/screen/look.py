"""How things look: colours, characters, and the text of numbers, ages and times.

Width matters: Chinese takes two cells, and characters such as an arrow or a dot take one or
two depending on the terminal's settings. Only box lines, blocks and CJK are used, and there is
a look with ASCII alone.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from rich import box
from rich.cells import cell_len
from rich.console import Console, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from shared_schema.sessions import ClockError, hms
from shared_schema.words import has, language, say

UNKNOWN = "-"
"""Shown where a value is not known: never a zero."""
_WIDEST_PAIR = 30
"""Cells between a label's begin and its value's end: wider, the eye loses the line."""
_MEASURE = Console(width=200, file=None, color_system=None)


@dataclass(frozen=True)
class Look:
    """Colours and characters of one terminal."""

    color: bool = True
    unicode: bool = True
    red_up: bool = True
    """Rising is red (China); False: rising is green."""

    @property
    def up(self) -> str:
        """Style of rising, gaining and buying."""
        return "red" if self.red_up else "green"

    @property
    def down(self) -> str:
        """Style of falling, losing and selling."""
        return "green" if self.red_up else "red"

    @property
    def border(self) -> box.Box:
        """The box panels are drawn with."""
        return box.ROUNDED if self.unicode else box.ASCII

    def of_sign(self, value: float | None) -> str:
        """Style of a gain or loss."""
        return "" if not value else self.up if value > 0 else self.down

    def band(self, color: str) -> str:
        """Style of a full-width band that must be seen, also without colours."""
        ink = "black" if color == "yellow" else "white"
        return f"bold {ink} on {color}" if self.color else "bold reverse"


def look_for(encoding: str, *, color: bool = True, ascii_only: bool = False, colors: str = "") -> Look:
    """The look for a terminal of ``encoding``; ``colors`` "zh" or "en" overrides the language's.

    NO_COLOR in the environment turns colours off (no-color.org).
    """
    unicode = not ascii_only and encoding.lower().replace("-", "").startswith("utf")
    chosen = colors or language()
    return Look(color=color and "NO_COLOR" not in os.environ, unicode=unicode, red_up=chosen == "zh")


def can_show_chinese(encoding: str) -> bool:
    """Whether text in Chinese can be written in ``encoding`` at all."""
    try:
        "停止".encode(encoding)
        return True
    except (UnicodeEncodeError, LookupError):
        return False


def price_digits(code: str) -> int:
    """Decimals of a price on screen: 3 for funds and convertible bonds, 2 for shares."""
    return 3 if code[:2] in {"11", "12", "15", "16", "18", "50", "51", "52", "53", "56", "58"} else 2


def price(value: float | None, digits: int = 3) -> str:
    """A price in yuan; ``-`` where unknown or zero."""
    return UNKNOWN if not value else f"{value:.{digits}f}"


def money(value: float | None, *, sign: bool = False) -> str:
    """Yuan with two decimals and thousands."""
    if value is None:
        return UNKNOWN
    rounded = round(value, 2) or 0.0  # no "-0.00"
    return f"{rounded:+,.2f}" if sign and rounded else f"{rounded:,.2f}"


def amounts(value: float | None, *, sign: bool = False, style: str = "") -> tuple[Text, ...]:
    """The ways to write yuan, longest first, for where there is less room."""
    if value is None:
        return (Text(UNKNOWN),)
    texts = (money(value, sign=sign), money(value, sign=sign)[:-3], _short(value, sign))
    return tuple(Text(text, style=style) for text in texts)


def _short(value: float, sign: bool) -> str:
    unit, name = (10_000, "万") if language() == "zh" else (1_000_000, "M")
    return f"{value / unit:{'+' if sign else ''},.1f}{name}"


def count(value: int | None) -> str:
    """Shares or a count, with thousands."""
    return UNKNOWN if value is None else f"{value:,}"


def percent(fraction: float | None, digits: int = 2, *, sign: bool = True) -> str:
    """A fraction as a percentage."""
    if fraction is None:
        return UNKNOWN
    return f"{fraction * 100:{'+' if sign else ''}.{digits}f}%"


def age(seconds: float | None) -> str:
    """An age or a delay in the unit a person reads at a glance."""
    if seconds is None:
        return UNKNOWN
    if abs(seconds) < 0.9995:
        return say("screen.unit.milliseconds", value=round(seconds * 1000))
    if abs(seconds) < 99.95:
        return say("screen.unit.seconds", value=f"{seconds:.1f}")
    if abs(seconds) < 5400:
        return say("screen.unit.minutes", value=f"{seconds / 60:.0f}")
    return say("screen.unit.hours", value=f"{seconds / 3600:.0f}")


def clock(moment: float | None) -> str:
    """``HH:MM:SS`` in Asia/Shanghai."""
    if not moment:
        return "--:--:--"
    try:
        return hms(moment)
    except ClockError:
        return "??:??:??"


def word(kind: str, value: str) -> str:
    """The word of a state in the language in force; the value itself where it has none."""
    key = f"screen.{kind}.{value}"
    return say(key) if value and has(key) else value


def session_word(value: str) -> str:
    """The words of a session state (``sessions.SessionState``); the value itself where it has none."""
    return say(f"sessions.{value}") if value and has(f"sessions.{value}") else value


def panel(title: str, body: RenderableType, look: Look, width: int, rows: int, style: str = "") -> Panel:
    """A box ``width`` cells wide around ``rows`` lines."""
    heading = Text(title, style=style or "bold default")
    return Panel(
        body,
        title=heading,
        title_align="left",
        box=look.border,
        border_style=style or "bright_black",
        width=width,
        height=rows + 2,
        padding=(0, 1),
    )


def inside(width: int) -> int:
    """Cells left for text in a panel ``width`` wide: two for borders, two for padding."""
    return max(1, width - 4)


Pair = tuple[str, str | Text | tuple[Text, ...]]
"""A label with its value, or with several ways to write it, longest first."""


def _pair_cells(width: int, columns: int = 2) -> tuple[int, int]:
    """Cells of each of ``columns`` pairs in ``width``, and of the gap between two."""
    gap = 3 if width >= 44 else 2
    return min(_WIDEST_PAIR, (width - gap * (columns - 1)) // columns), gap


def pairs_width(width: int) -> int:
    """Cells two columns of pairs take: what stands below them ends at the same edge."""
    each, gap = _pair_cells(width)
    return 2 * each + gap


def pairs(items: Sequence[Pair], width: int, columns: int = 2) -> Table:
    """Labels with values, ``columns`` side by side, values at the right edge of their column."""
    each, gap = _pair_cells(width, columns)
    grid = Table.grid(padding=0)
    for column in range(columns):
        grid.add_column(width=each, no_wrap=True)
        if column < columns - 1:
            grid.add_column(width=gap)
    for start in range(0, len(items), columns):
        row: list[RenderableType] = []
        for label, value in items[start : start + columns]:
            row += [_pair(label, value, each), ""]
        grid.add_row(*row[: 2 * columns - 1])
    return grid


def _pair(label: str, value: str | Text | tuple[Text, ...], width: int) -> Text:
    ways = value if isinstance(value, tuple) else (value if isinstance(value, Text) else Text(value),)
    room = width - cell_len(label) - 1
    shown = next((way for way in ways if way.cell_len <= room), ways[-1])
    return Text.assemble((label, "bright_black"), " " * max(1, room + 1 - shown.cell_len), shown)


def table(
    headings: Iterable[tuple[str, int, str]], rows: Iterable[Sequence[str | Text]], look: Look
) -> Table:
    """A table of fixed columns (heading, width, "left" or "right"), without lines."""
    grid = Table(box=None, padding=(0, 1, 0, 0), show_edge=False, pad_edge=False, header_style="bright_black")
    for heading, width, side in headings:
        grid.add_column(
            heading,
            width=width,
            no_wrap=True,
            justify="right" if side == "right" else "left",
            overflow="ellipsis" if look.unicode else "crop",
        )
    for row in rows:
        grid.add_row(*row)
    return grid


def instrument_name(code: str) -> str:
    """What people call the instrument; "" where the catalogue has no name for it."""
    return word("name", code[:6]) if has(f"screen.name.{code[:6]}") else ""


@dataclass(frozen=True)
class Gauge:
    """A value of its limit: what it is, how full it is (None: no limit known), and the numbers."""

    label: str
    fraction: float | None
    text: str
    style: str = ""


def gauges(rows: Sequence[Gauge], look: Look, width: int) -> list[Text]:
    """One line each: label, a bar, the numbers at the right edge; all bars of equal length."""
    width = pairs_width(width)
    labels = 1 + max(cell_len(row.label) for row in rows)
    cells = min(24, width - labels - max(cell_len(row.text) for row in rows) - 1)
    lines = []
    for row in rows:
        line = Text.assemble((row.label, "bright_black"), " " * (labels - cell_len(row.label)))
        if row.fraction is not None and cells >= 4:
            full = "red" if row.fraction > 0.9 else "yellow" if row.fraction > 0.75 else "cyan"
            line.append(bar(row.fraction, cells, look, row.style or full))
        line.append(" " * max(1, width - line.cell_len - cell_len(row.text)) + row.text)
        lines.append(line)
    return lines


def folded(text: str, width: int, style: str = "") -> list[Text]:
    """``text`` broken into lines at most ``width`` cells wide."""
    return list(Text(text, style=style).wrap(_MEASURE, max(2, width)))


def bar(fraction: float | None, width: int, look: Look, style: str = "cyan") -> Text:
    """A bar filled to ``fraction``."""
    share = min(1.0, max(0.0, fraction or 0.0))
    full = round(share * width)
    done, left = ("█", "░") if look.unicode else ("#", ".")
    return Text.assemble((done * full, style), (left * (width - full), "bright_black"))
