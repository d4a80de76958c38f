"""``miniqmt demo``: the whole chain on one machine, a day in under a minute, and proof that it adds up."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from shared_schema.errors import SettingsError
from shared_schema.words import say, say_both

if TYPE_CHECKING:
    from commands.demo_room.stage import Stage


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("demo")(demo)


def _help(name: str) -> str:
    return say_both(f"demo.help_{name}")


def demo(
    csv: Annotated[Path | None, typer.Option("--csv", help=_help("csv"))] = None,
    code: Annotated[str, typer.Option("--code", help=_help("code"))] = "",
    day: Annotated[str, typer.Option("--day", help=_help("day"))] = "",
    speed: Annotated[float | None, typer.Option("--speed", min=1.0, help=_help("speed"))] = None,
    seconds: Annotated[float | None, typer.Option("--seconds", min=1.0, help=_help("seconds"))] = None,
    keep: Annotated[Path | None, typer.Option("--keep", help=_help("keep"))] = None,
    picture: Annotated[Path | None, typer.Option("--picture", help=_help("picture"))] = None,
    broker: Annotated[str, typer.Option("--broker", help=_help("broker"))] = "simulated",
) -> None:
    """Run the demo and end with 0, or with 1 where anything differs."""
    from commands.demo_room.plan import code_of, make_plan
    from commands.demo_room.report import show_plan
    from commands.demo_room.stage import clear_stage, set_stage

    _check_broker(broker)
    console = Console()
    console.print(say("demo.begins" if broker == "simulated" else "demo.begins_standin"), markup=False)
    if csv is not None and not code:
        try:
            code = code_of(csv, "")
        except SettingsError:
            if not sys.stdin.isatty():
                raise
            code = typer.prompt(say("demo.ask_code", file=csv.name))
    _check_day(day)
    plan = make_plan(csv, code, day, speed, seconds)
    show_plan(console, plan)
    stage = set_stage(plan, keep, broker)
    try:
        agrees = _play(console, stage, picture)
    finally:
        if keep is None:
            clear_stage(stage)
        else:
            console.print(say("demo.kept", folder=stage.root), markup=False)
    raise typer.Exit(0 if agrees else 1)


def _check_day(day: str) -> None:
    try:
        is_day = not day or str(date.fromisoformat(day)) == day
    except ValueError:
        is_day = False
    if not is_day:
        raise SettingsError("producer.bad_day", day)


def _check_broker(broker: str) -> None:
    from commands.demo_room.stage import SIMULATED, STANDIN

    if broker not in (SIMULATED, STANDIN):
        raise SettingsError("demo.no_such_broker", broker)
    if broker == STANDIN:
        from windows_side.brokers.qmt_package import is_installed

        if not is_installed():
            raise SettingsError("demo.standin_needs_xtquant")


def _play(console: Console, stage: Stage, picture: Path | None) -> bool:
    from commands.demo_room.actors import start_all, stop_all
    from commands.demo_room.ending import newest_quote_seq, wait_for_end
    from commands.demo_room.floor import measure_floor
    from commands.demo_room.picture import Photographer
    from commands.demo_room.report import show_summary
    from commands.demo_room.stage import START_CASH
    from commands.demo_room.summary import gather, summarise
    from commands.demo_room.visitor import Visitor

    floor = measure_floor(stage.root)
    began = time.monotonic()
    actors = start_all(stage, speed=f"{stage.plan.speed:g}", lockstep=False)
    ended = threading.Event()
    photographer = Photographer(stage.view_file)
    visitor = Visitor(stage.exchange, stage.root / "runtime_visitor", stage.plan)
    try:
        visitor.start()
        if picture is not None:
            photographer.start()
        audience = _show(stage, ended)
        wait_for_end(stage, actors)
        visitor.join(5.0)
        quotes = newest_quote_seq(stage)
    finally:
        ended.set()
        stop_all(actors)
    audience.join(5.0)
    facts = gather(stage, START_CASH)
    summary = summarise(facts, stage.plan.base_shares, quotes)
    said = [*visitor.said, *([visitor.problem] if visitor.problem else [])]
    show_summary(console, summary, floor, said, f"{time.monotonic() - began:.0f}")
    if picture is not None:
        photographer.write(picture)
    return not summary.differences and not visitor.problem


def _show(stage: Stage, ended: threading.Event) -> threading.Thread:
    """The screen in a process of its own where there is a terminal, else a line when something changes."""
    view = stage.view_file
    if sys.stdout.isatty():
        command = [
            sys.executable,
            "-m",
            "mac_side.screen.screen",
            "--view",
            str(view),
            "--until-ended",
            "--read-only",
        ]
        screen = subprocess.Popen(command, cwd=Path(__file__).resolve().parent.parent)

        def end_screen() -> None:
            ended.wait()
            try:
                screen.wait(3.0)
            except subprocess.TimeoutExpired:
                screen.terminate()
                screen.wait()

        thread = threading.Thread(target=end_screen, daemon=True)
    else:
        from mac_side.screen.lines import follow

        thread = threading.Thread(
            target=follow, args=([view],), kwargs={"print_line": print, "stopped": ended.is_set}
        )
        thread.daemon = True
    thread.start()
    return thread
