"""When to try again what failed."""

from __future__ import annotations


class Retry:
    """When to try again what failed: after ``first`` seconds, then twice as long, up to ``longest``."""

    def __init__(self, first: float = 1.0, longest: float = 30.0) -> None:
        self._first = first
        self._longest = longest
        self._pause = 0.0
        self.at = 0.0
        """Wall time (Unix seconds) of the next try."""

    @property
    def is_failing(self) -> bool:
        """Whether the last try failed."""
        return self._pause > 0

    def failed(self, now: float) -> None:
        """The try at ``now`` failed."""
        self._pause = min(self._longest, self._pause * 2 or self._first)
        self.at = now + self._pause

    def passed(self) -> None:
        """The last try passed."""
        self._pause = self.at = 0.0
