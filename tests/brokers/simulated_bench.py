"""A simulated broker over a file, its clock, and everything it told."""

from __future__ import annotations

from pathlib import Path

from shared_schema.clock import Moment
from shared_schema.ids import AccountAlias, Code, Direction, OrderId, SignalId, Tag
from shared_schema.messages import Quote
from windows_side.brokers.port import (
    BrokerEvent,
    BrokerOrder,
    OrderRequest,
    Placed,
)
from windows_side.brokers.simulated import SimulatedBroker

FUND, SHARE, GOLD = Code("159201.SZ"), Code("600009.SH"), Code("518880.SH")
MAIN = AccountAlias("main")
MORNING = 1772501400.0
"""2026-03-03 09:30 in Shanghai."""
A_DAY = 86_400.0


class Bench:
    """A broker over a file, its clock, and everything it told."""

    def __init__(self, path: Path, instant: bool = True, **settings: object) -> None:
        self.path = path
        self.clock = MORNING
        self.instant = instant
        self.settings = settings
        self.told: list[BrokerEvent] = []
        self.count = 0
        self.volume = 1_000_000
        self.broker = self.opened()

    def opened(self) -> SimulatedBroker:
        broker = SimulatedBroker(
            self.path,
            account=MAIN,
            now=lambda: Moment(self.clock + 1, self.clock),
            instant_fill=lambda code: self.instant,
            **self.settings,  # type: ignore[arg-type]
        )
        broker.open(self.told.append)
        return broker

    def reopen(self) -> None:
        self.broker.close()
        self.broker = self.opened()

    def place(
        self, direction: Direction, shares: int, price: float, code: Code = FUND, tag: str | None = None
    ) -> OrderId:
        answer = self.broker.place(self.request(direction, shares, price, code, tag))
        assert isinstance(answer, Placed), answer
        return answer.order_id

    def request(
        self, direction: Direction, shares: int, price: float, code: Code = FUND, tag: str | None = None
    ) -> OrderRequest:
        self.count += 1
        return OrderRequest(
            SignalId(f"s{self.count}"), Tag(tag or f"mq{self.count}"), code, direction, shares, price
        )

    def order(self, order_id: OrderId) -> BrokerOrder:
        return next(order for order in self.broker.orders() if order.order_id == order_id)

    def trade(self, price: float, volume: int, code: Code = FUND, **more: object) -> None:
        self.volume += volume
        quote = Quote(price=price, volume=self.volume, pre_close=1.05, **more)  # type: ignore[arg-type]
        self.broker.feed({code: quote}, Moment(self.clock + 1, self.clock))

    def held(self, code: Code = FUND) -> tuple[int, int]:
        for position in self.broker.positions():
            if position.code == code:
                return position.volume, position.can_use_volume
        return 0, 0
