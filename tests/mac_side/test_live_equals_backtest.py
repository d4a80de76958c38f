"""The risk: the live engine trades otherwise than the backtest that was believed (one step, two callers)."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from mac_side.backtest.engine import run_backtest
from mac_side.engine_core import EngineCore
from mac_side.engine_events import QuoteSeen
from mac_side.engine_memory import EngineConfig
from mac_side.market_view import LEAST_BARS
from mac_side.state_file import new_state
from mac_side.strategy.presets import preset
from shared_schema.bars_file import Bar, read_bars
from shared_schema.clock import Moment
from shared_schema.ids import AccountAlias, InstanceId, StrategyName
from shared_schema.messages import MinuteBars, Quote, QuoteSnapshot
from shared_schema.trading_calendar import load_calendar
from tests.mac_side.world import CODE, account, answer, beats, envelope, received

BARS = Path(__file__).parent.parent / "data" / "parity" / "bars_20d.csv.gz"
DAYS = 4


def _quote(bars: list[Bar], seq: int) -> QuoteSeen:
    """The newest of ``bars`` with its history, written at its end."""
    columns = MinuteBars(
        time=tuple(bar.end for bar in bars),
        open=tuple(bar.open for bar in bars),
        high=tuple(bar.high for bar in bars),
        low=tuple(bar.low for bar in bars),
        close=tuple(bar.close for bar in bars),
    )
    now = Moment(bars[-1].end, bars[-1].end)
    body = QuoteSnapshot(
        code=CODE,
        price=bars[-1].close,
        quotes={CODE: Quote(price=bars[-1].close)},
        bars={CODE: columns},
    )
    return QuoteSeen(received(envelope(now, seq), body), now.wall)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["159201", "demo"])
def test_every_live_order_is_the_backtests_trade(name: str) -> None:
    """Bar by bar, filled at once, base position, no cap, no session clock: the same orders, to the lot."""
    parameters = preset(name)
    bars = list(read_bars(BARS))[: 240 * DAYS]
    start = bars[LEAST_BARS - 1].end
    config = EngineConfig(CODE, parameters, InstanceId("dash"), load_calendar(), offline=True)
    fresh = new_state(
        Moment(start, start), "simulate", AccountAlias("main"), StrategyName("grid"), "dashboard@mac"
    )
    made = EngineCore(config, fresh)
    orders = []
    for row in range(LEAST_BARS - 1, len(bars)):
        now = Moment(bars[row].end, bars[row].end)
        made.handle(beats(now), now)
        made.handle(account(now, 10**7, 10**7, seq=row), now)
        known = len(made.state.outbox.entries)
        made.handle(_quote(bars[row - LEAST_BARS + 1 : row + 1], row), now)
        for entry in made.state.outbox.entries[known:]:
            orders.append((now.wall, entry.direction, entry.intention.price, entry.intention.shares))
            made.handle(answer(entry, now, entry.intention.shares), now)
        made.state = replace(made.state, outbox=replace(made.state.outbox, entries=()))
    result = run_backtest(bars, parameters, start=start)
    expected: dict[int, tuple[float, str, float, int]] = {}
    for trade in result.trades:
        shares = expected[trade.order][3] if trade.order in expected else 0
        expected[trade.order] = (trade.time, trade.type, trade.price, shares + trade.shares)
    assert len(expected) > 10
    assert orders == list(expected.values())
    assert [(lot.shares, lot.buy_price) for lot in made.state.books.lots] == [
        (lot.shares, lot.buy_price) for lot in result.state.lots
    ]
