"""The risk: the agreed interface drifts: a column, a key, a form of time that files of users rely on."""

from __future__ import annotations

import csv
import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from commands.main import main
from mac_side.backtest.compiled import have_numba
from mac_side.strategy.presets import preset
from shared_schema.bars_file import Bar, read_bars
from shared_schema.shanghai import shanghai, unix_seconds
from tests.strategy.restatement import run
from tests.strategy.series import as_rows, random_bars

PARITY = Path(__file__).resolve().parents[1] / "data" / "parity"
BARS = read_bars(PARITY / "bars_20d.csv.gz")[: 240 * 2]
METRICS = {
    "alpha",
    "beta_profit",
    "total_profit",
    "trades",
    "buys",
    "sells",
    "max_dd",
    "exhaust_count",
    "exhaust_cycles",
    "losing_cycles",
    "days_util",
    "flow_ann",
    "flow_ann_util",
    "bars_would_buy_but_full",
    "n_atr_pause_bars",
    "n_force_stops",
    "parameters",
}
SETTABLE: dict[str, str] = {
    "buy_step_factor": "0.8",
    "sell_profit_threshold": "0.002",
    "sell_threshold_factor": "1.35",
    "mtf_lookahead": "true",
    "whole_exit": "false",
    "live_rules": "true",
    "atr_grid_factor": "0.28",
    "grid_step_floor": "0.0008",
    "layer_step_bonus": "0.0002",
    "max_layers": "5",
    "layer_weights": "1,1,2,2,3",
    "batch_money": "150000",
    "beta_capital": "350000",
    "cooling_enabled": "false",
    "cooling_bars": "30",
    "cooling_bars_short": "10",
    "rsi_cooling_threshold": "40",
    "cooling_rsi_enabled": "false",
    "atr_circuit_breaker_enabled": "false",
    "enable_float_loss_stop": "true",
    "max_cycle_float_loss": "500",
    "time_filter_enabled": "true",
    "mtf_enabled": "true",
    "stress_slippage_enabled": "true",
    "unlimited_flow": "true",
    "sell_by_lot": "false",
    "commission_rate": "0.0002",
    "min_commission": "5",
}


def typed(*arguments: object) -> int:
    """The exit code of ``miniqmt backtest`` with these arguments."""
    with pytest.raises(SystemExit) as end:
        main(["backtest", *map(str, arguments)])
    return int(end.value.code or 0)


def outputs(folder: Path, *arguments: object) -> tuple[str, dict[str, Any]]:
    """T.csv as text and M.json of a run."""
    trades, metrics = folder / "T.csv", folder / "M.json"
    assert typed("--engine", "python", *arguments, "--trades-out", trades, "--metrics-out", metrics) == 0
    return trades.read_text(encoding="utf-8"), json.loads(metrics.read_text(encoding="utf-8"))


def written(folder: Path, time: Callable[[Bar], str], head: str = "time,open,high,low,close") -> Path:
    path = folder / "bars.csv"
    tail = ",1200,1234.5" if "amount" in head else ",1200" if "volume" in head else ""
    lines = [f"{time(bar)},{bar.open},{bar.high},{bar.low},{bar.close}{tail}" for bar in BARS]
    path.write_text("\n".join([head, *lines]) + "\n", encoding="utf-8")
    return path


def test_the_files_have_exactly_the_agreed_columns_and_keys(tmp_path: Path) -> None:
    """T.csv: time, type, price, shares, reason. M.json: every metric by its name, and the parameters used."""
    trades, metrics = outputs(tmp_path, "--preset", "512890", "--csv", PARITY / "bars_20d.csv.gz")
    rows = list(csv.DictReader(trades.splitlines()))
    assert trades.splitlines()[0] == "time,type,price,shares,reason"
    assert {row["type"] for row in rows} == {"BUY", "SELL"}
    assert {row["reason"] for row in rows} == {"", "lot_profit"}
    assert all(len(row["time"]) == 19 and row["shares"].isdigit() for row in rows)
    assert set(metrics) >= METRICS
    assert metrics["trades"] == len(rows) == metrics["buys"] + metrics["sells"]
    assert -1 < metrics["max_dd"] < 0
    assert metrics["parameters"]["atr_grid_factor"] == 0.32


@pytest.mark.parametrize("key", SETTABLE)
def test_every_agreed_key_is_taken_and_does_what_the_restatement_says(key: str, tmp_path: Path) -> None:
    """``--set key=value`` through the command line gives the trades and metrics of the re-statement."""
    bars = random_bars(4, days=2, ticks=1.5)
    path = tmp_path / "bars.csv"
    lines = [f"{bar.end:.0f},{bar.open},{bar.high},{bar.low},{bar.close}" for bar in bars]
    path.write_text("\n".join(["time,open,high,low,close", *lines]), encoding="utf-8")
    extra = ["--set", "mtf_enabled=true"] if key == "mtf_lookahead" else []
    extra += ["--set", "sell_by_lot=false"] if key == "whole_exit" else []
    extra += ["--set", "enable_float_loss_stop=true"] if key == "max_cycle_float_loss" else []
    text, metrics = outputs(tmp_path, "--csv", path, "--set", f"{key}={SETTABLE[key]}", *extra)
    used = metrics["parameters"]
    assert used[key] != preset("159201").as_dict()[key]
    trades, wanted = run(as_rows(bars), used)
    found = [
        (row["time"], row["type"], float(row["price"]), int(row["shares"]), row["reason"])
        for row in csv.DictReader(text.splitlines())
    ]
    assert found == [(str(time), *rest) for time, *rest in trades]
    assert {name: metrics[name] for name in wanted} == pytest.approx(wanted, abs=1e-6)


@pytest.mark.parametrize(
    ("head", "time"),
    [
        ("time,open,high,low,close", lambda bar: shanghai(bar.end).isoformat(" ")),
        ("datetime,open,high,low,close,volume,amount", lambda bar: shanghai(bar.end).isoformat("T")),
        ("when,open,high,low,close,volume", lambda bar: f"{bar.end:.0f}"),
        (",open,high,low,close", lambda bar: f"{bar.end * 1000:.0f}"),
        ("Time,Open,High,Low,Close", lambda bar: f"{bar.end:.1f}"),
        ("time,open,high,low,close", lambda bar: shanghai(bar.end).strftime("%Y-%m-%d %H:%M")),
    ],
    ids=[
        "text",
        "datetime and T",
        "seconds first column",
        "milliseconds no name",
        "float seconds",
        "minutes",
    ],
)
def test_every_form_of_file_gives_the_same_trades(
    head: str, time: Callable[[Bar], str], tmp_path: Path
) -> None:
    """ISO text, epoch seconds and milliseconds read as Shanghai; volume and amount optional: equal files."""
    usual = written(tmp_path, lambda bar: shanghai(bar.end).isoformat(" "))
    wanted, _ = outputs(tmp_path, "--csv", usual)
    assert wanted.count("\n") > 2
    path = written(tmp_path, time, head)
    assert outputs(tmp_path, "--csv", path)[0] == wanted
    packed = tmp_path / "packed.csv.gz"
    packed.write_bytes(gzip.compress(path.read_bytes()))
    assert outputs(tmp_path, "--csv", packed)[0] == wanted


@pytest.mark.skipif(not have_numba(), reason="numba is not installed (requirements-fast.txt)")
@pytest.mark.slow
def test_numba_and_the_step_write_the_same_files(tmp_path: Path) -> None:
    """``--engine`` changes the speed and nothing else: equal bytes."""
    path, found = written(tmp_path, lambda bar: shanghai(bar.end).isoformat(" ")), set()
    for engine in ("numba", "python", "step"):
        trades, metrics = outputs(tmp_path, "--csv", path, "--engine", engine)
        found.add((trades, json.dumps(metrics)))
    assert len(found) == 1


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--set", "max_layer=3"], ["max_layers"]),
        (["--set", "max_layers=0"], ["max_layers", "1", "1000"]),
        (["--set", "commission_rate=0.5"], ["commission_rate", "0.1"]),
        (["--preset", "51289"], ["512890"]),
        (["--engine", "fast"], ["numba"]),
    ],
)
def test_bad_options_are_answered_with_what_would_be_right(
    arguments: list[str], words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    """An unknown key with the nearest, a value out of range with its range; exit code 2, no traceback."""
    assert typed("--csv", PARITY / "bars_20d.csv.gz", *arguments) == 2
    told = capsys.readouterr().err
    assert all(word in told for word in words), told


def test_bad_rows_are_all_named_and_too_few_bars_counted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Every wrong row with its line; 74 bars are one too few of 75."""
    path = written(tmp_path, lambda bar: shanghai(bar.end).isoformat(" "))
    lines = path.read_text(encoding="utf-8").splitlines()
    lines[5] = lines[5].replace(",", ",x", 1)
    lines[9] = lines[9].rpartition(",")[0] + ",0"
    path.write_text("\n".join(lines), encoding="utf-8")
    assert typed("--csv", path) == 2
    told = capsys.readouterr().err
    assert all(str(line) in told for line in (6, 10))
    path.write_text("\n".join(["time,open,high,low,close", *lines[100:174]]), encoding="utf-8")
    assert typed("--csv", path) == 2
    told = capsys.readouterr().err
    assert "74" in told and "75" in told


def test_shanghai_is_meant_whatever_the_hosts_zone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A host in another time zone reads the same minutes."""
    import time

    path = written(tmp_path, lambda bar: f"{bar.end:.0f}")
    wanted, _ = outputs(tmp_path, "--csv", path)
    monkeypatch.setenv("TZ", "America/New_York")
    if hasattr(time, "tzset"):
        time.tzset()
    try:
        assert outputs(tmp_path, "--csv", path)[0] == wanted
        assert unix_seconds(shanghai(BARS[0].end)) == BARS[0].end
    finally:
        monkeypatch.undo()
        if hasattr(time, "tzset"):
            time.tzset()
