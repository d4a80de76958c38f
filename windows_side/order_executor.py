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

import contextlib
import os
import signal
import sys
import threading
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

from shared_schema.clock import host_name
from shared_schema.command_line import CommandLine
from shared_schema.console import print_utf8
from shared_schema.errors import MiniqmtError, SettingsError
from shared_schema.log_bridge import lines_of
from shared_schema.logs import open_log
from shared_schema.notices import attach
from shared_schema.settings import Settings, load_settings
from shared_schema.settings_watch import SettingsWatch
from shared_schema.sign_of_life import SignOfLife
from shared_schema.stop_flag import StopFlag
from shared_schema.words import say, say_both, use_language
from windows_side.account_executor import run_account
from windows_side.account_runs import ACCOUNT_THREAD, AccountRun, run_accounts
from windows_side.arming import arming_path, check_armed
from windows_side.brokers.qmt_diagnosis import HEALS_BY_LOGIN, path_findings
from windows_side.brokers.qmt_package import PIP, is_installed
from windows_side.executor_places import hold_places
from windows_side.venue import LIVE, SIMULATED, Venue


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the executor for a command line; its exit code."""
    try:
        options = _parser().parse_args(arguments)
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


def _parser() -> CommandLine:
    parser = CommandLine(prog="order_executor", description=say_both("commands.help.executor"))
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
            run_account(
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
    run_account(
        settings, path, account.stop, venue, account.log, enforces, account.turned, begins=account.begins
    )


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
