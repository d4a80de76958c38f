"""The risk: results that differ from the proved ones by one trade or one cent."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from commands.backtest import backtest
from mac_side.backtest.engine import run_backtest
from mac_side.backtest.metrics import metrics_of
from mac_side.strategy.presets import preset
from shared_schema.bars_file import read_bars
from shared_schema.shanghai import shanghai

PARITY = Path(__file__).resolve().parents[1] / "data" / "parity"
SETS = ("159201", "512890")


@pytest.mark.parametrize("name", SETS)
def test_every_trade_and_the_metrics_to_the_cent(name: str, tmp_path: Path) -> None:
    """The command's files hold every trade of the parity vectors, in order, and every metric."""
    trades, metrics = tmp_path / "T.csv", tmp_path / "M.json"
    code = backtest(preset=name, csv=PARITY / "bars_20d.csv.gz", trades_out=trades, metrics_out=metrics)
    assert code == 0
    with (PARITY / f"{name}_20d.trades.csv").open() as wanted, trades.open() as found:
        for want, have in zip(csv.DictReader(wanted), csv.DictReader(found), strict=True):
            assert {**want, "price": float(want["price"])} == {**have, "price": float(have["price"])}
    document = json.loads(metrics.read_text())
    vector = json.loads((PARITY / f"{name}_20d.metrics.json").read_text())
    wanted_metrics = {**vector["metrics"], **{k: vector["state_at_end"][k] for k in COUNTS}}
    compared = {key: value for key, value in wanted_metrics.items() if key in document}
    assert len(compared) >= 14
    for key, value in compared.items():
        assert document[key] == pytest.approx(value, abs=1e-6 if key in MONEY else 1e-12), key


COUNTS = ("buys", "sells", "bars_would_buy_but_full", "n_atr_pause_bars", "n_force_stops")
MONEY = ("alpha", "beta_profit", "total_profit")


@pytest.mark.parametrize("name", SETS)
def test_the_books_at_the_end(name: str) -> None:
    """Lots, anchor, cash and the equity curve's ends are those of the vectors."""
    vector = json.loads((PARITY / f"{name}_20d.metrics.json").read_text())["state_at_end"]
    result = run_backtest(read_bars(PARITY / "bars_20d.csv.gz"), preset(name))
    assert result.bars_in_file == vector["bars_in_file"]
    assert len(result.close) == vector["bars_after_dropna"]
    assert shanghai(float(result.end[0])).isoformat(" ") == vector["first_bar"]
    assert result.cash == pytest.approx(vector["cash_alpha"], abs=1e-6)
    assert result.state.shares == vector["hold_t0_volume"]
    assert result.state.anchor == vector["last_buy_price"]
    assert [(lot.shares, lot.cost, lot.buy_price) for lot in result.state.lots] == [
        (lot["shares"], lot["cost"], lot["buy_price"]) for lot in vector["positions_end"]
    ]
    assert float(result.equity.min()) == pytest.approx(vector["equity_min"], abs=1e-6)
    assert float(result.equity.max()) == pytest.approx(vector["equity_max"], abs=1e-6)
    assert metrics_of(result).max_dd < 0
