"""The risk: strategy.md misread. Every trade is compared with an independent re-statement."""

from __future__ import annotations

import pytest

from mac_side.backtest.engine import run_backtest
from mac_side.backtest.metrics import metrics_of
from mac_side.strategy.parameters import with_settings
from mac_side.strategy.presets import preset
from shared_schema.bars_file import shanghai
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
    "all filters": {"mtf_enabled": True, "time_filter_enabled": True, "rsi_gate_enabled": True},
}


@pytest.mark.parametrize("switch", SWITCHES)
@pytest.mark.parametrize("name", ["159201", "512890"])
def test_every_trade_is_that_of_the_restatement(switch: str, name: str) -> None:
    """On random series every trade, alpha to a millionth and both counts agree, for every switch."""
    parameters = with_settings(preset(name), SWITCHES[switch])
    for seed in range(4):
        bars = random_bars(seed, ticks=1.0 + seed % 3)
        result = run_backtest(bars, parameters)
        wanted, alpha, counts = run(as_rows(bars), parameters.as_dict())
        assert len(wanted) > 5
        assert [
            (shanghai(trade.time), trade.type, trade.price, trade.shares, trade.reason)
            for trade in result.trades
        ] == wanted
        metrics = metrics_of(result)
        assert metrics.alpha == pytest.approx(alpha, abs=1e-6)
        assert metrics.bars_would_buy_but_full == counts["full"]
        assert metrics.n_atr_pause_bars == counts["paused"]


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
