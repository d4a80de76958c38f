"""What a replay waits for: that its readers are there, and that they keep up."""

from __future__ import annotations

from dataclasses import dataclass

from shared_schema.ids import Epoch
from shared_schema.logs import Log
from shared_schema.messages.heartbeat import Role
from windows_side.quotes.readers import Readers


@dataclass(frozen=True)
class Hold:
    """What to wait for; nothing by default. Times in seconds."""

    wait_for: tuple[Role, ...] = ()
    """The market clock starts when one of each is ready or has seen the first quote; named twice, two."""
    wait_at_most: float = 60.0
    lockstep: bool = False
    """Each step waits until every living dashboard's heartbeat says it has seen the one before, and a
    living executor has taken what they signalled."""
    lockstep_at_most: float = 10.0
    """After that the replay goes on alone until they follow again."""


class Gate:
    """Holds a replay back as ``hold`` asks; ``epoch`` is that of our quotes."""

    def __init__(self, hold: Hold, readers: Readers, epoch: Epoch, log: Log) -> None:
        self._hold = hold
        self._readers = readers
        self._epoch = epoch
        self._log = log
        self._waits_since: float | None = None
        self._told: tuple[Role, ...] = ()
        self._follows = hold.lockstep
        self.is_released = not hold.wait_for
        """Whether the market clock may run."""

    @property
    def is_open(self) -> bool:
        """Whether nothing is left to wait for, for good."""
        return self.is_released and not self._hold.lockstep

    @property
    def wait(self) -> float:
        """Seconds after which to look again."""
        return 0.002 if self._hold.lockstep and self.is_released else 0.02

    def holds(self, now: float, shown_seq: int, shown_at: float) -> bool:
        """Whether to wait on. ``shown_seq`` is the newest step's seq, ``shown_at`` when it went out
        (wall clock, Unix seconds). The readers' heartbeats were looked at just before."""
        if not self.is_released:
            self.is_released = self._may_start(now)
            return not self.is_released
        return self._hold.lockstep and not self._may_step(now, shown_seq, shown_at)

    def _may_start(self, now: float) -> bool:
        if self._waits_since is None:
            self._waits_since = now
        missing = self._readers.missing(now, self._hold.wait_for, self._epoch)
        if not missing:
            return True
        if now - self._waits_since < self._hold.wait_at_most:
            if missing != self._told:
                self._log.say("info", "waiting_for_readers", roles=missing, at_most=self._hold.wait_at_most)
                self._told = missing
            return False
        self._log.say("warning", "replay_started_alone", missing=missing, seconds=self._hold.wait_at_most)
        return True

    def _may_step(self, now: float, shown_seq: int, shown_at: float) -> bool:
        seen = self._readers.all_have_seen(now, "dashboard", self._epoch, shown_seq)
        if seen and not self._readers.signals_wait(now):
            self._follows = True
        elif self._follows and now - shown_at >= self._hold.lockstep_at_most:
            self._follows = seen  # the executor alone is waited for no more, where the dashboards follow
            self._readers.wait_no_more()
            self._log.say("warning", "lockstep_lost", seconds=self._hold.lockstep_at_most)
        else:
            return not self._follows
        return True
