"""The risk: a file that brings a process down, hangs it, or is believed though the contract forbids it."""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest

from test_offline.fuzz.__main__ import main, table
from test_offline.fuzz.runner import Failure, run, try_one
from test_offline.fuzz.targets import TARGETS
from test_offline.fuzz.trial import Trial, WronglyAccepted

SEED = 20261118


@pytest.mark.slow
def test_no_input_crashes_hangs_or_is_wrongly_accepted(
    pytestconfig: pytest.Config, capsys: pytest.CaptureFixture[str]
) -> None:
    """Every target takes its share of the slice; each has some that are taken and some that are refused."""
    failures: list[Failure] = []
    counts = run(TARGETS, pytestconfig.getoption("--fuzz"), SEED, tell=failures.append)
    with capsys.disabled():
        print("\n" + table(counts))
    assert [(failure.target, failure.index, failure.made) for failure in failures] == []
    for name, found in counts.items():
        assert found.outcomes["accepted"] and found.outcomes["refused"], (
            f"{name} tells nothing: {found.outcomes}"
        )


def test_an_input_replays_alone(tmp_path: Path) -> None:
    """Seed, target and number name the bytes, whatever was tried before."""
    for name in ("signal", "names", "bars", "core"):
        make, _ = TARGETS[name]
        first, second = (make(Random(f"{SEED}/{name}/7"), tmp_path) for _ in range(2))
        assert (first.raw, first.made) == (second.raw, second.made)


def broken(kind: str) -> Trial:
    def judge() -> str:
        if kind == "crash":
            raise ZeroDivisionError
        if kind == "wrongly accepted":
            raise WronglyAccepted("believed")
        while True:
            pass

    return Trial(b"x", "made", judge)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["crash", "wrongly accepted", "hang"])
def test_the_ring_sees_what_it_looks_for(tmp_path: Path, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A reader that crashes, believes or never returns is counted as that, and its input is kept."""
    outcome, failure, _ = try_one("broken", lambda random, place: broken(kind), SEED, 3, tmp_path)
    assert outcome == kind and failure is not None and failure.raw == b"x" and failure.index == 3
    monkeypatch.setitem(TARGETS, "signal", (lambda random, place: broken(kind), 1))
    given = ["--target", "signal", "--inputs", "1", "--keep", str(tmp_path / "kept"), "--show", "0"]
    assert main(given) == 1
    assert (tmp_path / "kept" / "signal-1-0.input").read_bytes() == b"x"
