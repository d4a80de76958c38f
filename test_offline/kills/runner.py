"""Many mornings, counted."""

from __future__ import annotations

import random
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from test_offline.kills.morning import LIVES, Morning
from tests.recovery.crash_scene import ForkServer


@dataclass
class Tally:
    """What the kills came to."""

    killed: Counter[str] = field(default_factory=Counter)
    signals: int = 0
    orders: int = 0
    broken: list[str] = field(default_factory=list)
    """What did not agree, by the seed of its morning."""
    seconds: float = 0.0

    @property
    def kills(self) -> int:
        """Processes ended by SIGKILL."""
        return self.killed.total()


def run(kills: int, seed: int, tell: Callable[[Tally], None] = lambda tally: None) -> Tally:
    """Kill ``kills`` processes; ``tell`` hears of every morning; one that broke is counted, not raised."""
    tally, began, number = Tally(), time.monotonic(), 0
    server = ForkServer()
    try:
        while tally.kills < kills:
            lives = min(LIVES, kills - tally.kills)
            _morning(server, tally, f"{seed}:{number}", lives)
            number += 1
            tally.seconds = time.monotonic() - began
            tell(tally)
            if len(tally.broken) >= 20:
                break
    finally:
        server.stop()
    return tally


def _morning(server: ForkServer, tally: Tally, seed: str, lives: int) -> None:
    with tempfile.TemporaryDirectory(prefix="miniqmt-kills-", ignore_cleanup_errors=True) as place:
        morning = Morning(Path(place), server, random.Random(seed))
        try:
            tally.orders += morning.run(lives)
        except Exception as problem:
            tally.broken.append(f"morning {seed}: {type(problem).__name__}: {problem}\n{morning.said()}")
        tally.killed.update(morning.killed)
        tally.signals += len(morning.signals)
