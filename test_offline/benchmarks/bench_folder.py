"""A folder with a running executor, and somebody who drops signals into it."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from shared_schema.clock import Moment, Stamper, new_epoch
from shared_schema.drop_folder import DropFolder
from shared_schema.drop_folder.names import HEARTBEAT_FOLDER, signal_name
from shared_schema.ids import AccountAlias, Code, InstanceId, SignalId, StrategyName
from shared_schema.messages import OrderSignal, decode_heartbeat, encode
from shared_schema.sessions import trading_day_of

ROOT = Path(__file__).resolve().parents[2]
CODE = Code("159201.SZ")


@dataclass
class BenchFolder:
    """The exchange folder and the executor's instance."""

    root: Path
    folder: DropFolder
    instance: InstanceId
    pid: int
    stamper: Stamper

    def signal(self, number: int) -> tuple[str, bytes]:
        """Name and bytes of a valid signal."""
        now = time.time()
        signal_id = SignalId(f"BUY_{CODE}_bench_{number:08x}")
        body = OrderSignal(
            signal_id=signal_id,
            code=CODE,
            direction="BUY",
            price=1.05,
            shares=100,
            timestamp=now,
            strategy=StrategyName("bench"),
            executor=self.instance,
        )
        raw = encode(self.stamper.next(Moment(now, now), trading_day_of(now)), body)
        return signal_name(signal_id), raw


@contextmanager
def running_executor(
    root: Path, tool: str = "local", at_most: float = 30.0, broker: str = "simulated"
) -> Iterator[BenchFolder]:
    """A real executor over ``root/exchange``, ready; ended at the end."""
    exchange = root / "exchange"
    exchange.mkdir(parents=True, exist_ok=True)
    child = [sys.executable, "-m", "test_offline.benchmarks.executor_child"]
    command = [*child, str(exchange), str(root), tool, broker]
    process = subprocess.Popen(command, cwd=ROOT, env=dict(os.environ))
    folder = DropFolder(exchange)
    try:
        instance = _ready_instance(folder, process, at_most)
        stamper = Stamper("dashboard@bench", new_epoch(time.time()), "simulate", AccountAlias("main"))
        yield BenchFolder(root, folder, instance, process.pid, stamper)
    finally:
        process.terminate()
        process.wait(20)


def _ready_instance(folder: DropFolder, process: subprocess.Popen[bytes], at_most: float) -> InstanceId:
    deadline = time.monotonic() + at_most
    while time.monotonic() < deadline and process.poll() is None:
        for entry in folder.list_folder(HEARTBEAT_FOLDER):
            if entry.name.startswith("executor-"):
                beat = decode_heartbeat(folder.read(f"{HEARTBEAT_FOLDER}/{entry.name}") or b"").body
                if beat.ready:
                    return beat.instance
        time.sleep(0.05)
    raise RuntimeError("the executor did not become ready")
