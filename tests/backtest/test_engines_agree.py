"""The risk: a fast copy of the step that trades otherwise than the step."""

from __future__ import annotations

import numpy as np
import pytest

from mac_side.backtest.compiled import have_numba
from mac_side.backtest.engine import run_backtest
from mac_side.backtest.result import REASONS
from mac_side.strategy.parameters import GridParameters
from shared_schema.errors import SettingsError
from tests.backtest.engines_agree import case, difference
from tests.strategy.series import random_bars


@pytest.mark.slow
@pytest.mark.parametrize("part", range(4))
def test_every_engine_trades_as_the_step(part: int) -> None:
    """On random series under random settings every trade, fee, cash and count is the step's, to the bit.
    (``python -m tests.backtest.engines_agree --count 1000`` compares a thousand.)"""
    assert [text for seed in range(part * 20, part * 20 + 20) if (text := difference(seed))] == []


def test_the_random_settings_reach_every_kind_of_trade() -> None:
    """The comparison means something: each reason, live rules and both counts occur in its slice."""
    reasons, live, full, paused = set(), 0, 0, 0
    for seed in range(80):
        bars, parameters = case(seed)
        result = run_backtest(bars, parameters, engine="python")
        reasons |= {trade.reason for trade in result.trades}
        live += parameters.live_rules and len(result.table) > 3
        full, paused = full + result.full_bars, paused + result.paused_bars
    assert reasons == set(REASONS)
    assert live > 5
    assert full and paused


@pytest.mark.parametrize("engine", ["python", "step"])
def test_a_price_that_is_no_price_trades_nothing(engine: str) -> None:
    """Rows with a price of 0 are passed over by every engine alike."""
    bars = random_bars(4, days=2)
    bars[300] = bars[300]._replace(close=0.0)
    with np.errstate(all="ignore"):
        result = run_backtest(bars, GridParameters(), engine=engine)  # type: ignore[arg-type]
    assert 300 - 74 not in result.table.row


def test_an_unknown_engine_is_refused() -> None:
    """A mistyped engine names the known ones; numba where it is not installed says how to get it."""
    with pytest.raises(SettingsError, match="python"):
        run_backtest(random_bars(1, days=1), GridParameters(), engine="fast")  # type: ignore[arg-type]
    if not have_numba():
        with pytest.raises(SettingsError, match="numba"):
            run_backtest(random_bars(1, days=1), GridParameters(), engine="numba")
