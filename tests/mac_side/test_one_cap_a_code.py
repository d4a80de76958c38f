"""The risk: dashboard and executor cap a code differently, and one refuses what the other wants."""

from __future__ import annotations

from pathlib import Path

import pytest

from mac_side.mac_dashboard import engine_config
from shared_schema.settings import load_settings


@pytest.mark.parametrize(
    ("limits", "overrides", "cap"),
    [
        ({}, {}, 200_000.0),
        ({"limits.pool_code_yuan": 150_000}, {}, 150_000.0),
        ({"limits.pool_code_yuan": 0}, {}, 0.0),
        ({"limits.pool_code_yuan": 1e12}, {}, 1e9),
        ({}, {"nominal_cap": 90_000}, 90_000.0),
    ],
)
def test_the_dashboards_cap_is_the_pools(
    tmp_path: Path, limits: dict[str, object], overrides: dict[str, object], cap: float
) -> None:
    """``limits.pool_code_yuan`` holds on both sides; 0 is no cap; a parameter of the strategy goes before."""
    settings = load_settings(
        environment={"RUNTIME_DIR": str(tmp_path)},
        working_folder=tmp_path,
        overrides={**limits, "strategy.overrides": overrides},
    )
    assert engine_config(settings, tmp_path, "", offline=False).parameters.nominal_cap == cap
