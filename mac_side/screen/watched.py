"""A view file as a screen follows it: read where it was replaced, and how long it has been silent."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from mac_side.screen.aging import aged, silence_of
from mac_side.screen.notices import SILENT_AFTER
from mac_side.view import View, read_view


def is_written(path: Path, wall: float) -> bool:
    """Whether an engine is at work on the view ``path`` at ``wall`` (Unix seconds)."""
    view = read_view(path)
    return view is not None and not view.ended and silence_of(view, wall) <= SILENT_AFTER


@dataclass
class WatchedView:
    """One code's view, and the folder its engine reads commands from."""

    path: Path
    commands: Path
    view: View | None = None
    _stamp: tuple[int, int, int] | None = None

    def look(self) -> bool:
        """Read the file where it was replaced; whether there is something new."""
        try:
            status = self.path.stat()
        except OSError:
            return False  # being replaced or not there yet: what was read last stays, and grows old
        stamp = (status.st_mtime_ns, status.st_size, status.st_ino)
        if stamp == self._stamp:
            return False
        view = read_view(self.path)
        if view is None:
            return False
        self.view, self._stamp = view, stamp
        return True

    def aged(self, wall: float) -> View | None:
        """The view with the ages it has at ``wall`` (Unix seconds)."""
        return aged(self.view, wall) if self.view is not None else None

    def silence(self, wall: float) -> float:
        """Seconds since the engine wrote; endless before it ever did."""
        return silence_of(self.view, wall) if self.view is not None else float("inf")

    @property
    def ended(self) -> bool:
        """Whether the engine has written its last view."""
        return self.view is not None and self.view.ended
