"""Linux: the kernel's own news of a folder, read by the very thread that waits for it.

A watcher with threads of its own hands a change through three queues, holds everything back for half a
second where a move comes in two halves, and takes the processor from the signal it announces.
"""

from __future__ import annotations

import os
import select
import threading
import time
from collections.abc import Callable
from pathlib import Path

from inotify_simple import INotify, flags

_WHOLE_FILES = flags.MOVED_TO | flags.CLOSE_WRITE
_NEW_FOLDERS = flags.CREATE | flags.ONLYDIR
_END = flags.DELETE_SELF | flags.MOVE_SELF


class InotifyWaker:
    """Wakes for ``path`` and the folders in it. Raises OSError where the kernel refuses the watch.

    ``wait`` belongs to one thread, ``wake`` and ``stop`` to any.
    """

    def __init__(self, path: Path, concerns: Callable[[str], bool]) -> None:
        """A folder ``name/`` that does not concern is not even watched."""
        self._path = path
        self._concerns = concerns
        self._lock = threading.Lock()
        self._folders: dict[int, str] = {}
        self._inotify = INotify(nonblocking=True)
        try:
            self._top = self._inotify.add_watch(path, _WHOLE_FILES | _NEW_FOLDERS | _END)
            self._folders[self._top] = ""
            with os.scandir(path) as entries:
                for entry in entries:
                    if entry.is_dir(follow_symlinks=False):
                        self._add(entry.name)
            self._bell = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)
        except BaseException:
            self._inotify.close()
            raise
        self.healthy = True
        self._stopped = False
        self._poll = select.poll()
        self._poll.register(self._bell, select.POLLIN)
        self._poll.register(self._inotify.fileno(), select.POLLIN)

    def _add(self, folder: str) -> None:
        if self._concerns(f"{folder}/"):
            watch = self._inotify.add_watch(self._path / folder, _WHOLE_FILES | flags.ONLYDIR)
            self._folders[watch] = f"{folder}/"

    def wait(self, at_most: float) -> bool:
        """Wait for news, at most that many seconds; whether there were any."""
        deadline = time.monotonic() + at_most
        while True:
            left = max(0.0, deadline - time.monotonic())
            ready = [handle for handle, _ in self._poll.poll(left * 1000)]
            rung = self._bell in ready and self._take_ring()
            told = any(handle != self._bell for handle in ready) and self._take_news()
            if rung or told:
                return True
            if time.monotonic() >= deadline:
                return False

    def _take_ring(self) -> bool:
        try:
            os.eventfd_read(self._bell)
        except BlockingIOError:
            return False
        return True

    def _take_news(self) -> bool:
        try:
            news = self._inotify.read(timeout=0)
        except OSError:
            self._die()
            return True
        concern = False
        for event in news:
            if event.mask & flags.Q_OVERFLOW:
                concern = True
            elif event.wd == self._top and event.mask & (_END | flags.IGNORED | flags.UNMOUNT):
                # Made again, the folder is another one, of which this watch would never hear.
                self._die()
                return True
            elif event.mask & flags.ISDIR:
                concern |= self._new_folder(event.name)
            elif event.wd in self._folders:
                concern |= self._concerns(self._folders[event.wd] + event.name)
        return concern

    def _new_folder(self, name: str) -> bool:
        try:
            self._add(name)
        except OSError:
            return True  # gone again, or no watch left: the scan, now and at its interval, sees what is there
        return True

    def _die(self) -> None:
        if self.healthy:
            self.healthy = False
            self._poll.unregister(self._inotify.fileno())
            self._inotify.close()

    def wake(self) -> None:
        """End the wait from outside."""
        with self._lock:
            if not self._stopped:
                os.eventfd_write(self._bell, 1)

    def stop(self) -> None:
        """Let go of the kernel's handles."""
        with self._lock:
            if not self._stopped:
                self._stopped = True
                self._die()
                self._poll.unregister(self._bell)
                os.close(self._bell)
