"""``miniqmt status --watch``: the report again and again, for a window at the side or for a script."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from rich.console import Console
from rich.markup import escape

from shared_schema.errors import MiniqmtError

Gather = Callable[[], dict[str, Any]]


def watch_json(
    gather: Gather, print_line: Callable[[str], None], pause: Callable[[], None]
) -> dict[str, Any] | None:
    """One JSON object a line until interrupted; a folder that fails is a line too. The last report."""
    last = None
    try:
        while True:
            try:
                last = gather()
                line = json.dumps(last, ensure_ascii=False)
            except MiniqmtError as problem:
                line = json.dumps({"error": str(problem)}, ensure_ascii=False)
            print_line(line)
            pause()
    except (KeyboardInterrupt, BrokenPipeError):
        return last  # the reader has seen enough


def watch_people(
    gather: Gather,
    show: Callable[[dict[str, Any], Console], None],
    console: Console,
    pause: Callable[[], None],
) -> dict[str, Any] | None:
    """The report on a cleared terminal until interrupted; the last report.

    What needs a person stands last: it is what a small window shows.
    """
    last = None
    try:
        while True:
            # Gathered before clearing: the window is never empty for longer than a blink.
            try:
                last = gather()
                problem = ""
            except MiniqmtError as found:
                problem = str(found)
            if console.is_terminal:
                console.clear()
            if problem:
                console.print(f"[bold red]![/] {escape(problem)}", soft_wrap=True)
            elif last is not None:
                show(last, console)
            pause()
    except (KeyboardInterrupt, BrokenPipeError):
        return last
