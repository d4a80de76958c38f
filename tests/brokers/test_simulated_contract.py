"""The simulated broker, behind the worker, keeps the broker contract."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from shared_schema.clock import Moment
from shared_schema.ids import AccountAlias, Direction, OrderId, SignalId, Tag
from shared_schema.messages import Quote
from tests.brokers.contract import BrokerContract
from tests.brokers.contract.driver import FUND, OPENING_PRICE, PATIENT, WAIT, Events, Hang
from tests.brokers.contract.steps import heal
from windows_side.brokers.port import (
    BrokerAsset,
    BrokerOrder,
    OrderRequest,
    PlaceAnswer,
    Readiness,
    ReadinessChanged,
)
from windows_side.brokers.simulated import SimulatedBroker
from windows_side.brokers.worker import BrokerWorker

MORNING = 1772501400.0
"""2026-03-03 09:30 in Shanghai, a Tuesday."""
A_DAY = 86_400.0


class Troubled(SimulatedBroker):
    """The simulated broker over a line that can hang, break, or die with the answer on it."""

    hang: Hang | None = None
    death: Hang | None = None
    broken = False
    down = False

    def place(self, request: OrderRequest) -> PlaceAnswer:
        hang, self.hang = self.hang, None
        if hang is not None:
            hang.block()
        answer = super().place(request)
        if self.death is not None:
            self.death.block()  # for this process the answer never comes
        return answer

    def orders(self) -> tuple[BrokerOrder, ...]:
        if self.broken:
            raise ConnectionError("no link")
        return super().orders()

    def asset(self) -> BrokerAsset:
        if self.broken:
            raise ConnectionError("no link")
        return super().asset()

    def probe(self) -> Readiness:
        return Readiness(not self.down)

    def say_down(self) -> None:
        """The line breaks, as a terminal's would."""
        self.down = True
        assert self._telling.sink is not None
        self._telling.sink(ReadinessChanged(Readiness(False, "down")))


class SimulatedDriver:
    """BrokerDriver over the simulated broker: it owns the clock and the market."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.requests = 0
        self.clock = MORNING
        self.elapsed = 0.0
        self.price = OPENING_PRICE
        self.volume = 1_000_000
        self.dead: list[Hang] = []
        self.start()

    def start(self) -> None:
        """Start a process on the broker's file."""
        self.events = Events()
        self.broker = Troubled(
            self.path,
            account=AccountAlias("main"),
            now=lambda: Moment(self.clock, self.clock),
            cash=100_000.0,
        )
        self.feed()
        self.port = BrokerWorker(
            self.broker,
            self.events,
            monotonic=lambda: self.elapsed,
            wall=lambda: self.clock,
            deadlines=PATIENT,
        )
        self.port.start()

    def feed(self) -> None:
        """Show the broker the market as it stands."""
        quote = Quote(
            price=self.price,
            pre_close=OPENING_PRICE,
            volume=self.volume,
            limit_up=1.155,
            limit_down=0.945,
            status="trading",
            tick_time=self.clock,
        )
        self.broker.feed({FUND: quote}, Moment(self.clock, self.clock))

    def trade(self, price: float, volume: int) -> None:
        self.clock += 1.0
        self.price = price
        self.volume += volume
        self.feed()

    def next_day(self) -> None:
        self.clock += A_DAY
        self.volume = 1000
        self.feed()

    def restart(self) -> None:
        if self.broker.death is None:
            self.port.stop()
        else:
            assert self.broker.death.begun.wait(WAIT)
            self.dead.append(self.broker.death)
        self.start()

    def die_in_next_place(self) -> None:
        self.broker.death = Hang()

    def hang_next_place(self) -> Hang:
        self.broker.hang = Hang()
        return self.broker.hang

    def pass_deadlines(self) -> None:
        self.elapsed += 3600.0
        self.port.check_deadlines()

    def break_queries(self, broken: bool) -> None:
        self.broker.broken = broken

    def lose_link(self) -> None:
        self.broker.say_down()

    def heal_link(self) -> None:
        heal(self)

    def mend(self) -> None:
        """The line is there again."""
        self.broker.down = False

    def by_hand(self, direction: Direction, shares: int, price: float) -> None:
        self.broker.place(OrderRequest(SignalId(""), Tag(""), FUND, direction, shares, price))

    def cancel_by_hand(self, order_id: OrderId) -> None:
        self.broker.cancel(order_id)


@pytest.fixture
def driver(tmp_path: Path) -> Iterator[SimulatedDriver]:
    driver = SimulatedDriver(tmp_path / "books.sqlite3")
    yield driver
    driver.port.stop()
    for hang in driver.dead:
        hang.release.set()


class TestSimulatedBroker(BrokerContract):
    """All numbered cases."""


def test_pushed_events_stop_with_close(tmp_path: Path) -> None:
    """After close nobody is told anything, and the books stand closed until opened again."""
    driver = SimulatedDriver(tmp_path / "books.sqlite3")
    driver.port.stop()
    before = len(driver.events.seen)
    driver.trade(1.0, 10_000)
    assert len(driver.events.seen) == before
    driver.broker.open(driver.events)
    assert driver.broker.probe().ready
    driver.broker.close()
