"""One host's process: its turns, its named points, its deaths and its returns."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from shared_schema.errors import MiniqmtError
from shared_schema.logs import Log
from test_offline.world.disk import SimDisk
from test_offline.world.sync import ROOT, Side
from test_offline.world.timeline import HostClock, Killed

if TYPE_CHECKING:
    from test_offline.world.world import World

RUNTIME = "/run"
"""The host's own folder, never synced."""


@dataclass
class Doom:
    """Kills the process at a point: at the ``count``-th time that ``matches`` says so."""

    matches: Callable[[str, str], bool]
    count: int = 1
    fault: str = ""
    power: bool = False


Refusal = Callable[[str, str], OSError | None]
"""Whether the disk refuses a step on a path, and how."""


@dataclass(eq=False)
class Host:
    """Base of both hosts. A step of the process runs inside ``inside``: what kills it there, kills it."""

    world: World
    side: Side
    drift: float = 0.0
    alive: bool = False
    dooms: list[Doom] = field(default_factory=list)
    refusals: dict[str, Refusal] = field(default_factory=dict)
    frozen_until: float = 0.0
    """The whole machine stands still until then."""
    watcher_dead: bool = False
    life: int = 0
    retired: bool = False

    def __post_init__(self) -> None:
        self.clock = HostClock(self.world.timeline, self.drift)
        self.disk = SimDisk(self.world.timeline, self.at_disk)
        self.disk.make_folder_of_root()
        self.disk.changed.append(self._disk_changed)
        self._turn_due = float("inf")
        self._turn_number = 0
        self._in_step = False
        self._names = 0

    # Points

    def at_disk(self, step: str, path: str) -> None:
        """Before every step of the disk."""
        if self.dooms or self.refusals:
            self.at(step, path)

    def at(self, point: str, path: str = "") -> None:
        """A named point: the process may be killed here, or the disk may refuse."""
        for doom in self.dooms:
            if doom.matches(point, path):
                doom.count -= 1
                if doom.count <= 0:
                    self.dooms.remove(doom)
                    if doom.fault:
                        self.world.seen(doom.fault)
                    self.world.say(self.side, f"killed at {point} {_short(path)}")
                    if doom.power:
                        self._power_off = True
                    raise Killed
        for fault, refusal in list(self.refusals.items()):
            problem = refusal(point, path)
            if problem is not None:
                self.world.seen(fault)
                raise problem

    # Life

    def start(self) -> None:
        """A new process."""
        if self.alive or self.retired:
            return
        self.alive = True
        self.life += 1
        self.world.say(self.side, f"starts ({self.life})")
        self.inside(self.begin)
        self._turn_due = float("inf")
        self.wake(0.0)

    def inside(self, step: Callable[[], object]) -> None:
        """Run a step of the process."""
        if not self.alive:
            return
        if self._in_step:
            step()
            return
        wait = self.frozen_until - self.world.timeline.now
        if wait > 0:
            life = self.life
            self.world.timeline.after(wait, lambda: self.inside(step) if self.life == life else None)
            return
        self._in_step = True
        try:
            step()
        except Killed:
            self._die("killed")
        except MiniqmtError as problem:
            self.world.oracle.stopped_itself(self.side, problem)
            self._die(f"stopped: {problem.key}")
        finally:
            self._in_step = False

    def kill(self, why: str, *, restart_after: float | None = None) -> None:
        """End the process here, between two steps."""
        if self.alive:
            self._die(why, restart_after)

    _power_off = False

    def _die(self, why: str, restart_after: float | None = None) -> None:
        self.alive = False
        self.world.say(self.side, f"dead: {why}")
        self.gone()
        if self._power_off:
            self._power_off = False
            self.disk.lose_power(self.world.chance)
            self.world.sync.rescan(self.side)
        delay = self.world.chance.uniform(0.3, 8.0) if restart_after is None else restart_after
        self.world.timeline.after(delay, self.start)

    # Turns

    def wake(self, delay: float | None = None) -> None:
        """Something changed: a turn soon."""
        if delay is None:
            delay = self.wake_after
        due = self.world.timeline.now + delay
        if not self.alive or self._turn_due <= due:
            return
        self._turn_due = due
        self._turn_number += 1
        number = self._turn_number
        self.world.timeline.after(delay, lambda: self._turn(number))

    def _turn(self, number: int) -> None:
        if number != self._turn_number or not self.alive:
            return
        now = self.world.timeline.now
        self._turn_due = float("inf")
        if self.frozen_until > now:
            self.wake(self.frozen_until - now + 0.001)
            return
        self.inside(self.turn)
        self.world.oracle.strategy.check()
        if self.alive:
            self.wake(self.poll_interval())

    def _disk_changed(self, folder: str, name: str) -> None:
        if self.watcher_dead or self._in_step or name.startswith((".", "~")):
            return
        if folder in self.watched:
            self.wake()

    watched: frozenset[str] = frozenset({ROOT})
    wake_after = 0.01
    """Seconds from a change to the turn it wakes; news within them share it."""

    # What the kinds of hosts fill in

    def begin(self) -> None:
        """Put the process together."""
        raise NotImplementedError

    def turn(self) -> None:
        """One round of its loop."""
        raise NotImplementedError

    def gone(self) -> None:
        """The process is dead: let go of it."""
        raise NotImplementedError

    def poll_interval(self) -> float:
        """Seconds until the next turn where nothing wakes it."""
        return 0.5

    def random_part(self) -> str:
        """Four hex digits from the world's chance."""
        return f"{self.world.chance.randrange(65536):04x}"

    def name_part(self) -> str:
        """Eight hex digits of a temporary name, no two alike: of four one met a dead one (16126775)."""
        self._names += 1
        return f"{self.random_part()}{self._names:04x}"


class TraceLog(Log):
    """A log whose lines go into the trace and to the oracle."""

    def __init__(self, world: World, side: Side) -> None:
        super().__init__(side, [])
        self._world = world
        self._side = side

    def say(self, level, action, *, problem=None, **fields) -> None:  # type: ignore[no-untyped-def]
        self._world.oracle.said(self._side, level, action, fields)
        shown = " ".join(f"{name}={fields[name]}" for name in _SHOWN if name in fields)
        detail = f" {getattr(problem, 'key', type(problem).__name__)}" if problem is not None else ""
        self._world.say(self._side, f"log {action} {shown}{detail}")


_SHOWN = ("signal_id", "file", "state", "error_code", "reason", "detail", "filled", "order_id", "shares")


class NoWatch:
    """Stands for the folder watch: the world itself wakes the loops."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self.interval = 0.05
        self.healthy = True
        self.problem = ""

    def wake(self) -> None:
        """The broker has news."""
        self._host.wake()


def _short(path: str) -> str:
    return path.removeprefix(ROOT + "/").removeprefix(RUNTIME + "/")


def chance_of(seed: int, name: str) -> random.Random:
    """A generator of its own for one part of the world."""
    return random.Random(f"{seed}:{name}")
