"""The risk: two settings, right each by itself, that together trade nothing, told by nobody."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from mac_side.engine_rules import QUOTE_STALE_AFTER
from mac_side.mac_dashboard import layer_beyond_limit, parameters_of
from shared_schema.log_lines import Line
from shared_schema.logs import Log
from shared_schema.settings import Settings, load_settings
from shared_schema.settings_together import STALE_ON_THE_SCREEN
from shared_schema.settings_watch import SettingsWatch
from shared_schema.words import use_language

Load = Callable[[str], Settings]


@pytest.fixture
def load(tmp_path: Path) -> Load:
    """Settings of a host whose file is the given text."""

    def load_here(toml: str) -> Settings:
        file = tmp_path / "miniqmt.toml"
        file.write_text(f"runtime_dir = 'runtime'\n{toml}", encoding="utf-8")
        return load_settings(environment={}, working_folder=tmp_path, config_file=file)

    return load_here


@pytest.mark.parametrize(
    ("toml", "named"),
    [
        ("[limits]\ncash_buffer = 1", ("limits.cash_buffer", "max_buy_yuan")),
        ("[accounts.b.limits]\ncash_buffer = 1", ("accounts.b.limits.cash_buffer",)),
        ("[producer]\ninterval = 300", ("producer.interval = 300", "limits.max_quote_age_seconds")),
        (
            "[producer]\ninterval = 20\n[limits]\nmax_quote_age_seconds = 20",
            ("producer.interval = 20", "limits.max_quote_age_seconds"),
        ),
        ("[producer]\ninterval = 600\n[limits]\nmax_quote_age_seconds = 3600", ("producer.interval", "300")),
    ],
)
def test_what_hardly_trades_is_said_in_both_languages(toml: str, named: tuple[str, ...], load: Load) -> None:
    """Both settings are named, and what to do; a host that only sells, or trades now and then, goes on."""
    for language in ("zh", "en"):
        use_language(language)
        (doubt,) = load(toml).doubts
        assert all(name in doubt for name in named), doubt


@pytest.mark.parametrize(
    ("limits", "named"),
    [
        ("max_sell_yuan = 50000\npool_code_yuan = 40000", ("max_sell_yuan", "max_buy_yuan")),
        ("max_sell_shares = 99900", ("max_sell_shares", "max_buy_shares")),
        ("max_sell_yuan = 150000", ("max_sell_yuan", "pool_code_yuan")),
        ("pool_yuan = 150000", ("pool_code_yuan", "pool_yuan")),
    ],
)
def test_what_trades_though_not_as_meant_is_said(limits: str, named: tuple[str, str], load: Load) -> None:
    """An installed host goes on; one sentence names both settings."""
    for table in ("limits", "accounts.b.limits"):
        (doubt,) = load(f"[{table}]\n{limits}").doubts
        assert all(f"{table}.{name}" in doubt for name in named), doubt


@pytest.mark.parametrize(
    ("codes", "named"),
    [
        ("'159201.SZ', '000300.SH'", ("000300.SH",)),
        ("'204001.SH', '159201.SZ', '000300.SH'", ("204001.SH", "000300.SH")),
        ("'159201.SH'", ("159201.SZ",)),
    ],
)
def test_an_allowed_code_that_nobody_can_trade_is_said(
    codes: str, named: tuple[str, ...], load: Load
) -> None:
    """An installed host with a forgotten index in allow_list goes on; each such code is named."""
    for table in ("limits", "accounts.b.limits"):
        for language in ("zh", "en"):
            use_language(language)
            doubts = load(f"[{table}]\nallow_list = [{codes}]").doubts
            assert len(doubts) == len(named)
            for doubt, name in zip(doubts, named, strict=True):
                assert f"{table}.allow_list" in doubt and name in doubt


@pytest.mark.parametrize(
    "toml",
    [
        "",
        "[limits]\npool_yuan = 0",
        "[limits]\npool_code_yuan = 0",
        "[producer]\ninterval = 299",
        "[limits]\ncash_buffer = 0.99",
        "[limits]\nmax_sell_yuan = 200000\nmax_sell_shares = 100000",
        "[accounts.b]",
    ],
)
def test_what_fits_together_is_not_spoken_of(toml: str, load: Load) -> None:
    """The defaults, no pool, no cap, and either side of each boundary."""
    assert load(toml).doubts == ()


def test_a_start_says_its_doubts_once(load: Load, tmp_path: Path) -> None:
    """Executor, producer and dashboard look after their settings all day; the log has each doubt once."""
    said: list[Line] = []

    class Kept:
        def write(self, line: Line) -> None:
            said.append(line)

        def close(self) -> None:
            """Nothing to close."""

    watch = SettingsWatch(load("[limits]\npool_yuan = 1000"), {}, tmp_path)
    log = Log("test", [Kept()])
    for _ in range(2):
        watch.look_after(log)
    assert [line.action for line in said] == ["settings_doubtful"]
    assert "limits.pool_code_yuan" in said[0].sentence


@pytest.mark.parametrize(
    ("most", "overrides", "layer"),
    [
        (60_000.0, {}, ""),
        (1_000.0, {}, "第 1 层"),
        (60_000.0, {"unlimited_flow": True}, ""),  # the cap of one code ends it before
        (60_000.0, {"unlimited_flow": True, "nominal_cap": 600_000}, "第 9 层"),
        (45_000.0, {"unlimited_flow": True}, "第 7 层"),
    ],
)
def test_a_layer_that_no_order_may_buy_is_said(
    most: float, overrides: dict[str, object], layer: str, load: Load
) -> None:
    """By the strategy's own formula, as far as the nominal cap lets it go."""
    written = "\n".join(f"{name} = {str(value).lower()}" for name, value in overrides.items())
    settings = load(f"[limits]\nmax_buy_yuan = {most}\n[strategy.overrides]\n{written}")
    doubt = layer_beyond_limit(parameters_of(settings), settings.limits.max_buy_yuan)
    assert doubt.startswith(layer) and bool(doubt) == bool(layer)


def test_the_dashboards_own_age_is_the_one_meant() -> None:
    """The two sides may not import each other; the number is one."""
    assert STALE_ON_THE_SCREEN == QUOTE_STALE_AFTER
