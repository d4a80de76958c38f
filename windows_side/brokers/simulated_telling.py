"""What the simulated broker tells: after each commit, outside the books' lock, in the commits' order."""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass, field

from shared_schema.clock import Moment
from windows_side.brokers.port import (
    AccountAnswered,
    AccountState,
    BrokerEvent,
    BrokerTrade,
    OrderUpdate,
    Sink,
    TradeUpdate,
)
from windows_side.brokers.simulated_books import BookOrder


@dataclass
class Changes:
    """What one transaction changed, told after its commit: the newest state of each order."""

    now: Moment
    orders: dict[int, BookOrder] = field(default_factory=dict)
    trades: list[BrokerTrade] = field(default_factory=list)

    def note(self, order: BookOrder) -> BookOrder:
        """Keep the order's newest state; returns it."""
        self.orders[order.order_id] = order
        return order


class Telling:
    """The events on their way to the sink."""

    def __init__(self) -> None:
        self.sink: Sink | None = None
        self._lock = threading.RLock()
        self._waiting: deque[BrokerEvent] = deque()

    def queue(self, changes: Changes, account: AccountState) -> None:
        """Line up a commit's events: trades before the status they lead to, the account last."""
        self._waiting.extend(TradeUpdate(trade) for trade in changes.trades)
        self._waiting.extend(OrderUpdate(order.as_broker_order()) for order in changes.orders.values())
        self._waiting.append(AccountAnswered(account, changes.now.wall))

    def tell(self) -> None:
        """Tell all that waits. Whoever comes first tells for everybody; nobody holds the books meanwhile."""
        with self._lock:
            while self._waiting:
                event = self._waiting.popleft()
                sink = self.sink
                if sink is not None:
                    sink(event)
