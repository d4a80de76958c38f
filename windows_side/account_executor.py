"""One account's executor: its memory opened, its parts joined, run, and closed in order."""

from __future__ import annotations

import gc
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from shared_schema.calendar_end import CalendarEnd
from shared_schema.clock import ReplayFollower, Stamper, host_name, new_epoch
from shared_schema.drop_folder import DropFolder
from shared_schema.errors import SettingsError, StateError
from shared_schema.ids import AccountAlias, Epoch, InstanceId
from shared_schema.keys import folder_key, say_key
from shared_schema.logs import Log
from shared_schema.points import Reach, reach_of
from shared_schema.settings import Settings
from shared_schema.trading_calendar import calendar_of_this_host
from shared_schema.watch import FolderWatch
from windows_side.account_number import bind_number
from windows_side.brokers.worker import BrokerWorker
from windows_side.day_files import DayFiles, day_folder
from windows_side.day_keeper import DayKeeper
from windows_side.execution.core import ExecutorCore
from windows_side.execution.ledger import EPOCH, INSTANCE, Memory
from windows_side.execution.points import Point
from windows_side.execution.rules import Rules
from windows_side.execution.second_counter import SecondCounter
from windows_side.execution.sqlite_ledger import SqliteLedger
from windows_side.executor import Executor
from windows_side.executor_places import Files, counter_folder, files_of, rooms_of
from windows_side.executor_views import ExecutorViews
from windows_side.keyboard import Keyboard
from windows_side.ledger_opening import counter_path, open_guarded
from windows_side.signal_scan import concerns_executor
from windows_side.single_instance import refuse_other_executor
from windows_side.venue import Broker, Surroundings, Venue

SWITCH_INTERVAL = 0.00005
"""Seconds the loop waits for its turn after each call to the system while another thread encodes a result:
Python's own 5 ms would add up to a tenth of a second on a signal's way."""
YOUNG_OBJECTS = 10_000
"""Objects made before the garbage collector looks at them, 700 by default: a signal makes some hundred."""
SELDOM = 500
"""Looks at the youngest but one before one at all: with ten thousand rows that takes 80 ms, and rows hold no
cycles."""


@dataclass(frozen=True)
class Place:
    """Where one account's executor works: its settings, broker, exchange folder and log."""

    settings: Settings
    venue: Venue
    folder: DropFolder
    log: Log
    enforce_sessions: bool
    reach: Reach

    @property
    def files(self) -> Files:
        """Its local files."""
        return files_of(self.settings.runtime_dir, self.venue.mode, self.settings.account.alias)


@dataclass(frozen=True)
class OpenMemory:
    """The executor's memory, open, and what was found against it."""

    ledger: SqliteLedger
    loaded: Memory
    counter: SecondCounter
    put_back: str
    """Why the ledger can't be the newest one; "" where nothing speaks against it."""


def run_account(
    settings: Settings,
    path: Path,
    stop: threading.Event,
    venue: Venue,
    log: Log,
    enforce_sessions: bool,
    *beside: Callable[[], object],
    begins: Callable[[], object] = lambda: None,
) -> None:
    """Trade one account over the exchange folder ``path`` until ``stop`` is set; its locks are held already.

    ``beside`` is called in each turn, ``begins`` before the broker is opened. Raises MiniqmtError where it
    must not begin, or go on.
    """
    folder = DropFolder(path, key=folder_key(settings, path))
    if venue.mode == "live" and folder.is_offline():
        raise SettingsError("arming.offline_folder", folder.path)
    folder.prepare()
    place = Place(settings, venue, folder, log, enforce_sessions, reach_of(os.environ, Point))
    calendar_end = CalendarEnd(calendar_of_this_host())
    with _opened_memory(place) as memory, _executor(place, memory) as executor:
        try:
            begins()
            executor.run(stop, *beside, lambda: say_calendar(log, calendar_end, time.time()))
        except BaseException as problem:
            # Where other accounts go on in this process: what waits for the broker is turned back, uncalled.
            executor.broker.port.stop()
            if isinstance(problem, StateError):
                log.say("error", "executor_must_stop", problem=problem)
            raise


@contextmanager
def _opened_memory(place: Place) -> Iterator[OpenMemory]:
    """Ledger and second counter, closed at the end.

    Raises StateError where they can't be used, SettingsError where the folder has another executor.
    """
    settings, mode, folder = place.settings, place.venue.mode, place.folder
    alias, ledger = AccountAlias(settings.account.alias), place.files.ledger
    with closing(SecondCounter(counter_path(ledger, counter_folder(settings, mode)))) as counter:
        first = place.venue.makes_first_ledger
        opened = open_guarded(ledger, mode, alias, folder, counter, place.reach, may_be_first=first)
        with closing(opened.ledger):
            loaded = opened.ledger.load()
            red_after = settings.sync.defaults.heartbeat_red_after
            refuse_other_executor(folder, InstanceId(loaded.meta[INSTANCE]), red_after, time.time())
            # A ledger put back is not written: one commit more would bring it level with its counter.
            number = settings.account.id if mode == "live" and not opened.put_back else None
            if number is not None and bind_number(opened.ledger, loaded, alias, number, ledger):
                place.log.say("info", "account_number_kept", ledger=ledger)
            yield OpenMemory(opened.ledger, loaded, counter, opened.put_back)


@contextmanager
def _executor(place: Place, memory: OpenMemory) -> Iterator[Executor]:
    """The executor over its broker, ready to run; the broker is closed at the end."""
    settings, log = place.settings, place.log
    rules, clock, defaults = _rules(place, memory), ReplayFollower(), settings.sync.defaults
    stamper = Stamper(f"executor@{host_name()}", new_epoch(time.time()), rules.mode, rules.account)
    broker = place.venue.open(
        Surroundings(
            settings,
            place.folder,
            rules.account,
            place.files.simulated_books,
            clock.now,
            lambda code: executor.broker.is_without_market(code),
            log,
        )
    )
    watch = FolderWatch(
        place.folder.path, defaults.scan_interval, use_watcher=defaults.watcher, concerns=concerns_executor
    )
    executor = _joined(place, memory, rules, broker, stamper, watch, clock)
    with ExitStack() as ends:
        ends.callback(lambda: log.say("info", "executor_stopped"))
        ends.callback(broker.calls.close)
        ends.callback(watch.stop)
        log.say(
            "info",
            "executor_started",
            mode=rules.mode,
            account=rules.account,
            instance=rules.instance,
            folder=place.folder.path,
        )
        say_key(log, place.folder)
        if not place.enforce_sessions:
            log.say("info", "sessions_only_warn")
        tune_process()
        yield executor


def _rules(place: Place, memory: OpenMemory) -> Rules:
    settings, venue = place.settings, place.venue
    return Rules(
        mode=venue.mode,
        account=AccountAlias(settings.account.alias),
        instance=InstanceId(memory.loaded.meta[INSTANCE]),
        calendar=calendar_of_this_host(),
        limits=settings.limits,
        rooms=rooms_of(settings),
        offline=place.folder.is_offline(),
        enforce_sessions=place.enforce_sessions,
        needs_quote=venue.needs_quote,
        allow_version_1=venue.allows_version_1,
        final_read=venue.final_read,
        absence_is_proof=venue.absence_is_proof,
        orders_allowed=settings.sync.orders_allowed,
        red_after=settings.sync.defaults.heartbeat_red_after,
    )


def _joined(
    place: Place,
    memory: OpenMemory,
    rules: Rules,
    broker: Broker,
    stamper: Stamper,
    watch: FolderWatch,
    clock: ReplayFollower,
) -> Executor:
    settings, defaults = place.settings, place.settings.sync.defaults
    views = ExecutorViews(
        place.folder,
        memory.ledger,
        rules,
        stamper,
        Epoch(memory.loaded.meta[EPOCH]),
        defaults.heartbeat_interval,
        broker.snapshot,
        place.reach,
    )
    executor = Executor(
        folder=place.folder,
        ledger=memory.ledger,
        core=ExecutorCore(rules, memory.loaded),
        rules=rules,
        views=views,
        watch=watch,
        keyboard=Keyboard(settings.runtime_dir, place.folder, place.log),
        clock=clock,
        log=place.log,
        counter=memory.counter,
        put_back=memory.put_back,
        reach=place.reach,
        threaded=True,
        quote_ring=defaults.quote_ring > 0,
        days=DayKeeper(DayFiles(day_folder(settings.runtime_dir, rules.mode, rules.account)), place.log),
    )
    executor.broker.attach(BrokerWorker(broker.calls, executor.broker.heard), broker.market)
    return executor


def tune_process() -> None:
    """For the whole process: fewer stops by the garbage collector and the interpreter's own turns.

    Each account calls it once it stands: what was made until then lives as long as the process.
    """
    gc.freeze()
    gc.set_threshold(YOUNG_OBJECTS, 20, SELDOM)
    sys.setswitchinterval(SWITCH_INTERVAL)


def say_calendar(log: Log, calendar_end: CalendarEnd, wall: float) -> None:
    """Say once each trading day that the known calendar ends within 30 days of ``wall`` (Unix seconds)."""
    days = calendar_end.days_to_say(wall)
    if days is not None:
        log.say("error", "calendar_ends_soon", days=days)
