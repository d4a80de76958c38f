"""Wakers that are told: by nobody, or by the watchdog's thread where the system has no inotify."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from watchdog.events import FileSystemEvent, FileSystemEventHandler
from watchdog.observers import Observer

# On Windows watchdog 7 holds events back until the folder was quiet for this long (1 s by default).
_OBSERVER_TIMEOUT = 0.02
# Its warnings about a watch that is being stopped concern nobody: ``healthy`` tells what matters.
logging.getLogger("watchdog").addHandler(logging.NullHandler())
_QUIET_EVENTS = frozenset({"opened", "closed_no_write"})


class BellWaker:
    """Wakes when it is rung, for nothing else."""

    healthy = False

    def __init__(self) -> None:
        self._woken = threading.Event()

    def wait(self, at_most: float) -> bool:
        """Wait for a ring, at most that many seconds; whether there was one."""
        woken = self._woken.wait(at_most)
        self._woken.clear()
        return woken

    def wake(self) -> None:
        """End the wait from outside."""
        self._woken.set()

    def stop(self) -> None:
        """Ring for the last time."""
        self._woken.set()


class WatchdogWaker:
    """Wakes for changes below ``path``. Raises OSError where they can't be watched."""

    def __init__(self, path: Path, concerns: Callable[[str], bool]) -> None:
        self._woken = threading.Event()
        self._observer: Any = Observer(timeout=_OBSERVER_TIMEOUT)
        self._observer.schedule(_Wake(self._woken, path, concerns), str(path), recursive=True)
        self._observer.start()

    @property
    def healthy(self) -> bool:
        """Whether its thread lives."""
        return bool(self._observer.is_alive())

    def wait(self, at_most: float) -> bool:
        """Wait for a change, at most that many seconds; whether there was one."""
        woken = self._woken.wait(at_most)
        self._woken.clear()
        return woken

    def wake(self) -> None:
        """End the wait from outside."""
        self._woken.set()

    def stop(self) -> None:
        """End the thread."""
        self._woken.set()
        self._observer.stop()
        self._observer.join(2.0)


class _Wake(FileSystemEventHandler):
    def __init__(self, woken: threading.Event, path: Path, concerns: Callable[[str], bool]) -> None:
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
