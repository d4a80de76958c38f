"""The demo's temporary place: exchange folder, each host's own folder, settings, books to start from."""

from __future__ import annotations

import dataclasses
import os
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
import tomlkit

from commands.demo_room.plan import DEMO_PRESET, Plan
from mac_side.dashboard_processes import view_path
from mac_side.strategy.presets import preset
from shared_schema.drop_folder.names import state_name
from shared_schema.ids import StrategyName
from shared_schema.settings import load_settings
from windows_side.executor_places import Files, files_of

ACCOUNT = "demo"
STRATEGY = "grid"
START_CASH = 1_000_000.0
"""Yuan: the simulated account's default."""
SIMULATED, STANDIN = "simulated", "qmt-standin"
"""The brokers a demo can run with: ours, or QMT's over a stand-in of its terminal."""
FAST_QUOTES = 0.05
"""Seconds between two quote files: the replay runs hundreds of times faster than the market."""
_OURS = ("MINIQMT_", "ORDER_EXECUTOR_", "DASHBOARD_", "QMT_", "ACCOUNT_")
_ALSO_OURS = ("SHARED_DIR", "RUNTIME_DIR", "LOG_DIR")
_KEPT = ("MINIQMT_VENV", "MINIQMT_HANDED_OVER", "MINIQMT_LANGUAGE", "MINIQMT_REQUIREMENTS")


@dataclass(frozen=True)
class Stage:
    """Where everything of one demo run lies."""

    root: Path
    plan: Plan
    broker: str = SIMULATED

    @property
    def exchange(self) -> Path:
        """The exchange folder both hosts see."""
        return self.root / "exchange"

    def runtime(self, host: str) -> Path:
        """The private folder of ``host`` ("mac" or "windows")."""
        return self.root / f"runtime_{host}"

    @property
    def logs(self) -> Path:
        """All three logs."""
        return self.root / "logs"

    @property
    def executor_files(self) -> Files:
        """Ledger and simulated broker's books."""
        return files_of(self.runtime("windows"), "simulate", ACCOUNT)

    @property
    def terminal(self) -> Path:
        """The stand-in terminal's place."""
        return self.root / "terminal"

    @property
    def broker_books(self) -> Path:
        """The books of whoever stands for the broker."""
        if self.broker == SIMULATED:
            return self.executor_files.simulated_books
        from test_offline.fake_qmt.run_terminal import BOOKS

        return self.terminal / BOOKS

    @property
    def state_file(self) -> Path:
        """The strategy's books and outbox."""
        return self.runtime("mac") / state_name(None, "simulate")

    @property
    def view_file(self) -> Path:
        """What the engine shows."""
        return view_path(self.runtime("mac"), StrategyName(STRATEGY))

    def environment(self, host: str) -> dict[str, str]:
        """The environment of a process on ``host``: the demo's settings and none of the user's."""
        kept = {name: value for name, value in os.environ.items() if name in _KEPT or not _is_setting(name)}
        return kept | {
            "MINIQMT_CONFIG": str(self.root / f"{host}.toml"),
            "RUNTIME_DIR": str(self.runtime(host)),
            "PYTHONIOENCODING": "utf-8",
        }


def set_stage(plan: Plan, keep: Path | None, broker: str = SIMULATED) -> Stage:
    """Make the place and everything the processes start from."""
    if keep is not None:
        keep.mkdir(parents=True, exist_ok=True)
    root = Path(tempfile.mkdtemp(prefix="miniqmt-demo-", dir=keep))
    stage = Stage(root, plan, broker)
    hosts = (stage.runtime("mac"), stage.runtime("windows"))
    for folder in (stage.exchange, *hosts, stage.logs, stage.terminal):
        folder.mkdir(parents=True)
    language = load_settings().language
    for host in ("mac", "windows"):
        (root / f"{host}.toml").write_text(tomlkit.dumps(_settings(stage, language)), encoding="utf-8")
    # The books a trader would bring along: flat, with the anchor the grid was fitted for.
    books = {"last_buy_price": plan.anchor, "positions": [], "fixed_volume": plan.base_shares}
    stage.state_file.write_bytes(orjson.dumps(books))
    return stage


def clear_stage(stage: Stage) -> None:
    """Remove the temporary place."""
    shutil.rmtree(stage.root, ignore_errors=True)


def _settings(stage: Stage, language: str) -> dict[str, Any]:
    plan = stage.plan
    return {
        "shared_dir": str(stage.exchange),
        "log_dir": str(stage.logs),
        "language": language,
        "account": {"alias": ACCOUNT, **_number(stage)},
        "executor": {"simulate": True},
        # A lively day would meet the day's turnover limit; what a demo shows are orders, not this limit.
        "limits": {"allow_list": [plan.code], "turnover_yuan": 10_000_000.0, "orders_per_second": 20},
        "producer": {"codes": [plan.code], "interval": FAST_QUOTES},
        "strategy": {
            "name": STRATEGY,
            "symbol": plan.code,
            "preset": DEMO_PRESET,
            "overrides": _overrides(plan),
        },
    }


def _overrides(plan: Plan) -> dict[str, Any]:
    base = dataclasses.asdict(preset(DEMO_PRESET))
    fitted = dataclasses.asdict(plan.parameters)
    changed = {name: value for name, value in fitted.items() if value != base[name]}
    return {name: list(value) if isinstance(value, tuple) else value for name, value in changed.items()}


def _number(stage: Stage) -> dict[str, str]:
    if stage.broker == SIMULATED:
        return {}
    from test_offline.fake_qmt.run_terminal import NUMBER

    return {"id": NUMBER}


def _is_setting(name: str) -> bool:
    return name.startswith(_OURS) or name in _ALSO_OURS
