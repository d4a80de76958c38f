"""Waiting for a change in a folder: the scan is the truth, a watcher only wakes it early (rule 4)."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from watchdog.events import FileSystemEvent, FileSystemEventHandler
from watchdog.observers import Observer

from shared_schema.logs import Log

# On Windows watchdog 7 holds events back until the folder was quiet for this long (1 s by default).
_OBSERVER_TIMEOUT = 0.02
# Its warnings about a watch that is being stopped concern nobody: ``healthy`` tells what matters.
logging.getLogger("watchdog").addHandler(logging.NullHandler())
_QUIET_EVENTS = frozenset({"opened", "closed_no_write"})

Concerns = Callable[[str], bool]
"""Whether a changed path (relative to the folder, ``/`` between folder and name) is worth waking for."""


def anything(path: str) -> bool:
    """Every change concerns."""
    return True


class FolderWatch:
    """Wakes a scan when something changes below ``path``, at the latest after ``interval`` seconds.

    Without ``use_watcher``, or where the watcher can't be started or has died, the
    interval alone wakes: slower, never wrong. ``healthy`` says which it is.
    """

    def __init__(
        self, path: Path, interval: float, *, use_watcher: bool = True, concerns: Concerns = anything
    ) -> None:
        """``concerns`` spares a busy process the wake-ups by its own writings; the interval still comes."""
        self.interval = interval
        self._woken = threading.Event()
        self._observer: Any = None
        self._alarm_due = use_watcher
        self.problem = ""
        if use_watcher:
            self._start(path, concerns)

    def _start(self, path: Path, concerns: Concerns) -> None:
        observer = Observer(timeout=_OBSERVER_TIMEOUT)
        try:
            # Recursive, so that a move into order_signal_done/ is seen whole: half a move holds
            # watchdog's queue back for half a second.
            observer.schedule(_Wake(self._woken, path, concerns), str(path), recursive=True)
            observer.start()
        except OSError as problem:
            self.problem = str(problem)
            return
        self._observer = observer

    @property
    def healthy(self) -> bool:
        """Whether a watcher wakes early; False where only the interval does."""
        return self._observer is not None and self._observer.is_alive()

    def look_after(self, log: Log) -> None:
        """Say once where a watcher was asked for and none runs: from now on the interval alone wakes."""
        if self._alarm_due and not self.healthy:
            self._alarm_due = False
            detail = self.problem or "the watcher's thread ended"
            log.say("error", "watcher_dead", detail=detail, interval=self.interval)

    def wake(self) -> None:
        """End the wait from outside."""
        self._woken.set()

    def wait(self, at_most: float | None = None) -> bool:
        """Wait for a change, for ``interval`` (or ``at_most``, if shorter) seconds; whether one woke us."""
        woken = self._woken.wait(self.interval if at_most is None else max(0.0, min(at_most, self.interval)))
        self._woken.clear()
        return woken

    def stop(self) -> None:
        """Stop the watcher thread."""
        self._woken.set()
        if self._observer is not None:
            self._observer.stop()
            self._observer.join(2.0)
            self._observer = None


class _Wake(FileSystemEventHandler):
    def __init__(self, woken: threading.Event, path: Path, concerns: Concerns) -> None:
        self._woken = woken
        self._prefix = len(str(path)) + 1
        self._concerns = concerns

    def on_any_event(self, event: FileSystemEvent) -> None:
        # A rename is what publishes; opens and reads of our own would wake us for nothing.
        if event.event_type in _QUIET_EVENTS or event.is_directory:
            return
        changed = os.fsdecode(event.dest_path or event.src_path)[self._prefix :].replace(os.sep, "/")
        if self._concerns(changed):
            self._woken.set()
