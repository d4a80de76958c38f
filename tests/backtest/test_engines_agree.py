"""The risk: a fast copy of the step that trades otherwise than the step."""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from mac_side.backtest import grid_loop, walk_rows
from mac_side.backtest.compiled import have_numba
from mac_side.backtest.engine import run_backtest
from mac_side.backtest.result import REASONS
from mac_side.strategy.parameters import GridParameters
from shared_schema.errors import SettingsError
from tests.backtest.engines_agree import case, difference, same
from tests.strategy.series import random_bars

SLICE = 100


@pytest.mark.slow
@pytest.mark.parametrize("part", range(4))
def test_every_engine_trades_as_the_step(part: int) -> None:
    """On random series under random settings every trade, fee, cash and count is the step's, to the bit.
    (``python -m tests.backtest.engines_agree --count 1000`` compares a thousand.)"""
    assert [text for seed in range(part * 25, part * 25 + 25) if (text := difference(seed))] == []


@pytest.mark.slow
def test_the_random_settings_reach_every_kind_of_trade() -> None:
    """The comparison means something: each reason, live rules and both counts occur in its slice."""
    reasons, live, full, paused = set(), 0, 0, 0
    for seed in range(SLICE):
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


MUTANTS = [
    ("price <= anchor * (1 - step * buy_factor)", "price < anchor * (1 - step * buy_factor)"),
    ("layers < most and price <= anchor * (1 - step)", "price <= anchor * (1 - step)"),
    ("- cost < -stop_loss", "- cost <= -stop_loss"),
    ("price >= lowest * target", "price > lowest * target"),
    ("sellable = held\n", "sellable = held + 100\n"),
    ("rsi[i] < cooling_threshold", "rsi[i] <= cooling_threshold"),
    ("i - flat_row < wait", "i - flat_row <= wait"),
    ("rsi[i] > gate", "rsi[i] >= gate"),
    ("cost + amount > cap", "cost > cap"),
    ("quiet[i] == 1 and layers == 0", "quiet[i] == 1"),
    ("anchor = price\n                        flat_row", "flat_row"),
    ("sellable -= shares\n", "pass\n"),
    ("OPENED] = lot_opened[place]", "OPENED] = lot_opened[0]"),
    ("lot_opened[kept] = lot_opened[place]", "pass"),
]


@pytest.mark.slow
def test_the_comparison_catches_every_slip(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each small slip in the loop (a bound off by one, a rule left out) differs on some seed of the slice."""
    source = Path(grid_loop.__file__).read_text(encoding="utf-8")
    cases = [case(seed) for seed in range(SLICE)]
    wanted = [run_backtest(*each, engine="python") for each in cases]
    for right, wrong in MUTANTS:
        assert source.count(right) == 1, right
        module = ModuleType("mutant")
        monkeypatch.setitem(sys.modules, "mutant", module)
        exec(compile(source.replace(right, wrong), "mutant", "exec"), module.__dict__)
        monkeypatch.setattr(walk_rows, "walk", module.walk)
        assert any(
            not same(result, run_backtest(*each, engine="python"))
            for each, result in zip(cases, wanted, strict=True)
        ), wrong
