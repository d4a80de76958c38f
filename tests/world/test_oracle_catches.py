"""The oracle sees what it is there to see: each planted mistake of the product is caught."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from mac_side.engine_core import EngineCore
from mac_side.engine_events import PublishSignal
from shared_schema.drop_folder import DropFolder
from test_offline.world.run import run_seed
from windows_side.execution.admission import Admission
from windows_side.execution.broker_desk import BrokerDesk
from windows_side.execution.core import ExecutorCore
from windows_side.execution.order import Order
from windows_side.execution.order_book import OrderBook
from windows_side.executor import Executor

Plant = Callable[[pytest.MonkeyPatch], None]
MOST = 60
"""Schedules of the one fault within which a mistake must be caught."""


def _forgets_known_ids(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(OrderBook, "digest_of", lambda self, identity: None)


def _submits_before_it_records(patch: pytest.MonkeyPatch) -> None:
    inside = Executor._perform_actions

    def perform(self: Executor, actions: list) -> None:  # type: ignore[type-arg]
        for action in actions:
            if type(action).__name__ == "Submit":
                self.broker.perform(action)
        inside(self, [action for action in actions if type(action).__name__ != "Submit"])

    patch.setattr(Executor, "_perform_actions", perform)


def _resends_what_was_in_doubt(patch: pytest.MonkeyPatch) -> None:
    begin = ExecutorCore.start

    def start(self: ExecutorCore, *given):  # type: ignore[no-untyped-def]
        actions = begin(self, *given)
        for order in self._desk.book.at_broker():
            if not order.order_id and order.signal is not None:
                self._desk.book.put(replace(order, state="accepted", calling_at=0.0))
        return actions

    patch.setattr(ExecutorCore, "start", start)


def _takes_absence_for_proof(patch: pytest.MonkeyPatch) -> None:
    inside = BrokerDesk._not_in_list

    def not_in_list(self: BrokerDesk, order: Order, *rest: object) -> None:
        honest = self._desk.rules
        self._desk.rules = replace(honest, absence_is_proof=True)
        inside(self, order, *rest)  # type: ignore[arg-type]
        self._desk.rules = honest

    patch.setattr(BrokerDesk, "_not_in_list", not_in_list)


def _counts_a_trade_twice(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Order, "with_trade", lambda self, trade: replace(self, trades=(*self.trades, trade)))


def _sees_no_halt(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(DropFolder, "halts", lambda self: {})


def _ignores_expiry(patch: pytest.MonkeyPatch) -> None:
    from shared_schema.messages import OrderSignal

    patch.setattr(OrderSignal, "deadline", property(lambda self: self.timestamp + 1e6))


def _listens_to_any_executor(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Admission, "_not_addressed", lambda self, *given: False)


def _publishes_before_it_saves(patch: pytest.MonkeyPatch) -> None:
    inside = EngineCore._answer

    def answer(self: EngineCore, *given):  # type: ignore[no-untyped-def]
        commands = inside(self, *given)
        return sorted(commands, key=lambda command: not isinstance(command, PublishSignal))

    patch.setattr(EngineCore, "_answer", answer)


def _believes_lists(patch: pytest.MonkeyPatch) -> None:
    """An order that a list does not show was never placed, whoever answered it."""
    from windows_side.execution.states import OrderEvent

    inside = BrokerDesk.day_answered

    def day_answered(self: BrokerDesk, event):  # type: ignore[no-untyped-def]
        complete = inside(self, event)
        shown = {order.remark for order in event.day.orders} if event.day is not None else set()
        for order in self._desk.book.at_broker():
            if event.day is not None and order.tag not in shown and order.state == "unknown":
                self._desk.store(order.after(OrderEvent.PROVEN_ABSENT), "guess", error_code="not_placed")
        return complete

    patch.setattr(BrokerDesk, "day_answered", day_answered)


PLANTED: dict[str, tuple[Plant, str, str]] = {
    "dedupe by nothing": (_forgets_known_ids, "zombie", "I"),
    "submit before journal": (_submits_before_it_records, "", "I3"),
    "resend after a restart": (_resends_what_was_in_doubt, "e_dies_in_call", "I"),
    "absence is proof": (_takes_absence_for_proof, "times_out_not_placed", "I4"),
    "what no list shows was not placed": (_believes_lists, "bad_return,empty_lists,push_lost", "I"),
    "a trade counted twice": (_counts_a_trade_twice, "push_doubled", "I"),
    "halt not looked at": (_sees_no_halt, "halted", "I7"),
    "expiry ignored": (_ignores_expiry, "expired_signal", "I"),
    "any executor's signals": (_listens_to_any_executor, "old_executor", "I1"),
    "signal before state": (_publishes_before_it_saves, "s_dies_anywhere", "I"),
}
"""The mistake, the fault under which it shows ("": none needed), and how its violation begins."""


@pytest.mark.slow
@pytest.mark.parametrize("name", PLANTED)
def test_a_planted_mistake_is_caught(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Within a few schedules of the fault under which it matters."""
    plant, fault, invariant = PLANTED[name]
    plant(monkeypatch)
    for seed in range(MOST):
        violation = run_seed(seed, fault).violation
        if violation:
            assert violation.startswith(invariant), violation
            return
    pytest.fail(f"{name}: not caught in {MOST} schedules")
