"""A disk in memory with what is written, what is durable, and every step a place to stop.

Names and bytes are held twice: as the running system shows them, and as they survive a loss of power.
``create`` makes bytes durable but not the name; ``replace`` changes names only until the folder is synced.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from shared_schema.disk import FileEntry
from test_offline.world.timeline import Timeline

Gate = Callable[[str, str], None]
"""Called before each step with its name and path; may raise OSError or Killed."""
Changed = Callable[[str, str], None]
"""Told the folder and name of every change of a name or its bytes."""


@dataclass(eq=False)
class Inode:
    """A file's bytes. ``durable`` are those that survive a loss of power; None: none surely do."""

    number: int
    data: bytes
    modified_ns: int
    durable: bytes | None = None
    entry: FileEntry | None = None

    def entry_as(self, name: str) -> FileEntry:
        """What a listing shows of it."""
        if self.entry is None or self.entry.name != name:
            self.entry = FileEntry(name, len(self.data), self.modified_ns, self.number)
        return self.entry


Names = dict[str, Inode]


class SimDisk:
    """Implements ``shared_schema.disk.Disk``; further methods are for the world, not for the product."""

    def __init__(self, timeline: Timeline, gate: Gate = lambda step, path: None) -> None:
        self._timeline = timeline
        self.gate = gate
        self.changed: list[Changed] = []
        self.twist: Callable[[str, list[FileEntry]], list[FileEntry]] | None = None
        """A fault of listings: entries missing or doubled."""
        self._folders: dict[str, Names] = {}
        self._stable: dict[str, Names] = {}
        self._listed: dict[str, list[FileEntry]] = {}
        self._left_out: dict[str, frozenset[str]] = {}
        self._unsynced: dict[tuple[str, str], list[Inode | None]] = {}
        self._numbers = 0

    # The port

    def create(self, path: Path, data: bytes) -> None:
        text = str(path)
        folder, _, name = text.rpartition("/")
        self.gate("create", text)
        names = self._names(folder)
        if name in names:
            raise FileExistsError(17, "File exists", text)
        inode = self._inode(data[: len(data) // 2])
        self._link(folder, name, inode)
        self.gate("tear", text)
        inode.data, inode.entry = data, None
        self._listed.pop(folder, None)
        self.gate("fsync", text)
        inode.durable = data

    def replace(self, source: Path, target: Path) -> None:
        here, there = str(source), str(target)
        self.gate("rename", there)
        folder, _, name = here.rpartition("/")
        inode = self._names(folder).get(name)
        if inode is None:
            raise FileNotFoundError(2, "No such file or directory", here)
        target_folder, _, target_name = there.rpartition("/")
        self._names(target_folder)
        self._link(folder, name, None)
        self._link(target_folder, target_name, inode)

    def sync_folder(self, path: Path) -> None:
        folder = str(path)
        self.gate("sync", folder)
        self._stable[folder] = dict(self._names(folder))
        for place in [place for place in self._unsynced if place[0] == folder]:
            del self._unsynced[place]

    def read(self, path: Path, limit: int) -> bytes | None:
        text = str(path)
        self.gate("read", text)
        folder, _, name = text.rpartition("/")
        inode = self._folders.get(folder, {}).get(name)
        return inode.data[: limit + 1] if inode is not None else None

    def list(self, path: Path) -> list[FileEntry]:
        folder = str(path)
        self.gate("list", folder)
        listed = self._listed.get(folder)
        if listed is None:
            listed = [inode.entry_as(name) for name, inode in self._names(folder).items()]
            self._listed[folder] = listed
        if self.twist is None:
            self._left_out.pop(folder, None)
            return listed
        shown = self.twist(folder, listed)
        self._left_out[folder] = frozenset(entry.name for entry in listed) - {entry.name for entry in shown}
        return shown

    def stat(self, path: Path) -> FileEntry | None:
        text = str(path)
        self.gate("stat", text)
        folder, _, name = text.rpartition("/")
        inode = self._folders.get(folder, {}).get(name)
        return inode.entry_as(name) if inode is not None else None

    def remove(self, path: Path) -> None:
        text = str(path)
        self.gate("remove", text)
        folder, _, name = text.rpartition("/")
        if name in self._folders.get(folder, {}):
            self._link(folder, name, None)

    def make_folder(self, path: Path) -> None:
        text = str(path)
        while text and text not in self._folders:
            self._folders[text] = {}
            self._stable[text] = {}
            text = text.rpartition("/")[0]

    def make_folder_of_root(self) -> None:
        """The folders every host has."""
        for path in ("/x", "/run"):
            self.make_folder(Path(path))

    # What others than the product do with it

    def peek(self, folder: str, name: str) -> Inode | None:
        """A file as it stands."""
        return self._folders.get(folder, {}).get(name)

    def names(self, folder: str) -> tuple[str, ...]:
        """The names in a folder, oldest entry first."""
        return tuple(self._folders.get(folder, ()))

    def left_out(self, folder: str) -> frozenset[str]:
        """What the newest listing of a folder did not show though it lay there."""
        return self._left_out.get(folder, frozenset())

    def folders(self) -> tuple[str, ...]:
        """Every folder there is."""
        return tuple(self._folders)

    def put(
        self, folder: str, name: str, data: bytes, modified_ns: int | None = None, durable: bool = False
    ) -> None:
        """Another program writes a file: in one step, its bytes durable only where it says so."""
        if folder not in self._folders:
            self.make_folder(Path(folder))
        inode = self._inode(data)
        if modified_ns is not None:
            inode.modified_ns = modified_ns
        if durable:
            inode.durable = data
        self._link(folder, name, inode)

    def touch(self, folder: str, name: str) -> None:
        """Another program changes nothing but the time of a file."""
        inode = self.peek(folder, name)
        if inode is not None:
            self.put(folder, name, inode.data, durable=True)

    def set_time(self, folder: str, name: str, modified_ns: int) -> None:
        """Another program sets a file's time; its bytes and its inode stay."""
        inode = self.peek(folder, name)
        if inode is not None and inode.modified_ns != modified_ns:
            inode.modified_ns, inode.entry = modified_ns, None
            self._listed.pop(folder, None)
            for tell in self.changed:
                tell(folder, name)

    def drop(self, folder: str, name: str) -> None:
        """Another program deletes a file."""
        if name in self._folders.get(folder, {}):
            self._link(folder, name, None)

    def move(self, folder: str, source: str, target: str) -> None:
        """Another program renames a file within a folder."""
        inode = self.peek(folder, source)
        if inode is not None:
            self._link(folder, source, None)
            self._link(folder, target, inode)

    def write_back(self) -> None:
        """The system has written everything down by itself, as it does within a minute."""
        for folder, names in self._folders.items():
            self._stable[folder] = dict(names)
            for inode in names.values():
                inode.durable = inode.data
        self._unsynced.clear()

    def lose_power(self, chance: random.Random) -> None:
        """Names fall back to any value they had since their folder was synced, bytes to what was durable."""
        for (folder, name), values in sorted(self._unsynced.items(), key=lambda item: item[0]):
            inode = chance.choice([self._stable[folder].get(name), *values])
            if inode is None:
                self._folders[folder].pop(name, None)
            else:
                self._folders[folder][name] = inode
        self._unsynced.clear()
        self._listed.clear()
        for folder, names in self._folders.items():
            for inode in names.values():
                if inode.durable is None:
                    inode.data = chance.choice(
                        (inode.data, inode.data[: chance.randrange(len(inode.data) + 1)], b"",
                         bytes(len(inode.data)))
                    )  # fmt: skip
                    inode.entry = None
                inode.durable = inode.data
            self._stable[folder] = dict(names)

    # Inside

    def _inode(self, data: bytes) -> Inode:
        self._numbers += 1
        return Inode(self._numbers, data, int(self._timeline.now * 1e6) * 1000)

    def _names(self, folder: str) -> Names:
        names = self._folders.get(folder)
        if names is None:
            raise FileNotFoundError(2, "No such file or directory", folder)
        return names

    def _link(self, folder: str, name: str, inode: Inode | None) -> None:
        names = self._names(folder)
        if inode is None:
            del names[name]
        else:
            names[name] = inode
        self._unsynced.setdefault((folder, name), []).append(inode)
        self._listed.pop(folder, None)
        for tell in self.changed:
            tell(folder, name)
