"""The disk's floor: what file, wake-up, parsing and one durable commit cost by themselves on this machine."""

from __future__ import annotations

import sqlite3
import statistics
import threading
import time
from dataclasses import dataclass
from pathlib import Path

from shared_schema.clock import Moment, Stamper, new_epoch
from shared_schema.drop_folder import DropFolder
from shared_schema.ids import AccountAlias, Code, InstanceId, SignalId, StrategyName
from shared_schema.messages import OrderSignal, decode_signal, encode
from shared_schema.watch import FolderWatch


@dataclass(frozen=True)
class Spread:
    """Median and 99th percentile of a latency, seconds."""

    count: int
    p50: float
    p99: float


def spread_of(values: list[float]) -> Spread | None:
    """The spread of ``values``; None without any."""
    if not values:
        return None
    ordered = sorted(values)
    return Spread(
        len(ordered), statistics.median(ordered), ordered[min(len(ordered) - 1, int(len(ordered) * 0.99))]
    )


def measure_floor(folder: Path, count: int = 60) -> Spread:
    """Signal file written → durable, renamed, woken, read, parsed, committed once (SQLite, WAL, FULL).

    A publishing and a receiving thread, as the two hosts would be; nothing of the product
    but the folder's own publish, watch and parse.
    """
    exchange = DropFolder(folder / "floor")
    exchange.path.mkdir(parents=True)
    database = sqlite3.connect(folder / "floor.sqlite3", isolation_level=None, check_same_thread=False)
    database.execute("PRAGMA journal_mode = WAL")
    database.execute("PRAGMA synchronous = FULL")
    database.execute("CREATE TABLE floor (id TEXT PRIMARY KEY, row TEXT)")
    watch = FolderWatch(exchange.path, 0.05)
    taken: dict[str, float] = {}
    arrived = threading.Event()

    def receive(name: str) -> None:
        while (raw := exchange.read(name)) is None:
            watch.wait()
        signal = decode_signal(raw).body
        database.execute("INSERT INTO floor VALUES (?, ?)", (signal.signal_id, raw.decode()))
        taken[name] = time.time()
        arrived.set()

    latencies = []
    stamper = Stamper("floor@host", new_epoch(time.time()), "simulate", AccountAlias("floor"))
    for number in range(count):
        name = f"order_signal_floor{number}.json"
        arrived.clear()
        receiver = threading.Thread(target=receive, args=(name,), daemon=True)
        receiver.start()
        raw = _signal(stamper, number)
        exchange.publish(name, raw)
        arrived.wait(5.0)
        receiver.join()
        entry = exchange.stat(name)
        if entry is not None and name in taken:
            latencies.append(taken[name] - entry.modified_ns / 1e9)
        exchange.remove(name)
    watch.stop()
    database.close()
    spread = spread_of(latencies)
    if spread is None:
        raise ValueError("the floor needs at least one measurement")
    return spread


def _signal(stamper: Stamper, number: int) -> bytes:
    now = time.time()
    body = OrderSignal(
        signal_id=SignalId(f"floor{number}"),
        code=Code("159201.SZ"),
        direction="BUY",
        price=1.05,
        shares=100,
        timestamp=now,
        strategy=StrategyName("floor"),
        executor=InstanceId("floor"),
    )
    return encode(stamper.next(Moment(now, now), "2026-01-05"), body)
