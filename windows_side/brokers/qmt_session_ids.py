"""Session ids: a small fixed pool, the producer's apart from the executor's.

A terminal keeps a queue file of some 70 MB for each id it ever saw, so ids are used again; one id must
rest 3 s between two uses, so they are used in turn, across restarts too.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Literal

from shared_schema.settings_sections import FIRST_SESSION

POOL = 4
"""Ids of each process."""
REST = 3.0
"""Seconds between two uses of one id."""
FIRST = FIRST_SESSION
"""The first id where the settings name none."""
Role = Literal["executor", "producer"]


class SessionIds:
    """The ids of one process on this host, and when each was used last."""

    def __init__(
        self, runtime_dir: Path, role: Role, first: int | None = None, clock: Callable[[], float] = time.time
    ) -> None:
        begin = (first if first is not None else FIRST) + (POOL if role == "producer" else 0)
        self.ids = tuple(range(begin, begin + POOL))
        self._path = runtime_dir / f"qmt_sessions_{role}.json"
        self._clock = clock

    def take(self) -> int:
        """The id that rested longest; noted as used now."""
        used = self._used()
        chosen = min(self.ids, key=lambda number: used.get(number, 0.0))
        self.note(chosen)
        return chosen

    def note(self, session: int) -> None:
        """``session`` is in use at this moment."""
        used = self._used() | {session: self._clock()}
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            temporary = self._path.with_suffix(".tmp")
            temporary.write_text(json.dumps({str(number): at for number, at in used.items()}))
            temporary.replace(self._path)
        except OSError:
            # Without the note the next start may meet an id too soon; then it takes the next one.
            return

    def rested(self, session: int) -> float:
        """Seconds since ``session`` was last used; infinite where it never was."""
        at = self._used().get(session)
        return float("inf") if at is None else abs(self._clock() - at)

    def _used(self) -> dict[int, float]:
        try:
            told = json.loads(self._path.read_text())
            return {int(number): float(at) for number, at in told.items() if int(number) in self.ids}
        except (OSError, ValueError, TypeError, AttributeError):
            return {}
