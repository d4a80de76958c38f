"""BrokerDriver over the stand-in terminal: the unmodified xttrader.py, our broker, a market we move."""

from __future__ import annotations

import math
from pathlib import Path

from shared_schema.clock import Moment
from shared_schema.ids import AccountAlias, Direction, OrderId
from shared_schema.messages import Quote
from test_offline.fake_qmt.data_room import DataRoom
from test_offline.fake_qmt.faults import Faults
from test_offline.fake_qmt.install import install
from test_offline.fake_qmt.terminal import Terminal, make_userdata
from tests.brokers.contract.driver import FUND, OPENING_PRICE, PATIENT, WAIT, Events, Hang
from tests.brokers.contract.steps import heal
from windows_side.brokers.port import BrokerEvent, ReadinessChanged
from windows_side.brokers.qmt import QmtAccount, QmtCalls
from windows_side.brokers.qmt_package import load_package
from windows_side.brokers.qmt_session_ids import SessionIds
from windows_side.brokers.simulated import SimulatedBroker
from windows_side.brokers.worker import BrokerWorker

MORNING = 1772501400.0
"""2026-03-03 09:30 in Shanghai, a Tuesday."""
A_DAY = 86_400.0
NUMBER = "88001234"


class QmtDriver:
    """Owns the terminal, its clock and its market; the port is a worker over QmtCalls."""

    def __init__(self, place: Path) -> None:
        install()
        load_package()
        self.place = place
        self.requests = 0
        self.clock = MORNING
        self.elapsed = 0.0
        self.price = OPENING_PRICE
        self.volume = 1_000_000
        self.workers: list[BrokerWorker] = []
        self.hangs: list[Hang] = []
        self.counter = SimulatedBroker(
            place / "counter.sqlite3",
            account=AccountAlias("main"),
            now=lambda: Moment(self.clock, self.clock),
            cash=100_000.0,
        )
        self.userdata = make_userdata(place)
        self.data = DataRoom(Faults())
        self.terminal = Terminal(
            self.userdata, {NUMBER: self.counter}, self.data, monotonic=lambda: self.elapsed
        )
        self.faults = self.terminal.faults
        self.feed()
        self.start()

    def start(self) -> None:
        """Start a process on the terminal."""
        self.events = Events()
        ids = SessionIds(self.place / "runtime", "executor")
        self.calls = QmtCalls(QmtAccount(self.userdata, NUMBER), ids)
        self.port = BrokerWorker(
            self.calls,
            self.events,
            monotonic=lambda: self.elapsed,
            wall=lambda: self.clock,
            deadlines=PATIENT,
        )
        self.workers.append(self.port)
        self.port.start()

    def feed(self) -> None:
        """Show terminal and counter the market as it stands."""
        quote = Quote(
            price=self.price,
            pre_close=OPENING_PRICE,
            volume=self.volume,
            limit_up=1.155,
            limit_down=0.945,
            status="trading",
            tick_time=self.clock,
        )
        self.counter.feed({FUND: quote}, Moment(self.clock, self.clock))
        self.data.show({FUND: quote})

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
        if self.hangs:
            assert self.hangs[-1].begun.wait(WAIT)
        else:
            self.port.stop()
        self.start()

    def die_in_next_place(self) -> None:
        hang = Hang()
        self.hangs.append(hang)
        self.terminal.after_place = hang.begun.set
        self.faults.set("place", "lost", 1)

    def hang_next_place(self) -> Hang:
        hang = Hang()
        self.hangs.append(hang)
        self.terminal.before_place = hang.block
        return hang

    def pass_deadlines(self) -> None:
        self.elapsed += 3600.0
        self.port.check_deadlines()

    def break_queries(self, broken: bool) -> None:
        for name in ("orders", "trades", "positions"):
            if broken:
                self.faults.set(name, "none")
            else:
                self.faults.clear(name)

    def by_hand(self, direction: Direction, shares: int, price: float, remark: str = "") -> None:
        values = {"code": FUND, "direction": direction, "shares": shares, "price": price, "remark": remark}
        self.terminal.rooms[NUMBER].by_hand(values)

    def cancel_by_hand(self, order_id: OrderId) -> None:
        self.terminal.rooms[NUMBER].cancel(int(order_id))

    def lose_link(self) -> None:
        before = len(self.events.of(ReadinessChanged))
        self.terminal.restart(math.inf)
        self.events.wait(lambda seen: True if len(self._readiness(seen)) > before else None)

    def heal_link(self) -> None:
        heal(self)

    def mend(self) -> None:
        """The terminal is there again."""
        self.terminal.restart()

    @staticmethod
    def _readiness(seen: list[BrokerEvent]) -> list[BrokerEvent]:
        return [event for event in seen if isinstance(event, ReadinessChanged)]

    def close(self) -> None:
        """End everything."""
        for hang in self.hangs:
            hang.release.set()
        for worker in self.workers:
            worker.stop(WAIT if worker is self.port else 0.0)
        self.terminal.stop()
        self.counter.close()
