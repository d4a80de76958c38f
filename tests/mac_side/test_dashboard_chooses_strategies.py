"""Which strategies a dashboard runs: all of the settings, or the one that was typed."""

from __future__ import annotations

from pathlib import Path

import pytest

from mac_side import mac_dashboard
from mac_side.dashboard_processes import commands_path, view_path
from mac_side.strategy.presets import preset
from shared_schema.errors import SettingsError
from shared_schema.ids import StrategyName

TWO = """
[strategies.dividend]
symbol = "512890.SH"
decide_on = "tick"
"""


@pytest.mark.parametrize(
    ("typed", "strategies"),
    [
        ([], [("grid", "159201.SZ"), ("dividend", "512890.SH")]),
        (["--read-only"], [("grid", "159201.SZ"), ("dividend", "512890.SH")]),
        (["--strategy", "dividend"], [("dividend", "512890.SH")]),
        (["--strategy", "grid"], [("grid", "159201.SZ")]),
        (["--symbol", "510300.SH"], [("grid", "510300.SH")]),
        (["--symbol", "510300.SH", "--strategy", "mine"], [("mine", "510300.SH")]),
        (["--release", "v1.0.0"], [("grid", "159201.SZ")]),
    ],
)
def test_typed_for_one_means_that_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, typed: list[str], strategies: list[tuple[str, str]]
) -> None:
    """Without arguments all run; a name, code or release typed runs one alone, with its own settings."""
    (tmp_path / "miniqmt.toml").write_text(TWO, encoding="utf-8")
    monkeypatch.setenv("MINIQMT_CONFIG", str(tmp_path / "miniqmt.toml"))
    settings = mac_dashboard._settings(mac_dashboard._parsed(typed))
    assert [(own.name, own.symbol) for own in settings.all_strategies] == strategies
    if strategies == [("dividend", "512890.SH")]:
        assert settings.strategy.decide_on == "tick"
        shares = mac_dashboard.parameters_of(settings).sell_profit_threshold
        assert shares == preset("512890").sell_profit_threshold


def test_a_misspelt_strategy_opens_no_empty_books(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """``--strategy dividned`` would start flat on the first strategy's code and buy its layers again."""
    (tmp_path / "miniqmt.toml").write_text(TWO, encoding="utf-8")
    monkeypatch.setenv("MINIQMT_CONFIG", str(tmp_path / "miniqmt.toml"))
    with pytest.raises(SettingsError) as refused:
        mac_dashboard._settings(mac_dashboard._parsed(["--strategy", "dividned"]))
    assert "dividned" in str(refused.value) and "grid, dividend" in str(refused.value)


def test_each_strategy_has_its_own_files(tmp_path: Path) -> None:
    """View and command folder never mix; the first keeps the names it always had."""
    first, second = StrategyName("grid"), StrategyName("dividend")
    assert view_path(tmp_path, first).name == "dashboard_view.json"
    assert view_path(tmp_path, second).name == "dashboard_view_dividend.json"
    assert commands_path(tmp_path, first) != commands_path(tmp_path, second)
