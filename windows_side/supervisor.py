"""The supervisor: starts a process again when it ends or hangs, ever more slowly, and never two at once.

It decides about processes, never about orders. A process that dies again and again is kept from trading
first (``lock_trading`` writes a halt, which only a person lifts) and given up loudly in the end. The same
clock counts all waiting: one that does not run while the machine sleeps, and a step of it that is longer
than a look takes is taken for a sleep, so that nobody is killed for having slept.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from shared_schema.logs import Log

LOOK_EVERY = 0.5
"""Seconds between two looks at the process."""
QUICK = 60.0
"""A process that lived shorter than this died at once."""
LONGEST_WAIT = 60.0
"""Seconds waited before a start at most; it begins with one second and doubles."""
LOCK_AFTER = 3
"""Quick deaths in a row after which trading is locked."""
GIVE_UP_AFTER = 10
"""Quick deaths in a row after which nobody starts it any more."""
HUNG_AFTER = 60.0
"""Seconds without a sign of life after which a process that gave one before is ended."""
STARTS_WITHIN = 300.0
"""Seconds a process may take to its first sign of life: a long ledger is read and migrated."""
ENDS_WITHIN = 15.0
"""Seconds from being asked to end until it is killed: the broker's calls have their own deadlines."""
SLEPT = 30.0
"""Seconds between two looks that tell that the whole machine stood still."""
NEVER_BEGAN = frozenset({2})
"""Exit codes of a process that did not begin to trade (settings, folder, somebody else at work)."""
GIVEN_UP = 4
"""The supervisor's own exit code."""


class Child(Protocol):
    """A process that was started."""

    pid: int

    def poll(self) -> int | None:
        """Its exit code; None while it runs."""

    def ask_to_end(self) -> None:
        """Ask it to end in order."""

    def kill(self) -> None:
        """End it, hung threads included."""

    def signs(self) -> object:
        """Changes whenever the process shows that its loop turns; None before the first time."""


@dataclass
class Supervisor:
    """Looks after one process. ``wait`` sleeps and tells whether a person asked to stop."""

    start: Callable[[], Child]
    lock_trading: Callable[[int], None]
    log: Log
    monotonic: Callable[[], float]
    wait: Callable[[float], bool]
    pause: Callable[[float], object]
    """Sleeps, whatever was asked meanwhile."""
    role: str = "executor"
    _quick: int = 0

    def run(self) -> int:
        """0 once asked to stop or when the process ended in order; GIVEN_UP where it can't be kept alive."""
        while True:
            began = self.monotonic()
            child = self.start()
            self.log.say("info", "supervised_started", role=self.role, pid=child.pid)
            code = self._watch(child)
            if code is None:
                return 0
            lived = self.monotonic() - began
            if code == 0:
                self.log.say("info", "supervised_ended", role=self.role, pid=child.pid)
                return 0
            self._quick = self._quick + 1 if lived < QUICK else 0
            if self._quick >= GIVE_UP_AFTER:
                self.log.say("error", "supervised_given_up", role=self.role, code=code, count=self._quick)
                return GIVEN_UP
            pause = min(LONGEST_WAIT, 2.0 ** max(0, self._quick - 1))
            self.log.say(
                "error",
                "supervised_died",
                role=self.role,
                pid=child.pid,
                code=code,
                seconds=round(lived, 1),
                pause=pause,
            )
            if self._quick == LOCK_AFTER and code not in NEVER_BEGAN:
                self.lock_trading(self._quick)
            if self.wait(pause):
                return 0

    def _watch(self, child: Child) -> int | None:
        """Its exit code once it ended or was ended for hanging; None where a person asked to stop."""
        looked = alive_at = self.monotonic()
        signs: object = None
        while (code := child.poll()) is None:
            if self.wait(LOOK_EVERY):
                self._end(child)
                return None
            now, seen = self.monotonic(), child.signs()
            if seen != signs or now - looked > SLEPT:
                signs, alive_at = seen, now
            looked = now
            if now - alive_at > (HUNG_AFTER if signs is not None else STARTS_WITHIN):
                silent = round(now - alive_at)
                self.log.say("error", "supervised_hung", role=self.role, pid=child.pid, seconds=silent)
                return self._end(child)
        return code

    def _end(self, child: Child) -> int:
        """Ask the process to end, kill it where it does not; never leaves it running. Its exit code."""
        child.ask_to_end()
        until = self.monotonic() + ENDS_WITHIN
        while (code := child.poll()) is None:
            if self.monotonic() > until:
                self.log.say("error", "supervised_killed", role=self.role, pid=child.pid)
                child.kill()
                until = float("inf")
            # Not self.wait: it returns at once after a request to stop.
            self.pause(0.05)
        return code or 1
