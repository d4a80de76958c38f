"""A worker over scripted calls with a clock of the test's own: what the tests of the worker share."""

from __future__ import annotations

from collections.abc import Callable

from shared_schema.ids import Code, OrderId, SignalId, Tag
from tests.brokers.contract.driver import Events, Hang
from windows_side.brokers.port import (
    BrokerAsset,
    BrokerEvent,
    BrokerOrder,
    BrokerPosition,
    BrokerTrade,
    CancelReturned,
    OrderRequest,
    PlaceAnswer,
    Placed,
    Readiness,
    ReadinessChanged,
    Sink,
    SubmitReturned,
)
from windows_side.brokers.worker import BrokerWorker
from windows_side.brokers.worker_parts import Deadlines

LIMITS = Deadlines(open=30, submit=10, cancel=10, query=15, first_retry=1, longest_retry=60)


class Scripted:
    """BrokerCalls that do what the test put there, and keep the names of the calls made."""

    absence_is_proof = False
    answers_complete = False

    def __init__(self) -> None:
        self.called: list[str] = []
        self.steps: dict[str, Callable[[], object]] = {}
        self.sink: Sink | None = None

    def _do(self, name: str, default: object) -> object:
        self.called.append(name)
        step = self.steps.get(name.split(":")[0])
        return default if step is None else step()

    def open(self, sink: Sink) -> None:
        self.sink = sink
        self._do("open", None)

    def close(self) -> None:
        self._do("close", None)

    def probe(self) -> Readiness:
        return self._do("probe", Readiness(True))  # type: ignore[return-value]

    def place(self, request: OrderRequest) -> PlaceAnswer:
        return self._do(f"place:{request.signal_id}", Placed(OrderId("7")))  # type: ignore[return-value]

    def cancel(self, order_id: OrderId) -> CancelReturned:
        return self._do(f"cancel:{order_id}", CancelReturned(order_id, True))  # type: ignore[return-value]

    def orders(self) -> tuple[BrokerOrder, ...] | None:
        return self._do("orders", ())  # type: ignore[return-value]

    def trades(self) -> tuple[BrokerTrade, ...] | None:
        return self._do("trades", ())  # type: ignore[return-value]

    def positions(self) -> tuple[BrokerPosition, ...] | None:
        return self._do("positions", ())  # type: ignore[return-value]

    def asset(self) -> BrokerAsset | None:
        return self._do("asset", BrokerAsset(1.0, 0.0, 0.0, 1.0))  # type: ignore[return-value]


class Bench:
    """A worker over scripted calls with a clock of the test's own."""

    def __init__(self) -> None:
        self.calls = Scripted()
        self.events = Events()
        self.clock = 100.0
        self.hangs: list[Hang] = []
        self.worker = BrokerWorker(
            self.calls, self.events, deadlines=LIMITS, monotonic=lambda: self.clock, wall=lambda: 5.0
        )

    def hang(self, name: str) -> Hang:
        """The next call of ``name`` hangs; later ones answer as by default."""
        hang = Hang()
        self.hangs.append(hang)
        default = {"place": Placed(OrderId("7")), "probe": Readiness(True), "orders": ()}.get(name)

        def step() -> object:
            self.calls.steps.pop(name, None)
            hang.block()
            return default

        self.calls.steps[name] = step
        return hang

    def ready(self, count: int = 1) -> None:
        """Wait until the worker became ready for the ``count``-th time."""

        def times(seen: list[BrokerEvent]) -> bool | None:
            changes = [event for event in seen if isinstance(event, ReadinessChanged)]
            return len([change for change in changes if change.readiness.ready]) >= count or None

        self.events.wait(times)

    def later(self, seconds: float) -> None:
        self.clock += seconds
        self.worker.check_deadlines()

    def end(self) -> None:
        """Let go of whatever hangs, and stop."""
        for hang in self.hangs:
            hang.release.set()
        self.worker.stop()


def request(name: str) -> OrderRequest:
    return OrderRequest(SignalId(name), Tag(f"mq{name}"), Code("159201.SZ"), "BUY", 100, 1.0)


def was_placed(name: str) -> SubmitReturned:
    return SubmitReturned(SignalId(name), Placed(OrderId("7")), started_at=5.0)


def go_on() -> None:
    return None


def started(bench: Bench) -> Bench:
    bench.worker.start()
    bench.ready()
    return bench
