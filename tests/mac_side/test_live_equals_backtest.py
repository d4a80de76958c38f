"""The risk: the live engine trades otherwise than the backtest that was believed (one step, two callers)."""

from __future__ import annotations

from pathlib import Path

import pytest

from mac_side.strategy.presets import preset
from shared_schema.bars_file import read_bars
from tests.mac_side.live_run import PARITY, compare, sample_bars

DAYS = 3
"""Of the parity bars and of the sample; ``python -m tests.mac_side.live_run`` runs all, and 120 days."""


@pytest.mark.slow
@pytest.mark.parametrize("name", ["159201", "demo"])
def test_every_live_order_is_the_backtests_trade(name: str) -> None:
    """Bar by bar through quote, signal and result files, filled at the signal's price, base position, no cap,
    no session clock: the same orders and the same lots, to the share."""
    assert compare(read_bars(PARITY)[: 240 * DAYS], preset(name)) > 3


@pytest.mark.slow
def test_under_live_rules_the_backtest_is_the_live_engine_without_a_base_position(tmp_path: Path) -> None:
    """With the session clock, the cap and T+1 the engine trades as ``live_rules`` says it would."""
    assert compare(sample_bars(DAYS, tmp_path), preset("demo"), live_rules=True) > 5
