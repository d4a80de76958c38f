"""What a fault is."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from test_offline.world.plan import Injection

if TYPE_CHECKING:
    from test_offline.world.world import World

End = Callable[[], object]
Begin = Callable[["World", Injection, random.Random], End | None]


@dataclass(frozen=True)
class Fault:
    """One kind. ``begin`` starts it and may return what ends it after its seconds."""

    number: int
    """In the catalogue of faults.md."""
    begin: Begin
    seconds: tuple[float, float] = (5.0, 40.0)
    only: str = ""
    """The broker's personality it makes sense for; "" for both."""


def now_and_then(
    number: int, probability: float, only: str = "", seconds: tuple[float, float] = (5.0, 40.0)
) -> Fault:
    """A fault that happens by chance to whatever asks for it while it is on."""

    def begin(world: World, injection: Injection, chance: random.Random) -> End:
        world.on[injection.fault] = probability
        return lambda: world.on.pop(injection.fault, None)

    return Fault(number, begin, seconds, only)
