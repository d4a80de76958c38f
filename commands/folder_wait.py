"""Waiting for the exchange folder of a supervised process: a share that is mounted late heals by itself.

A process that does not begin because its folder is not there would be given up after some minutes; nobody
would start it again when the share comes. So its supervisor starts none while the folder is away.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from shared_schema.errors import FolderError
from shared_schema.exchange_folder import checked_exchange_folder
from shared_schema.logs import Log
from windows_side.supervisor import LONGEST_WAIT, Child

HEALS = frozenset({"settings.folder_missing", "settings.folder_unwritable"})
"""What a mount or the other host mends; a file where the folder belongs is a wrong setting."""


class FolderWait:
    """``start`` and ``wait`` of a supervisor whose next start waits until ``folder`` can be used.

    ``wait`` given here sleeps some seconds and tells whether a person asked to stop.
    """

    def __init__(
        self, folder: Path, log: Log, start: Callable[[], Child], wait: Callable[[float], bool]
    ) -> None:
        self._folder = folder
        self._log = log
        self._start = start
        self._wait = wait
        self._child: Child | None = None

    def start(self) -> Child:
        """The process, started."""
        self._child = self._start()
        return self._child

    def wait(self, seconds: float) -> bool:
        """Wait; where the process has died, also for the folder. Whether a person asked to stop."""
        if self._wait(seconds):
            return True
        died = self._child is not None and self._child.poll() not in (None, 0)
        return died and self.until_there()

    def until_there(self) -> bool:
        """Wait until the folder can be used, told at the beginning and the end; whether asked to stop."""
        if (problem := self._problem()) is None:
            return False
        self._log.say("error", "folder_failed", problem=problem, detail=f"{problem.what} [{problem.where}]")
        while self._problem() is not None:
            if self._wait(LONGEST_WAIT):
                return True
        self._log.say("info", "folder_works_again", folder=self._folder)
        return False

    def _problem(self) -> FolderError | None:
        try:
            checked_exchange_folder(self._folder)
        except FolderError as problem:
            return problem if problem.key in HEALS else None
        return None
