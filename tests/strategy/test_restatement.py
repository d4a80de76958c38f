"""The risk: strategy.md misread. Every trade is compared with an independent re-statement."""

from __future__ import annotations

from dataclasses import asdict

import pytest

from mac_side.backtest.engine import run_backtest
from mac_side.backtest.metrics import metrics_of
from mac_side.strategy.parameters import GridParameters, with_settings
from mac_side.strategy.presets import preset
from shared_schema.bars_file import Bar
from shared_schema.shanghai import shanghai
from tests.backtest.engines_agree import case
from tests.strategy.restatement import run
from tests.strategy.series import as_rows, random_bars

SWITCHES: dict[str, dict[str, object]] = {
    "as released": {},
    "whole position": {"sell_by_lot": False},
    "whole position without exit": {"sell_by_lot": False, "whole_exit": False},
    "float-loss stop": {"enable_float_loss_stop": True, "max_cycle_float_loss": 300},
    "float-loss stop without cooling": {
        "enable_float_loss_stop": True,
        "max_cycle_float_loss": 200,
        "cooling_enabled": False,
    },
    "time filter": {"time_filter_enabled": True},
    "15 minutes": {"mtf_enabled": True},
    "15 minutes with look-ahead": {"mtf_enabled": True, "mtf_lookahead": True},
    "stress slippage": {"stress_slippage_enabled": True},
    "RSI gate": {"rsi_gate_enabled": True},
    "weights": {"layer_weights": "1,1,2,2,3"},
    "unlimited flow": {"unlimited_flow": True},
    "minimum commission": {"min_commission": 5},
    "three layers": {"max_layers": 3},
    "no cooling": {"cooling_enabled": False},
    "one cooling length": {"cooling_rsi_enabled": False},
    "no breaker": {"atr_circuit_breaker_enabled": False},
    "narrow buys": {"buy_step_factor": 0.7},
    "live rules": {"live_rules": True},
    "live rules, whole position": {"live_rules": True, "sell_by_lot": False},
    "live rules with the stop": {
        "live_rules": True,
        "enable_float_loss_stop": True,
        "max_cycle_float_loss": 300,
    },
    "more money, beta money and base": {"batch_money": 350_000, "beta_capital": 150_000},
    "asymmetric": {"sell_threshold_factor": 1.8, "buy_step_factor": 1.2},
    "long cooling": {"cooling_enabled": True, "cooling_bars": 60, "cooling_bars_short": 20},
    "other costs": {"commission_rate": 0.0003, "layer_step_bonus": 0.0004},
    "finer grid": {"atr_grid_factor": 0.28, "grid_step_floor": 0.0008},
    "low RSI counts below 50": {"rsi_cooling_threshold": 50},
    "sell threshold": {"sell_profit_threshold": 0.002},
    "all filters": {"mtf_enabled": True, "time_filter_enabled": True, "rsi_gate_enabled": True},
}


def compare(bars: list[Bar], parameters: GridParameters) -> int:
    """Hold a run to the re-statement: every trade, every metric; how many trades there were."""
    result = run_backtest(bars, parameters, engine="python")
    wanted, metrics = run(as_rows(bars), parameters.as_dict())
    assert [
        (shanghai(trade.time), trade.type, trade.price, trade.shares, trade.reason) for trade in result.trades
    ] == wanted
    assert asdict(metrics_of(result)) == pytest.approx(metrics, abs=1e-6)
    return len(wanted)


@pytest.mark.parametrize("switch", SWITCHES)
@pytest.mark.parametrize("name", ["159201", "512890"])
def test_every_trade_is_that_of_the_restatement(switch: str, name: str) -> None:
    """On random series every trade and every metric agree, for every switch alone."""
    parameters = with_settings(preset(name), SWITCHES[switch])
    for seed in range(3):
        assert compare(random_bars(seed, ticks=1.0 + seed % 3), parameters) > 5


@pytest.mark.slow
@pytest.mark.parametrize("part", range(5))
def test_random_combinations_of_switches_agree_with_the_restatement(part: int) -> None:
    """Switches and values drawn together trade as the re-statement does."""
    traded = 0
    for seed in range(part * 8, part * 8 + 8):
        traded += compare(*case(1_000 + seed))
    assert traded > 50


@pytest.mark.slow
def test_the_series_reach_every_corner() -> None:
    """The comparison means something: stops, take-profits, full layers and ATR pauses do happen in it."""
    seen: set[str] = set()
    full = paused = 0
    for settings in SWITCHES.values():
        for seed in range(4):
            result = run_backtest(
                random_bars(seed, ticks=1.0 + seed % 3), with_settings(preset("159201"), settings)
            )
            seen |= {trade.reason for trade in result.trades}
            full, paused = full + result.full_bars, paused + result.paused_bars
    assert seen == {"", "lot_profit", "take_profit", "max_float_loss"}
    assert full > 0
    assert paused > 0
