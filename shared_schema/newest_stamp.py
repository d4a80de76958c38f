"""Which file of a stream is news, over files that come back from the dead and clocks that are set.

A later stamp is news. Epochs are made from the host's clock, so a process started after its clock was
set back writes under an older epoch than the one before it: a file put back stands still, a living
process counts on, and is heard once its numbers rose in one and the same file. The epoch it replaces
is then behind, whatever its name sorts like.
"""

from __future__ import annotations

from shared_schema.rollback import Stamp

RISES = 3
"""Files of an older epoch under one name, each above the last, that tell a living process."""


class NewestStamp:
    """The newest ``epoch, seq`` seen of one stream. Used by one thread."""

    def __init__(self) -> None:
        self.newest: Stamp | None = None
        self._left: set[str] = set()
        self._rising: dict[str, list[Stamp]] = {}

    def is_behind(self, stamp: Stamp) -> bool:
        """Whether ``stamp`` lies before what was seen: of an epoch that was left, or below the newest."""
        return stamp[0] in self._left or (self.newest is not None and stamp < self.newest)

    def takes(self, stamp: Stamp, name: str = "") -> bool:
        """Whether the file ``name`` with this stamp is news; it is the newest from then on."""
        if stamp == self.newest:
            return False
        if self.is_behind(stamp) and not self._lives_on(stamp, name):
            return False
        if self.newest is not None and stamp < self.newest:
            self._left.add(self.newest[0])
        self._left.discard(stamp[0])
        self._rising.clear()
        self.newest = stamp
        return True

    def _lives_on(self, stamp: Stamp, name: str) -> bool:
        if self.newest is not None and stamp[0] == self.newest[0]:
            return False
        rising = self._rising.setdefault(name, [])
        if rising and not (stamp[0] == rising[-1][0] and stamp[1] > rising[-1][1]):
            rising.clear()
        rising.append(stamp)
        return len(rising) >= RISES
