"""Phase 1: the backtest script runs by path and gives exactly the archived figures of ``releases/v1.0.0``."""

from __future__ import annotations

import subprocess
import tomllib
from pathlib import Path

from shared_schema.words import pair
from test_offline.phases.checks import Check, check, equal
from test_offline.phases.offline_folder import ROOT, read_json, start_script

RELEASE = "v1.0.0"
_SECONDS = 120.0
_PRINTED = ("trades", "alpha", "beta", "drawdown")
_WHOLE = ("trades", "buys", "sells", "exhaust_count")
_YUAN = ("alpha", "beta_profit")


def run(folder: Path) -> list[Check]:
    """Run it in the empty ``folder``, so that it reads the shipped sample."""
    process = start_script(
        "mac_side/mac_backtest_159201.py", folder, ("--release", RELEASE, "--metrics-out", "metrics.json")
    )
    try:
        said, _ = process.communicate(timeout=_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        said, _ = process.communicate()
    checks = [
        check("backtest_ended", process.returncode == 0, "" if process.returncode == 0 else said[-500:])
    ]
    missing = [name for name in _PRINTED if pair(f"backtest.{name}")[0].split("{")[0] not in said]
    checks.append(check("backtest_printed", not missing, ", ".join(missing)))
    return checks + _compared(read_json(folder / "metrics.json") or {})


def _compared(metrics: dict[str, object]) -> list[Check]:
    with (ROOT / "releases" / RELEASE / "results.toml").open("rb") as file:
        archived = tomllib.load(file)["sample"]
    found = {name: metrics.get(name) for name in (*_YUAN, *_WHOLE, "max_dd")}
    figures = {
        **{name: _rounded(found[name], 2) for name in _YUAN},
        **{name: found[name] for name in _WHOLE},
        "max_dd": _rounded(found["max_dd"], 6),
    }
    wanted = {
        **{name: round(archived[name], 2) for name in _YUAN},
        **{name: archived[name] for name in _WHOLE},
        "max_dd": round(archived["max_dd"], 6),
    }
    return [
        equal("backtest_figure", figures[name], wanted[name], name=name, release=RELEASE) for name in wanted
    ]


def _rounded(value: object, digits: int) -> float | None:
    return round(value, digits) if isinstance(value, int | float) else None
