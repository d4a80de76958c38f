"""Several accounts in one executor process: each runs in a thread of its own, over its own room.

Nothing is shared between them but the process: folder, ledger, counter, limits, broker session and log
file are each account's own, so what stops one says so, loudly, and stops no other. A failed account stays
out until a person has looked and starts the executor again: what failed was its memory, its folder or its
arming, and none of these heals by being tried again. See docs/decisions/0021-several-accounts.md.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field

from shared_schema.clock import host_name
from shared_schema.drop_folder.names import ROOMS_FOLDER
from shared_schema.errors import MiniqmtError
from shared_schema.log_bridge import lines_of
from shared_schema.logs import Log, open_log
from shared_schema.notices import attach
from shared_schema.settings import Settings
from shared_schema.settings_watch import SettingsWatch
from shared_schema.sign_of_life import SignOfLife
from windows_side.single_instance import hold_single_instance

LOOK_EVERY = 0.2
"""Seconds between two looks at the accounts."""
TURNS_WITHIN = 30.0
"""Seconds without a turn after which an account counts as hung; the supervisor waits once more as long."""
STARTS_WITHIN = 300.0
"""Seconds an account may take to its first turn: a long ledger is read and migrated."""
ENDS_WITHIN = 30.0
"""Seconds all accounts have to end in once asked to; the broker's calls have their own deadlines."""
ACCOUNT_THREAD = "account "
"""Begins the name of an account's thread."""
FAILED = 1
"""The exit code of an account that fell by something nobody foresaw."""


@dataclass(eq=False)
class AccountRun:
    """One account's thread, and what became of it."""

    settings: Settings
    log: Log
    serve: Callable[[AccountRun], None]
    """Runs the account's executor until ``stop`` is set; raises what ended it before."""
    stop: threading.Event
    monotonic: Callable[[], float] = time.monotonic
    problem: BaseException | None = None
    held: ExitStack = field(default_factory=ExitStack)
    """The account's locks. One that failed while it traded keeps them until the process ends: what it left
    behind may still be at the broker, and nobody else may trade for it meanwhile."""
    is_trading: bool = False
    """Whether its broker was ever opened."""
    _turned_at: float | None = None
    _began: float = 0.0

    def __post_init__(self) -> None:
        self._thread = threading.Thread(target=self._run, name=f"{ACCOUNT_THREAD}{self.alias}", daemon=True)

    @property
    def alias(self) -> str:
        """Whose run this is."""
        return self.settings.account.alias

    def start(self) -> None:
        """Begin."""
        self._began = self.monotonic()
        self._thread.start()

    @property
    def is_running(self) -> bool:
        """Whether its thread lives."""
        return self._thread.is_alive()

    def is_hung(self, now: float) -> bool:
        """Whether it runs and has not turned for too long; ``now`` by the same monotonic clock, seconds."""
        if not self.is_running:
            return False
        if self._turned_at is None:
            return now - self._began > STARTS_WITHIN
        return now - self._turned_at > TURNS_WITHIN

    @property
    def exit_code(self) -> int:
        """0 where it ended as it was asked to."""
        if self.problem is None:
            return 0
        return self.problem.exit_code if isinstance(self.problem, MiniqmtError) else FAILED

    def begins(self) -> None:
        """Its broker is about to be opened."""
        self.is_trading = True

    def turned(self) -> None:
        """Its loop has turned once more."""
        self._turned_at = self.monotonic()

    def _run(self) -> None:
        try:
            self.serve(self)
        except BaseException as problem:  # of this account alone: said by the main thread, never swallowed
            self.problem = problem
        if self.problem is None or not self.is_trading:
            self.held.close()


def run_accounts(
    settings: Settings, stop: threading.Event, serve: Callable[[AccountRun], None], *, console: bool = True
) -> int:
    """Run every account of the settings until ``stop`` is set or all have ended; the worst exit code.

    Raises SettingsError where such a process runs already.
    """
    rooms = settings.exchange_folder("executor") / ROOMS_FOLDER
    lock = hold_single_instance("executor", settings.runtime_dir, rooms)
    log = open_log("order_executor", settings.log_dir, console)
    attach(log, settings.notices, host_name())
    try:
        with lines_of("windows_side", log):
            each = [settings.for_account(alias) for alias in settings.aliases]
            runs = [AccountRun(own, _log_of(own, log), serve, stop) for own in each]
            try:
                _look_after(runs, settings, stop, log)
            finally:
                for run in runs:
                    run.log.close()
        return max(run.exit_code for run in runs)
    finally:
        log.close()
        lock.release()


def _log_of(settings: Settings, log: Log) -> Log:
    """The account's lines: marked, and those of a further one in a file of its own."""
    folder = settings.log_dir if settings.host is not None else None
    return log.of_account(settings.account.alias, folder)


def _look_after(runs: list[AccountRun], settings: Settings, stop: threading.Event, log: Log) -> None:
    watched, alive = SettingsWatch(settings, os.environ), SignOfLife(os.environ, log)
    log.say("info", "accounts_started", accounts=[run.alias for run in runs], pid=os.getpid())
    for run in runs:
        run.start()
    told: set[str] = set()
    until = float("inf")
    while any(run.is_running for run in runs):
        now = time.monotonic()
        if now > until:
            for run in runs:
                if run.is_running:
                    run.problem = run.problem or TimeoutError(run.alias)
                    run.log.say("error", "account_hangs", seconds=ENDS_WITHIN)
            return
        if stop.is_set():
            until = min(until, now + ENDS_WITHIN)
            time.sleep(LOOK_EVERY / 4)
        else:
            stop.wait(LOOK_EVERY)
        _tell_ended(runs, told)
        watched.look_after(log)
        # One sign for all: an account that hangs must not be hidden by another that turns.
        if not any(run.is_hung(time.monotonic()) for run in runs):
            alive.show()
    _tell_ended(runs, told)


def _tell_ended(runs: list[AccountRun], told: set[str]) -> None:
    for run in runs:
        if run.is_running or run.problem is None or run.alias in told:
            continue
        told.add(run.alias)
        others = ", ".join(other.alias for other in runs if other.is_running) or "-"
        run.log.say("error", "account_stopped", problem=run.problem, others=others)
