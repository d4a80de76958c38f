"""A file that a process touches while its loop turns, for the supervisor on the same host.

Not the heartbeat: that lies in the exchange folder, and a folder that is gone makes no process a hung one.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from pathlib import Path

from shared_schema.logs import Log

VARIABLE = "MINIQMT_ALIVE_FILE"
"""The environment variable by which a supervisor names the file."""
INTERVAL = 1.0
"""Seconds between two touches at least."""


class SignOfLife:
    """Touches the file that the environment names; nothing where it names none."""

    def __init__(
        self, environment: Mapping[str, str], log: Log, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        named = environment.get(VARIABLE, "").strip()
        self._path = Path(named) if named else None
        self._log = log
        self._monotonic = monotonic
        self._touched_at = float("-inf")
        self._failed = False

    def show(self) -> None:
        """The loop has turned once more."""
        now = self._monotonic()
        if self._path is None or now - self._touched_at < INTERVAL:
            return
        self._touched_at = now
        try:
            self._path.write_text(f"{now:.3f}\n", encoding="ascii")
            self._failed = False
        except OSError as problem:
            if not self._failed:  # the supervisor will end us for it: a person should know why
                self._log.say("error", "sign_of_life_failed", path=self._path, detail=problem)
            self._failed = True
