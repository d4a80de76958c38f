"""The demo's end: what happened, how fast, and whether three memories agree to the share and the yuan."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from commands.demo_room.floor import Spread, spread_of
from commands.demo_room.stage import ACCOUNT, STRATEGY, Stage
from mac_side.bridge_client.entry import OutboxEntry
from mac_side.state_file import DashboardState, StateFile, new_state
from shared_schema.clock import Moment
from shared_schema.ids import AccountAlias, StrategyName
from shared_schema.logs import read_actions
from shared_schema.words import say
from windows_side.brokers.money import in_yuan
from windows_side.brokers.port import BrokerOrder, BrokerTrade
from windows_side.brokers.simulated_books import SimulatedBooks
from windows_side.execution.ledger import order_from_json
from windows_side.execution.order import Order
from windows_side.execution.sqlite_ledger import read_only

CENT = 0.005
"""Yuan: sums that differ by less are the same money."""


@dataclass(frozen=True)
class Facts:
    """What the three memories hold after the demo."""

    orders: tuple[Order, ...]
    state: DashboardState
    broker_orders: tuple[BrokerOrder, ...]
    broker_trades: tuple[BrokerTrade, ...]
    fees: float
    cash: float
    """The simulated broker's, yuan."""
    start_cash: float
    volume: int
    """The simulated broker's shares of the code."""
    order_latencies: list[float]
    """From each signal file written to its native call, seconds, as the executor's log tells."""


@dataclass(frozen=True)
class Counts:
    """What happened."""

    quotes: int
    signals: int
    orders: int
    sells: int
    fills: int
    partly: int
    cancels: int
    refusals: int
    unknown: int


@dataclass(frozen=True)
class Summary:
    """The demo's result; ``differences`` is empty where everything agrees."""

    counts: Counts
    to_order: Spread | None
    to_result: Spread | None
    differences: tuple[str, ...]
    totals: dict[str, Any] = field(default_factory=dict)


def gather(stage: Stage, start_cash: float) -> Facts:
    """Read ledger, strategy state and the simulated broker's books. Raises StateError where one is bad."""
    books = SimulatedBooks.existing(stage.broker_books)
    try:
        trades = books.trades_with_fees()
        positions = books.positions({})
        broker_orders = tuple(order.as_broker_order() for order in books.orders())
        cash = in_yuan(books.cash())
    finally:
        books.close()
    return Facts(
        orders=tuple(read_orders(stage.executor_files.ledger)),
        state=read_state(stage.state_file),
        broker_orders=broker_orders,
        broker_trades=tuple(trade for trade, _ in trades),
        fees=sum(fee for _, fee in trades),
        cash=cash,
        start_cash=start_cash,
        volume=sum(held.volume for held in positions if held.code == stage.plan.code),
        order_latencies=[
            float(line.fields["milliseconds"]) / 1000
            for line in read_actions(stage.logs / "order_executor.log")
            if line.action == "order_submitted"
        ],
    )


def read_orders(ledger: Path) -> list[Order]:
    """Every row of a ledger, oldest first."""
    database = read_only(ledger)
    try:
        rows: Iterable[sqlite3.Row] = database.execute("SELECT row FROM orders ORDER BY received_at")
        return [order_from_json(row[0], ledger) for row in rows]
    finally:
        database.close()


def read_state(path: Path) -> DashboardState:
    """The strategy's state as saved."""
    fresh = new_state(Moment(0.0, 0.0), "simulate", AccountAlias(ACCOUNT), StrategyName(STRATEGY), "demo")
    return StateFile(path).load(fresh)


def summarise(facts: Facts, base_shares: int, quotes: int) -> Summary:
    """Count, time and compare."""
    return Summary(
        counts=_counts(facts, quotes),
        to_order=spread_of(facts.order_latencies),
        to_result=spread_of(_result_latencies(facts)),
        differences=tuple(differences(facts, base_shares)),
    )


def _counts(facts: Facts, quotes: int) -> Counts:
    orders = [order for order in facts.orders if not order.is_cancel]
    placed = [order for order in orders if order.order_id]
    return Counts(
        quotes=quotes,
        signals=len(facts.orders),
        orders=len(placed),
        sells=sum(1 for order in placed if order.direction == "SELL"),
        fills=len(facts.broker_trades),
        partly=sum(1 for order in placed if len(order.trades) > 1 or order.state == "partly_cancelled"),
        cancels=sum(1 for order in orders if order.state in ("cancelled", "partly_cancelled")),
        refusals=sum(1 for order in orders if order.state in ("rejected", "refused_by_broker", "expired")),
        unknown=sum(1 for order in orders if order.state == "unknown"),
    )


def _result_latencies(facts: Facts) -> list[float]:
    written = {order.signal_id: order.file_time for order in facts.orders if order.file_time}
    return [
        entry.answered_at - written[entry.signal_id]
        for entry in facts.state.outbox.entries
        if entry.answered_at is not None and entry.signal_id in written
    ]


def differences(facts: Facts, base_shares: int) -> list[str]:
    """Each disagreement between strategy books, executor ledger and simulated broker, as a sentence."""
    return [
        *_ledger_against_broker(facts),
        *_strategy_against_ledger(facts),
        *_money_and_shares(facts, base_shares),
    ]


def _ledger_against_broker(facts: Facts) -> list[str]:
    found = []
    by_tag: dict[str, list[BrokerOrder]] = {}
    for broker_order in facts.broker_orders:
        by_tag.setdefault(broker_order.remark, []).append(broker_order)
    for order in facts.orders:
        at_broker = by_tag.pop(order.tag, []) if order.tag and not order.is_cancel else []
        if len(at_broker) > 1:
            found.append(say("demo.placed_twice", signal_id=order.signal_id, count=len(at_broker)))
        if bool(at_broker) != bool(order.order_id):
            found.append(say("demo.placed_differs", signal_id=order.signal_id, state=order.state))
        traded = {
            trade.trade_id for o in at_broker for trade in facts.broker_trades if trade.order_id == o.order_id
        }
        if traded != {trade.trade_id for trade in order.trades}:
            found.append(say("demo.trades_differ", signal_id=order.signal_id))
        if not order.is_terminal:
            found.append(say("demo.not_ended", signal_id=order.signal_id, state=order.state))
    found += [
        say("demo.unknown_to_ledger", order_id=order.order_id) for rest in by_tag.values() for order in rest
    ]
    return found


def _strategy_against_ledger(facts: Facts) -> list[str]:
    found = []
    entries: dict[str, OutboxEntry] = {entry.signal_id: entry for entry in facts.state.outbox.entries}
    for order in facts.orders:
        if order.signal is None or order.signal.strategy != STRATEGY:
            continue
        entry = entries.pop(order.signal_id, None)
        if entry is None:
            found.append(say("demo.not_in_outbox", signal_id=order.signal_id))
        elif entry.reported_shares != order.filled_shares or not entry.settled:
            found.append(
                say(
                    "demo.outbox_differs",
                    signal_id=order.signal_id,
                    ours=entry.reported_shares,
                    ledger=order.filled_shares,
                )
            )
    found += [say("demo.not_executed", signal_id=signal_id) for signal_id in entries]
    return found


def _money_and_shares(facts: Facts, base_shares: int) -> list[str]:
    found = []
    totals = facts.state.books.totals
    ours = [order for order in facts.orders if order.signal is not None and order.signal.strategy == STRATEGY]
    compared = (
        ("demo.bought_shares", totals.bought_shares, _shares(ours, "BUY")),
        ("demo.sold_shares", totals.sold_shares, _shares(ours, "SELL")),
        ("demo.bought_yuan", totals.bought_yuan, _yuan(ours, "BUY")),
        ("demo.sold_yuan", totals.sold_yuan, _yuan(ours, "SELL")),
    )
    for key, books, ledger in compared:
        if abs(books - ledger) > CENT:
            found.append(say("demo.sum_differs", what=say(key), books=books, ledger=ledger))
    everything = facts.orders
    shares = base_shares + _shares(everything, "BUY") - _shares(everything, "SELL")
    if shares != facts.volume:
        found.append(say("demo.sum_differs", what=say("demo.position"), books=shares, ledger=facts.volume))
    held = facts.state.books.shares - facts.state.books.shortfall
    if held != totals.bought_shares - totals.sold_shares:
        found.append(
            say(
                "demo.sum_differs",
                what=say("demo.lots"),
                books=held,
                ledger=totals.bought_shares - totals.sold_shares,
            )
        )
    cash = facts.start_cash - _yuan(everything, "BUY") + _yuan(everything, "SELL") - facts.fees
    if abs(cash - facts.cash) > CENT:
        found.append(say("demo.sum_differs", what=say("demo.cash"), books=cash, ledger=facts.cash))
    return found


def _shares(orders: Iterable[Order], direction: str) -> int:
    return sum(order.filled_shares for order in orders if order.direction == direction)


def _yuan(orders: Iterable[Order], direction: str) -> float:
    return sum(
        trade.price * trade.shares
        for order in orders
        if order.direction == direction
        for trade in order.trades
    )
