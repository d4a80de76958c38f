"""Random series under random settings, by every engine.

python -m tests.backtest.engines_agree --count 1000
"""

from __future__ import annotations

import argparse
import random
import sys
from typing import Any

import numpy as np

from mac_side.backtest.compiled import Engine, have_numba
from mac_side.backtest.engine import BacktestResult, run_backtest
from mac_side.strategy.parameters import GridParameters, with_settings
from mac_side.strategy.presets import preset
from shared_schema.bars_file import Bar
from tests.strategy.series import random_bars

FAST: tuple[Engine, ...] = ("python", "numba") if have_numba() else ("python",)


def random_settings(chance: random.Random) -> dict[str, Any]:
    """Switches and values drawn together, the values around those of the presets."""

    def often(odds: float) -> bool:
        return chance.random() < odds

    settings: dict[str, Any] = {
        # Without the ATR a step is a round number, and prices on ticks meet its edges exactly.
        "atr_grid_factor": chance.choice([0.0, round(chance.uniform(0.0, 0.6), 2)]),
        "grid_step_floor": chance.choice([0.001, 0.002, round(chance.uniform(0.0005, 0.003), 4)]),
        "layer_step_bonus": chance.choice([0.0, 0.0001, 0.0005]),
        "sell_profit_threshold": round(chance.uniform(0.0, 0.006), 4),
        "sell_threshold_factor": chance.choice([0.0, 1.0, 1.35, 1.4, 1.8]),
        "buy_step_factor": chance.choice([0.7, 1.0, 1.0, 1.3]),
        "batch_money": chance.choice([1_000, 20_000, 200_000, 350_000]),
        "cooling_enabled": often(0.6),
        "cooling_bars": chance.randrange(0, 40),
        "cooling_bars_short": chance.randrange(0, 10),
        "cooling_rsi_enabled": often(0.7),
        "rsi_cooling_threshold": chance.choice([35.0, 50.0]),
        "atr_circuit_breaker_enabled": often(0.7),
        "enable_float_loss_stop": often(0.3),
        "max_cycle_float_loss": chance.choice([0, 100, 500, 2000]),
        "time_filter_enabled": often(0.5),
        "mtf_enabled": often(0.3),
        "mtf_lookahead": often(0.3),
        "stress_slippage_enabled": often(0.3),
        "rsi_gate_enabled": often(0.3),
        "sell_by_lot": often(0.7),
        "whole_exit": often(0.9),
        "commission_rate": chance.choice([0.0, 0.0001, 0.0003]),
        "min_commission": chance.choice([0, 0, 5]),
        "live_rules": often(0.4),
    }
    if often(0.2):
        settings["unlimited_flow"] = True
    elif often(0.3):
        settings["layer_weights"] = [chance.choice([1, 2, 3, 0.5]) for _ in range(chance.randrange(1, 12))]
    else:
        settings["max_layers"] = chance.randrange(1, 14)
    return settings


def case(seed: int) -> tuple[list[Bar], GridParameters]:
    """Bars and parameters of one seed."""
    chance = random.Random(f"engines {seed}")
    bars = random_bars(seed, days=chance.choice([1, 2, 3]), ticks=chance.choice([0.6, 1.0, 2.0, 4.0]))
    return bars, with_settings(preset(chance.choice(["159201", "512890"])), random_settings(chance))


def difference(seed: int) -> str:
    """What the quick engines do otherwise than the step on one seed; empty where nothing."""
    bars, parameters = case(seed)
    wanted = run_backtest(bars, parameters, engine="step")
    for engine in FAST:
        found = run_backtest(bars, parameters, engine=engine)
        if not same(wanted, found):
            return f"seed {seed}, {engine}: {len(wanted.table)} trades by the step, {len(found.table)} here"
    return ""


def same(one: BacktestResult, other: BacktestResult) -> bool:
    """Every trade, fee and cash to the last bit, the books at the end, the counts."""
    return (
        np.array_equal(one.table.whole, other.table.whole)
        and np.array_equal(one.table.money, other.table.money)
        and one.state == other.state
        and (one.full_bars, one.paused_bars) == (other.full_bars, other.paused_bars)
    )


def main() -> int:
    """Compare as many series as asked for; 1 where any differs."""
    parser = argparse.ArgumentParser(prog="python -m tests.backtest.engines_agree")
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--first", type=int, default=0)
    options = parser.parse_args()
    found = [
        text for seed in range(options.first, options.first + options.count) if (text := difference(seed))
    ]
    for text in found:
        print(text)
    print(f"{options.count} random series, step against {', '.join(FAST)}: {len(found)} differ")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
