"""The risk: periods that a backtest likes and that live waits for, for ever, with one line on a screen."""

from __future__ import annotations

from pathlib import Path

import pytest

from mac_side.mac_dashboard import engine_config
from mac_side.market_view import check_periods
from mac_side.strategy.indicators import bars_needed
from mac_side.strategy.parameters import with_settings
from mac_side.strategy.presets import preset
from shared_schema.errors import SettingsError
from shared_schema.messages import BARS_SHOWN
from shared_schema.settings import load_settings


@pytest.mark.parametrize(
    ("name", "most"),
    [("trend_ma_period", 235), ("trend_slope_span", 180), ("atr_mean_period", 225), ("rsi_period", 239)],
)
def test_the_longest_period_that_fits_starts_and_one_more_does_not(name: str, most: int) -> None:
    """At the edge exactly as many bars are needed as the quote file shows; beyond it the setting is named."""
    fits = with_settings(preset("159201"), {name: most})
    assert bars_needed(fits) == BARS_SHOWN
    check_periods(fits)
    with pytest.raises(SettingsError) as refused:
        check_periods(with_settings(preset("159201"), {name: most + 1}))
    text = str(refused.value)
    assert name in text and str(most) in text and str(most + 1) in text


def test_the_dashboard_does_not_start_with_one(tmp_path: Path) -> None:
    """The engine's own settings are what is checked."""
    file = tmp_path / "config.toml"
    file.write_text("[strategy.overrides]\ntrend_ma_period = 240\n", encoding="utf-8")
    settings = load_settings(environment={}, working_folder=tmp_path, config_file=file)
    with pytest.raises(SettingsError, match="trend_ma_period"):
        engine_config(settings, tmp_path / "runtime", "", offline=True)
