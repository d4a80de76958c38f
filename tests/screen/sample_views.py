"""Filled views for the screen's tests: one trading day of 159201.SZ, seeded."""

from __future__ import annotations

import random
from datetime import datetime

from mac_side.view import (
    Alarm,
    Counts,
    Event,
    GridView,
    HaltState,
    Link,
    LotView,
    OrderView,
    PositionView,
    PriceView,
    SignalView,
    View,
)
from shared_schema.messages.quote import MinuteBars
from shared_schema.sessions import SHANGHAI

NOW = datetime(2026, 11, 20, 10, 31, 5, tzinfo=SHANGHAI).timestamp()


def bars(count: int = 120, seed: int = 7) -> MinuteBars:
    """A seeded walk of one-minute bars ending at 1.023 or so."""
    chance = random.Random(seed)
    rows, price = [], 1.016
    for _ in range(count):
        close = round(price + chance.choice((-0.001, -0.001, 0, 0, 0.001, 0.001)), 3)
        high = round(max(price, close) + chance.choice((0, 0.001)), 3)
        low = round(min(price, close) - chance.choice((0, 0.001)), 3)
        rows.append((price, high, low, close, float(chance.randint(200, 2000) * 100)))
        price = close
    opened, highs, lows, closes, volumes = zip(*rows, strict=True)
    times = tuple(NOW - 60.0 * (count - i) for i in range(count))
    return MinuteBars(time=times, open=opened, high=highs, low=lows, close=closes, volume=volumes)


def _signals() -> tuple[SignalView, ...]:
    rows = (
        ("BUY_159201.SZ_L1_0a11b2c3", "BUY", 1.021, 21700, 21700, "filled", 0.0213, ""),
        ("BUY_159201.SZ_L2_5f21aa90", "BUY", 1.017, 21800, 21800, "filled", 0.0188, ""),
        ("BUY_159201.SZ_L3_77c0d1e2", "BUY", 1.013, 21900, 8400, "partly_filled", 1.2, ""),
        ("SELL_159201.SZ_L3_31f0aa12", "SELL", 1.024, 21700, 0, "submitted", 0.0174, ""),
        ("BUY_159201.SZ_L4_90ab12cd", "BUY", 1.009, 22000, 0, "rejected", 0.0111, "超过当日限额"),
        ("SELL_159201.SZ_L2_c0ffee01", "SELL", 1.025, 21800, 0, "sent", None, ""),
    )
    return tuple(
        SignalView(
            signal_id=name,
            direction="BUY" if side == "BUY" else "SELL",
            code="159201.SZ",
            price=price,
            shares=shares,
            filled=filled,
            state=state,
            sent_at=NOW - 600 + 90 * i,
            latency=latency,
            message=message,
            open=state in ("partly_filled", "submitted", "sent"),
        )
        for i, (name, side, price, shares, filled, state, latency, message) in enumerate(rows)
    )


def trading() -> View:
    """In continuous trading, calm, everything known."""
    return View(
        wall=NOW,
        market=NOW,
        mode="simulate",
        account="main",
        strategy="grid",
        code="159201.SZ",
        name="自由现金流ETF",
        session="continuous",
        link=Link(
            quote_age=0.82,
            executor_age=1.24,
            producer_age=0.93,
            executor_instance="exec-3f2a91bc",
            executor_state="ready",
            executor_ready=True,
            sync_age=0.041,
            sync_age_back=0.052,
            skew=0.013,
        ),
        price=PriceView(price=1.0230, pre_close=1.0180, open=1.0190, high=1.0260, low=1.0110, at=NOW),
        bars=bars(),
        grid=GridView(
            anchor=1.0130,
            atr=0.00182,
            atr_mean=0.00165,
            trend=1,
            step=0.00412,
            take_profit=1.00931,
            next_buy=1.0088,
            next_sells=(1.0225, 1.0265, 1.0305),
            layers=3,
            max_layers=9,
        ),
        position=PositionView(
            fixed=290000,
            flow=51900,
            volume=341900,
            can_use=290000,
            cost=1.0147,
            market_value=349763.70,
            floating_profit=2837.77,
        ),
        lots=(
            LotView(layer=1, shares=21700, cost=1.0210, buy_price=1.021, target=1.0305),
            LotView(layer=2, shares=21800, cost=1.0170, buy_price=1.017, target=1.0265),
            LotView(layer=3, shares=8400, cost=1.0130, buy_price=1.013, target=1.0225, pending=True),
        ),
        signals=_signals(),
        orders=(
            OrderView(
                order_id="1082",
                direction="SELL",
                code="159201.SZ",
                price=1.024,
                shares=21700,
                open=True,
                status="50",
                at=NOW - 330,
            ),
            OrderView(
                order_id="1079",
                direction="BUY",
                code="600009.SH",
                price=38.12,
                shares=100,
                ours=False,
                status="56",
                at=NOW - 2400,
            ),
        ),
        counts=Counts(
            signals=6,
            fills=3,
            refusals=1,
            cancels=0,
            open_orders=2,
            orders=5,
            orders_limit=200,
            turnover=52911.30,
            turnover_limit=1_000_000.0,
            cash=612345.67,
            total_asset=962109.37,
            pool_used=66210.0,
            pool_limit=300_000.0,
            realised_profit=142.51,
            fees=8.33,
        ),
        events=(
            Event(at=NOW - 900, text="引擎启动，账本完整"),
            Event(at=NOW - 600, text="买入第 1 层 21,700 股"),
            Event(at=NOW - 30, text="卖出信号已发出"),
        ),
    )


def with_changes(view: View, **changes: object) -> View:
    """``view`` with whole fields replaced, checked."""
    return View.model_validate({**dict(view), **changes})


def lunch() -> View:
    """The break at noon, quotes old as they must be."""
    view = trading()
    opening = datetime(2026, 11, 20, 13, 0, tzinfo=SHANGHAI).timestamp()
    link = view.link.model_copy(update={"quote_age": 1800.0})
    return with_changes(view, session="lunch", next_opening=opening, link=link)


def closed() -> View:
    """After the close."""
    opening = datetime(2026, 11, 23, 9, 30, tzinfo=SHANGHAI).timestamp()
    return with_changes(trading(), session="closed", next_opening=opening)


def stale() -> View:
    """In session, but quotes stopped."""
    view = trading()
    link = view.link.model_copy(update={"quote_age": 340.0})
    return with_changes(view, link=link, trading_held="行情已过期，暂停发单")


def halted(confirmed: bool = True) -> View:
    """A person stopped trading."""
    halt = HaltState(
        halted=True,
        since=NOW - 60,
        confirmed_at=NOW - 59 if confirmed else None,
        reason="人工检查",
        by="screen@mac",
    )
    view = trading()
    state = "halted" if confirmed else view.link.executor_state
    return with_changes(view, halt=halt, link=view.link.model_copy(update={"executor_state": state}))


def halted_here() -> View:
    """The same, by this host's own hand: it may lift it."""
    view = halted()
    return with_changes(view, halt=view.halt.model_copy(update={"own": True}))


def paused() -> View:
    """This strategy paused by hand."""
    view = trading()
    return with_changes(view, grid=view.grid.model_copy(update={"paused_by_hand": True}))


def holiday() -> View:
    """A day without trading, quotes of the last one."""
    view = trading()
    opening = datetime(2026, 11, 23, 9, 30, tzinfo=SHANGHAI).timestamp()
    link = view.link.model_copy(update={"quote_age": 86400.0})
    return with_changes(view, session="holiday", next_opening=opening, link=link)


def dividend() -> View:
    """A second code of the same dashboard, flat and cooling."""
    view = trading()
    return with_changes(
        view,
        code="512890.SH",
        name="",
        strategy="dividend",
        price=PriceView(price=1.187, pre_close=1.19, open=1.19, high=1.192, low=1.185, at=NOW),
        lots=(),
        signals=(),
        grid=view.grid.model_copy(
            update={"layers": 0, "next_sells": (), "anchor": 1.189, "next_buy": 1.1842}
        ),
        position=PositionView(fixed=250000, flow=0, volume=250000, can_use=250000),
    )


def disconnected() -> View:
    """The executor's heartbeat stopped."""
    view = trading()
    return with_changes(view, link=view.link.model_copy(update={"executor_age": 45.0}))


def unknown_order() -> View:
    """An order whose outcome nobody knows."""
    view = trading()
    signals = (*view.signals[:-1], view.signals[-1].model_copy(update={"state": "unknown"}))
    counts = view.counts.model_copy(update={"unknown_orders": 1})
    return with_changes(view, signals=signals, counts=counts)


def waiting() -> View:
    """Started, nothing seen yet."""
    return View(
        wall=NOW,
        market=NOW,
        account="main",
        code="159201.SZ",
        session="continuous",
        waiting_for=("桥接行情 shared_quote.json", "执行器心跳"),
    )


def everything_at_once() -> View:
    """Halted, disconnected, an unknown order and alarms, with a full ladder: the worst screen."""
    view = trading()
    lots = tuple(
        LotView(
            layer=i, shares=21000 + 100 * i, cost=1.02 - 0.004 * i, buy_price=1.02, target=1.03 - 0.004 * i
        )
        for i in range(1, 10)
    )
    return with_changes(
        view,
        mode="live",
        lots=lots,
        grid=view.grid.model_copy(update={"layers": 9, "paused": True}),
        halt=halted(False).halt,
        link=view.link.model_copy(update={"executor_age": 45.0}),
        counts=view.counts.model_copy(update={"unknown_orders": 2}),
        alarms=(
            Alarm(text="账本与券商持仓相差 100 股", what_to_do="请在券商终端核对后运行 miniqmt status。"),
        ),
    )
