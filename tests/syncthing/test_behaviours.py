"""The real engines do what observed.md says, so that what is checked against it is checked against them."""

from __future__ import annotations

import pytest

from test_offline.syncthing_ring.behaviours import BEHAVIOURS
from test_offline.syncthing_ring.pair import SyncthingPair
from test_offline.syncthing_ring.real_pair import RealPair


@pytest.mark.slow
@pytest.mark.parametrize("behaviour", BEHAVIOURS)
def test_real_engines_do_what_was_written_down(behaviour: str, real_engines: SyncthingPair) -> None:
    """Each behaviour ends as one of the outcomes measured before, no other."""
    known = BEHAVIOURS[behaviour]
    outcome = known.observe(RealPair(real_engines), f"order_signal_{behaviour}.json")
    assert outcome in known.may
