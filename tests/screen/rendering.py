"""What a screen looks like as text."""

from __future__ import annotations

import io
from typing import Literal

from rich.cells import cell_len
from rich.console import Console, RenderableType

from mac_side.screen.layout import Shown, layout
from mac_side.screen.look import Look
from mac_side.view import View

OVERVIEW = Shown()
PLAIN = Look()


def lines_of(
    renderable: RenderableType, width: int, height: int = 60, *, color: Literal["standard"] | None = None
) -> list[str]:
    """The lines ``renderable`` prints on a terminal ``width`` wide."""
    out = io.StringIO()
    console = Console(
        width=width, height=height, file=out, force_terminal=True, color_system=color, legacy_windows=False
    )
    console.print(renderable)
    return out.getvalue().removesuffix("\n").split("\n")


def screen_lines(
    view: View, width: int, height: int, shown: Shown = OVERVIEW, look: Look = PLAIN
) -> list[str]:
    """A whole screen; checked to be exactly as large as the terminal."""
    lines = lines_of(layout(view, look, width, height, shown), width, height)
    assert all(cell_len(line) <= width for line in lines), "a line is wider than the terminal"
    assert len(lines) <= height, "the screen is higher than the terminal"
    if width >= 76 and height >= 24:
        assert len(lines) == height, "the screen does not fill the terminal"
    return lines
