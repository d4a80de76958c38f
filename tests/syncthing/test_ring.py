"""Over a real sync tool, through its faults: nothing doubled, nothing lost, everything answered."""

from __future__ import annotations

from pathlib import Path

import pytest

from test_offline.syncthing_ring.ring import run


@pytest.mark.slow
def test_forty_signals_over_two_real_engines(needs_syncthing: None, tmp_path: Path) -> None:
    """Through every kind of fault the broker has each order once, and the script knows the end of each."""
    verdict = run(tmp_path, signals=40, seed=1, every=3)
    assert verdict.problems == ()
    assert verdict.signals == 40
    assert len(verdict.faults) >= 10, f"too few faults had their moment: {verdict.faults}"
    assert verdict.unequal == ()
