"""A broker that answers and fills at once, in memory, and one that notes when it was called.

What is measured with the first is the executor alone: the simulated broker beside it makes one durable
commit of its own for each order, as a broker's counter elsewhere would on a machine of its own.
"""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

from shared_schema.ids import OrderId, TradeId
from windows_side.brokers.port import (
    AccountAnswered,
    AccountState,
    BrokerAsset,
    BrokerCalls,
    BrokerOrder,
    BrokerPosition,
    BrokerStatus,
    BrokerTrade,
    CancelReturned,
    OrderRequest,
    OrderUpdate,
    PlaceAnswer,
    Placed,
    Readiness,
    Sink,
    TradeUpdate,
)

CASH = 1e12
"""Yuan; never spent."""


class InstantBroker:
    """BrokerCalls without a disk: every order is filled in full at its own price when ``place`` returns."""

    absence_is_proof = True
    answers_complete = True

    def __init__(self) -> None:
        self._sink: Sink | None = None
        self._orders: list[BrokerOrder] = []
        self._trades: list[BrokerTrade] = []

    def open(self, sink: Sink) -> None:
        """Tell ``sink`` from now on."""
        self._sink = sink

    def close(self) -> None:
        """Tell nobody any more."""
        self._sink = None

    def probe(self) -> Readiness:
        """Always ready."""
        return Readiness(True)

    def place(self, request: OrderRequest) -> PlaceAnswer:
        """Take and fill it."""
        number, now = str(len(self._orders) + 1), time.time()
        facts = (request.code, request.direction, request.price, request.shares)
        filled = BrokerOrder(
            OrderId(number), *facts, request.shares, int(BrokerStatus.FILLED), request.tag, "", now
        )
        trade = BrokerTrade(TradeId(number), OrderId(number), *facts, now, request.tag)
        self._orders.append(filled)
        self._trades.append(trade)
        if self._sink is not None:
            self._sink(TradeUpdate(trade))
            self._sink(OrderUpdate(filled))
            self._sink(AccountAnswered(AccountState(self.asset(), ()), now))
        return Placed(OrderId(number))

    def cancel(self, order_id: OrderId) -> CancelReturned:
        """Too late for every order."""
        return CancelReturned(order_id, False, "filled")

    def orders(self) -> tuple[BrokerOrder, ...]:
        """All of them."""
        return tuple(self._orders)

    def trades(self) -> tuple[BrokerTrade, ...]:
        """All of them."""
        return tuple(self._trades)

    def positions(self) -> tuple[BrokerPosition, ...]:
        """None are kept."""
        return ()

    def asset(self) -> BrokerAsset:
        """More than any backlog needs."""
        return BrokerAsset(CASH, 0.0, 0.0, CASH)


class NotedCalls:
    """Any broker's calls; when ``place`` was called is written to ``path`` at the end."""

    def __init__(self, calls: BrokerCalls, path: Path) -> None:
        self._calls = calls
        self._path = path
        self._placed: list[float] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._calls, name)

    def place(self, request: OrderRequest) -> PlaceAnswer:
        """Note the moment (monotonic seconds, the same in all processes), then place."""
        self._placed.append(time.monotonic())
        return self._calls.place(request)

    def close(self) -> None:
        """Write the moments, then close."""
        self._path.write_text(json.dumps(self._placed), encoding="utf-8")
        self._calls.close()
