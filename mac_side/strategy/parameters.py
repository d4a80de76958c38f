"""The grid's parameters: every name a user may set, with its range. Frozen; presets are data beside it."""

from __future__ import annotations

import dataclasses
import difflib
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, NamedTuple

from shared_schema.errors import SettingsError

_TRUE = {"1", "true", "yes", "on"}
_FALSE = {"0", "false", "no", "off"}


def _number(default: float, low: float, high: float) -> Any:
    """A parameter with the range ``low`` to ``high``, both allowed."""
    return field(default=default, metadata={"low": low, "high": high})


class TrendFactors(NamedTuple):
    """What a trend multiplies: the step, the sell threshold, a layer's money."""

    grid: float
    sell: float
    money: float


@dataclass(frozen=True)
class GridParameters:
    """One setting of the strategy. Money in yuan; steps, thresholds and rates are fractions; spans in bars.

    The defaults are those of 159201. Raises SettingsError where a value is outside its range.
    """

    atr_period: int = _number(14, 1, 1000)
    atr_mean_period: int = _number(60, 1, 10_000)
    atr_grid_factor: float = _number(0.38, 0.0, 100.0)
    grid_step_floor: float = _number(0.0012, 0.0, 0.5)
    layer_step_bonus: float = _number(0.0001, 0.0, 0.1)
    sell_profit_threshold: float = _number(0.005, 0.0, 1.0)
    sell_threshold_factor: float = _number(1.4, 0.0, 100.0)
    buy_step_factor: float = _number(1.0, 0.0, 100.0)
    trend_ma_period: int = _number(60, 1, 10_000)
    trend_slope_span: int = _number(5, 1, 1000)
    trend_ema_span: int = _number(3, 1, 1000)
    trend_up_grid_factor: float = _number(1.2, 0.0, 100.0)
    trend_up_sell_factor: float = _number(1.33, 0.0, 100.0)
    trend_up_money_factor: float = _number(0.7, 0.0, 100.0)
    trend_down_grid_factor: float = _number(1.0, 0.0, 100.0)
    trend_down_sell_factor: float = _number(0.83, 0.0, 100.0)
    trend_down_money_factor: float = _number(1.2, 0.0, 100.0)
    max_layers: int = _number(9, 1, 1000)
    layer_weights: tuple[float, ...] = ()
    """Shares of ``batch_money`` by layer, one each; empty means equal."""
    batch_money: float = _number(200_000.0, 1.0, 1e9)
    beta_capital: float = _number(300_000.0, 0.0, 1e9)
    curve_base: float = _number(500_000.0, 1.0, 1e9)
    cooling_enabled: bool = True
    cooling_bars: int = _number(15, 0, 10_000)
    cooling_bars_short: int = _number(5, 0, 10_000)
    cooling_rsi_enabled: bool = True
    rsi_cooling_threshold: float = _number(35.0, 0.0, 100.0)
    rsi_period: int = _number(14, 1, 1000)
    atr_circuit_breaker_enabled: bool = True
    atr_circuit_breaker_ratio: float = _number(2.0, 0.0, 1000.0)
    commission_rate: float = _number(0.0001, 0.0, 0.1)
    min_commission: float = _number(0.0, 0.0, 1000.0)
    enable_float_loss_stop: bool = False
    max_cycle_float_loss: float = _number(15_000.0, 0.0, 1e9)
    time_filter_enabled: bool = False
    mtf_enabled: bool = False
    mtf_lookahead: bool = False
    """Read the unfinished 15-minute bar's close, as the published tool did: for comparison only."""
    mtf_minutes: int = _number(15, 1, 120)
    mtf_ma_period: int = _number(20, 1, 1000)
    mtf_diff: int = _number(2, 1, 1000)
    stress_slippage_enabled: bool = False
    stress_slippage: float = _number(0.0005, 0.0, 0.1)
    rsi_gate_enabled: bool = False
    rsi_gate: float = _number(50.0, 0.0, 100.0)
    unlimited_flow: bool = False
    unlimited_layers: int = _number(50, 1, 1000)
    unlimited_money: float = _number(15_000.0, 1.0, 1e9)
    sell_by_lot: bool = True
    whole_exit: bool = True
    """With ``sell_by_lot = false``: False gives the published behaviour, which had lost its exit."""
    nominal_cap: float = _number(0.0, 0.0, 1e9)
    """Most the lots may cost together, yuan; 0 is no cap. ``live_rules`` sets 200,000."""
    live_rules: bool = False

    def __post_init__(self) -> None:
        for parameter in dataclasses.fields(self):
            _check_range(parameter, getattr(self, parameter.name))
        if self.layer_weights:
            if any(not math.isfinite(weight) or weight <= 0 for weight in self.layer_weights):
                raise SettingsError("strategy.bad_weights", "layer_weights", value=self.layer_weights)
            if len(self.layer_weights) != self.max_layers:
                raise SettingsError(
                    "strategy.weights_count",
                    "layer_weights",
                    count=len(self.layer_weights),
                    layers=self.max_layers,
                )

    @property
    def layers(self) -> int:
        """The most layers that may be held at once."""
        return self.unlimited_layers if self.unlimited_flow else self.max_layers

    @cached_property
    def layer_money(self) -> tuple[float, ...]:
        """Yuan for each layer, before the trend's money factor."""
        if self.unlimited_flow:
            return tuple(self.unlimited_money * (layer // 2 + 1) for layer in range(self.unlimited_layers))
        weights = self.layer_weights or (1.0,) * self.max_layers
        total = sum(weights)
        return tuple(self.batch_money * weight / total for weight in weights)

    @cached_property
    def trend_factors(self) -> tuple[TrendFactors, TrendFactors, TrendFactors]:
        """Factors by the trend's sign: ``[0]`` neutral, ``[1]`` up, ``[-1]`` (the last) down."""
        return (
            TrendFactors(1.0, 1.0, 1.0),
            TrendFactors(self.trend_up_grid_factor, self.trend_up_sell_factor, self.trend_up_money_factor),
            TrendFactors(
                self.trend_down_grid_factor, self.trend_down_sell_factor, self.trend_down_money_factor
            ),
        )

    @property
    def fee_rate(self) -> float:
        """Fee of one side as a fraction of its amount; stress slippage only raises this rate."""
        return self.commission_rate + (self.stress_slippage if self.stress_slippage_enabled else 0.0)

    def fee(self, amount: float) -> float:
        """Fee in yuan of one trade of ``amount`` yuan, unrounded, at least ``min_commission``."""
        return max(amount * self.fee_rate, self.min_commission)

    def as_dict(self) -> dict[str, Any]:
        """Every parameter by name, as it goes into the metrics file."""
        values = dataclasses.asdict(self)
        values["layer_weights"] = list(self.layer_weights)
        return values


def parameter_names() -> tuple[str, ...]:
    """Every name that may be set."""
    return tuple(parameter.name for parameter in dataclasses.fields(GridParameters))


def with_settings(parameters: GridParameters, settings: Mapping[str, object]) -> GridParameters:
    """``parameters`` with some values replaced; text values are read as the parameter's type.

    ``max_layers`` alone means equal weights; ``layer_weights`` alone sets the number of layers too.
    Raises SettingsError naming an unknown key with the nearest right one, or a wrong value with its range.
    """
    known = {parameter.name: parameter for parameter in dataclasses.fields(GridParameters)}
    values: dict[str, Any] = {}
    for name, value in settings.items():
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1, cutoff=0.0)
            raise SettingsError("strategy.unknown_parameter", name, nearest=near[0] if near else "")
        values[name] = _typed(known[name], value)
    if values.get("layer_weights"):
        values.setdefault("max_layers", len(values["layer_weights"]))
    elif "max_layers" in values:
        values["layer_weights"] = ()
    return dataclasses.replace(parameters, **values)


def read_assignments(assignments: Iterable[str]) -> dict[str, str]:
    """``["key=value", ...]`` as a mapping; SettingsError where the ``=`` is missing or a key stands twice."""
    settings: dict[str, str] = {}
    for text in assignments:
        name, equals, value = text.partition("=")
        name = name.strip()
        if not equals or not name:
            raise SettingsError("strategy.not_an_assignment", text)
        if name in settings:
            raise SettingsError("strategy.set_twice", name)
        settings[name] = value.strip()
    return settings


def _check_range(parameter: dataclasses.Field[Any], value: Any) -> None:
    low, high = parameter.metadata.get("low"), parameter.metadata.get("high")
    if low is None or high is None:
        return
    # `not (low <= value)` also catches NaN.
    if not (low <= value <= high):
        raise SettingsError("strategy.out_of_range", parameter.name, value=value, low=low, high=high)


def _typed(parameter: dataclasses.Field[Any], value: object) -> Any:
    """``value`` as the parameter's own type, or SettingsError."""
    kind = str(parameter.type)
    try:
        if kind == "bool":
            return _truth(value)
        if kind.startswith("tuple"):
            return _weights(value)
        if isinstance(value, bool):
            raise ValueError(value)
        number = float(value)  # type: ignore[arg-type]
        if kind == "int":
            if number != int(number):
                raise ValueError(value)
            return int(number)
        return number
    except (TypeError, ValueError, OverflowError):
        raise SettingsError("strategy.wrong_type", parameter.name, value=value, kind=kind) from None


def _truth(value: object) -> bool:
    word = str(value).strip().lower()
    if word in _TRUE:
        return True
    if word in _FALSE:
        return False
    raise ValueError(value)


def _weights(value: object) -> tuple[float, ...]:
    parts: Iterable[Any] = value.split(",") if isinstance(value, str) else value  # type: ignore[assignment]
    return tuple(float(part) for part in parts if str(part).strip())
