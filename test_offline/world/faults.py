"""Every fault the world can inject, under its number in faults.md: how it begins and how it ends."""

from __future__ import annotations

from test_offline.world.fault_kinds import Fault
from test_offline.world.faults_broker import BROKER
from test_offline.world.faults_hosts import HOSTS, dies_at_point
from test_offline.world.faults_people import PEOPLE
from test_offline.world.faults_sync import SYNC

FAULTS: dict[str, Fault] = {**HOSTS, **SYNC, **BROKER, **PEOPLE}
"""By name; a fault counts as seen when it had an effect, not when it was only begun."""
NUMBERS: tuple[int, ...] = tuple(sorted({fault.number for fault in FAULTS.values()}))
POINT = "point:"
"""Begins the name of a death at a named point."""


def fault_of(name: str) -> Fault:
    """The fault of a name; ``point:<name>`` is the executor's death at that named point of the product."""
    return dies_at_point(name.removeprefix(POINT)) if name.startswith(POINT) else FAULTS[name]
