"""``miniqmt sweep``: many sets of parameters over one file, walked forward, ranked."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from commands.backtest import chosen_parameters, found_bars
from mac_side.backtest.compiled import chosen_engine
from mac_side.backtest.read_series import read_series
from mac_side.backtest.result_files import write_whole
from mac_side.strategy.parameters import GridParameters
from mac_side.sweep.files import Progress, Row, ranked_rows, sweep_key, write_table
from mac_side.sweep.forward import Forward, walked_forward
from mac_side.sweep.page import settings_text, write_sweep_page
from mac_side.sweep.run import DEFAULT_FOLDS, SCORES, Outcome, Sweep, run_sets
from mac_side.sweep.sets import Settings, check_sets, grid_of, published
from shared_schema.errors import SettingsError
from shared_schema.shanghai import day_of
from shared_schema.words import say_both

MOST_FOLDS = 50


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("sweep")(_command)


def sweep(
    csv: Path | None = None,
    grid: Sequence[str] = (),
    name: str | None = None,
    preset: str | None = None,
    set_: Sequence[str] = (),
    out: Path = Path("sweep_results.csv"),
    plot: Path | None = None,
    score: str = "alpha",
    folds: int = DEFAULT_FOLDS,
    jobs: int = -1,
    engine: str = "auto",
    backend: str | None = None,
    top: int = 10,
    report: Path | None = None,
) -> int:
    """Run the sweep, print its best sets and what they did out of sample, write table and picture; 0.

    ``grid`` holds ``key=a,b,c`` texts, or ``name`` is a published sweep. A sweep that was stopped goes on
    from the file beside ``out``. Raises SettingsError, DataError or FolderError.
    """
    if score not in SCORES:
        raise SettingsError("sweep.unknown_score", score, known=", ".join(SCORES))
    if not 0 <= folds <= MOST_FOLDS:
        raise SettingsError("sweep.bad_folds", folds, most=MOST_FOLDS)
    if bool(grid) == bool(name):
        raise SettingsError("sweep.nothing_to_try")
    base, code = chosen_parameters(preset, None, list(set_))
    sets = published(name) if name else grid_of(grid)
    parameters = check_sets(base, sets)
    chosen = chosen_engine(engine)
    path = csv if csv is not None else found_bars(code)[0]
    made = Sweep(read_series(path, chosen), chosen, folds)
    made.prepare_for(parameters)
    print(say_both("sweep.reading", path=path, bars=f"{len(made.series):,}", sets=len(sets), folds=folds))
    progress = Progress(out, sweep_key(path, base, sets, folds))
    outcomes = _run(made, parameters, progress, jobs, backend)
    rows = ranked_rows(outcomes, sets, score, [each.curve_base for each in parameters])
    write_table(out, rows)
    picture = _picture(rows, sets, score, f"{path.name}  {len(sets)} sets")
    write_whole(plot or out.with_suffix(".png"), picture)
    forward = walked_forward(sorted(outcomes, key=lambda each: each.number), score) if folds else None
    ground = made.ground(parameters[0])
    starts = [day_of(float(ground.prepared.end[part.first])) for part in ground.outside]
    if report is not None:
        source = f"{path.name} · {len(made.series):,} bars"
        write_sweep_page(report, rows, sets, score, picture, forward, starts, source)
    progress.finish()
    for line in _told(rows, sets, score, forward, starts, top):
        print(line)
    for written in (out, plot or out.with_suffix(".png"), report):
        if written is not None:
            print(say_both("backtest.written", path=written))
    return 0


def _run(
    made: Sweep, parameters: Sequence[GridParameters], progress: Progress, jobs: int, backend: str | None
) -> list[Outcome]:
    """All outcomes: those a former run left, and the rest by all workers."""
    outcomes = progress.done()
    if outcomes:
        print(say_both("sweep.going_on", done=len(outcomes)))
    progress.begin(outcomes)
    known = {each.number for each in outcomes}
    work = [(number, each) for number, each in enumerate(parameters) if number not in known]
    begun = time.perf_counter()
    for batch in run_sets(made, work, jobs, backend, _Meter(len(known), len(parameters)).told):
        progress.add(batch)
        outcomes.extend(batch)
    spent = time.perf_counter() - begun
    if work:
        rate = f"{len(work) / spent:,.0f}" if spent > 0 else "-"
        print(say_both("sweep.took", sets=len(work), seconds=f"{spent:.2f}", rate=rate))
    return outcomes


class _Meter:
    """Tells how far it is: on a terminal in one line, else a line every few seconds."""

    def __init__(self, known: int, sets: int) -> None:
        self.known, self.sets, self.before = known, sets, 0.0
        self.terminal = sys.stderr.isatty()

    def told(self, done: int, left: float) -> None:
        """``done`` sets of this run are done, about ``left`` seconds remain."""
        now, all_done = time.monotonic(), self.known + done >= self.sets
        if not all_done and now - self.before < (0.1 if self.terminal else 5.0):
            return
        self.before = now
        left_text = f"{int(left) // 60}:{int(left) % 60:02d}"
        line = say_both("sweep.progress", done=self.known + done, sets=self.sets, left=left_text)
        ending = "\n" if all_done or not self.terminal else ""
        # The blanks cover what a longer line before has left.
        print(("\r" if self.terminal else "") + line + " " * 6, end=ending, file=sys.stderr, flush=True)


def _picture(rows: Sequence[Row], sets: Sequence[Settings], score: str, title: str) -> bytes:
    from mac_side.sweep.heat_map import heat_map

    names = list(dict.fromkeys(name for settings in sets for name in settings))
    varied = [name for name in names if len({str(settings.get(name, "")) for settings in sets}) > 1]
    is_grid = all(set(settings) == set(names) for settings in sets)
    return heat_map(rows, varied if is_grid else [], score, title)


def _told(
    rows: Sequence[Row],
    sets: Sequence[Settings],
    score: str,
    forward: Forward | None,
    starts: Sequence[str],
    top: int,
) -> list[str]:
    """The best sets, the folds, and the caution, as lines."""
    lines = [say_both("sweep.best", score=score, count=min(top, len(rows)))]
    if forward and score in ("alpha", "total_profit"):
        lines.append(say_both("sweep.per_day"))
    for row in rows[:top]:
        lines.append(
            say_both(
                "sweep.line",
                rank=row["rank"],
                settings=settings_text(sets[row["set"]]),
                whole=_number(row[f"score_{score}"]),
                inside=_number(row[f"in_sample_{score}"]),
                outside=_number(row[f"out_of_sample_{score}"]),
                alpha=f"{row['alpha']:,.2f}",
                trades=row["trades"],
                drawdown=f"{row['max_dd']:.2%}",
            )
        )
    if forward is None:
        return [*lines, say_both("sweep.no_forward")]
    for number, (step, start) in enumerate(zip(forward.steps, starts, strict=True), 1):
        lines.append(
            say_both(
                "sweep.fold",
                fold=number,
                first=start,
                chosen=step.chosen,
                settings=settings_text(sets[step.chosen]),
                inside=_number(step.inside),
                outside=_number(step.outside),
                place=step.outside_place,
                sets=len(sets),
                median=_number(step.median_outside),
            )
        )
    told = f"{forward.rank_correlation:+.2f}"
    return [*lines, say_both("sweep.tried", sets=len(sets), correlation=told)]


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:,.4g}" if abs(value) < 1000 else f"{value:,.2f}"


def _command(
    csv: Annotated[Path | None, typer.Option("--csv", help=say_both("backtest.help_csv"))] = None,
    grid: Annotated[list[str] | None, typer.Option("--grid", help=say_both("sweep.help_grid"))] = None,
    name: Annotated[str | None, typer.Option("--sweep", help=say_both("sweep.help_sweep"))] = None,
    preset: Annotated[str | None, typer.Option("--preset", help=say_both("backtest.help_preset"))] = None,
    set_: Annotated[list[str] | None, typer.Option("--set", help=say_both("backtest.help_set"))] = None,
    out: Annotated[Path, typer.Option("--out", help=say_both("sweep.help_out"))] = Path("sweep_results.csv"),
    plot: Annotated[Path | None, typer.Option("--plot", help=say_both("sweep.help_plot"))] = None,
    score: Annotated[str, typer.Option("--score", help=say_both("sweep.help_score"))] = "alpha",
    folds: Annotated[int, typer.Option("--folds", help=say_both("sweep.help_folds"))] = DEFAULT_FOLDS,
    jobs: Annotated[int, typer.Option("--jobs", help=say_both("sweep.help_jobs"))] = -1,
    engine: Annotated[str, typer.Option("--engine", help=say_both("backtest.help_engine"))] = "auto",
    backend: Annotated[str | None, typer.Option("--backend", help=say_both("sweep.help_backend"))] = None,
    top: Annotated[int, typer.Option("--top", help=say_both("sweep.help_top"))] = 10,
    report: Annotated[Path | None, typer.Option("--report", help=say_both("sweep.help_report"))] = None,
) -> None:
    raise typer.Exit(
        sweep(
            csv,
            grid or (),
            name,
            preset,
            set_ or (),
            out,
            plot,
            score,
            folds,
            jobs,
            engine,
            backend,
            top,
            report,
        )
    )
