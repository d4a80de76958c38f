"""The risk: the command reads another file or other parameters than it says."""

from __future__ import annotations

import shutil
import tomllib
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest
import typer
from typer.testing import CliRunner

from commands.backtest import SAMPLES, backtest, chosen_parameters, register, summary
from mac_side.backtest.engine import run_backtest
from mac_side.backtest.metrics import FEW_DAYS, metrics_of
from mac_side.strategy.presets import RELEASES, preset, release
from shared_schema.bars_file import read_bars
from shared_schema.errors import FolderError, SettingsError
from shared_schema.sample.make_sample_bars import INSTRUMENTS, sample_text


def test_without_csv_it_reads_the_history_here_else_the_sample_and_says_which(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """``history_159201_1m.csv`` in the working folder wins; without it the shipped sample is read."""
    monkeypatch.chdir(tmp_path)
    assert backtest() == 0
    assert "sample_159201.csv" in capsys.readouterr().out
    shutil.copy(SAMPLES / "sample_512890.csv", tmp_path / "history_159201_1m.csv")
    assert backtest() == 0
    assert "history_159201_1m.csv" in capsys.readouterr().out


def test_the_drawdown_is_printed_once_as_a_percentage(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The published tool showed it 100 times too large: here a fraction becomes a percentage once."""
    monkeypatch.chdir(tmp_path)
    backtest()
    result = run_backtest(read_bars(SAMPLES / "sample_159201.csv"), preset("159201"))
    assert f" {metrics_of(result).max_dd:.2%} " in capsys.readouterr().out


def test_a_year_told_from_few_days_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """102.88 % a year from eight generated days is called an extrapolation; from 60 days it is none."""
    monkeypatch.chdir(tmp_path)
    backtest(report=tmp_path / "r.html")
    assert "仅 8 个交易日，外推" in capsys.readouterr().out
    assert "仅由 8 个交易日外推" in (tmp_path / "r.html").read_text(encoding="utf-8")
    result = run_backtest(read_bars(SAMPLES / "sample_159201.csv"), preset("159201"))
    days = np.repeat(np.arange(FEW_DAYS), len(result.day) // FEW_DAYS + 1)[: len(result.day)]
    assert "外推" not in "".join(summary("p", replace(result, day=days), result))


@pytest.mark.slow
def test_the_picture_is_a_png(tmp_path: Path) -> None:
    """``--plot`` leaves a PNG."""
    backtest(csv=SAMPLES / "sample_159201.csv", plot=tmp_path / "P.png")
    assert (tmp_path / "P.png").read_bytes().startswith(b"\x89PNG")


def test_an_unwritable_target_is_named(tmp_path: Path) -> None:
    """A folder that is not there gives exit code 2 and the path, and leaves nothing behind."""
    with pytest.raises(FolderError, match="nowhere") as wrong:
        backtest(csv=SAMPLES / "sample_159201.csv", trades_out=tmp_path / "nowhere" / "T.csv")
    assert wrong.value.exit_code == 2


def test_the_typed_command_takes_every_option(tmp_path: Path) -> None:
    """The interface of the issue works as typed; --set repeats."""
    app = typer.Typer()
    register(app)
    files = [tmp_path / name for name in ("T.csv", "M.json")]
    typed = ["--preset", "512890", "--csv", str(SAMPLES / "sample_512890.csv")]
    typed += ["--set", "max_layers=5", "--set", "cooling_enabled=true"]
    typed += ["--trades-out", str(files[0]), "--metrics-out", str(files[1])]
    done = CliRunner().invoke(app, typed)
    assert done.exit_code == 0, done.output
    assert all(file.stat().st_size > 100 for file in files)


def test_preset_and_release_exclude_each_other() -> None:
    """Two whole sets of parameters are one too many."""
    with pytest.raises(SettingsError):
        chosen_parameters("159201", "v1.0.0", [])


def test_the_release_still_gives_its_figures() -> None:
    """``releases/v1.0.0`` on the shipped sample gives exactly the archived figures."""
    with (RELEASES / "v1.0.0" / "results.toml").open("rb") as file:
        archived = tomllib.load(file)
    result = run_backtest(read_bars(SAMPLES / "sample_159201.csv"), release("v1.0.0"))
    assert asdict(metrics_of(result)) == pytest.approx(archived["sample"], abs=1e-6)
    assert archived["published"]["alpha"] == 40674.07


def test_the_release_is_the_159201_preset() -> None:
    """What was released is the preset users know."""
    assert release("v1.0.0") == preset("159201")


@pytest.mark.parametrize("instrument", INSTRUMENTS, ids=lambda each: each.code)
def test_the_shipped_sample_is_what_its_script_makes(instrument: object) -> None:
    """The file is generated and reproducible byte for byte."""
    shipped = (SAMPLES / f"sample_{instrument.code[:6]}.csv").read_text(encoding="utf-8")  # type: ignore[attr-defined]
    assert shipped == sample_text(instrument)  # type: ignore[arg-type]
    assert shipped.startswith("# generated")
