"""A screen as an SVG picture."""

from __future__ import annotations

import html
import io
import itertools
import re

from rich.cells import cell_len
from rich.console import Console

from mac_side.screen.layout import OVERVIEW, Shown, layout
from mac_side.screen.look import Look
from mac_side.view import View
from shared_schema.words import language

_TEXT = re.compile(r'<text ([^>]*?)x="([0-9.]+)"([^>]*?)textLength="([0-9.]+)"([^>]*)>([^<]*)</text>')
_FONTS = (
    "Fira Code, Menlo, Consolas, DejaVu Sans Mono, PingFang SC, Microsoft YaHei, Noto Sans CJK SC, monospace"
)
_CELL = 12.2
"""Width of a cell in the picture: rich writes a font of 20 with an aspect of 0.61."""


def picture(view: View, width: int, height: int, shown: Shown = OVERVIEW, title: str = "miniqmt") -> str:
    """The screen of ``view`` as SVG, ``width`` by ``height`` cells."""
    look = Look(red_up=language() == "zh")
    console = Console(
        width=width,
        height=height,
        file=io.StringIO(),
        force_terminal=True,
        color_system="truecolor",
        record=True,
        legacy_windows=False,
    )
    console.print(layout(view, look, width, height, shown), end="")
    return _with_wide_characters(console.export_svg(title=title))


def _with_wide_characters(svg: str) -> str:
    """Each run of narrow or wide characters at its own place: rich gives Chinese one cell instead of two."""
    svg = re.sub(r"(?s)@font-face \{.*?\}\s*", "", svg)  # nothing is fetched from elsewhere
    svg = re.sub(r"font-family: Fira Code, ?monospace", f"font-family: {_FONTS}", svg)
    return _TEXT.sub(_placed, svg)


def _placed(found: re.Match[str]) -> str:
    before, start, middle, _, after, escaped = found.groups()
    text = html.unescape(escaped)
    at, runs = float(start), []
    for wide, group in itertools.groupby(text, lambda character: cell_len(character) > 1):
        run = "".join(group)
        width = cell_len(run) * _CELL
        if run.strip() or wide:
            shown = html.escape(run, quote=False).replace("\u0020", "&#160;").replace("\u00a0", "&#160;")
            runs.append(f'<text {before}x="{at:.1f}"{middle}textLength="{width:.1f}"{after}>{shown}</text>')
        at += width
    return "".join(runs)
