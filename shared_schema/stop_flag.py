"""A stop asked for by a signal.

``threading.Event`` must not be set from a signal handler while the main thread waits on it: the handler
runs in that very thread, inside ``wait`` with the event's lock held, and never returns. This flag takes
no lock; a wait looks at it every tenth of a second.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable

LOOK_EVERY = 0.1
"""Seconds."""


class StopFlag(threading.Event):
    """Set once, from any thread or a signal handler; never cleared."""

    def __init__(
        self,
        monotonic: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        super().__init__()
        self._asked = False
        self._monotonic = monotonic
        self._sleep = sleep

    def set(self) -> None:
        """Ask to stop."""
        self._asked = True

    def is_set(self) -> bool:
        """Whether it was asked."""
        return self._asked

    def wait(self, timeout: float | None = None) -> bool:
        """Wait ``timeout`` seconds (None: for ever), less where it is asked meanwhile; whether it was."""
        until = math.inf if timeout is None else self._monotonic() + timeout
        while not self._asked and (left := until - self._monotonic()) > 0:
            self._sleep(min(LOOK_EVERY, left))
        return self._asked
