"""Other backtesting tools over the same file, each with a one-lot grid: buy a step down, sell a step up.

Runs by itself, in an environment of its own, since these packages need other versions than ours:

    python -m venv peers && peers/bin/pip install backtrader backtesting vectorbt
    python -m test_offline.benchmarks backtest --peers peers/bin/python

Prints a line of JSON: {name: [version, bars per second, trades]}. Reading the file is not counted; nothing
of ours is imported.
"""

from __future__ import annotations

import json
import sys
import time
from typing import Any

STEP = 0.004


def by_backtrader(table: Any) -> tuple[str, float, int]:
    """Event by event in Python."""
    import backtrader

    class Grid(backtrader.Strategy):  # type: ignore[misc]
        def __init__(self) -> None:
            self.anchor, self.count = 0.0, 0

        def next(self) -> None:
            price = self.data.close[0]
            self.anchor = self.anchor or price
            if not self.position and price <= self.anchor * (1 - STEP):
                self.buy(size=10_000)
                self.anchor, self.count = price, self.count + 1
            elif self.position and price >= self.anchor * (1 + STEP):
                self.close()
                self.anchor, self.count = price, self.count + 1

    engine = backtrader.Cerebro(stdstats=False)
    engine.addstrategy(Grid)
    engine.adddata(backtrader.feeds.PandasData(dataname=table, openinterest=None))
    engine.broker.setcash(1e6)
    begun = time.perf_counter()
    (done,) = engine.run()
    return backtrader.__version__, len(table) / (time.perf_counter() - begun), done.count


def by_backtesting(table: Any) -> tuple[str, float, int]:
    """Event by event over arrays."""
    import backtesting

    class Grid(backtesting.Strategy):  # type: ignore[misc]
        def init(self) -> None:
            self.anchor, self.count = float(self.data.Close[0]), 0

        def next(self) -> None:
            price = float(self.data.Close[-1])
            if not self.position and price <= self.anchor * (1 - STEP):
                self.buy(size=10_000)
                self.anchor, self.count = price, self.count + 1
            elif self.position and price >= self.anchor * (1 + STEP):
                self.position.close()
                self.anchor, self.count = price, self.count + 1

    run = backtesting.Backtest(table.rename(columns=str.capitalize), Grid, cash=1e6)
    begun = time.perf_counter()
    done = run.run()
    return backtesting.__version__, len(table) / (time.perf_counter() - begun), 2 * int(done["# Trades"])


def by_vectorbt(table: Any) -> tuple[str, float, int]:
    """Orders decided bar by bar in a compiled function."""
    import numba
    import numpy
    import vectorbt

    @numba.njit  # type: ignore[misc]
    def decide(context: Any, anchor: Any) -> Any:
        price = context.close[context.i, context.col]
        if anchor[0] == 0:
            anchor[0] = price
        if context.position_now == 0 and price <= anchor[0] * (1 - STEP):
            anchor[0] = price
            return vectorbt.portfolio.nb.order_nb(10_000, price)
        if context.position_now > 0 and price >= anchor[0] * (1 + STEP):
            anchor[0] = price
            return vectorbt.portfolio.nb.order_nb(-10_000, price)
        return vectorbt.portfolio.nb.order_nothing_nb()

    def run() -> Any:
        close = table["close"]
        made = vectorbt.Portfolio.from_order_func(close, decide, numpy.zeros(1), init_cash=1e6)
        return made.orders.count()

    run()  # compiles
    begun = time.perf_counter()
    count = run()
    return vectorbt.__version__, len(table) / (time.perf_counter() - begun), int(count)


def main() -> None:
    """Run those that are installed over the file named on the command line."""
    import pandas

    table = pandas.read_csv(sys.argv[1], parse_dates=["time"], index_col="time")
    table["volume"] = 0.0
    found = {}
    for name, run in (
        ("backtrader", by_backtrader),
        ("backtesting", by_backtesting),
        ("vectorbt", by_vectorbt),
    ):
        try:
            found[name] = run(table)
        except Exception as error:  # a peer that is not there or does not run is told as such
            found[name] = (f"{type(error).__name__}: {error}"[:160], 0.0, 0)
    print(json.dumps(found))


if __name__ == "__main__":
    main()
