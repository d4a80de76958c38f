"""A picture of the screen at the demo's liveliest moment."""

from __future__ import annotations

import threading
from pathlib import Path

from mac_side.screen.picture import picture
from mac_side.view import View, read_view
from shared_schema.errors import FolderError

COLUMNS, LINES = 120, 40
LOOK_EVERY = 0.2


class Photographer:
    """Follows the engine's view and keeps the one with the most to see."""

    def __init__(self, view_file: Path) -> None:
        self._view_file = view_file
        self._ended = threading.Event()
        self._best: View | None = None
        self._thread = threading.Thread(target=self._run, daemon=True)

    def start(self) -> None:
        """Begin in a thread of its own."""
        self._thread.start()

    def write(self, target: Path) -> None:
        """End, and write the SVG. Raises FolderError."""
        self._ended.set()
        self._thread.join(2.0)
        if self._best is None:
            return
        try:
            target.write_text(picture(self._best, COLUMNS, LINES), encoding="utf-8")
        except OSError as problem:
            raise FolderError("demo.picture_not_written", target, detail=str(problem)) from problem

    def _run(self) -> None:
        while not self._ended.wait(LOOK_EVERY):
            view = read_view(self._view_file)
            if view is not None and (self._best is None or _to_see(view) >= _to_see(self._best)):
                self._best = view


def _to_see(view: View) -> tuple[bool, int, int, int]:
    """Calm and trading first, then a ladder with something on it, then orders under way."""
    calm = view.session == "continuous" and not view.trading_held and not view.alarms and not view.ended
    return calm, min(len(view.lots), 3), sum(signal.open for signal in view.signals), len(view.signals)
