"""Several strategies on one host: each has its own name, code and parameters, or the settings are refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from shared_schema.errors import SettingsError
from shared_schema.settings import Settings, load_settings

TWO = """
[strategy]
symbol = "159201.SZ"
[strategies.dividend]
symbol = "512890.sh"
preset = "512890"
overrides = { commission = 0.0002 }
"""


def _load(tmp_path: Path, text: str) -> Settings:
    file = tmp_path / "miniqmt.toml"
    file.write_text(text, encoding="utf-8")
    return load_settings(environment={}, config_file=file, working_folder=tmp_path)


def test_each_strategy_stands_alone(tmp_path: Path) -> None:
    """The first keeps its name and slot; a further one has its own code, preset and overrides."""
    settings = _load(tmp_path, TWO)
    assert [(s.name, s.symbol) for s in settings.all_strategies] == [
        ("grid", "159201.SZ"),
        ("dividend", "512890.SH"),
    ]
    alone = settings.alone("dividend")
    assert alone.strategy.preset == "512890" and alone.strategy.overrides == {"commission": 0.0002}
    assert alone.all_strategies == (alone.strategy,)


@pytest.mark.parametrize(
    "wrong, said",
    [
        ('[strategies.dividend]\nsymbol = "159201.SZ"', "159201.SZ"),
        ('[strategies.grid]\nsymbol = "512890.SH"', "grid"),
        ('[strategies.dividend]\npreset = "512890"', "symbol"),
        ('[strategies.dividend]\nsymbol = "512890.SH"\npresett = "a"', "preset"),
        ('[strategies.dividend]\nsymbol = "512890"', "strategies.dividend.symbol"),
        ("[strategies]\ndividend = 3", "strategies.dividend"),
    ],
)
def test_wrong_tables_are_refused_at_start(tmp_path: Path, wrong: str, said: str) -> None:
    """A code or name used twice, a missing code and misspelt keys stop the start and are named."""
    with pytest.raises(SettingsError) as refused:
        _load(tmp_path, wrong)
    assert said in str(refused.value)
