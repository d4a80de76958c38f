"""Named points: every durable step and every call to the outside has a name it is reached under.

A process says ``reach(Point.X)`` there; nothing happens, unless a crash test asked this very process to
kill itself at its n-th arrival (``MINIQMT_CRASH_AT=name`` or ``name:n``). That is honoured only beside
``MINIQMT_ALLOW_CRASH=1``, so that no stray variable can end a process that trades.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Mapping
from enum import Enum

from shared_schema.errors import SettingsError

CRASH_AT = "MINIQMT_CRASH_AT"
ALLOW_CRASH = "MINIQMT_ALLOW_CRASH"

Reach = Callable[[Enum], None]
"""Told at each point; may be called from any thread."""


def pass_by(point: Enum) -> None:
    """The hook of every day: goes on."""


def reach_of(environment: Mapping[str, str], points: type[Enum]) -> Reach:
    """The hook this process was started with. Raises SettingsError for a point that does not exist."""
    asked = environment.get(CRASH_AT, "").strip()
    if not asked or environment.get(ALLOW_CRASH, "").strip() != "1":
        return pass_by
    name, _, number = asked.partition(":")
    known = {str(point.value): point for point in points}
    if name not in known or not (number or "1").isdigit():
        raise SettingsError("recovery.no_such_point", CRASH_AT, name=asked, known=", ".join(known))
    return CrashAt(known[name], int(number or "1"))


class CrashAt:
    """Kills this process, without any farewell, when ``point`` is reached for the ``number``-th time."""

    def __init__(self, point: Enum, number: int = 1, kill: Callable[[], None] | None = None) -> None:
        self._point = point
        self._left = number
        self._kill = kill or kill_this_process

    def __call__(self, point: Enum) -> None:
        """Count an arrival."""
        if point is not self._point:
            return
        self._left -= 1
        if self._left == 0:
            self._kill()


def kill_this_process() -> None:
    """End at once, as kill -9 or a power cut would (on Windows ``os.kill`` terminates)."""
    os.kill(os.getpid(), getattr(signal, "SIGKILL", signal.SIGTERM))
