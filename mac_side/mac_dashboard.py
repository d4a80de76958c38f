"""The dashboard: the strategy's engine, and the screen that shows it, as two processes.

    python mac_side/mac_dashboard.py            engine and screen
    python mac_side/mac_dashboard.py --no-screen     the engine alone, printing lines

runs by path and finds its environment by itself; ``miniqmt dashboard`` is the same.
"""

from __future__ import annotations

if __name__ == "__main__":
    import sys
    from pathlib import Path

    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
    from miniqmt import ensure_environment

    ensure_environment(__file__)

import argparse
import math
import os
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from mac_side.bridge_client.signal_ids import is_first
from mac_side.dashboard_processes import (
    Engines,
    asked_to_stop,
    commands_path,
    run_with_screen,
    run_without_screen,
    say_that_others_go_on,
    view_path,
)
from mac_side.engine import Engine, Place
from mac_side.engine_memory import EngineConfig
from mac_side.engine_signals import Terms
from mac_side.engine_wait import concerns
from mac_side.market_view import check_periods
from mac_side.offline_start import lay_out_fresh_files
from mac_side.order_sizes import SellLimits
from mac_side.other_dashboard import refuse_beside_another
from mac_side.points import Point
from mac_side.single_engine import LOG_NAME, hold_engine, instance_of, runtime_folder, runtime_name
from mac_side.strategy.grid_step import decide
from mac_side.strategy.own_step import own_step
from mac_side.strategy.parameters import GridParameters, with_settings
from mac_side.strategy.presets import preset, preset_for_code, release
from shared_schema.clock import host_name
from shared_schema.command_line import CommandLine
from shared_schema.console import print_utf8
from shared_schema.drop_folder import DropFolder
from shared_schema.errors import MiniqmtError, SettingsError
from shared_schema.exchange_folder import checked_exchange_folder, is_offline_folder
from shared_schema.ids import AccountAlias, Code, StrategyName
from shared_schema.keys import folder_key, say_key
from shared_schema.logs import open_log
from shared_schema.notices import attach
from shared_schema.points import reach_of
from shared_schema.settings import Settings, load_settings
from shared_schema.settings_watch import SettingsWatch
from shared_schema.trading_calendar import calendar_of_this_host
from shared_schema.watch import FolderWatch
from shared_schema.words import say, use_language

LARGEST_CAP = 1e9
"""Yuan: the largest ``nominal_cap`` a strategy knows; beyond it is no cap in earnest."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the dashboard with these arguments; the exit code. Errors are one sentence on stderr."""
    typed = list(sys.argv[1:] if arguments is None else arguments)
    try:
        given = _parsed(typed)
        settings = _settings(given)
        use_language(settings.language)
        without_screen = given.no_screen or not sys.stdout.isatty()
        if given.read_only:
            return run_viewer(settings, given, lines=without_screen)
        if without_screen and not settings.strategies:
            return run_engine(settings, given.release, console=not given.quiet)
        if without_screen:
            return run_all_without_screen(settings, typed)
        return run_all(settings, typed, given)
    except MiniqmtError as error:
        print(f"mac_dashboard: {error}", file=sys.stderr)
        return error.exit_code


def run_engine(settings: Settings, release_name: str = "", *, console: bool = True) -> int:
    """Run the engine until Ctrl+C, SIGTERM or Ctrl+Break; 0. Raises MiniqmtError."""
    folder_path = checked_exchange_folder(settings.exchange_folder("dashboard"))
    runtime = runtime_folder(settings, folder_path)
    strategy = StrategyName(settings.strategy.name)
    lock = hold_engine(runtime, strategy)
    log = open_log(runtime_name(LOG_NAME, strategy), settings.log_dir, console=console)
    attach(log, settings.notices, host_name())
    defaults = settings.sync.defaults
    try:
        folder = DropFolder(folder_path, key=folder_key(settings, folder_path))
        say_key(log, folder)
        folder.prepare()
        refuse_beside_another(
            folder, strategy, instance_of(runtime, strategy), defaults.heartbeat_red_after, time.time()
        )
        lay_out_fresh_files(folder_path)
        place = Place(
            folder=folder,
            runtime_dir=runtime,
            view=view_path(runtime, strategy),
            commands=commands_path(runtime, strategy),
            strategy=strategy,
            writer=writer_of(strategy),
            offline=is_offline_folder(folder_path),
            in_folder=settings.dashboard.work_dir is not None,
            alias=AccountAlias(settings.account.alias),
            pinned=settings.mode,
            republish_after=defaults.republish_after,
            heartbeat_interval=defaults.heartbeat_interval,
        )
        watch = FolderWatch(
            folder_path, defaults.scan_interval, use_watcher=defaults.watcher, concerns=concerns
        )
        config = engine_config(settings, runtime, release_name, place.offline)
        doubt = layer_beyond_limit(config.parameters, settings.limits.max_buy_yuan)
        if doubt:
            log.say("warning", "settings_doubtful", detail=doubt)
        engine = Engine(place, config, log, watch, reach=reach_of(os.environ, Point))
        with asked_to_stop() as stop:
            engine.run(stop, SettingsWatch(settings, os.environ))
        watch.stop()
    except MiniqmtError as problem:
        log.say("error", "dashboard_must_stop", problem=problem)
        raise
    finally:
        log.close()
        lock.release()
    return 0


def writer_of(strategy: StrategyName) -> str:
    """As whom this host's dashboard writes for ``strategy``."""
    return f"dashboard{'' if is_first(strategy) else '-' + strategy}@{host_name()}"


def engine_config(settings: Settings, runtime: Path, release_name: str, offline: bool) -> EngineConfig:
    """What the engine is told: code, parameters, limits. Raises SettingsError."""
    code = Code(settings.strategy.symbol)
    parameters = parameters_of(settings, release_name)
    check_periods(parameters)
    return EngineConfig(
        code=code,
        parameters=parameters,
        instance=instance_of(runtime, StrategyName(settings.strategy.name)),
        calendar=calendar_of_this_host(),
        decide_on=settings.strategy.decide_on,
        step=decide if settings.strategy.file is None else own_step(settings.strategy.file),
        offline=offline,
        orders_limit=settings.limits.orders_per_day,
        turnover_limit=settings.limits.turnover_yuan,
        sell_limits=SellLimits(settings.limits.max_sell_shares, settings.limits.max_sell_yuan),
        orders_allowed=settings.sync.orders_allowed,
        red_after=settings.sync.defaults.heartbeat_red_after,
        skew_limit=settings.limits.skew_seconds,
        terms=Terms(settings.limits.expires_seconds, settings.limits.end_after_seconds),
    )


def parameters_of(settings: Settings, release_name: str = "") -> GridParameters:
    """The preset or release with this host's overrides, and the nominal cap of live trading."""
    chosen = settings.strategy
    if release_name:
        parameters = release(release_name)
    else:
        parameters = preset(chosen.preset or preset_for_code(Code(chosen.symbol)))
    parameters = with_settings(parameters, chosen.overrides)
    cap = min(settings.limits.pool_code_yuan, LARGEST_CAP)
    return replace(parameters, nominal_cap=parameters.nominal_cap or cap)


def layer_beyond_limit(parameters: GridParameters, most: float) -> str:
    """A sentence where a layer within the nominal cap costs more than ``most`` (yuan); "" where all fit."""
    cap, below = parameters.nominal_cap or math.inf, 0.0
    for layer, money in enumerate(parameters.layer_money, start=1):
        if below >= cap:
            break
        if money > most:
            shown = {"money": f"{money:,.0f}", "most": f"{most:,.0f}"}
            return say("dashboard.layer_beyond_limit", layer=layer, **shown)
        below += money
    return ""


def run_all_without_screen(settings: Settings, typed: list[str]) -> int:
    """One engine for each strategy, until all have ended or somebody asks to stop."""
    runtime, strategies = _runtime_and_strategies(settings)
    engines = Engines(typed)
    for held in engines.start(runtime, strategies, quiet=False):
        print(f"mac_dashboard: {held}", file=sys.stderr)
    return run_without_screen(engines)


def run_all(settings: Settings, typed: list[str], given: argparse.Namespace) -> int:
    """One engine for each strategy and the screen of them all.

    Where an engine runs already, it is shown and left running, which is said when the person quits: before,
    the screen would cover it.
    """
    runtime, strategies = _runtime_and_strategies(settings)
    engines = Engines(typed)
    held = engines.start(runtime, strategies, quiet=True)
    exit_code = run_with_screen(engines, runtime, strategies, _screen_options(settings, given))
    say_that_others_go_on(held)
    return exit_code


def run_viewer(settings: Settings, given: argparse.Namespace, *, lines: bool) -> int:
    """The screen alone, without an engine and without keys that command one; ``lines`` instead of pictures.

    A screen waits for an engine. Raises SettingsError where nobody sees it wait and no engine runs.
    """
    from mac_side.screen.watched import is_written

    runtime, strategies = _runtime_and_strategies(settings)
    views = [view_path(runtime, strategy) for strategy in strategies]
    if lines and not any(is_written(view, time.time()) for view in views):
        raise SettingsError("dashboard.no_engine", runtime)
    options = [*_screen_options(settings, given), "--read-only", *(["--lines"] if lines else [])]
    return run_with_screen(Engines([]), runtime, strategies, options)


def _screen_options(settings: Settings, given: argparse.Namespace) -> list[str]:
    colors = ["--colors", settings.dashboard.colors] if settings.dashboard.colors else []
    return ["--language", settings.language, *colors, *(["--ascii"] if given.ascii else [])]


def _runtime_and_strategies(settings: Settings) -> tuple[Path, list[StrategyName]]:
    folder = checked_exchange_folder(settings.exchange_folder("dashboard"))
    return runtime_folder(settings, folder), [StrategyName(own.name) for own in settings.all_strategies]


def _parsed(typed: list[str]) -> argparse.Namespace:
    parser = CommandLine(prog="mac_dashboard", description=say("dashboard.about"))
    parser.add_argument("--no-screen", action="store_true", help=say("dashboard.option_no_screen"))
    parser.add_argument("--shared-dir", default="", help=say("dashboard.option_shared_dir"))
    parser.add_argument("--symbol", default="", help=say("dashboard.option_symbol"))
    parser.add_argument("--preset", default="", help=say("dashboard.option_preset"))
    parser.add_argument("--release", default="", help=say("dashboard.option_release"))
    parser.add_argument("--strategy", default="", help=say("dashboard.option_strategy"))
    parser.add_argument("--account", default="", help=say("dashboard.option_account"))
    parser.add_argument("--read-only", action="store_true", help=say("dashboard.option_read_only"))
    parser.add_argument("--ascii", action="store_true", help=say("screen.option.ascii"))
    parser.add_argument("--quiet", action="store_true", help=argparse.SUPPRESS)
    return parser.parse_args(typed)


def _settings(given: argparse.Namespace) -> Settings:
    """Those of the account that was typed: its room, its books; else of the first one."""
    settings = _of_strategies(given)
    return settings.for_account(given.account) if given.account else settings


def _of_strategies(given: argparse.Namespace) -> Settings:
    """All strategies of this host; the one alone that was typed: by its name, or with a code or preset."""
    place = {"shared_dir": given.shared_dir} if given.shared_dir else {}
    settings = load_settings(overrides=place)
    if given.strategy and settings.strategy.name != given.strategy in settings.strategies:
        return settings.alone(given.strategy)
    if given.strategy and not given.symbol and given.strategy != settings.strategy.name:
        known = ", ".join((settings.strategy.name, *settings.strategies))
        raise SettingsError("dashboard.no_such_strategy", given.strategy, known=known)
    typed = {
        "strategy.symbol": given.symbol,
        "strategy.preset": given.preset,
        "strategy.name": given.strategy,
    }
    told = {key: value for key, value in typed.items() if value}
    if not told and not given.release:
        return settings
    return load_settings(overrides={**place, **told, "strategies": {}})


if __name__ == "__main__":
    print_utf8()
    sys.exit(main())
