"""A whole live path without waiting: quotes as files, signals as files, every one filled at its price.

    python -m tests.mac_side.live_run --days 120

compares every trade of the parity bars and of a generated sample of so many days with the backtest.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import NamedTuple

from mac_side.backtest.engine import run_backtest
from mac_side.backtest.prepared import with_live_rules
from mac_side.backtest.result import BacktestResult
from mac_side.engine_core import EngineCore
from mac_side.engine_events import QuoteSeen, ResultSeen
from mac_side.engine_memory import EngineConfig
from mac_side.market_view import LEAST_BARS
from mac_side.state_file import new_state
from mac_side.strategy.grid_step import Decide, decide
from mac_side.strategy.parameters import GridParameters
from mac_side.strategy.presets import preset
from shared_schema.bars_file import Bar, read_bars
from shared_schema.clock import Moment
from shared_schema.ids import AccountAlias, InstanceId, StrategyName
from shared_schema.messages import (
    MinuteBars,
    OrderResult,
    Quote,
    QuoteSnapshot,
    decode_quote,
    decode_result,
    decode_signal,
    encode,
    signal_digest,
)
from shared_schema.sample.make_sample_bars import INSTRUMENTS, sample_text
from shared_schema.shanghai import day_of
from shared_schema.trading_calendar import load_calendar
from tests.mac_side.world import CODE, account, beats, envelope

PARITY = Path(__file__).parent.parent / "data" / "parity" / "bars_20d.csv.gz"
PLENTY = 10**7
CALENDAR = load_calendar()


class Order(NamedTuple):
    """An order as a broker would see it: Unix seconds, side, yuan, shares."""

    time: float
    side: str
    price: float
    shares: int


def quote_file(bars: Sequence[Bar], seq: int) -> QuoteSeen:
    """The newest of ``bars`` with its history, written at its end, read back from its bytes."""
    columns = MinuteBars(
        time=tuple(bar.end for bar in bars),
        open=tuple(bar.open for bar in bars),
        high=tuple(bar.high for bar in bars),
        low=tuple(bar.low for bar in bars),
        close=tuple(bar.close for bar in bars),
    )
    now = Moment(bars[-1].end, bars[-1].end)
    body = QuoteSnapshot(
        code=CODE, price=bars[-1].close, quotes={CODE: Quote(price=bars[-1].close)}, bars={CODE: columns}
    )
    return QuoteSeen(decode_quote(encode(envelope(now, seq), body)), now.wall)


def filled(raw: bytes, now: Moment, seq: int) -> ResultSeen:
    """The executor's answer to a signal's bytes: filled whole, at the signal's price."""
    received = decode_signal(raw)
    signal = received.body
    body = OrderResult.model_validate(
        {
            "signal_id": signal.signal_id,
            "status": "success",
            "timestamp": now.wall,
            "direction": signal.direction,
            "requested_shares": signal.shares,
            "filled_shares": signal.shares,
            "average_price": signal.price,
            "trades": [
                {"trade_id": f"t{seq}", "price": signal.price, "shares": signal.shares, "time": now.wall}
            ],
            "state": "filled",
            "signal_digest": signal_digest(signal, received.envelope),
            "revision": 5,
        }
    )
    return ResultSeen(decode_result(encode(envelope(now, seq), body)))


def run_live(
    bars: Sequence[Bar], parameters: GridParameters, live_rules: bool = False, step: Decide = decide
) -> tuple[list[Order], EngineCore]:
    """Feed ``bars`` one by one to an engine from the first complete row on; every order it sends.

    A base position of plenty, no cap, no session clock: the conditions of strategy.md. With ``live_rules``
    the session clock and the cap hold, and only what was held before the day may be sold.
    """
    start = bars[LEAST_BARS - 1].end
    chosen = with_live_rules(replace(parameters, live_rules=live_rules))
    config = EngineConfig(CODE, chosen, InstanceId("dash"), CALENDAR, offline=not live_rules, step=step)
    first = Moment(start, start)
    core = EngineCore(
        config, new_state(first, "simulate", AccountAlias("main"), StrategyName("grid"), "dashboard@mac")
    )
    orders: list[Order] = []
    today, sellable = "", 0
    for row in range(LEAST_BARS - 1, len(bars)):
        now = Moment(bars[row].end, bars[row].end)
        if day_of(now.wall) != today:
            today, sellable = day_of(now.wall), core.state.books.shares
        core.handle(beats(now), now)
        held = (core.state.books.shares, sellable) if live_rules else (PLENTY, PLENTY)
        core.handle(account(now, *held, seq=row), now)
        known = len(core.state.outbox.entries)
        core.handle(quote_file(bars[row - LEAST_BARS + 1 : row + 1], row), now)
        for entry in core.state.outbox.entries[known:]:
            orders.append(Order(now.wall, entry.direction, entry.intention.price, entry.intention.shares))
            sellable -= entry.intention.shares if entry.direction == "SELL" else 0
            core.handle(filled(entry.raw, now, row), now)
        core.state = replace(core.state, outbox=replace(core.state.outbox, entries=()))
    return orders, core


def orders_of(result: BacktestResult) -> list[Order]:
    """The backtest's trades as orders: lots sold at one moment are one."""
    found: dict[int, Order] = {}
    for trade in result.trades:
        before = found.get(trade.order)
        shares = trade.shares + (before.shares if before else 0)
        found[trade.order] = Order(trade.time, trade.type, trade.price, shares)
    return list(found.values())


def compare(
    bars: Sequence[Bar], parameters: GridParameters, live_rules: bool = False, step: Decide = decide
) -> int:
    """Hold the live path to the backtest, order by order and lot by lot; how many orders there were."""
    orders, core = run_live(bars, parameters, live_rules, step)
    chosen = replace(parameters, live_rules=live_rules)
    result = run_backtest(bars, chosen, start=bars[LEAST_BARS - 1].end, step=step)
    assert orders == orders_of(result)
    assert [(lot.shares, lot.buy_price) for lot in core.state.books.lots] == [
        (lot.shares, lot.buy_price) for lot in result.state.lots
    ]
    return len(orders)


def sample_bars(days: int, folder: Path) -> tuple[Bar, ...]:
    """A generated sample of ``days`` trading days."""
    chosen: list[date] = []
    day = date(2025, 1, 2)
    while len(chosen) < days:
        if CALENDAR.is_trading_day(day):
            chosen.append(day)
        day += timedelta(days=1)
    path = folder / "sample.csv"
    path.write_text(sample_text(INSTRUMENTS[0], chosen), encoding="utf-8")
    return read_bars(path)


def main() -> int:
    """Compare all of it; 1 where an order differs."""
    import tempfile

    parser = argparse.ArgumentParser(prog="python -m tests.mac_side.live_run")
    parser.add_argument("--days", type=int, default=120)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        series = {"parity": read_bars(PARITY), "sample": sample_bars(options.days, Path(folder))}
    for name, bars in series.items():
        for chosen in ("159201", "512890", "demo"):
            for live_rules in (False, True):
                orders = compare(bars, preset(chosen), live_rules)
                rules = "live rules" if live_rules else "base position"
                print(f"{name}, {len(bars)} bars, {chosen}, {rules}: {orders} orders, all equal")
    return 0


if __name__ == "__main__":
    sys.exit(main())
