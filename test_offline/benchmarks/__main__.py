"""``python -m test_offline.benchmarks latency|polling|backlog|idle|soak|reaction|backtest|sweep``"""

from __future__ import annotations

import argparse

from rich.console import Console


def main() -> None:
    """Run the benchmark asked for and print its table."""
    parser = argparse.ArgumentParser(prog="python -m test_offline.benchmarks")
    parser.add_argument(
        "which", choices=("latency", "polling", "backlog", "idle", "soak", "reaction", "backtest", "sweep")
    )
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--minutes", type=float, default=60.0, help="soak: of real time")
    parser.add_argument("--gap", type=float, default=0.1, help="latency: longest pause, seconds")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--peers", help="backtest: an interpreter that has the other tools installed")
    options = parser.parse_args()
    console = Console(width=130)
    if options.which == "latency":
        from test_offline.benchmarks.latency import run

        run(options.count, "local", options.seed, console, options.gap)
    elif options.which == "polling":
        from test_offline.benchmarks.latency import run

        for tool in ("parallels", "smb"):
            run(options.count, tool, options.seed, console)
    elif options.which == "backlog":
        from test_offline.benchmarks.backlog import run_backlog

        run_backlog(options.count, console)
    elif options.which == "backtest":
        from test_offline.benchmarks.backtest import run_backtest_benchmark

        run_backtest_benchmark(console, options.peers)
    elif options.which == "sweep":
        from test_offline.benchmarks.backtest import run_sweep_benchmark

        run_sweep_benchmark(console)
    elif options.which == "soak":
        from test_offline.benchmarks.soak import run_soak

        run_soak(options.minutes, console)
    elif options.which == "reaction":
        from test_offline.benchmarks.reaction import run_reaction

        run_reaction(options.count, options.seconds, options.seed, console)
    else:
        from test_offline.benchmarks.idle import run_idle

        run_idle(options.seconds, console)


if __name__ == "__main__":
    main()
