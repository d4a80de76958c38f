"""When a file that can't be used yet is given up: rule 3 of the contract.

Half a file is normal while a sync tool writes it. It is read again while it changes;
unusable and unchanged for ``settle`` seconds it is copied to quarantine once; it is
taken out of the way only when it has expired or can't be dated.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

SETTLE = 5.0
"""Seconds an unusable file must stay unchanged before it is copied to quarantine."""


class Verdict(Enum):
    """What to do with an unusable file now."""

    WAIT = "wait"
    COPY = "copy"
    """Copy it to quarantine with its reason; leave it where it is."""
    TAKE_AWAY = "take away"


@dataclass
class _Watched:
    fingerprint: bytes
    unchanged_since: float
    copied: bool = False


class Settling:
    """Remembers the unusable files of one folder between scans."""

    def __init__(self, settle: float = SETTLE) -> None:
        self._settle = settle
        self._watched: dict[str, _Watched] = {}

    def judge(self, name: str, fingerprint: bytes, now: float, expires_at: float | None) -> Verdict:
        """The verdict on an unusable file; ``now`` is monotonic seconds.

        ``expires_at`` is on the same clock, None where the file can't be dated: then it
        goes as soon as it has settled.
        """
        watched = self._watched.get(name)
        if watched is None or watched.fingerprint != fingerprint:
            self._watched[name] = watched = _Watched(fingerprint, now)
        unchanged = now - watched.unchanged_since
        if unchanged < self._settle:
            return Verdict.WAIT
        if expires_at is None or now >= expires_at:
            del self._watched[name]
            return Verdict.TAKE_AWAY
        if watched.copied:
            return Verdict.WAIT
        watched.copied = True
        return Verdict.COPY

    def forget(self, name: str) -> None:
        """The file was used or is gone."""
        self._watched.pop(name, None)

    def forget_missing(self, present: set[str]) -> None:
        """Drop every file that the newest scan no longer shows."""
        for name in set(self._watched) - present:
            del self._watched[name]
