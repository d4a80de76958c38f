"""The risk: a table that depends on when it was interrupted, how it was spread, or which set was lucky."""

from __future__ import annotations

import csv
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest

from commands.sweep import sweep
from mac_side.backtest.compiled import have_numba
from mac_side.backtest.engine import run_backtest
from mac_side.backtest.metrics import metrics_of
from mac_side.backtest.series import series_of
from mac_side.strategy.parameters import GridParameters, with_settings
from mac_side.strategy.presets import preset
from mac_side.sweep.files import Progress
from mac_side.sweep.forward import walked_forward
from mac_side.sweep.run import Figures, Outcome, Sweep, folds_of, run_sets
from mac_side.sweep.sets import check_sets, grid_of, published, published_names
from shared_schema.bars_file import Bar
from shared_schema.errors import DataError, SettingsError
from shared_schema.shanghai import shanghai
from tests.strategy.series import random_bars

GRID = ["atr_grid_factor=0.1,0.2,0.3", "max_layers=3,6", "live_rules=false,true"]


def written(folder: Path, bars: list[Bar]) -> Path:
    path = folder / "bars.csv"
    lines = [
        f"{shanghai(bar.end).isoformat(' ')},{bar.open},{bar.high},{bar.low},{bar.close}" for bar in bars
    ]
    path.write_text("\n".join(["time,open,high,low,close", *lines]) + "\n", encoding="utf-8")
    return path


@pytest.fixture
def bars() -> list[Bar]:
    return random_bars(11, days=6, ticks=2.0)


def outcomes_of(bars: list[Bar], sets: list[dict[str, object]], folds: int = 2) -> list[Outcome]:
    parameters = check_sets(preset("159201"), sets)
    made = Sweep(series_of(bars), "python", folds)
    made.prepare_for(parameters)
    return made.outcomes(list(enumerate(parameters)))


def test_every_set_has_the_figures_of_a_backtest_of_its_own(bars: list[Bar]) -> None:
    """All metrics of each set are those of ``miniqmt backtest``; out of sample those of a run begun there."""
    sets = grid_of(GRID)
    for outcome in outcomes_of(bars, sets):
        parameters = with_settings(preset("159201"), sets[outcome.number])
        assert outcome.metrics == asdict(metrics_of(run_backtest(bars, parameters, engine="step")))
    last = outcomes_of(bars, [{}])[0].outside[-1]
    alone = metrics_of(run_backtest(bars, preset("159201"), start=bars[4 * 240].end, engine="step"))
    assert (last.alpha, last.max_dd) == (alone.alpha / 2, alone.max_dd)


def test_in_sample_figures_know_nothing_of_later_bars(bars: list[Bar]) -> None:
    """A fold's in-sample figures are those of a file that ends where its out-of-sample part begins."""
    outcome = outcomes_of(bars, [{}])[0]
    cut = metrics_of(run_backtest(bars[: 4 * 240], preset("159201"), engine="step"))
    assert (outcome.inside[-1].alpha, outcome.inside[-1].max_dd) == (cut.alpha / 4, cut.max_dd)


def test_folds_are_whole_days_and_out_of_sample_follows_in_sample() -> None:
    """Each part but the first is once out of sample, in order, without overlap."""
    day = np.repeat(np.arange(10), 240)
    folds = folds_of(day, 4)
    assert [(fold.start // 240, fold.stop // 240) for fold in folds] == [(2, 4), (4, 6), (6, 8), (8, 10)]
    assert folds_of(day, 0) == ()
    with pytest.raises(DataError, match="10"):
        folds_of(day, 10)


@pytest.mark.slow
def test_a_sweep_killed_and_resumed_gives_the_same_table(
    tmp_path: Path, bars: list[Bar], capsys: pytest.CaptureFixture[str]
) -> None:
    """Whatever part was done and however its last line was torn, the table is the same byte for byte, and
    what was done is not done again."""
    path, out = written(tmp_path, bars), tmp_path / "whole.csv"
    sweep(path, GRID, out=out, folds=2, jobs=1, engine="python")
    wanted = out.read_bytes()
    lines: list[bytes] = []
    told = Progress.add

    def killed(self: Progress, outcomes: list[Outcome]) -> None:
        told(self, outcomes)
        lines[:] = self.path.read_bytes().splitlines(keepends=True)
        if len(lines) > 5:
            raise KeyboardInterrupt

    for torn in (0, 40):
        again = tmp_path / f"again{torn}.csv"
        with pytest.MonkeyPatch.context() as patch, pytest.raises(KeyboardInterrupt):
            patch.setattr(Progress, "add", killed)
            sweep(path, GRID, out=again, folds=2, jobs=1, engine="python")
        partial = again.with_name(again.name + ".partial")
        partial.write_bytes(b"".join(lines)[: -torn or None])
        capsys.readouterr()
        sweep(path, GRID, out=again, folds=2, jobs=1, engine="python")
        assert again.read_bytes() == wanted
        assert not partial.exists()
        assert f" {len(lines) - 1 - (torn > 0)} " in capsys.readouterr().out
    assert (tmp_path / "again0.png").read_bytes().startswith(b"\x89PNG")


def test_another_sweep_begins_anew(tmp_path: Path) -> None:
    """What was done for other data, sets or folds is not taken for this sweep."""
    figures = Figures(1.0, 2.0, 0.1, -0.1, 3.0)
    first = Progress(tmp_path / "s.csv", "one")
    first.begin([])
    first.add([Outcome(0, {"alpha": 1.25}, [figures], [figures])])
    assert Progress(tmp_path / "s.csv", "one").done() == [Outcome(0, {"alpha": 1.25}, [figures], [figures])]
    assert Progress(tmp_path / "s.csv", "two").done() == []


@pytest.mark.slow
def test_every_way_of_spreading_the_work_gives_the_same(bars: list[Bar]) -> None:
    """One worker, threads and processes, Python and numba: equal outcomes to the bit."""
    parameters = check_sets(preset("159201"), grid_of(GRID[:2]))
    ways = [("python", 1, None), ("python", 2, "threading")]
    ways += [("numba", 2, None)] if have_numba() else []
    found = []
    for engine, jobs, backend in ways:
        made = Sweep(series_of(bars), engine, 2)  # type: ignore[arg-type]
        made.prepare_for(parameters)
        batches = run_sets(made, list(enumerate(parameters)), jobs, backend, lambda done, left: None)
        found.append(sorted(outcome for batch in batches for outcome in batch))
    assert [len(each) for each in found] == [6] * len(ways)
    assert all(each == found[0] for each in found)


def test_the_table_is_ranked_by_the_named_score(tmp_path: Path, bars: list[Bar]) -> None:
    """Best first by the score that was named, in-sample and out-of-sample beside it, numbers unrounded."""
    out = tmp_path / "table.csv"
    sweep(written(tmp_path, bars), GRID[:1], out=out, score="max_dd", folds=2, jobs=1, engine="python")
    with out.open() as file:
        rows = list(csv.DictReader(file))
    drawdowns = [float(row["max_dd"]) for row in rows]
    assert drawdowns == sorted(drawdowns, reverse=True)
    assert [row["rank"] for row in rows] == ["1", "2", "3"]
    assert {"in_sample_max_dd", "out_of_sample_max_dd", "alpha", "trades"} <= set(rows[0])


@pytest.mark.slow
def test_the_page_shows_in_sample_beside_out_of_sample(tmp_path: Path, bars: list[Bar]) -> None:
    """One file without links: how many sets were tried, each fold's choice, the heat map; with no folds it
    says that every figure is in-sample."""
    path, page = written(tmp_path, bars), tmp_path / "S.html"
    sweep(path, GRID, out=tmp_path / "s.csv", folds=2, jobs=1, engine="python", report=page)
    text = page.read_text(encoding="utf-8")
    assert "共试了 12 组" in text and "样本外名次" in text and "data:image/png;base64," in text
    assert "http" not in text and "<script" not in text
    sweep(path, GRID[:1], out=tmp_path / "t.csv", folds=0, jobs=1, engine="python", report=page)
    assert "没有做前推检验" in page.read_text(encoding="utf-8")


def test_the_forward_walk_tells_what_the_chosen_set_did_later() -> None:
    """The set chosen in sample is judged by its place out of sample, beside the median of all."""

    def figures(alpha: float) -> Figures:
        return Figures(alpha, 0.0, 0.0, 0.0, 0.0)

    pairs = [(3.0, 1.0), (2.0, 2.0), (1.0, 3.0)]
    outcomes = [Outcome(n, {}, [figures(a)], [figures(b)]) for n, (a, b) in enumerate(pairs)]
    forward = walked_forward(outcomes, "alpha")
    (step,) = forward.steps
    assert (step.chosen, step.inside, step.outside, step.outside_place) == (0, 3.0, 1.0, 3)
    assert (step.median_outside, step.best_outside) == (2.0, 3.0)
    assert forward.rank_correlation == pytest.approx(-1.0)


def test_values_are_lists_ranges_and_weights() -> None:
    """Ranges hold both ends in exact decimals; weights are parted by semicolons; texts are checked."""
    assert [s["atr_grid_factor"] for s in grid_of(["atr_grid_factor=0.1:0.3:0.1,0.5"])] == [
        "0.1",
        "0.2",
        "0.3",
        "0.5",
    ]
    weights = check_sets(GridParameters(), grid_of(["layer_weights=1,1,2;2,1"]))
    assert [each.layer_weights for each in weights] == [(1.0, 1.0, 2.0), (2.0, 1.0)]
    for wrong in ("max_layers=", "max_layers=3:1:1", "max_layers=1:9:0", "max_layers=1:2"):
        with pytest.raises(SettingsError):
            grid_of([wrong])
    with pytest.raises(SettingsError, match="max_layers"):
        check_sets(GridParameters(), grid_of(["max_layer=3"]))


@pytest.mark.parametrize("name", published_names())
def test_the_published_sweeps_are_possible(name: str) -> None:
    """Each named sweep holds several different sets that any preset allows."""
    for base in ("159201", "512890"):
        sets = check_sets(preset(base), published(name))
        assert len({str(each) for each in sets}) >= len(sets) - 1 > 3
    with pytest.raises(SettingsError, match="layers"):
        published("layer")


@pytest.mark.parametrize(
    "wrong",
    [{"score": "luck"}, {"folds": 99}, {"grid": ()}, {"name": "layers"}],
    ids=["score", "folds", "nothing", "both"],
)
def test_what_cannot_be_run_is_refused_before_reading(wrong: dict[str, object], tmp_path: Path) -> None:
    """A wrong score, number of folds, or choice of sets ends with a sentence."""
    asked: dict[str, object] = {"grid": GRID, **wrong}
    with pytest.raises(SettingsError):
        sweep(tmp_path / "none.csv", **asked)  # type: ignore[arg-type]
