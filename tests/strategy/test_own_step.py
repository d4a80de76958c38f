"""The risk: a strategy of one's own that trades otherwise live than in its backtest, or trades nonsense."""

from __future__ import annotations

from pathlib import Path

import pytest

from commands.backtest import SAMPLES, backtest
from mac_side.backtest.engine import run_backtest
from mac_side.mac_dashboard import engine_config
from mac_side.strategy.grid_step import NOTHING, Buy, Decision, GridState, Market, Sell, decide
from mac_side.strategy.lots import Lot
from mac_side.strategy.own_step import own_step, problem_of
from mac_side.strategy.presets import preset
from shared_schema.bars_file import read_bars
from shared_schema.errors import SettingsError, StateError
from shared_schema.settings import load_settings
from tests.mac_side.live_run import compare
from tests.strategy.series import random_bars

EXAMPLE = Path(__file__).resolve().parents[2] / "docs" / "example_strategy.py"
DAY = 240


def written(folder: Path, text: str) -> Path:
    path = folder / "mine.py"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.slow
def test_the_example_trades_live_as_in_the_backtest() -> None:
    """Forty lines, unchanged: through quote and signal files the same orders as in the backtest, with a base
    position and under live rules."""
    assert len(EXAMPLE.read_text(encoding="utf-8").splitlines()) <= 40
    bars = random_bars(3, days=3, ticks=1.5)
    assert compare(bars, preset("159201"), step=own_step(EXAMPLE)) > 5
    assert compare(bars, preset("159201"), live_rules=True, step=own_step(EXAMPLE)) > 2


def test_the_command_runs_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """``--strategy FILE`` runs it instead of the grid and says so."""
    sample = SAMPLES / "sample_159201.csv"
    assert backtest(csv=sample, strategy=EXAMPLE, trades_out=tmp_path / "T.csv", engine="python") == 0
    assert "example_strategy" in capsys.readouterr().out
    result = run_backtest(read_bars(sample), preset("159201"), step=own_step(EXAMPLE))
    assert (tmp_path / "T.csv").read_text().count("\n") == len(result.trades) + 1 > 10


def test_the_dashboard_takes_it_from_the_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """``[strategy] file`` gives the engine that step; without it the engine has the grid's."""
    monkeypatch.chdir(tmp_path)
    config = engine_config(load_settings(), tmp_path / "runtime", "", True)
    assert config.step is decide
    (tmp_path / "miniqmt.toml").write_text(f'[strategy]\nfile = "{EXAMPLE.as_posix()}"\n', encoding="utf-8")
    own = engine_config(load_settings(), tmp_path / "runtime", "", True).step
    market = Market(0.99, 0.001, 0.001, 0, 50.0, 100, 600, closes=(1.0,) * 79 + (0.99,))
    decision = own(GridState((), 1.0), market, preset("159201"))
    assert [type(intent) for intent in decision.intents] == [Buy]


def test_its_closes_are_those_up_to_its_bar(tmp_path: Path) -> None:
    """Never a later close; eighty of them, the last one this bar's price."""
    seen: list[tuple[float, ...]] = []

    def watching(state: GridState, market: Market, parameters: object) -> Decision:
        seen.append(tuple(market.closes))
        return NOTHING

    bars = random_bars(1, days=1)
    run_backtest(bars, preset("159201"), step=watching)
    closes = [bar.close for bar in bars]
    assert seen == [tuple(closes[max(0, row - 79) : row + 1]) for row in range(74, DAY)]


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("decide = 3", "decide"),
        ("def decide(:", "SyntaxError"),
        ("import a_module_nobody_has", "a_module_nobody_has"),
    ],
)
def test_a_file_that_is_no_strategy_is_refused_at_start(text: str, word: str, tmp_path: Path) -> None:
    """Before any quote is read, with the reason; exit code 2."""
    with pytest.raises(SettingsError, match=word) as wrong:
        own_step(written(tmp_path, text))
    assert wrong.value.exit_code == 2
    with pytest.raises(SettingsError):
        own_step(tmp_path / "none.py")


def test_an_error_in_it_names_file_and_bar(tmp_path: Path) -> None:
    """What it raises stops the run with a sentence, never with a traceback or a trade."""
    path = written(tmp_path, "def decide(state, market, parameters):\n    return 1 / (market.bar - 7)\n")
    with pytest.raises(StateError, match=r"mine\.py"):
        run_backtest(random_bars(1, days=1), preset("159201"), step=own_step(path))


LOT = Lot(500, 500.0, 1.0)
STATE = GridState((LOT, LOT), 1.0)
MARKET = Market(1.0, 0.001, 0.001, 0, 50.0, 100, 600, sellable=500)


@pytest.mark.parametrize(
    "wrong",
    [
        "buy",
        None,
        Decision((Buy(1, 100, 1.0),)),
        Decision((Buy(2, 150, 1.0),)),
        Decision((Buy(2, 0, 1.0),)),
        Decision((Buy(2, 100, 0.9),)),
        Decision((Buy(2, 100, 1.0), Buy(3, 100, 1.0))),
        Decision((Buy(2, 100, 1.0), Sell((0,), (LOT,), 1.0, "lot_profit"))),
        Decision((Sell((2,), (LOT,), 1.0, "lot_profit"),)),
        Decision((Sell((), (), 1.0, "lot_profit"),)),
        Decision((Sell((1, 0), (LOT, LOT), 1.0, "lot_profit"),)),
        Decision((Sell((0,), (Lot(900, 900.0, 1.0),), 1.0, "lot_profit"),)),
        Decision((Sell((0, 1), (LOT, LOT), 1.0, "lot_profit"),)),
    ],
)
def test_an_impossible_decision_is_told_not_sent(wrong: object) -> None:
    """Layers that are not next, odd lots, another price, lots not held, more than may be sold."""
    assert problem_of(wrong, STATE, MARKET)


def test_possible_decisions_pass() -> None:
    """Nothing, a buy of the next layer, a sell within what may be sold, and both."""
    sell = Sell((1,), (LOT,), 1.0, "lot_profit")
    for intents in ((), (Buy(2, 100, 1.0),), (sell,), (sell, Buy(1, 200, 1.0))):
        assert problem_of(Decision(intents), STATE, MARKET) == ""
