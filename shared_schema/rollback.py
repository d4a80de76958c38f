"""A folder that was put back, told from a file that came back from the dead (rule 14). Pure.

A sync tool resurrects single files, and each alone says nothing: it is consumed again without effect.
Only when the newest heartbeat, results and result slot all stand below what this host has seen of
them, within a short while, somebody restored a previous version of the folder.
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import Literal

Group = Literal["heartbeat", "results", "slot"]
GROUPS: tuple[Group, ...] = ("heartbeat", "results", "slot")
Stamp = tuple[str, int]
"""``epoch, seq`` of a file; a later one sorts after."""
WITHIN = 60.0
"""Seconds between the first and the last of the three: a sync tool delivers a restored folder in pieces."""


class RollbackWatch:
    """The newest stamp seen of each stream, and which fell below it lately. Used by one thread."""

    def __init__(self, within: float = WITHIN) -> None:
        self._within = within
        self._newest: dict[tuple[Group, Hashable], Stamp] = {}
        self._fell_at: dict[Group, float] = {}

    def look(self, group: Group, stamp: Stamp | None, now: float, stream: Hashable = "") -> None:
        """The folder shows ``stamp`` at ``now`` (any clock that runs on, seconds); None: no file any more.

        A missing heartbeat is none that went back: do not tell of it.
        """
        newest = self._newest.get((group, stream))
        if stamp is not None and (newest is None or stamp >= newest):
            self._newest[group, stream] = stamp
        elif newest is not None:
            self._fell_at[group] = now

    def fell(self, group: Group, now: float) -> None:
        """A stream of this group was seen to go back by somebody who keeps its newest himself."""
        self._fell_at[group] = now

    def fell_lately(self, group: Group, now: float) -> bool:
        """Whether a stream of this group went back within the time that counts."""
        at = self._fell_at.get(group)
        return at is not None and 0 <= now - at <= self._within

    def is_rolled_back(self, now: float) -> bool:
        """Whether all three went back together."""
        return all(self.fell_lately(group, now) for group in GROUPS)

    def newest(self, group: Group, stream: Hashable = "") -> Stamp | None:
        """The newest seen of a stream."""
        return self._newest.get((group, stream))

    def said(self) -> None:
        """It was acted upon: only another fall is news."""
        self._fell_at.clear()

    def forget(self, group: Group, stream: Hashable = "") -> None:
        """What was seen of a stream counts no more: its files were put away by ourselves."""
        self._newest.pop((group, stream), None)
        self._fell_at.pop(group, None)
