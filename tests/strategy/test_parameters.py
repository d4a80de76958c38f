"""The risk: a mistyped or impossible parameter that trades anyway."""

from __future__ import annotations

import math

import pytest

from mac_side.strategy.parameters import GridParameters, parameter_names, read_assignments, with_settings
from mac_side.strategy.presets import (
    preset,
    preset_code,
    preset_for_code,
    preset_names,
    release,
    release_names,
)
from shared_schema.errors import SettingsError

ISSUE_NAMES = [
    "buy_step_factor",
    "sell_profit_threshold",
    "sell_threshold_factor",
    "mtf_lookahead",
    "whole_exit",
    "live_rules",
    "atr_grid_factor",
    "grid_step_floor",
    "layer_step_bonus",
    "max_layers",
    "layer_weights",
    "batch_money",
    "beta_capital",
    "cooling_enabled",
    "cooling_bars",
    "cooling_bars_short",
    "rsi_cooling_threshold",
    "cooling_rsi_enabled",
    "atr_circuit_breaker_enabled",
    "enable_float_loss_stop",
    "max_cycle_float_loss",
    "time_filter_enabled",
    "mtf_enabled",
    "stress_slippage_enabled",
    "unlimited_flow",
    "sell_by_lot",
    "commission_rate",
    "min_commission",
]


def test_every_agreed_name_can_be_set() -> None:
    """The command's interface names these parameters; each exists."""
    assert set(ISSUE_NAMES) <= set(parameter_names())


def test_presets_hold_the_published_values() -> None:
    """The presets are those of strategy.md's table."""
    first, second = preset("159201"), preset("512890")
    assert (first.atr_grid_factor, first.grid_step_floor, first.cooling_enabled) == (0.38, 0.0012, True)
    assert (first.sell_profit_threshold, first.sell_threshold_factor) == (0.005, 1.4)
    assert (second.atr_grid_factor, second.grid_step_floor, second.cooling_enabled) == (0.32, 0.001, False)
    assert (second.sell_profit_threshold, second.sell_threshold_factor) == (0.004, 1.0)
    assert (preset("nine_layer_optimal").atr_grid_factor, preset("nine_layer_optimal").grid_step_floor) == (
        0.28,
        0.0008,
    )
    assert preset("asymmetric").sell_threshold_factor == 1.8
    assert preset_code("512890") == "512890.SH"
    assert all(preset_for_code(preset_code(name)) in ("159201", "512890") for name in preset_names())


def test_an_unknown_name_is_answered_with_the_nearest() -> None:
    """A mistyped parameter, preset or release is refused and the nearest right name is said."""
    with pytest.raises(SettingsError, match="max_layers") as wrong:
        with_settings(GridParameters(), {"max_layer": 3})
    assert wrong.value.exit_code == 2
    with pytest.raises(SettingsError, match="512890"):
        preset("51289")
    with pytest.raises(SettingsError, match=r"v1\.0\.0"):
        release("v9")
    assert "v1.0.0" in release_names()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("max_layers", 0),
        ("max_layers", "nine"),
        ("max_layers", 2.5),
        ("max_layers", True),
        ("batch_money", math.nan),
        ("batch_money", "inf"),
        ("commission_rate", -0.1),
        ("cooling_enabled", "maybe"),
        ("layer_weights", "1,,x"),
        ("layer_weights", "1,-1"),
        ("layer_weights", "1,nan"),
    ],
)
def test_an_impossible_value_is_refused(name: str, value: object) -> None:
    """A value of the wrong kind or outside its range is a SettingsError that names the parameter."""
    with pytest.raises(SettingsError, match=name):
        with_settings(GridParameters(), {name: value})


def test_out_of_range_says_the_range() -> None:
    """The sentence holds both ends of what is allowed."""
    with pytest.raises(SettingsError, match=r"1 .*1000"):
        with_settings(GridParameters(), {"max_layers": 5000})


def test_layers_and_weights_go_together() -> None:
    """``max_layers`` alone means equal weights; ``layer_weights`` alone sets the layers; both must agree."""
    weighted = with_settings(GridParameters(), {"layer_weights": "1,1,2", "batch_money": "100000"})
    assert weighted.max_layers == 3
    assert weighted.layer_money == (25_000.0, 25_000.0, 50_000.0)
    equal = with_settings(weighted, {"max_layers": "4"})
    assert equal.layer_money == (25_000.0,) * 4
    with pytest.raises(SettingsError):
        with_settings(GridParameters(), {"layer_weights": "1,1,2", "max_layers": 4})


def test_unlimited_flow_money_rises_by_pairs() -> None:
    """Layer k gets 15,000 x (k // 2 + 1), for 50 layers."""
    money = with_settings(GridParameters(), {"unlimited_flow": "yes"}).layer_money
    assert money[:6] == (15_000.0, 15_000.0, 30_000.0, 30_000.0, 45_000.0, 45_000.0)
    assert len(money) == 50


def test_assignments_need_an_equals_sign_and_stand_once() -> None:
    """``--set`` texts are read strictly."""
    assert read_assignments(["a=1", " b = x=y"]) == {"a": "1", "b": "x=y"}
    for wrong in (["a"], ["=1"], ["a=1", "a=2"]):
        with pytest.raises(SettingsError):
            read_assignments(wrong)
