"""Between two whole looks: wake for what concerns the engine, and glance at the folders cheaply."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from pathlib import Path

from shared_schema.disk import Disk
from shared_schema.drop_folder.names import CONTROL_FOLDER, HEARTBEAT_FOLDER, RESULTS_FOLDER
from shared_schema.watch import FolderWatch

_WATCHED = ("", CONTROL_FOLDER, HEARTBEAT_FOLDER, RESULTS_FOLDER)


def concerns(path: str) -> bool:
    """Whether a changed path in the exchange folder may be news: not a temp file, nor what we write.

    ``folder/`` asks for a folder itself: signals put away and quarantine are the executor's.
    """
    folder, _, last = path.rpartition("/")
    return folder in _WATCHED and not last.startswith((".", "dashboard-", "dashboard_state"))


@dataclass
class FolderGlance:
    """Tells by the times of a few folders whether a name was added, replaced or taken away in them.

    A file that is written in place changes no folder, and two changes within one tick of the disk's clock
    may look like one: so it only brings a whole look forward, it never replaces one. ``heartbeat/`` is left
    out: our own stands in it too, and a heartbeat that nothing wakes for may come a second late.
    """

    disk: Disk
    exchange: Path
    commands: Path
    _folders: tuple[Path, ...] = field(init=False)
    _known: tuple[int, ...] = field(default=())

    def __post_init__(self) -> None:
        inside = (self.exchange / CONTROL_FOLDER, self.exchange / RESULTS_FOLDER)
        self._folders = (self.exchange, *inside, self.commands)

    def moved(self) -> bool:
        """Whether anything did since the last call."""
        try:
            entries = [self.disk.stat(folder) for folder in self._folders]
        except OSError:
            return True  # the whole look says what is wrong
        known, self._known = self._known, tuple(entry.modified_ns if entry else 0 for entry in entries)
        return self._known != known


def wait_for_news(watch: FolderWatch, glance: FolderGlance, stop: threading.Event, at_most: float) -> bool:
    """Until something changed, at the latest for ``at_most`` seconds; False where only the time has passed.

    With a watcher its scan interval costs a glance; where none lives every scan is a whole look.
    """
    for _ in range(max(1, round(at_most / watch.interval))):
        if watch.wait(at_most) or not watch.healthy or stop.is_set() or glance.moved():
            return True
    return False
