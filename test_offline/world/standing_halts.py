"""The halts that stand on the executor's host, and which of them its executor must know of (I7)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from shared_schema.messages import reads_as_halt
from test_offline.world.sync import ROOT

if TYPE_CHECKING:
    from test_offline.world.executor_host import ExecutorHost
    from test_offline.world.world import World

HALT_WITHIN = 1.0
"""Seconds from a halt file's coming to the last submit."""
CONTROL = f"{ROOT}/control"


class StandingHalts:
    """Follows the files of ``control/`` as they really lie there."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._since: dict[str, float] = {}
        """Since when each stands, true time."""
        self._seen: set[str] = set()
        """Those that lay there when the executor ended a turn, its disk taking and giving everything."""
        self._bytes: dict[str, bytes] = {}
        self._lifted: set[bytes] = set()

    def disk_changed(self, folder: str, name: str) -> None:
        """A file of ``control/`` came or went on the executor's host."""
        if folder != CONTROL or not name.casefold().startswith("halt"):
            return
        inode = self._world.executor.disk.peek(folder, name)
        if inode is None and name not in self._seen:
            self._since.pop(name, None)
        if inode is None or inode.data in self._lifted:
            return
        if reads_as_halt(inode.data)[0]:
            self._since.setdefault(name, self._world.timeline.now)
            self._bytes[name] = inode.data
        else:
            self._since.pop(name, None)

    def looked(self, host: ExecutorHost) -> None:
        """An executor has just ended a turn: what lies there was seen and kept."""
        if host is self._world.executor:
            self._seen |= {name for name in self._since if self._is_shown(name)}

    def resumed(self) -> None:
        """A person lifts every halt that lies there now, or is remembered from before it vanished."""
        self._lifted |= {self._bytes[name] for name in self._seen & self._bytes.keys()}
        self._since.clear()
        self._seen.clear()
        disk = self._world.executor.disk
        for name in disk.names(CONTROL):
            inode = disk.peek(CONTROL, name)
            if inode is not None:
                self._lifted.add(inode.data)

    def overlooked(self, now: float) -> Iterator[tuple[str, float]]:
        """Name and age, seconds, of each halt over which nothing may be submitted any more."""
        for name, since in self._since.items():
            # One that came and went while no executor ran or could look is known to nobody.
            known = name in self._seen or self._is_shown(name)
            if known and now - since > HALT_WITHIN:
                yield name, now - since

    def _is_shown(self, name: str) -> bool:
        """Whether it lies there and the newest listing did not leave it out (``listing_odd``)."""
        disk = self._world.executor.disk
        return disk.peek(CONTROL, name) is not None and name not in disk.left_out(CONTROL)
