"""The archived release: its parameters and figures stay what they were when it was released."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

import pytest
from typer.testing import CliRunner

from commands.main import app_for
from mac_side.strategy.presets import RELEASES

RESULTS = tomllib.loads((RELEASES / "v1.0.0" / "results.toml").read_text(encoding="utf-8"))


def test_the_released_command_still_gives_its_figures(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """``backtest --release v1.0.0`` as typed, in a folder without history: every archived figure, exactly."""
    monkeypatch.chdir(tmp_path)
    words = ["backtest", "--release", "v1.0.0", "--metrics-out", "m.json"]
    ended = CliRunner().invoke(app_for(words), words)
    assert ended.exit_code == 0, ended.exception
    told = json.loads((tmp_path / "m.json").read_text(encoding="utf-8"))
    assert {name: told[name] for name in RESULTS["sample"]} == RESULTS["sample"]
    archived = tomllib.loads((RELEASES / "v1.0.0" / "parameters.toml").read_text(encoding="utf-8"))
    assert told["parameters"] == archived["parameters"], "every parameter is archived, so no default moves it"


def test_the_published_figures_stand_beside_ours() -> None:
    """As the release stated them, on a history that is not at hand."""
    assert RESULTS["published"] == {
        "alpha": 40674.07, "trades": 425, "exhaust_count": 8, "exhaust_cycles": 6,
        "losing_cycles": 0, "flow_ann": 0.2115, "flow_ann_util": 0.3518,
    }  # fmt: skip
