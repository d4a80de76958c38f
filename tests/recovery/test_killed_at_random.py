"""Real executors killed at random moments and points, life after life: the memories agree in the end."""

from __future__ import annotations

import os

import pytest

from test_offline.kills.runner import run

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")


@pytest.mark.slow
def test_no_series_of_kills_doubles_or_loses_anything() -> None:
    """Eight in a row here; ``python -m test_offline.kills --kills 60`` in CI, 20,000 as the long command."""
    tally = run(kills=8, seed=7)
    assert tally.broken == [] and tally.kills == 8
    assert tally.signals >= 8
