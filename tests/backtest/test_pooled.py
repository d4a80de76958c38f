"""Several codes over one pool: the same step, and money that is there only once."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from commands.main import app_for
from mac_side.backtest.engine import run_backtest
from mac_side.backtest.pooled import Member, PooledResult, run_pooled
from mac_side.backtest.prepared import prepare
from mac_side.backtest.read_series import read_series
from mac_side.strategy.parameters import GridParameters
from mac_side.strategy.presets import preset
from shared_schema.cash_pool import PoolTerms, PoolUse, pool_objection
from shared_schema.errors import SettingsError
from shared_schema.ids import Code

SAMPLES = Path(__file__).resolve().parents[2] / "shared_schema" / "sample"
PARITY = Path(__file__).resolve().parents[1] / "data" / "parity" / "bars_20d.csv.gz"
FIRST, SECOND = Code("159201.SZ"), Code("512890.SH")


def member(code: Code, parameters: GridParameters | None = None, path: Path | None = None) -> Member:
    """A code on its sample."""
    parameters = parameters or preset(code[:6])
    series = read_series(path or SAMPLES / f"sample_{code[:6]}.csv")
    return Member(code, prepare(series, parameters), parameters)


def run(total: float, cap: float = 0.0, live: bool = False) -> PooledResult:
    """Both samples over a pool."""
    codes = [(code, replace(preset(code[:6]), live_rules=live)) for code in (FIRST, SECOND)]
    return run_pooled([member(*pair) for pair in codes], PoolTerms(total, cap))


@pytest.mark.parametrize("live", [False, True])
@pytest.mark.parametrize("total", [0.0, 1e9])
def test_a_pool_that_never_binds_changes_nothing(total: float, live: bool) -> None:
    """Each code's trades are those of its own backtest, to the bit, also under the live rules."""
    done = run(total, live=live)
    for code in (FIRST, SECOND):
        parameters = replace(preset(code[:6]), live_rules=live)
        alone = run_backtest(read_series(SAMPLES / f"sample_{code[:6]}.csv"), parameters)
        assert done.results[code].trades == alone.trades and len(alone.table) > 5
        assert done.results[code].equity.tolist() == alone.equity.tolist()
    assert not done.refused


@pytest.mark.parametrize(("total", "cap"), [(30_000.0, 0.0), (60_000.0, 0.0), (90_000.0, 45_000.0)])
def test_the_money_is_there_only_once(total: float, cap: float) -> None:
    """Every buy of the merged run fits the pool, its code's cap and the first layer's share."""
    done = run(total, cap)
    terms = PoolTerms(total, cap)
    held: dict[Code, list[tuple[int, float]]] = {FIRST: [], SECOND: []}
    merged = sorted(
        (trade.time, number, trade.order, place, trade.type == "BUY", code, trade)
        for number, code in enumerate((FIRST, SECOND))
        for place, trade in enumerate(done.results[code].trades)
    )
    bought = 0
    for *_, is_buy, code, trade in merged:
        if not is_buy:
            lot = next(lot for lot in held[code] if lot[0] == trade.shares)
            held[code].remove(lot)
            continue
        use = PoolUse({c: sum(shares * price for shares, price in lots) for c, lots in held.items()}, {})
        amount = trade.shares * trade.price
        assert pool_objection(terms, use, code, amount, opens_first_layer=not held[code]) is None
        held[code].append((trade.shares, trade.price))
        bought += 1
    assert bought and done.refused and done.most_used <= total + 1e-6


@pytest.mark.slow
def test_steps_widen_while_the_pool_is_nearly_used_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """Above 90 % of the pool the next buys lie lower than they would with steps as set."""
    fine = replace(preset("159201"), max_layers=40)
    one = member(FIRST, fine, PARITY)
    terms = PoolTerms(80_000.0, 0.0)
    done = run_pooled([one], terms)
    assert done.widened_steps > 0 and done.most_used > 0.9 * terms.total
    monkeypatch.setattr("mac_side.backtest.pooled.widened", lambda parameters: parameters)
    as_set = run_pooled([one], terms)
    pairs = zip(done.results[FIRST].trades, as_set.results[FIRST].trades, strict=False)
    wide, plain = next((w, p) for w, p in pairs if w != p)
    assert plain.type == "BUY" and plain.time < wide.time


def test_the_order_of_the_codes_decides_a_tie() -> None:
    """The same code twice under two names: the first one given draws first, and both can't have it all."""
    pair = [member(FIRST), Member(Code("159202.SZ"), member(FIRST).prepared, preset("159201"))]
    done = run_pooled(pair, PoolTerms(60_000.0, 0.0))
    first, second = (len(result.table) for result in done.results.values())
    assert first > second


def typed(*words: str) -> object:
    """A command line's exit code or error."""
    ended = CliRunner().invoke(app_for(["backtest"]), ["backtest", *words])
    return ended.exception if isinstance(ended.exception, SettingsError) else ended.exit_code


def test_the_command_writes_both_codes_and_the_pool(tmp_path: Path) -> None:
    """One file of trades by time with the code, one of metrics with each code, the pool, and all together."""
    trades, metrics = tmp_path / "t.csv", tmp_path / "m.json"
    words = ["--preset", "159201,512890", "--pool", "300000", "--set", "max_layers=5"]
    assert typed(*words, "--trades-out", str(trades), "--metrics-out", str(metrics)) == 0
    rows = list(csv.DictReader(trades.open(encoding="utf-8")))
    assert {row["code"] for row in rows} == {FIRST, SECOND}
    assert [row["time"] for row in rows] == sorted(row["time"] for row in rows)
    told = json.loads(metrics.read_text(encoding="utf-8"))
    assert told["together"]["trades"] == len(rows)
    assert told["together"]["alpha"] == sum(told["codes"][code]["alpha"] for code in (FIRST, SECOND))
    assert told["pool"]["total"] == 300_000.0 and told["codes"][FIRST]["parameters"]["max_layers"] == 5


@pytest.mark.parametrize(
    ("words", "key"),
    [
        (("--preset", "159201,512890", "--csv", "a.csv"), "pooled.files"),
        (("--preset", "159201,asymmetric", "--pool", "1000"), "pooled.same_code"),
        (("--preset", "159201,512890", "--pool", "0"), "pooled.bad_pool"),
        (("--preset", "159201,512890", "--pool", "nan"), "pooled.bad_pool"),
        (("--preset", "159201,512890", "--plot", "p.png"), "pooled.not_with"),
        (("--preset", "159201", "--pool", "1000", "--release", "v1.0.0"), "pooled.not_with"),
    ],
)
def test_what_does_not_go_together_is_said(words: tuple[str, ...], key: str) -> None:
    """Before anything runs."""
    problem = typed(*words)
    assert isinstance(problem, SettingsError) and problem.key == key
