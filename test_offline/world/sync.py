"""The sync engine between the two replicas of the exchange folder, as real ones were measured to behave.

Each side notices a change after its delay, a file that keeps changing later still; it tells the other
side, which then fetches whatever stands there by then, so that versions in between are never seen. Every
file travels alone: no order between two of them. Replacing is delete and rename with a moment between.
Both sides changed: the newer time keeps the name, the other becomes a conflict copy. Changed here and
deleted there: the change wins, and a consumed file is back.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Literal

from test_offline.world.disk import SimDisk
from test_offline.world.timeline import Timeline

Side = Literal["S", "E"]
OTHER: dict[Side, Side] = {"S": "E", "E": "S"}
ROOT = "/x"
"""The exchange folder on either host."""
Style = Literal["rename", "in place", "swap"]
"""How a file is put down: temp, delete, rename (Syncthing); grown under its name; one atomic step."""


@dataclass(frozen=True)
class Tool:
    """One sync tool: seconds until a change is noticed, and how it writes."""

    name: str
    delay: float
    style: Style
    knows_equal: bool = False
    """Whether equal bytes on both sides are no conflict, and a new time alone rewrites nothing."""


TOOLS = (
    Tool("quick", 0.0, "rename"),
    Tool("syncthing", 1.0, "rename", knows_equal=True),
    Tool("grows", 0.3, "in place"),
    Tool("mover", 0.5, "swap"),
)

Content = tuple[bytes, int] | None
"""Bytes and time of a file; None: it was deleted."""


@dataclass
class Version:
    """What one side knows of a name: which changes of S and E are in it, and what it looks like."""

    vector: dict[Side, int]
    content: Content

    def covers(self, other: Version) -> bool:
        """Whether every change in ``other`` is in this one."""
        return all(self.vector[side] >= other.vector[side] for side in OTHER)


class SyncEngine:
    """Both halves of it. Names are relative to the exchange folder."""

    def __init__(
        self, timeline: Timeline, chance: random.Random, tool: Tool, disks: dict[Side, SimDisk]
    ) -> None:
        self._timeline = timeline
        self._chance = chance
        self._tool = tool
        self.disks = disks
        self.cut: set[Side] = set()
        """Directions that carry nothing now, named by where they start."""
        self.slow = 0.0
        """Further seconds each file may take at most (a fault of delay and order)."""
        self.partial = 0.0
        """Seconds for which a file may stand half-written under its name."""
        self.lost_versions = self.conflicts = self.revived = self.gaps = self.partials = 0
        self._known: dict[Side, dict[str, Version]] = {"S": {}, "E": {}}
        self._noticing: dict[Side, dict[str, float]] = {"S": {}, "E": {}}
        self._sending: dict[Side, set[str]] = {"S": set(), "E": set()}
        self._held: dict[Side, set[str]] = {"S": set(), "E": set()}
        self._writing: dict[Side, set[str]] = {"S": set(), "E": set()}
        for side, disk in disks.items():
            disk.changed.append(lambda folder, name, side=side: self._changed(side, folder, name))  # type: ignore[misc]

    # Noticing

    def _changed(self, side: Side, folder: str, name: str) -> None:
        if not folder.startswith(ROOT) or name.startswith((".", "~")):
            return
        relative = f"{folder[len(ROOT) + 1 :]}/{name}" if folder != ROOT else name
        if relative in self._writing[side]:
            return
        noticing, now = self._noticing[side], self._timeline.now
        first = noticing.get(relative)
        if first is not None and now - first > 5 * self._tool.delay:
            return  # it has kept changing for so long that it goes out now as it is
        delay = self._tool.delay * self._chance.uniform(0.5, 1.5)
        if first is None:
            noticing[relative] = now
            self._timeline.after(delay, lambda: self._notice(side, relative))

    def _notice(self, side: Side, name: str) -> None:
        self._noticing[side].pop(name, None)
        if name not in self._writing[side] and self._look(side, name):
            self._tell(side, name)

    def _look(self, side: Side, name: str) -> bool:
        """Compare the file with what is known of it; whether it changed."""
        content = self._content(side, name)
        known = self._known[side].get(name)
        if known is None:
            if content is None:
                return False
            self._known[side][name] = Version({"S": int(side == "S"), "E": int(side == "E")}, content)
            return True
        if _same(known.content, content):
            return False
        vector = known.vector | {side: known.vector[side] + 1}
        self._known[side][name] = Version(vector, content)
        return True

    def _content(self, side: Side, name: str) -> Content:
        inode = self.disks[side].peek(*_place(name))
        return (inode.data, inode.modified_ns) if inode is not None else None

    # Sending

    def _tell(self, side: Side, name: str) -> None:
        if name in self._sending[side]:
            self.lost_versions += 1
            return
        if side in self.cut:
            self._held[side].add(name)
            return
        self._sending[side].add(name)
        quick = (
            self._chance.uniform(0.003, 0.02)
            if self._chance.random() < 0.9
            else self._chance.uniform(0.0, 0.5)
        )
        delay = quick + (self._chance.uniform(0.0, self.slow) if self.slow else 0.0)
        self._timeline.after(delay, lambda: self._arrive(side, name))

    def _arrive(self, side: Side, name: str) -> None:
        self._sending[side].discard(name)
        there = OTHER[side]
        if side in self.cut:
            self._held[side].add(name)
            return
        if name in self._writing[there]:
            self._sending[side].add(name)
            self._timeline.after(0.05, lambda: self._arrive(side, name))
            return
        self._look(there, name)
        self._merge(side, there, name)

    def mend(self, sides: tuple[Side, ...] = ("S", "E")) -> None:
        """Directions carry again, and what was held goes out."""
        for side in sides:
            self.cut.discard(side)
            held, self._held[side] = sorted(self._held[side]), set()
            for name in held:
                self._tell(side, name)

    def rescan(self, side: Side) -> None:
        """Look at every file of a side again, as after its host came back."""
        names = set(self._known[side])
        for folder in self.disks[side].folders():
            if folder.startswith(ROOT):
                place = f"{folder[len(ROOT) + 1 :]}/" if folder != ROOT else ""
                names |= {place + name for name in self.disks[side].names(folder)}
        for name in sorted(names):
            self._changed(side, *_place(name))

    def send_again(self, side: Side, name: str, content: Content) -> None:
        """A copy on its way that should have been dropped arrives on the other side (a zombie)."""
        self._put_down(OTHER[side], name, content)

    # Merging

    def _merge(self, side: Side, there: Side, name: str) -> None:
        told = self._known[side].get(name)
        mine = self._known[there].get(name)
        if told is None:
            return
        if mine is None or (told.covers(mine) and not mine.covers(told)):
            version = Version(dict(told.vector), told.content)
            if mine is not None and _same(told.content, mine.content):
                self._known[there][name] = version  # nothing but what the other side knows of it
            else:
                self._accept(there, name, version)
            return
        if mine.covers(told):
            return
        vector = {one: max(told.vector[one], mine.vector[one]) for one in OTHER}
        if _same(told.content, mine.content):
            self._known[there][name] = Version(vector, mine.content)
            self._tell(there, name)
            return
        if self._tool.knows_equal and _equal_bytes(told.content, mine.content):
            # No conflict: the newer time counts on both sides.
            self._known[there][name] = Version(vector, max(told.content, mine.content, key=_time))
            self._set_time(there, name)
            self._tell(there, name)
            return
        if told.content is None or (mine.content is not None and mine.content[1] >= told.content[1]):
            self.revived += told.content is None
            self._known[there][name] = Version(vector | {there: vector[there] + 1}, mine.content)
            if told.content is not None:
                self._keep_copy(there, name, told.content)
            self._tell(there, name)
            return
        if mine.content is None:
            self.revived += 1
        else:
            self._keep_copy(there, name, mine.content)
        self._accept(there, name, Version(vector, told.content))
        self._tell(there, name)  # else it would know nothing of this change, and its next were a conflict too

    def _keep_copy(self, side: Side, name: str, content: tuple[bytes, int]) -> None:
        self.conflicts += 1
        stem, dot, ending = name.rpartition(".")
        copy = f"{stem}.sync-conflict-20261118-1000{self.conflicts % 60:02d}-QFUOC7P{dot}{ending}"
        self.disks[side].put(*_place(copy), *content)

    # Putting down

    def _accept(self, side: Side, name: str, version: Version) -> None:
        self._known[side][name] = version
        if self._tool.knows_equal and _equal_bytes(version.content, self._content(side, name)):
            self._set_time(side, name)
            return
        self._put_down(side, name, version.content)

    def _set_time(self, side: Side, name: str) -> None:
        """The bytes stand there already: only the time is set, nothing is written."""
        known = self._known[side][name].content
        if known is not None and name not in self._writing[side]:
            self._writing[side].add(name)
            self.disks[side].set_time(*_place(name), known[1])
            self._writing[side].discard(name)

    def _put_down(self, side: Side, name: str, content: Content) -> None:
        disk, place = self.disks[side], _place(name)
        if content is None:
            self._writing[side].add(name)
            disk.drop(*place)
            self._writing[side].discard(name)
            return
        self._writing[side].add(name)
        half = self.partial and self._chance.random() < 0.7
        if half or self._tool.style == "in place":
            self.partials += 1
            disk.put(*place, content[0][: self._chance.randrange(len(content[0]) + 1)])
            wait = self._chance.uniform(0.0, self.partial) if half else self._chance.uniform(0.001, 0.05)
            self._timeline.after(wait, lambda: self._finish(side, name, content))
        elif self._tool.style == "rename":
            temporary = f".syncthing.{place[1]}.tmp"
            disk.put(place[0], temporary, content[0])
            if disk.peek(*place) is not None:
                self.gaps += 1
                disk.drop(*place)

            def swap() -> None:
                disk.drop(place[0], temporary)
                self._finish(side, name, content)

            self._timeline.after(self._chance.uniform(0.0002, 0.005), swap)
        else:
            disk.put(*place, *content)
            self._writing[side].discard(name)

    def _finish(self, side: Side, name: str, content: tuple[bytes, int]) -> None:
        disk, place = self.disks[side], _place(name)
        standing = disk.peek(*place)
        written_meanwhile = standing is not None and not content[0].startswith(standing.data)
        if written_meanwhile:
            # Somebody wrote this very name in the gap: theirs is kept, ours becomes the copy.
            self._writing[side].discard(name)
            self._keep_copy(side, name, content)
            self._notice(side, name)
            return
        disk.put(*place, *content)
        self._writing[side].discard(name)


def _place(name: str) -> tuple[str, str]:
    folder, _, last = name.rpartition("/")
    return (f"{ROOT}/{folder}" if folder else ROOT), last


def _equal_bytes(one: Content, other: Content) -> bool:
    return one is not None and other is not None and one[0] == other[0]


def _time(content: Content) -> int:
    return content[1] if content is not None else 0


def _same(one: Content, other: Content) -> bool:
    # Same size and same time are taken for the same file: such a change never travels.
    if one is None or other is None:
        return one is other
    return one[1] == other[1] and len(one[0]) == len(other[0])
