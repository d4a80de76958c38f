"""A real executor process for measuring: the product's own wiring, its limits lifted."""

from __future__ import annotations

import signal
import sys
import threading
from dataclasses import replace
from pathlib import Path

from shared_schema.settings import load_settings
from windows_side.order_executor import run

NO_LIMIT = 10**9


def main(exchange: str, runtime: str, tool: str) -> None:
    """Run until SIGTERM."""
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
    run(replace(settings, limits=limits), stop, console=False)


if __name__ == "__main__":
    main(*sys.argv[1:4])
