"""The ring's place: two hosts with a folder, settings and memory each, and the processes that run there."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import tomlkit

from commands.demo_room.actors import ROOT, Actor
from commands.demo_room.plan import SAMPLE
from shared_schema.drop_folder.names import state_name
from shared_schema.ids import StrategyName
from shared_schema.settings import known_settings
from windows_side.executor_places import Files, files_of

ACCOUNT = "ring"
STRATEGY = StrategyName("ring")
CODE = "159201.SZ"
BASE_SHARES = 2_000_000
"""Shares the account begins with, so that there is something to sell."""
BASE_PRICE = 1.05
MARKET_SPEED = 5
"""Market seconds a second: an order that rests is taken back by itself after 120 of them, 24 s."""
DELAY = 1
"""Syncthing's fsWatcherDelayS: the least 1.19 takes, and what the product's fast defaults are for."""
_OURS = ("MINIQMT_", "ORDER_EXECUTOR_", "DASHBOARD_", "QMT_")
_KEPT = ("MINIQMT_VENV", "MINIQMT_HANDED_OVER", "MINIQMT_LANGUAGE", "MINIQMT_REQUIREMENTS")


@dataclass(frozen=True)
class Place:
    """Where everything of one run lies. ``a`` is the strategy host's folder, ``b`` the trading host's."""

    root: Path

    @property
    def a(self) -> Path:
        """The strategy host's exchange folder."""
        return self.root / "folder_a"

    @property
    def b(self) -> Path:
        """The trading host's exchange folder."""
        return self.root / "folder_b"

    def runtime(self, host: str) -> Path:
        """The private folder of host "a" or "b"."""
        return self.root / f"runtime_{host}"

    @property
    def executor_files(self) -> Files:
        """Ledger and simulated broker's books."""
        return files_of(self.runtime("b"), "simulate", ACCOUNT)

    @property
    def state_file(self) -> Path:
        """The script's memory: its outbox."""
        return self.runtime("a") / state_name(STRATEGY, "simulate")

    @property
    def times_file(self) -> Path:
        """When the script saw what, a JSON line each."""
        return self.runtime("a") / "times.jsonl"

    @property
    def executor_log(self) -> Path:
        """What the executor says of itself."""
        return self.root / "logs" / "order_executor.log"

    def prepare(self) -> None:
        """Make folders and settings; both hosts pace themselves for Syncthing with a delay of one second."""
        for folder in (self.a, self.b, self.runtime("a"), self.runtime("b"), self.root / "logs"):
            folder.mkdir(parents=True)
        for host, folder in (("a", self.a), ("b", self.b)):
            (self.root / f"{host}.toml").write_text(
                tomlkit.dumps(_settings(folder, self.root)), encoding="utf-8"
            )

    def start(self, role: str, host: str, arguments: Sequence[str]) -> Actor:
        """Start a process of ``role`` on ``host`` "a" or "b"; its output goes to a file."""
        output = self.root / f"{role}.out"
        with output.open("ab") as file:
            process = subprocess.Popen(
                [sys.executable, *arguments],
                cwd=ROOT,
                env=self._environment(host),
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=subprocess.STDOUT,
            )
        return Actor(role, process, output)

    def start_producer(self) -> Actor:
        """The shipped sample's last day, replayed into folder b."""
        return self.start(
            "producer",
            "b",
            [
                *("windows_side/bridge_producer.py", "--replay", str(SAMPLE), "--code", CODE),
                *("--speed", str(MARKET_SPEED)),
                *("--start-position", f"{CODE}={BASE_SHARES}@{BASE_PRICE}"),
            ],
        )

    def start_executor(self) -> Actor:
        """The simulating executor on folder b."""
        return self.start("executor", "b", ["windows_side/order_executor.py"])

    def start_trader(self, signals: int, seed: int) -> Actor:
        """The script on folder a."""
        return self.start(
            "trader",
            "a",
            [
                *("-m", "test_offline.syncthing_ring.trader", str(self.a), str(self.runtime("a"))),
                *("--signals", str(signals), "--seed", str(seed), "--times", str(self.times_file)),
            ],
        )

    def _environment(self, host: str) -> dict[str, str]:
        settings = {variable for _, rule in known_settings() for variable in rule.environment}
        kept = {
            name: value
            for name, value in os.environ.items()
            if name in _KEPT or not (name in settings or name.startswith(_OURS))
        }
        return kept | {
            "MINIQMT_CONFIG": str(self.root / f"{host}.toml"),
            "RUNTIME_DIR": str(self.runtime(host)),
            "PYTHONIOENCODING": "utf-8",
        }


def _settings(folder: Path, root: Path) -> dict[str, Any]:
    return {
        "shared_dir": str(folder),
        "log_dir": str(root / "logs"),
        "account": {"alias": ACCOUNT},
        "sync": {"tool": "syncthing", "syncthing_delay": DELAY},
        "executor": {"simulate": True},
        # Many more signals than a day has, back and forth on purpose; the limits have tests of their own.
        "limits": {
            "allow_list": [CODE],
            "turnover_yuan": 100_000_000.0,
            "pool_yuan": 0.0,
            "orders_per_second": 20,
            "orders_per_day": 10_000,
            "round_trips": 10_000,
        },
        "producer": {"codes": [CODE]},
    }
