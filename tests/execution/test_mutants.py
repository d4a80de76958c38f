"""The tests are tested: each small breakage of the core must be caught by a schedule or a named scenario."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from shared_schema.errors import MiniqmtError
from shared_schema.messages import OrderSignal
from tests.execution import test_core, test_core_broker
from tests.execution.schedules import run_schedule
from windows_side.brokers.port import Unclear
from windows_side.execution import admission as admission_module
from windows_side.execution import broker_desk as broker_desk_module
from windows_side.execution import settlement
from windows_side.execution.actions import RecordOrder, Submit
from windows_side.execution.admission import Admission
from windows_side.execution.broker_desk import BrokerDesk
from windows_side.execution.desk import Desk
from windows_side.execution.halt_latch import HaltLatch
from windows_side.execution.order import Order
from windows_side.execution.order_book import OrderBook
from windows_side.execution.states import OrderEvent

Break = Callable[[pytest.MonkeyPatch], None]


def calling_mark_not_recorded(patch: pytest.MonkeyPatch) -> None:
    """The submit leaves before its row is durable."""
    do = Desk.do

    def skip(desk: Desk, action: object) -> None:
        if not (isinstance(action, RecordOrder) and action.order.state == "submitted"):
            do(desk, action)  # type: ignore[arg-type]

    patch.setattr(Desk, "do", skip)


def known_id_not_looked_up(patch: pytest.MonkeyPatch) -> None:
    """Every file is a new signal."""
    patch.setattr(Admission, "_known", lambda *_: False)


def ids_forgotten_over_a_restart(patch: pytest.MonkeyPatch) -> None:
    """The memory of old ids is the process's, not the ledger's."""
    build = OrderBook.__init__

    def forget(book: OrderBook, memory: object) -> None:
        build(book, memory)  # type: ignore[arg-type]
        settled = [order.signal_id for order in book.everything() if order.is_terminal]
        for signal_id in settled:
            book._known.pop(signal_id)
            book._orders.pop(signal_id)

    patch.setattr(OrderBook, "__init__", forget)


def halt_not_looked_at(patch: pytest.MonkeyPatch) -> None:
    """The latch is set and nobody asks it."""
    patch.setattr(HaltLatch, "is_halted", property(lambda _: False))


def unclear_taken_as_refused(patch: pytest.MonkeyPatch) -> None:
    """A timeout reads as a failure."""

    def refuse(desk: BrokerDesk, order: Order, answer: Unclear) -> None:
        if desk._may(order, OrderEvent.REFUSED_FOR_SURE) and not order.order_id:
            desk._desk.store(order.after(OrderEvent.REFUSED_FOR_SURE), "mutant", error_code="x")

    patch.setattr(BrokerDesk, "_unclear", refuse)


def unclear_sent_again(patch: pytest.MonkeyPatch) -> None:
    """A timeout is retried."""
    unclear = BrokerDesk._unclear

    def again(desk: BrokerDesk, order: Order, answer: Unclear) -> None:
        unclear(desk, order, answer)
        sent = [action for action in SENT if action.request.signal_id == order.signal_id]
        for action in sent[:1]:
            desk._desk.do(action)

    SENT: list[Submit] = []
    do = Desk.do

    def note(desk: Desk, action: object) -> None:
        if isinstance(action, Submit):
            SENT.append(action)
        do(desk, action)  # type: ignore[arg-type]

    patch.setattr(Desk, "do", note)
    patch.setattr(BrokerDesk, "_unclear", again)


def trades_not_told_apart(patch: pytest.MonkeyPatch) -> None:
    """The same trade told twice fills twice."""
    patch.setattr(Order, "with_trade", lambda order, trade: order.changed(trades=(*order.trades, trade)))


def late_list_not_told_from_an_early_one(patch: pytest.MonkeyPatch) -> None:
    """Any list that lacks the order proves that it was never placed."""

    def absent(desk: BrokerDesk, order: Order, asked_at: float) -> None:
        desk._desk.store(order.after(OrderEvent.PROVEN_ABSENT), "mutant", error_code="not_placed")

    patch.setattr(BrokerDesk, "_not_in_list", absent)


def left_open_forgotten(patch: pytest.MonkeyPatch) -> None:
    """What an earlier run left at the broker is not looked for."""
    build = BrokerDesk.__init__

    def forget(desk: BrokerDesk, owner: Desk) -> None:
        build(desk, owner)
        desk._left_open.clear()

    patch.setattr(BrokerDesk, "__init__", forget)


def fills_taken_from_the_status(patch: pytest.MonkeyPatch) -> None:
    """ "Filled" ends the order though no trade was seen."""

    def end(order: Order, filled: int) -> OrderEvent | None:
        return OrderEvent.FILL_ALL if order.broker_status == 56 else OrderEvent.END_EMPTY

    patch.setattr(settlement, "_end", end)


def expiry_ignored(patch: pytest.MonkeyPatch) -> None:
    """No signal is ever too late."""
    patch.setattr(OrderSignal, "deadline", property(lambda _: 1e18))


def digest_ignored(patch: pytest.MonkeyPatch) -> None:
    """All signals of one id are the same."""
    patch.setattr(admission_module, "signal_digest", lambda signal, envelope: signal.signal_id)


def absence_is_always_proof(patch: pytest.MonkeyPatch) -> None:
    """A broker that does not declare it is taken at its silence."""
    not_in_list = BrokerDesk._not_in_list

    def trusting(desk: BrokerDesk, order: Order, asked_at: float) -> None:
        rules = desk._desk.rules
        object.__setattr__(rules, "absence_is_proof", True)
        not_in_list(desk, order, asked_at)

    patch.setattr(BrokerDesk, "_not_in_list", trusting)


def second_order_merged(patch: pytest.MonkeyPatch) -> None:
    """Two broker orders under one tag are taken for one."""
    patch.setattr(BrokerDesk, "_is_the_one", lambda *_: True)


def old_tags_forgotten(patch: pytest.MonkeyPatch) -> None:
    """Yesterday's orders read as somebody else's with our tag."""
    patch.setattr(OrderBook, "knows_tag", lambda *_: False)


def final_status_believed_at_once(patch: pytest.MonkeyPatch) -> None:
    """No second reading of an end."""
    patch.setattr(BrokerDesk, "_final_is_confirmed", lambda *_: True)


BY_SCHEDULES: list[tuple[Break, int]] = [
    (calling_mark_not_recorded, 30),
    (known_id_not_looked_up, 30),
    (ids_forgotten_over_a_restart, 100),
    (halt_not_looked_at, 200),
    (unclear_taken_as_refused, 100),
    (unclear_sent_again, 60),
    (trades_not_told_apart, 60),
    (late_list_not_told_from_an_early_one, 200),
    (left_open_forgotten, 100),
    (fills_taken_from_the_status, 100),
]
BY_SCENARIO: list[tuple[Break, Callable[[], None]]] = [
    (expiry_ignored, test_core.test_an_expired_signal_is_answered_expired),
    (digest_ignored, test_core.test_the_same_id_with_other_content_is_put_apart_and_the_first_stands),
    (
        absence_is_always_proof,
        lambda: test_core_broker.test_absence_is_proof_only_where_the_broker_declares_it(is_proof=False),
    ),
    (second_order_merged, lambda: test_core_broker.test_a_second_order_under_one_tag_halts(as_trade=False)),
    (
        old_tags_forgotten,
        lambda: test_core_broker.test_yesterdays_orders_in_the_list_are_ours(
            restart=False, traded_today=False
        ),
    ),
    (
        final_status_believed_at_once,
        test_core_broker.test_an_end_is_read_once_more_where_answers_are_not_complete,
    ),
    (halt_not_looked_at, test_core.test_a_halt_before_the_signal_refuses_it),
    (
        unclear_taken_as_refused,
        lambda: test_core_broker.test_no_usable_answer_is_unknown_and_never_sent_again(False),
    ),
]


def caught_at(schedules: int) -> int | None:
    """The first schedule that breaks, None where none does."""
    for seed in range(schedules):
        try:
            run_schedule(seed)
        except (AssertionError, MiniqmtError):
            return seed
    return None


@pytest.mark.slow
@pytest.mark.parametrize(
    ("mutant", "schedules"), BY_SCHEDULES, ids=lambda value: getattr(value, "__name__", "")
)
def test_random_schedules_catch(mutant: Break, schedules: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """The schedules of the default run, or fewer of them, notice the breakage."""
    mutant(monkeypatch)
    assert caught_at(schedules) is not None, f"{mutant.__name__} survived {schedules} schedules"


@pytest.mark.parametrize(
    ("mutant", "scenario"), BY_SCENARIO, ids=lambda value: getattr(value, "__name__", "")
)
def test_a_named_scenario_catches(
    mutant: Break, scenario: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The scenario passes as the core stands and fails under the mutant."""
    scenario()
    mutant(monkeypatch)
    with pytest.raises((AssertionError, MiniqmtError, IndexError)):
        scenario()


def test_the_patched_modules_are_those_the_core_uses() -> None:
    """A mutant that patches nothing would prove nothing."""
    assert broker_desk_module.event_of.__globals__["_end"] is settlement._end
