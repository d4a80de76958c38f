"""A real executor process for measuring: the product's own wiring, its limits lifted."""

from __future__ import annotations

import signal
import sys
import threading
from dataclasses import replace
from pathlib import Path

from shared_schema.settings import load_settings
from test_offline.benchmarks.instant_broker import InstantBroker, NotedCalls
from windows_side.order_executor import run
from windows_side.venue import SIMULATED, Broker, Surroundings

NO_LIMIT = 10**9
PLACED = "placed.json"
"""Beside the exchange folder: when each order was placed."""


def main(exchange: str, runtime: str, tool: str, broker: str = "simulated") -> None:
    """Run until SIGTERM; ``broker`` is "simulated" or "instant"."""
    settings = load_settings(
        environment={},
        working_folder=Path(runtime),
        overrides={
            "shared_dir": exchange,
            "runtime_dir": f"{runtime}/windows",
            "log_dir": f"{runtime}/logs",
            "executor.simulate": True,
            "executor.simulate_cash": 1e9,
            "sync.tool": tool,
        },
    )
    limits = replace(
        settings.limits,
        orders_per_second=NO_LIMIT,
        orders_per_day=NO_LIMIT,
        waiting=NO_LIMIT,
        turnover_yuan=1e15,
        duplicate_window_seconds=0.0,
        max_buy_yuan=1e9,
        pool_yuan=0.0,
        pool_code_yuan=0.0,
    )
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    noted = Path(runtime) / PLACED

    def opened(around: Surroundings) -> Broker:
        if broker == "instant":
            return Broker(NotedCalls(InstantBroker(), noted))  # type: ignore[arg-type]
        real = SIMULATED.open(around)
        return replace(real, calls=NotedCalls(real.calls, noted))  # type: ignore[arg-type]

    run(replace(settings, limits=limits), stop, replace(SIMULATED, open=opened), console=False)


if __name__ == "__main__":
    main(*sys.argv[1:5])
