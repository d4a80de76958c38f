"""``miniqmt simulate``: the simulated world, schedule after schedule, with what was seen and what broke."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from commands.simulate_tally import Tally, keep, print_end, resumed
from shared_schema.errors import SettingsError
from shared_schema.words import say, say_both

BATCH = 50
"""Schedules a process plays before it reports."""
SHOWN = 5
"""Violations told whole."""
SAID_EVERY = 1000
"""Schedules between two lines where there is no terminal."""


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("simulate")(_command)


def play(first: int, count: int, only: str) -> Tally:
    """Play the schedules of seeds ``first`` to ``first + count - 1``."""
    from test_offline.world.run import freeze_garbage, run_seed

    freeze_garbage()
    tally = Tally()
    for seed in range(first, first + count):
        outcome = run_seed(seed, only)
        tally.done += 1
        tally.signals += outcome.signals
        tally.calls += outcome.calls
        tally.fired.update(outcome.fired)
        tally.schedules.update(outcome.fired.keys())
        if outcome.violation:
            tally.violations.append((seed, outcome.told))
    return tally


def simulate(schedules: int, seed: int, jobs: int, resume: Path | None, only: str) -> int:
    """Play ``schedules`` schedules from ``seed`` on; 0 where no invariant broke, else 1.

    With ``resume`` the tally is kept in that file, and a second run goes on where the first one stopped; the
    seeds that broke an invariant then are played once more first, by the code of now.
    """
    tally = resumed(resume, seed, only)
    _play_again(tally, only)
    begun, before = time.monotonic(), tally.seconds
    with Progressing(schedules, tally) as shown:
        for part in _parts(seed + tally.done, schedules - tally.done, jobs, only):
            tally.add(part)
            tally.seconds = before + time.monotonic() - begun
            for _, told in part.violations[: max(0, SHOWN - len(tally.violations) + len(part.violations))]:
                shown.say(told)
            shown.now(tally)
            if resume is not None:
                keep(resume, tally, seed, only)
    print_end(tally)
    return 1 if tally.violations else 0


class Progressing:
    """How far it has come: a bar on a terminal, else a line now and then."""

    def __init__(self, schedules: int, tally: Tally) -> None:
        self._schedules, self._said = schedules, tally.done
        columns = (BarColumn(), TextColumn("{task.description}"), TimeRemainingColumn())
        self._bar = Progress(*columns, disable=not sys.stdout.isatty())
        self._task = self._bar.add_task(_told(tally, schedules), total=schedules, completed=tally.done)

    def __enter__(self) -> Progressing:
        self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.stop()

    def say(self, text: str) -> None:
        """A line of its own, as it is."""
        self._bar.console.print(f"\n{text}", markup=False, highlight=False, soft_wrap=True)

    def now(self, tally: Tally) -> None:
        """So far."""
        line = _told(tally, self._schedules)
        self._bar.update(self._task, completed=tally.done, description=line)
        if self._bar.disable and (tally.done - self._said >= SAID_EVERY or tally.done == self._schedules):
            self._said = tally.done
            print(line, flush=True)


def _told(tally: Tally, schedules: int) -> str:
    rate = tally.done / tally.seconds if tally.seconds else 0.0
    found = len(tally.violations)
    return say("simulate.progress", done=tally.done, all=schedules, rate=f"{rate:.1f}", violations=found)


def _play_again(tally: Tally, only: str) -> None:
    """Keep of the violations found before those that the code of now still shows."""
    again = [play(seed, 1, only) for seed, _ in tally.violations]
    still = [violation for one in again for violation in one.violations]
    if again:
        print(say("simulate.again", count=len(again), still=len(still)), flush=True)
    tally.violations = still


def _parts(first: int, count: int, jobs: int, only: str) -> Iterator[Tally]:
    """The tallies of batches, in the order of their seeds: a resumed run then never leaves one out."""
    batches = [(start, min(BATCH, first + count - start)) for start in range(first, first + count, BATCH)]
    if jobs == 1:
        for start, size in batches:
            yield play(start, size, only)
        return
    with ProcessPoolExecutor(jobs) as pool:
        waiting = list(reversed(batches))
        running: dict[int, Future[Tally]] = {}
        for start, _ in batches:
            while waiting and len(running) < 4 * jobs:
                begin, size = waiting.pop()
                running[begin] = pool.submit(play, begin, size, only)
            wait([running[start]], return_when=FIRST_COMPLETED)
            yield running.pop(start).result()


def _help(name: str) -> str:
    return say_both(f"simulate.help_{name}")


def _command(
    schedules: Annotated[int, typer.Option("--schedules", min=1, help=_help("schedules"))] = 2000,
    seed: Annotated[int, typer.Option("--seed", help=_help("seed"))] = 1,
    jobs: Annotated[int, typer.Option("--jobs", min=1, help=_help("jobs"))] = 2,
    resume: Annotated[Path | None, typer.Option("--resume", help=_help("resume"))] = None,
    only: Annotated[str, typer.Option("--only", help=_help("only"))] = "",
    points: Annotated[bool, typer.Option("--points", help=_help("points"))] = False,
    pairs: Annotated[bool, typer.Option("--pairs", help=_help("pairs"))] = False,
    trace: Annotated[bool, typer.Option("--trace", help=_help("trace"))] = False,
    shrink_: Annotated[bool, typer.Option("--shrink", help=_help("shrink"))] = False,
    weeks: Annotated[int, typer.Option("--weeks", min=0, help=_help("weeks"))] = 0,
) -> None:
    from test_offline.world.faults import FAULTS

    if only and not set(only.split(",")) <= set(FAULTS):
        raise SettingsError("simulate.no_such_fault", only, known=", ".join(sorted(FAULTS)))
    if weeks:
        raise typer.Exit(_soak(seed, weeks))
    if points or pairs:
        raise typer.Exit(_points(seed, pairs))
    if trace or shrink_:
        raise typer.Exit(_one(seed, only, shrink_))
    raise typer.Exit(simulate(schedules, seed, jobs, resume, only))


def _points(seed: int, in_pairs: bool) -> int:
    """The executor dies at each of its named points, or at each pair of them."""
    from test_offline.world import points

    played, missed, broken = 0, [], 0
    for names in points.pairs() if in_pairs else points.singles():
        outcomes, reached = points.play(names, seed)
        played += 1
        if not reached:
            missed.append("+".join(names))
        for outcome in outcomes:
            if outcome.violation:
                broken += 1
                print(f"\n{'+'.join(names)}: {outcome.told}", flush=True)
    print(say("simulate.points", played=played, missed=len(missed), which=", ".join(missed[:20]) or "-"))
    print(say("simulate.broken", count=broken, seeds="-") if broken else say("simulate.held"))
    return 1 if broken else 0


def _soak(seed: int, weeks: int) -> int:
    """One world over ``weeks`` trading weeks; a line at each day's end."""
    from test_offline.world.soak import DAYS_A_WEEK, soak
    from test_offline.world.violation import Violation

    begun, signals = time.monotonic(), 0
    print(say("simulate.soak_head"))
    try:
        for end in soak(seed, weeks * DAYS_A_WEEK):
            signals += end.signals
            first = f"{end.day} {end.signals:5d} {end.calls:5d} {end.starts:6d} {end.memory:7.1f}"
            then = f"{end.descriptors:5d} {end.objects:9d} {end.files:6d} {end.archived:8d} {end.books:9d}"
            print(first, then, flush=True)
    except Violation as problem:
        print(say("simulate.soak_broken", problem=problem, seed=seed))
        return 1
    print(say("simulate.soak_end", weeks=weeks, signals=signals, seconds=f"{time.monotonic() - begun:.0f}"))
    return 0


def _one(seed: int, only: str, smaller: bool) -> int:
    """One seed with its whole trace, or first made as small as its violation allows."""
    from test_offline.world.run import run_plan, shrink
    from test_offline.world.schedule import plan_of

    plan = plan_of(seed, only)
    if smaller:
        plan = shrink(plan)
        faults = ", ".join(f"{one.fault}@{one.at:.1f}" for one in plan.injections) or "-"
        print(say("simulate.shrunk", faults=faults, wishes=len(plan.script)))
    outcome = run_plan(plan)
    print("\n".join(outcome.trace))
    print(f"{outcome.violation}\n{outcome.where}" if outcome.violation else say("simulate.held"))
    return 1 if outcome.violation else 0
