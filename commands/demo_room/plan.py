"""What the demo will show: which bars, which day, which grid, which base position."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from mac_side.backtest.fit import Fit, fit_to
from mac_side.strategy.parameters import GridParameters
from mac_side.strategy.presets import preset
from shared_schema.bars_file import one_day, read_bars
from shared_schema.errors import SettingsError
from shared_schema.ids import Code
from shared_schema.instruments import code_from_file_name, instrument, parse_code

DEMO_PRESET = "demo"
SAMPLE = Path(__file__).resolve().parents[2] / "shared_schema" / "sample" / "sample_159201.csv"
DEFAULT_SECONDS = 40.0
"""Wall seconds the replayed day takes where neither speed nor seconds are given."""


@dataclass(frozen=True)
class Plan:
    """Everything the demo's processes are told."""

    csv: Path
    code: Code
    day: str
    parameters: GridParameters
    anchor: float
    """Yuan; the books start flat with it."""
    fit: Fit
    base_shares: int
    """Held before the day, so that lots bought today can be sold today (T+1)."""
    base_price: float
    minutes: int
    """One-minute bars of the day."""
    speed: float
    """Market seconds a wall second."""
    is_sample: bool


def make_plan(csv: Path | None, code_text: str, day: str, speed: float | None, seconds: float | None) -> Plan:
    """The plan for the user's file, or for the shipped sample. Raises DataError or SettingsError."""
    path = csv if csv is not None else SAMPLE
    code = code_of(path, code_text)
    bars = read_bars(path)
    fit = fit_to(bars, preset(DEMO_PRESET), instrument(code).tick_size, day or None)
    chosen = one_day(bars, fit.day)
    # A day of 240 minutes is replayed without its lunch: its market seconds are those of its bars.
    market_seconds = len(chosen) * 60.0
    return Plan(
        csv=path,
        code=code,
        day=fit.day,
        parameters=fit.parameters,
        anchor=fit.anchor,
        fit=fit,
        base_shares=_base_shares(fit, chosen[0].open),
        base_price=chosen[0].open,
        minutes=len(chosen),
        speed=speed if speed is not None else market_seconds / (seconds or DEFAULT_SECONDS),
        is_sample=csv is None,
    )


def code_of(path: Path, code_text: str) -> Code:
    """The code the user named, or the one the file's name tells. Raises SettingsError where neither does."""
    if code_text:
        return parse_code(code_text)
    guessed = code_from_file_name(path.name)
    if guessed is None:
        raise SettingsError("demo.which_code", path)
    return guessed


def _base_shares(fit: Fit, price: float) -> int:
    """Enough for every sale of the day, in whole lots: what all layers hold, twice."""
    money = fit.parameters.batch_money * 2
    return max(100, int(money / price // 100) * 100)
