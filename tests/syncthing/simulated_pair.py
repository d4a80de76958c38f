"""The simulated sync engine as a ``SyncedPair``: side a is its strategy host S, side b its trading host E."""

from __future__ import annotations

import random
from pathlib import Path

from test_offline.syncthing_ring.behaviours import Side, View
from test_offline.world import sync
from test_offline.world.disk import SimDisk
from test_offline.world.sync import ROOT, SyncEngine, Tool
from test_offline.world.timeline import Timeline

START = 1_790_000_000.0
SETTLES = 15.0
"""Seconds: twice what a file that keeps changing is held back."""
_SIDES: dict[Side, sync.Side] = {"a": "S", "b": "E"}


class SimulatedPair:
    """Two disks in memory and the engine between them; one seed, one course of events."""

    def __init__(self, seed: int, tool: Tool) -> None:
        self._timeline = Timeline(START)
        self._disks: dict[sync.Side, SimDisk] = {"S": SimDisk(self._timeline), "E": SimDisk(self._timeline)}
        for disk in self._disks.values():
            disk.make_folder(Path(f"{ROOT}/done"))
        self.engine = SyncEngine(self._timeline, random.Random(seed), tool, self._disks)
        self._watched: tuple[str, ...] = ()
        self._views: list[View] = []
        self._disks["E"].changed.append(lambda folder, name: self._note())

    def write(self, side: Side, name: str, raw: bytes, *, age: float = 0.0, keep_time: bool = False) -> None:
        """As another program would, in one step."""
        disk, place = self._disks[_SIDES[side]], _place(name)
        standing = disk.peek(*place)
        modified = int((self._timeline.now - age) * 1e6) * 1000
        if keep_time and standing is not None:
            modified = standing.modified_ns
        disk.put(*place, raw, modified, durable=True)

    def move(self, side: Side, name: str, to: str) -> None:
        """Rename."""
        self._disks[_SIDES[side]].replace(Path(ROOT, name), Path(ROOT, to))

    def delete(self, side: Side, name: str) -> None:
        """Remove."""
        self._disks[_SIDES[side]].drop(*_place(name))

    def touch(self, side: Side, name: str) -> None:
        """Give it the present time."""
        self._disks[_SIDES[side]].touch(*_place(name))

    def files(self, side: Side) -> dict[str, bytes]:
        """Every file of one side but temp names."""
        disk = self._disks[_SIDES[side]]
        found = {}
        for folder in (ROOT, f"{ROOT}/done"):
            for name in disk.names(folder):
                inode = disk.peek(folder, name)
                if inode is not None and not name.startswith("."):
                    found[f"{folder}/{name}".removeprefix(f"{ROOT}/")] = inode.data
        return found

    def disconnect(self) -> None:
        """Both directions carry nothing."""
        self.engine.cut |= {"S", "E"}

    def connect(self) -> None:
        """Both carry again."""
        self.engine.mend()

    def wait(self, seconds: float) -> None:
        """Simulated seconds."""
        self._timeline.run_until(self._timeline.now + seconds)

    def settle(self) -> None:
        """Simulated seconds, more than anything takes."""
        self.wait(SETTLES)

    def watch(self, *names: str) -> None:
        """Note every change on side b."""
        self._watched, self._views = names, []
        self._note()

    def seen(self) -> list[View]:
        """What was noted."""
        self._watched, views = (), self._views
        return views

    def _note(self) -> None:
        if not self._watched:
            return
        files = self.files("b")
        view: View = {name: files.get(name) for name in self._watched}
        if not self._views or view != self._views[-1]:
            self._views.append(view)


def _place(name: str) -> tuple[str, str]:
    folder, _, last = name.rpartition("/")
    return (f"{ROOT}/{folder}" if folder else ROOT), last
