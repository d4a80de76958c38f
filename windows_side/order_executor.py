"""The order executor: ``python windows_side/order_executor.py`` or ``miniqmt executor``.

Puts the parts together for this host's settings and runs them until Ctrl+C or SIGTERM.
"""

from __future__ import annotations

if __name__ == "__main__":
    import sys
    from pathlib import Path as _Path

    sys.path.insert(0, str(_Path(__file__).resolve().parent.parent))
    from miniqmt import ensure_environment

    ensure_environment(__file__)

import argparse
import contextlib
import gc
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from shared_schema.clock import ReplayFollower, Stamper, host_name, new_epoch
from shared_schema.console import print_utf8
from shared_schema.drop_folder import DropFolder
from shared_schema.errors import MiniqmtError, SettingsError, StateError
from shared_schema.ids import AccountAlias, Epoch, InstanceId
from shared_schema.keys import folder_key, say_key
from shared_schema.log_bridge import lines_of
from shared_schema.logs import Log, open_log
from shared_schema.notices import attach
from shared_schema.points import Reach, reach_of
from shared_schema.sessions import date_of
from shared_schema.settings import Settings, load_settings
from shared_schema.settings_watch import SettingsWatch
from shared_schema.sign_of_life import SignOfLife
from shared_schema.stop_flag import StopFlag
from shared_schema.trading_calendar import TradingCalendar, calendar_of_this_host
from shared_schema.watch import FolderWatch
from shared_schema.words import say, say_both, use_language
from windows_side.account_runs import ACCOUNT_THREAD, AccountRun, run_accounts
from windows_side.arming import arming_path, check_armed
from windows_side.brokers.qmt_diagnosis import HEALS_BY_LOGIN, path_findings
from windows_side.brokers.qmt_package import PIP, is_installed
from windows_side.brokers.worker import BrokerWorker
from windows_side.day_files import DayFiles, day_folder
from windows_side.day_keeper import DayKeeper
from windows_side.execution.core import ExecutorCore
from windows_side.execution.ledger import EPOCH, INSTANCE
from windows_side.execution.points import Point
from windows_side.execution.rules import Rules
from windows_side.execution.second_counter import SecondCounter
from windows_side.execution.sqlite_ledger import SqliteLedger
from windows_side.executor import Executor
from windows_side.executor_places import Files, counter_folder, files_of, hold_places, rooms_of
from windows_side.executor_views import ExecutorViews
from windows_side.keyboard import Keyboard
from windows_side.ledger_opening import counter_path, open_guarded
from windows_side.signal_scan import concerns_executor
from windows_side.single_instance import refuse_other_executor
from windows_side.venue import LIVE, SIMULATED, Broker, Surroundings, Venue

SWITCH_INTERVAL = 0.00005
"""Seconds the loop waits for its turn after each call to the system while another thread encodes a result:
Python's own 5 ms would add up to a tenth of a second on a signal's way."""
YOUNG_OBJECTS = 10_000
"""Objects made before the garbage collector looks at them, 700 by default: a signal makes some hundred."""
SELDOM = 500
"""Looks at the youngest but one before one at all: with ten thousand rows that takes 80 ms, and rows hold no
cycles."""


@dataclass(frozen=True)
class Fence:
    """What keeps this executor's memory honest: its second counter, and what was found against it."""

    counter: SecondCounter
    put_back: str
    reach: Reach


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the executor for a command line; its exit code."""
    options = _parser().parse_args(arguments)
    try:
        if options.supervise:  # the supervisor is a command: it writes a halt as a person would
            raise SettingsError("executor.supervise_by_command")
        overrides: dict[str, object] = {}
        if options.simulate:
            overrides["executor.simulate"] = True
        if options.folder:
            overrides["shared_dir"] = str(Path(options.folder).absolute())
        settings = load_settings(overrides=overrides)
        use_language(settings.language)
        if options.account:
            settings = settings.for_account(options.account)
        stop = StopFlag()
        with stopped_by_signals(stop):
            if options.account or not settings.accounts:
                exit_code = 0
                run(settings, stop, chosen_venue(settings), enforce_sessions=options.sessions)
            else:
                serve = partial(serve_account, enforce_sessions=options.sessions)
                exit_code = run_accounts(settings, stop, serve)
    except MiniqmtError as problem:
        print(f"order_executor: {problem}", file=sys.stderr)
        exit_code = problem.exit_code
    leave_hung_threads(exit_code)
    return exit_code


def leave_hung_threads(exit_code: int) -> None:
    """End this process at once where a native call still hangs: its thread would keep it alive for ever."""
    hung = [thread for thread in threading.enumerate() if thread is not threading.main_thread()]
    if any(thread.name.startswith(("ThreadPoolExecutor", ACCOUNT_THREAD)) for thread in hung):
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(exit_code)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="order_executor", description=say_both("commands.help.executor"))
    parser.add_argument("--simulate", action="store_true", help=say_both("executor.help_simulate"))
    parser.add_argument("--sessions", action="store_true", help=say_both("executor.help_sessions"))
    parser.add_argument("--supervise", action="store_true", help=say_both("executor.help_supervise"))
    parser.add_argument("--folder", default="", help=say_both("executor.help_folder"))
    parser.add_argument("--account", default="", help=say_both("executor.help_account"))
    return parser


def chosen_venue(settings: Settings) -> Venue:
    """Where to trade. Raises SettingsError where neither was chosen, or live trading can't start."""
    if settings.executor.simulate:
        return SIMULATED
    if settings.executor.simulate is None and not arming_path(settings).exists():
        raise SettingsError("executor.neither_mode")
    if settings.qmt.xtquant == PIP and not is_installed():
        raise SettingsError("executor.live_needs_windows")
    check_armed(settings)
    unusable = [found for found in path_findings(settings.qmt.data_path) if found.name not in HEALS_BY_LOGIN]
    if unusable:
        raise SettingsError("qmt.bad_path", settings.qmt.data_path or "", reason=unusable[0])
    return LIVE


def run(
    settings: Settings,
    stop: threading.Event,
    venue: Venue = SIMULATED,
    *,
    enforce_sessions: bool = False,
    console: bool = True,
) -> None:
    """Run an executor at ``venue`` until ``stop`` is set. Raises MiniqmtError where it must not go on."""
    with contextlib.ExitStack() as held:
        path = hold_places(settings, venue, held)
        log = open_log("order_executor", settings.log_dir, console)
        held.callback(log.close)
        attach(log, settings.notices, host_name())
        watched, alive = SettingsWatch(settings, os.environ), SignOfLife(os.environ, log)
        enforces = enforce_sessions or venue.enforces_sessions
        with lines_of("windows_side", log):
            _run_locked(
                settings, path, stop, venue, log, enforces, lambda: watched.look_after(log), alive.show
            )


def serve_account(account: AccountRun, *, enforce_sessions: bool = False) -> None:
    """``run`` for one account among several of this process, which looks after settings and life itself.

    Raises MiniqmtError where this account must not go on.
    """
    settings = account.settings
    venue = chosen_venue(settings)
    path = hold_places(settings, venue, account.held)
    enforces = enforce_sessions or venue.enforces_sessions
    _run_locked(
        settings, path, account.stop, venue, account.log, enforces, account.turned, begins=account.begins
    )


def _run_locked(
    settings: Settings,
    path: Path,
    stop: threading.Event,
    venue: Venue,
    log: Log,
    enforce_sessions: bool,
    *beside: Callable[[], object],
    begins: Callable[[], object] = lambda: None,
) -> None:
    """``beside`` is called in each turn, ``begins`` before the broker is opened."""
    folder = DropFolder(path, key=folder_key(settings, path))
    if venue.mode == "live" and folder.is_offline():
        raise SettingsError("arming.offline_folder", folder.path)
    folder.prepare()
    mode = venue.mode
    alias = AccountAlias(settings.account.alias)
    files = files_of(settings.runtime_dir, mode, alias)
    reach = reach_of(os.environ, Point)
    counter = SecondCounter(counter_path(files.ledger, counter_folder(settings, mode)))
    opened = open_guarded(
        files.ledger, mode, alias, folder, counter, reach, may_be_first=venue.makes_first_ledger
    )
    ledger, memory = opened.ledger, opened.ledger.load()
    red_after = settings.sync.defaults.heartbeat_red_after
    refuse_other_executor(folder, InstanceId(memory.meta[INSTANCE]), red_after, time.time())
    rules = Rules(
        mode=mode,
        account=alias,
        instance=InstanceId(memory.meta[INSTANCE]),
        calendar=calendar_of_this_host(),
        limits=settings.limits,
        rooms=rooms_of(settings),
        offline=folder.is_offline(),
        enforce_sessions=enforce_sessions,
        needs_quote=venue.needs_quote,
        allow_version_1=venue.allows_version_1,
        final_read=venue.final_read,
        absence_is_proof=venue.absence_is_proof,
        orders_allowed=settings.sync.orders_allowed,
        red_after=settings.sync.defaults.heartbeat_red_after,
    )
    clock = ReplayFollower()
    core = ExecutorCore(rules, memory)
    defaults = settings.sync.defaults
    watch = FolderWatch(
        folder.path, defaults.scan_interval, use_watcher=defaults.watcher, concerns=concerns_executor
    )
    stamper = Stamper(f"executor@{host_name()}", new_epoch(time.time()), mode, alias)
    executor, broker = _with_broker(
        settings,
        venue,
        folder,
        ledger,
        core,
        rules,
        watch,
        clock,
        stamper,
        log,
        Epoch(memory.meta[EPOCH]),
        files,
        Fence(counter, opened.put_back, reach),
    )
    log.say("info", "executor_started", mode=mode, account=alias, instance=rules.instance, folder=folder.path)
    say_key(log, folder)
    say_calendar(log, rules.calendar, time.time())
    if not enforce_sessions:
        log.say("info", "sessions_only_warn")
    tune_process()
    try:
        begins()
        executor.run(stop, *beside)
    except BaseException as problem:
        # Where other accounts go on in this process: what waits for the broker is turned back, not called.
        executor.broker.port.stop()
        if isinstance(problem, StateError):
            log.say("error", "executor_must_stop", problem=problem)
        raise
    finally:
        watch.stop()
        broker.calls.close()
        ledger.close()
        counter.close()
        log.say("info", "executor_stopped")


def tune_process() -> None:
    """For the whole process: fewer stops by the garbage collector and the interpreter's own turns.

    Each account calls it once it stands: what was made until then lives as long as the process.
    """
    gc.freeze()
    gc.set_threshold(YOUNG_OBJECTS, 20, SELDOM)
    sys.setswitchinterval(SWITCH_INTERVAL)


def say_calendar(log: Log, calendar: TradingCalendar, wall: float) -> None:
    """Say when the known trading calendar ends within 30 days of ``wall`` (Unix seconds)."""
    today = date_of(wall)
    if calendar.ends_soon(today):
        log.say("error", "calendar_ends_soon", days=calendar.days_left(today))


def _with_broker(
    settings: Settings,
    venue: Venue,
    folder: DropFolder,
    ledger: SqliteLedger,
    core: ExecutorCore,
    rules: Rules,
    watch: FolderWatch,
    clock: ReplayFollower,
    stamper: Stamper,
    log: Log,
    ledger_epoch: Epoch,
    files: Files,
    fence: Fence,
) -> tuple[Executor, Broker]:
    broker = venue.open(
        Surroundings(
            settings,
            folder,
            rules.account,
            files.simulated_books,
            clock.now,
            lambda code: executor.broker.is_without_market(code),
            log,
        )
    )
    views = ExecutorViews(
        folder,
        ledger,
        rules,
        stamper,
        ledger_epoch,
        settings.sync.defaults.heartbeat_interval,
        broker.snapshot,
        fence.reach,
    )
    executor = Executor(
        folder=folder,
        ledger=ledger,
        core=core,
        rules=rules,
        views=views,
        watch=watch,
        keyboard=Keyboard(settings.runtime_dir, folder, log),
        clock=clock,
        log=log,
        counter=fence.counter,
        put_back=fence.put_back,
        reach=fence.reach,
        threaded=True,
        quote_ring=settings.sync.defaults.quote_ring > 0,
        days=DayKeeper(DayFiles(day_folder(settings.runtime_dir, rules.mode, rules.account)), log),
    )
    executor.broker.attach(BrokerWorker(broker.calls, executor.broker.heard), broker.market)
    return executor, broker


@contextlib.contextmanager
def stopped_by_signals(stop: threading.Event) -> Iterator[None]:
    """SIGINT, SIGTERM and Ctrl+Break set ``stop`` inside the block."""

    def end(number: int, frame: object) -> None:
        stop.set()

    names = ("SIGINT", "SIGTERM", "SIGBREAK")
    chosen = [getattr(signal, name) for name in names if hasattr(signal, name)]
    before = {number: signal.signal(number, end) for number in chosen}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


if __name__ == "__main__":
    print_utf8()
    print(say("executor.starting"), flush=True)
    sys.exit(main())
