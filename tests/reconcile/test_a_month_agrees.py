"""A month of trading days through the real executor, then ``miniqmt reconcile`` for each: to the cent."""

from __future__ import annotations

import json
import random
import time
from collections import Counter
from collections.abc import Callable
from datetime import date, timedelta
from functools import partial
from pathlib import Path

import pytest

import tests.execution.shell as shell_module
from shared_schema.clock import Moment, ReplayFollower
from shared_schema.ids import SignalId, Tag
from shared_schema.instruments import from_ticks, to_ticks
from shared_schema.messages import OrderSignal, Quote, encode
from shared_schema.sessions import trading_day_of
from tests.execution.bench import CALENDAR, envelope_of
from tests.execution.shell import Shell
from tests.reconcile.test_the_command import run
from windows_side.brokers.money import amount_of, in_yuan
from windows_side.brokers.port import OrderRequest
from windows_side.brokers.worker import BrokerWorker

FIRST, DAYS = date(2026, 3, 2), 20
TICK = 0.001


class Trader(Shell):
    """A dashboard, a market and a person at the terminal, around one executor."""

    def __init__(self, place: Path, clock: Callable[[], float]) -> None:
        self.wall = clock
        self.price, self.volume, self.seq = 1.050, 0, 0
        super().__init__(place, instant=False)

    def bytes_of(self, signal: OrderSignal) -> bytes:
        now, self.seq = self.wall(), self.seq + 1
        envelope = envelope_of(self.seq, written_at=now, market_time=now, trading_day=trading_day_of(now))
        return encode(envelope, signal)

    def market(self, price: float, volume: int) -> None:
        """FUND trades ``volume`` shares at ``price`` yuan; of them a quarter may be ours."""
        self.price, self.volume = price, self.volume + volume
        now = self.wall()
        quote = Quote(
            price=price, pre_close=1.05, volume=self.volume, limit_up=1.155, limit_down=0.945,
            status="trading", tick_time=now,
        )  # fmt: skip
        self.broker.feed({self.signal().code: quote}, Moment(now, now))

    def send(self, identity: str, **changes: object) -> None:
        """Drop a signal and turn until the broker has it."""
        self.drop(self.signal(identity, timestamp=self.wall(), **changes))
        self.until(lambda: (shown := self.result(identity)) is not None and shown.state != "received")

    def cancel(self, identity: str) -> None:
        """Take a signal back; it ends as it stands."""
        self.drop(
            self.signal(f"C{identity}", timestamp=self.wall(), action="cancel", target_signal_id=identity)
        )
        self.settled(identity)


def a_day(trader: Trader, name: str, luck: random.Random, sells: bool) -> None:
    """A whole buy, one taken back half filled, one untouched, a sell in parts, and one by hand."""
    price = from_ticks(luck.randint(1020, 1090), TICK)
    trader.volume = 0
    trader.market(price, 1_000_000)
    trader.send(f"{name}whole", price=price, shares=100 * luck.randint(8, 20))
    trader.market(price, 400_000)
    trader.settled(f"{name}whole")
    trader.market(price, 400)  # thin: a new order meets 100 shares at once
    trader.send(f"{name}part", price=price, shares=3000)
    trader.market(from_ticks(to_ticks(price, TICK) - luck.randint(0, 3), TICK), 400 * luck.randint(2, 12))
    trader.cancel(f"{name}part")
    trader.send(f"{name}rest", price=0.950, shares=500)
    trader.cancel(f"{name}rest")
    by_hand = OrderRequest(SignalId(f"{name}hand"), Tag(""), trader.signal().code, "BUY", 300, price)
    trader.broker.place(by_hand)
    trader.market(price, 400_000)
    if sells:
        trader.market(price, 400)
        trader.send(f"{name}sell", direction="SELL", price=price, shares=700)
        trader.market(price, 1600)
        trader.market(from_ticks(to_ticks(price, TICK) + 2, TICK), 400_000)
        trader.settled(f"{name}sell")


@pytest.mark.slow
def test_each_day_agrees_and_the_months_money_does(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Twenty days, each reconciled by the command: none differs, and what all fills and fees moved is what
    the broker's cash moved, to the cent."""
    began, morning = time.monotonic(), [0.0]

    def clock() -> float:
        return morning[0] + time.monotonic() - began

    monkeypatch.setattr(shell_module, "ReplayFollower", lambda wall: ReplayFollower(clock))
    monkeypatch.setattr(shell_module, "BrokerWorker", partial(BrokerWorker, wall=clock))
    luck, day, trader = random.Random(4), FIRST, None
    seen: Counter[str] = Counter()
    moved = 0.0
    for number in range(DAYS):
        while not CALENDAR.is_trading_day(day):
            day += timedelta(days=1)
        morning[0] = 1772413200.0 + (day - FIRST).days * 86_400.0 + 3600.0  # 10:00 in Shanghai
        if trader is None:
            trader = Trader(tmp_path, clock)
        else:
            trader._begin()
        trader.ready()
        a_day(trader, f"d{number:02}", luck, sells=number > 0)
        foreign = {order.order_id for order in trader.broker.orders() if not order.remark}
        fees = trader.broker.trade_fees()
        trades = [trade for trade in trader.broker.trades() if trading_day_of(trade.time) == str(day)]
        by_hand = [trade for trade in trades if trade.order_id in foreign]
        spent = [in_yuan(amount_of(trade.price, trade.shares)) + fees[trade.trade_id] for trade in by_hand]
        moved -= sum(spent)
        cash = trader.broker.asset()
        trader.executor.end()
        trader.kill()
        told = run(trader, monkeypatch, str(day), "--json")
        assert told.exit_code == 0, told.output
        (report,) = json.loads(told.stdout)
        assert report["day"] == str(day) and report["agrees"] and len(report["foreign"]) == 1
        moved += sum(total["sold_yuan"] - total["bought_yuan"] - total["fees"] for total in report["totals"])
        seen += Counter(order["state"] for order in report["orders"])
        seen["fills"] += sum(len(order["fills"]) for order in report["orders"])
        day += timedelta(days=1)
    assert seen["filled"] == 2 * DAYS - 1 and seen["cancelled"] == DAYS == seen["partly_cancelled"]
    assert seen["fills"] > 3 * DAYS
    assert cash.frozen_cash == 0
    assert round(cash.cash - 1_000_000.0, 2) == round(moved, 2)
