"""What two real engines were seen to do, the simulated one can do, and it does nothing that is milder."""

from __future__ import annotations

from collections import Counter

import pytest

from test_offline.syncthing_ring.behaviours import BEHAVIOURS
from test_offline.world.sync import TOOLS
from tests.syncthing.simulated_pair import SimulatedPair

SYNCTHING = next(tool for tool in TOOLS if tool.name == "syncthing")
SEEDS = 40


@pytest.mark.slow
@pytest.mark.parametrize("name", BEHAVIOURS)
def test_outcomes_of_the_simulated_engine_are_those_of_the_real_one(name: str) -> None:
    """Over 40 seeds each behaviour ends only as it may, and at least once as it must."""
    known = BEHAVIOURS[name]
    seen = Counter(
        known.observe(SimulatedPair(seed, SYNCTHING), f"order_signal_{name}.json") for seed in range(SEEDS)
    )
    assert seen.keys() <= known.may, f"never seen of a real pair: {dict(seen)}"
    assert known.must <= seen.keys(), f"a real pair does this too: {sorted(known.must - seen.keys())}"
