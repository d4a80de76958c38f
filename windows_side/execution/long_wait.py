"""A broker that is there but leaves its lists unanswered: said once, with what to do, while signals wait.

A list that failed is never read as an empty one, and xtquant's None is either: the executor would wait
without a word for as long as the answer stays away (fault 50).
"""

from __future__ import annotations

from windows_side.execution.desk import Desk

PATIENCE = 20.0
"""Seconds without an answer after which a person is told."""
TOLD = {"reconcile": "day_unanswered", "account": "account_unanswered"}
"""The alarm for each thing that readiness may wait for; a broker that is away tells its own reason."""


class LongWait:
    """How long the same answer has been waited for."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._for = ""
        self._since = 0.0
        self._is_told = False

    def look(self, waits_for: str) -> None:
        """``waits_for`` is the core's word; each wait is told once."""
        now = self._desk.now.wall
        if waits_for != self._for:
            self._for, self._since, self._is_told = waits_for, now, False
        elif waits_for in TOLD and not self._is_told and abs(now - self._since) >= PATIENCE:
            self._is_told = True
            self._desk.alarm(TOLD[waits_for], seconds=round(PATIENCE))
