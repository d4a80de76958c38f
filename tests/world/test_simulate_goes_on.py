"""``miniqmt simulate --resume``: a long run that was interrupted goes on, and forgets no violation unseen."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from commands.simulate import play, simulate


def kept(path: Path) -> dict[str, object]:
    """The tally in the file, without what a clock measured."""
    return {key: value for key, value in json.loads(path.read_text()).items() if key != "seconds"}


@pytest.mark.slow
def test_a_run_in_two_parts_counts_what_one_run_counts(tmp_path: Path) -> None:
    """Seeds, signals, calls and faults: none twice, none left out."""
    assert simulate(2, 3, 1, tmp_path / "parts.json", "") == 0
    assert simulate(5, 3, 1, tmp_path / "parts.json", "") == 0
    assert simulate(5, 3, 1, tmp_path / "whole.json", "") == 0
    assert kept(tmp_path / "parts.json") == kept(tmp_path / "whole.json")


@pytest.mark.slow
def test_what_broke_before_is_played_by_the_code_of_now(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A violation noted by earlier code counts only while it can still be seen."""
    path = tmp_path / "tally.json"
    simulate(1, 3, 1, path, "")
    path.write_text(json.dumps(json.loads(path.read_text()) | {"violations": [[3, "seed 3: I5"]]}))
    capsys.readouterr()
    assert simulate(2, 3, 1, path, "") == 0
    assert "1 个种子已用现在的代码重跑，仍违反 0 个" in capsys.readouterr().out
    assert kept(path)["violations"] == []


def test_a_violation_that_is_still_there_fails_the_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An unmended seed is told again, and the run ends with 1."""
    from test_offline.world import run

    broken = run.Outcome(3, violation="I5: still")
    monkeypatch.setattr(run, "run_seed", lambda seed, only: broken)
    path = tmp_path / "tally.json"
    assert simulate(1, 3, 1, path, "") == 1
    assert simulate(1, 3, 1, path, "") == 1
    assert len(json.loads(path.read_text())["violations"]) == 1
    assert play(3, 1, "").violations
