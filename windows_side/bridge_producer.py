"""The bridge producer: quotes and the account into the exchange folder.

    python windows_side/bridge_producer.py --replay FILE.csv --speed 60

runs by path and finds its environment by itself; ``miniqmt producer`` is the same.
"""

from __future__ import annotations

if __name__ == "__main__":
    import sys
    from pathlib import Path

    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
    from miniqmt import ensure_environment

    ensure_environment(__file__)

import contextlib
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from shared_schema.clock import host_name, new_epoch
from shared_schema.console import print_utf8
from shared_schema.drop_folder import DropFolder
from shared_schema.errors import MiniqmtError, SettingsError
from shared_schema.exchange_folder import checked_exchange_folder
from shared_schema.ids import AccountAlias, InstanceId
from shared_schema.keys import folder_key
from shared_schema.log_bridge import lines_of
from shared_schema.logs import Log, open_log
from shared_schema.notices import attach
from shared_schema.sessions import hms
from shared_schema.settings import Settings, load_settings
from shared_schema.settings_watch import SettingsWatch
from shared_schema.stop_flag import StopFlag
from shared_schema.words import use_language
from windows_side.producer import Identity, Pace, Producer
from windows_side.producer_options import Options, parse_options
from windows_side.quotes.gate import Gate, Hold
from windows_side.quotes.live import live_account, live_source
from windows_side.quotes.port import AccountSource, FixedAccount, QuoteSource
from windows_side.quotes.readers import Readers
from windows_side.quotes.replay import ReplaySource
from windows_side.quotes.resume import resume_time
from windows_side.quotes.shared_source import SharedSource
from windows_side.quotes.tape import read_tape
from windows_side.single_instance import hold_single_instance

LOG_NAME = "bridge_producer"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the producer with these arguments; the exit code. Errors are one sentence on stderr."""
    try:
        options = parse_options(sys.argv[1:] if arguments is None else arguments)
        overrides = {"shared_dir": options.shared_dir} if options.shared_dir else {}
        settings = load_settings(overrides=overrides)
        use_language(settings.language)
        return run(settings, options)
    except MiniqmtError as error:
        print(f"bridge_producer: {error}", file=sys.stderr)
        return error.exit_code


def run(
    settings: Settings,
    options: Options,
    wall_clock: Callable[[], float] = time.time,
    source: QuoteSource | None = None,
    account: AccountSource | None = None,
) -> int:
    """Produce until asked to stop (Ctrl+C, SIGTERM, Ctrl+Break); 0. Raises MiniqmtError before it starts.

    ``source`` and ``account`` are those of the settings and options unless they are given."""
    folder_path = checked_exchange_folder(settings.exchange_folder("producer"))
    source = source or _source(settings, options)
    account = account or _account(settings, options, source)
    each = [settings.for_account(alias) for alias in settings.aliases[1:]] if settings.host is None else []
    with contextlib.ExitStack() as held:
        held.callback(hold_single_instance("producer", settings.runtime_dir, folder_path).release)
        log = open_log(LOG_NAME, settings.log_dir, least="debug" if options.verbose else "info")
        held.callback(log.close)
        attach(log, settings.notices, host_name())
        try:
            folder = DropFolder(folder_path, key=folder_key(settings, folder_path))
            folder.prepare()
            _prepare_replay(folder, source, log)
            if each:
                source = SharedSource(source)
                log.say("info", "accounts_started", accounts=settings.aliases, pid=os.getpid())
            rooms = [_room(own, options, source, log, wall_clock, held) for own in each]
            producer = _producer(settings, options, folder, source, account, log, wall_clock, rooms)
            watch = SettingsWatch(settings, os.environ)
            with _asked_to_stop() as wait, lines_of("windows_side", log):

                def wait_and_look(seconds: float) -> bool:
                    watch.look_after(log)
                    return wait(seconds)

                producer.run(wait_and_look)
        except OSError as problem:
            raise SettingsError("producer.no_folders", folder_path, detail=problem) from problem
    return 0


def _room(
    settings: Settings,
    options: Options,
    source: QuoteSource,
    log: Log,
    wall_clock: Callable[[], float],
    held: contextlib.ExitStack,
) -> Producer:
    """The producer of a further account's room: the first one's quotes, its own account."""
    path = settings.exchange_folder("producer")
    folder = DropFolder(path, key=folder_key(settings, path))
    folder.prepare()
    held.callback(hold_single_instance("producer", settings.runtime_dir, path).release)
    own_log = log.of_account(settings.account.alias, settings.log_dir, "warning")
    held.callback(own_log.close)
    account = _account(settings, options, source)
    shown = source.echo() if isinstance(source, SharedSource) else source
    # A replay waits for the first account's readers alone.
    free = replace(options, wait_for=(), lockstep=False)
    return _producer(settings, free, folder, shown, account, own_log, wall_clock)


def _source(settings: Settings, options: Options) -> QuoteSource:
    if options.replay:
        tapes = [read_tape(path, code, options.day) for path, code in options.replay]
        return ReplaySource(tapes, options.speed)
    if settings.producer.source != "xtdata":
        raise SettingsError("producer.unknown_source", settings.producer.source)
    return live_source(settings)


def _producer(
    settings: Settings,
    options: Options,
    folder: DropFolder,
    source: QuoteSource,
    account: AccountSource,
    log: Log,
    wall_clock: Callable[[], float],
    rooms: Sequence[Producer] = (),
) -> Producer:
    pace = settings.sync.defaults
    host = host_name()
    identity = Identity(
        writer=f"producer@{host}",
        instance=InstanceId(host),
        epoch=new_epoch(wall_clock()),
        account=AccountAlias(settings.account.alias),
    )
    readers = Readers(folder, pace.heartbeat_red_after)
    hold = Hold(options.wait_for, options.wait_at_most, options.lockstep, options.wait_at_most)
    return Producer(
        folder,
        source,
        account,
        identity,
        readers,
        Gate(hold, readers, identity.epoch, log),
        log,
        wall_clock,
        Pace(settings.quote_interval, pace.quote_ring, pace.heartbeat_interval),
        rooms,
    )


def _account(settings: Settings, options: Options, source: QuoteSource) -> AccountSource:
    if source.mode == "live":
        return live_account(settings)
    cash = settings.executor.simulate_cash if options.cash is None else options.cash
    return FixedAccount(cash, options.positions)


def _prepare_replay(folder: DropFolder, source: QuoteSource, log: Log) -> None:
    """Say what is replayed, and go on where a killed run of it had come to."""
    if not isinstance(source, ReplaySource):
        return
    log.say("info", "replay", codes=source.codes, day=source.day, speed=source.speed or "max")
    for code, running in source.running.items():
        if running.limits_broken:
            log.say("warning", "limits_broken", code=code, day=source.day)
    market_time = resume_time(folder, InstanceId(host_name()), source.codes, source.day)
    if market_time is not None:
        source.resume_at(market_time)
        log.say("info", "replay_resumed", market_time=hms(market_time))


@contextlib.contextmanager
def _asked_to_stop() -> Iterator[Callable[[float], bool]]:
    """A wait that ends early, and returns True, once a signal asked this process to stop."""
    asked = StopFlag()
    before = {}
    for name in ("SIGINT", "SIGTERM", "SIGBREAK"):
        number = getattr(signal, name, None)
        if number is not None and threading.current_thread() is threading.main_thread():
            before[number] = signal.signal(number, lambda *_: asked.set())
    try:
        yield asked.wait
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


__all__ = ["Options", "Producer", "main", "run"]

if __name__ == "__main__":
    print_utf8()
    sys.exit(main())
