"""Which files become orders, and which never do: the core from a file to the submit."""

from __future__ import annotations

from dataclasses import replace

import pytest

from shared_schema.drop_folder.names import signal_name
from shared_schema.ids import SignalId
from shared_schema.messages import encode
from tests.execution.bench import (
    OPEN_AT,
    Bench,
    alarms,
    envelope_of,
    limits_of,
    of_kind,
    rules_of,
    signal_of,
)
from windows_side.brokers.port import Readiness, ReadinessChanged, SubmitTurnedBack
from windows_side.execution.actions import (
    AnswerAgain,
    Archive,
    CopyToQuarantine,
    MoveToQuarantine,
    PublishResult,
    RecordOrder,
    Submit,
)
from windows_side.execution.events import RebindTyped, TimePassed

FIRST = "BUY_159201.SZ_L1_00000001"
SECOND = "BUY_159201.SZ_L2_00000002"
THIRD = "BUY_159201.SZ_L3_00000003"
SEED_LINE = (
    b'{"signal_id": "a", "code": "159201.SZ", "direction": "BUY", "price": 1.2, '
    b'"shares": 1000, "timestamp": %d}'
)


def other(signal_id: str = SECOND, **changes: object) -> object:
    """Another intention: another size."""
    return signal_of(signal_id, shares=2000, layer_index=1, **changes)


def test_a_submit_follows_its_durable_intent_and_calling_mark() -> None:
    """I3: the row with both marks stands before the submit in the same batch of actions."""
    bench = Bench()
    actions = bench.drop(signal_of())
    record = next(i for i, a in enumerate(actions) if isinstance(a, RecordOrder) and a.order.calling_at)
    submit = next(i for i, a in enumerate(actions) if isinstance(a, Submit))
    assert record < submit
    assert bench.submits[0].request.tag == bench.row().tag
    assert bench.submits[0].expires_at == OPEN_AT + 300


def test_the_same_file_twice_is_one_submit_and_the_answer_again() -> None:
    """A zombie or a second copy is consumed and answered from the ledger, never executed."""
    bench = Bench()
    bench.drop(signal_of())
    again = bench.drop(signal_of())
    assert len(bench.submits) == 1
    assert of_kind(again, AnswerAgain) == [AnswerAgain(SignalId(FIRST))]
    assert len(of_kind(again, Archive)) == 1
    bench.restart()
    bench.drop(signal_of())
    assert len(bench.submits) == 1


def test_the_same_id_with_other_content_is_put_apart_and_the_first_stands() -> None:
    """Fault 19: nothing further of the id is executed, an alarm is raised, no result is touched."""
    bench = Bench()
    bench.drop(signal_of())
    actions = bench.drop(signal_of(shares=2000))
    assert len(bench.submits) == 1
    assert alarms(actions) == ["id_reused"]
    assert of_kind(actions, MoveToQuarantine) and not of_kind(actions, PublishResult)
    assert bench.row().signal == signal_of()


@pytest.mark.parametrize("second_is_bad", [False, True])
def test_ids_equal_but_for_case_are_refused(second_is_bad: bool) -> None:
    """On a disk that folds case both would share one result file: the second is put apart."""
    bench = Bench()
    bench.drop(signal_of("Buy_1"))
    if second_is_bad:
        actions = bench.tell(bench.raw_file(b'{"signal_id": "BUY_1", "shares": "x"}'))
    else:
        actions = bench.drop(signal_of("BUY_1", shares=2000))
    assert alarms(actions) == ["id_case_clash"]
    assert of_kind(actions, MoveToQuarantine) and not of_kind(actions, PublishResult)
    assert len(bench.submits) == 1


def test_two_signals_in_one_batch_are_both_placed() -> None:
    """The slot and a named file found in one scan are two orders."""
    bench = Bench()
    bench.tell(bench.file(signal_of(), name="order_signal.json"), bench.file(other()))
    assert [submit.request.signal_id for submit in bench.submits] == [FIRST, SECOND]


def test_a_repeated_intention_within_the_window_is_refused() -> None:
    """Fault 20: the same code, side, price, shares and lots under a new id is a retry bug."""
    bench = Bench()
    bench.drop(signal_of())
    bench.pass_time(5)
    bench.drop(signal_of(SECOND, timestamp=OPEN_AT + 5))
    assert (bench.state(SECOND), bench.result(SECOND).error_code) == ("rejected", "duplicate_intent")
    bench.pass_time(5)
    bench.drop(signal_of(THIRD, timestamp=OPEN_AT + 10))
    assert bench.state(THIRD) == "submitted"


def test_two_equal_lots_of_different_layers_are_two_intentions() -> None:
    """The lots concerned are part of the intention: another layer passes."""
    bench = Bench()
    bench.tell(bench.file(signal_of()), bench.file(signal_of(SECOND, layer_index=1)))
    assert len(bench.submits) == 2


def test_a_cancel_signal_is_no_duplicate_of_an_order() -> None:
    """A cancel carries its order's numbers; the order that replaces it must pass."""
    bench = Bench()
    bench.drop(signal_of("c1", action="cancel", target_signal_id="never"))
    bench.drop(signal_of())
    assert bench.state() == "submitted"


def test_orders_a_second_wait_their_turn() -> None:
    """Two a second leave; the third has its INTENT, waits, and leaves when a second has passed."""
    bench = Bench()
    for number in range(3):
        bench.drop(signal_of(f"s{number}", shares=1000 + 100 * number))
    assert [bench.state(f"s{n}") for n in range(3)] == ["submitted", "submitted", "accepted"]
    for number in range(2):
        bench.placed(f"s{number}", str(number))
    bench.pass_time(0.5)
    assert len(bench.submits) == 2
    bench.pass_time(0.5)
    assert bench.state("s2") == "submitted"


def test_orders_a_second_hold_over_a_restart() -> None:
    """I6: a crash loop is no way around the rate."""
    bench = Bench()
    for number in range(2):
        bench.drop(signal_of(f"s{number}", shares=1000 + 100 * number))
        bench.placed(f"s{number}", str(number + 1))
    bench.restart()
    bench.drop(signal_of("s2", shares=3000))
    assert bench.state("s2") == "accepted"


def test_a_full_queue_refuses() -> None:
    """At most ``waiting`` orders wait; the next is refused, not forgotten."""
    bench = Bench(rules_of(limits=limits_of(orders_per_second=1, waiting=1)))
    for number in range(3):
        bench.drop(signal_of(f"s{number}", shares=1000 + 100 * number))
    assert [bench.state(f"s{n}") for n in range(3)] == ["submitted", "accepted", "rejected"]
    assert bench.result("s2").error_code == "queue_full"


def test_orders_a_day_are_counted_over_restarts() -> None:
    """The day's count comes from the ledger; the next day begins anew."""
    bench = Bench(rules_of(limits=limits_of(orders_per_day=1)))
    bench.drop(signal_of())
    bench.placed(signal_of().signal_id)
    bench.restart()
    bench.drop(other())
    assert bench.result(SECOND).error_code == "orders_per_day"
    bench.pass_time(86_400)
    bench.quote()
    bench.drop(signal_of(THIRD, timestamp=bench.now.wall))
    assert bench.state(THIRD) == "submitted"


def test_an_expired_signal_is_answered_expired() -> None:
    """The last moment is ``expires_at`` itself; after it the signal ends and nothing is sent."""
    bench = Bench()
    bench.pass_time(301)
    bench.drop(signal_of())
    assert (bench.state(), bench.submits) == ("expired", [])
    late = Bench()
    late.pass_time(300)
    late.quote()
    late.drop(signal_of())
    assert late.state() == "submitted"


def test_an_order_that_expires_while_it_waits_ends_expired() -> None:
    """A queue is no reason to be late."""
    bench = Bench(rules_of(limits=limits_of(orders_per_second=1)))
    bench.drop(signal_of())
    bench.drop(other(expires_at=OPEN_AT + 0.4))
    bench.pass_time(0.5)
    assert bench.state(SECOND) == "expired"
    assert len(bench.submits) == 1


def test_shares_bought_today_are_not_sold_today() -> None:
    """T+1: of 1,000 shares held 300 are older than today; 400 are too many, 300 may go."""
    bench = Bench()
    (held,) = bench.account.positions
    bought_today = replace(held, volume=1000, can_use_volume=300)
    bench.account = replace(bench.account, positions=(bought_today,))
    bench.make_ready()
    bench.drop(signal_of("S400", direction="SELL", shares=400))
    bench.drop(signal_of("S300", direction="SELL", shares=300))
    assert (bench.result("S400").error_code, bench.state("S300")) == ("not_enough_shares", "submitted")


def test_a_halt_before_the_signal_refuses_it() -> None:
    """Under a halt new orders are answered rejected, not kept for later."""
    bench = Bench()
    bench.halt()
    bench.drop(signal_of())
    assert (bench.state(), bench.result().error_code) == ("rejected", "halted")
    assert "test" in bench.result().message


def test_a_halt_refuses_even_while_the_broker_is_away() -> None:
    """A signal left in the folder would be placed after the resume: it is answered at once."""
    bench = Bench(ready=False)
    bench.halt()
    bench.drop(signal_of())
    assert bench.state() == "rejected"


def test_a_halt_ends_what_waits() -> None:
    """An INTENT that was never called turns back under a halt."""
    bench = Bench(rules_of(limits=limits_of(orders_per_second=1)))
    bench.drop(signal_of())
    bench.drop(other())
    bench.halt()
    assert (bench.state(SECOND), bench.result(SECOND).error_code) == ("rejected", "halted")
    bench.pass_time(5)
    assert len(bench.submits) == 1


@pytest.mark.parametrize(
    ("reason", "state", "code"),
    [
        ("halt", "rejected", "halted"),
        ("expired", "expired", "expired"),
        ("outside_session", "rejected", "outside_session"),
        ("stopped", "not_placed", "not_placed"),
    ],
)
def test_a_call_turned_back_ends_with_its_proof(reason: str, state: str, code: str) -> None:
    """The worker's word that it stopped directly before the call is proof, each with its own end."""
    bench = Bench()
    bench.drop(signal_of())
    bench.tell(SubmitTurnedBack(SignalId(FIRST), reason))
    assert (bench.state(), bench.result().error_code) == (state, code)
    assert len(bench.result().message) > 4


def test_a_signal_waits_in_the_folder_until_the_broker_is_ready() -> None:
    """Nothing is recorded and nothing moved until broker, day list and account are known."""
    bench = Bench(ready=False)
    assert not of_kind(bench.drop(signal_of()), RecordOrder)
    bench.quote()
    bench.make_ready()
    bench.drop(signal_of())
    assert bench.state() == "submitted"


def test_a_link_that_fell_takes_no_orders_until_list_and_account_are_read_anew() -> None:
    """After a disconnect neither the old list nor the old account tells what happened meanwhile."""
    bench = Bench()
    bench.tell(ReadinessChanged(Readiness(False, "gone")))
    bench.tell(ReadinessChanged(Readiness(True)))
    assert not of_kind(bench.drop(signal_of()), RecordOrder)
    bench.make_ready()
    bench.drop(signal_of())
    assert bench.state() == "submitted"


def test_version_1_is_known_by_what_its_reader_compares() -> None:
    """The seed's line sent again, minutes later, is the same signal; live it is refused."""
    line = SEED_LINE
    bench = Bench()
    bench.tell(bench.raw_file(line % OPEN_AT))
    bench.tell(bench.raw_file(line % (OPEN_AT + 20)))
    assert len(bench.submits) == 1
    assert bench.row("a").version == 1
    strict = Bench(rules_of(allow_version_1=False))
    strict.tell(strict.raw_file(line % OPEN_AT))
    assert strict.result("a").error_code == "version_1"


@pytest.mark.parametrize(
    ("envelope", "code"),
    [
        ({"mode": "live"}, "other_mode"),
        ({"account": "second"}, "other_account"),
    ],
)
def test_books_of_another_mode_or_account_send_nothing(envelope: dict[str, object], code: str) -> None:
    """Rule 10: it is refused and said."""
    bench = Bench()
    bench.drop(signal_of(), envelope_of(**envelope))
    assert (bench.state(), bench.result().error_code, bench.submits) == ("rejected", code, [])


def test_a_signal_for_another_executor_is_left_alone() -> None:
    """Rule 15: not recorded, not moved, said once."""
    bench = Bench()
    assert alarms(bench.drop(signal_of(executor="simulate-other"))) == ["addressed_elsewhere"]
    assert bench.drop(signal_of(executor="simulate-other")) == []
    assert bench.ledger.order(SignalId(FIRST)) is None


def test_a_signal_that_names_no_executor_is_refused_outside_offline() -> None:
    """Version 2 without an address would be executed by every clone."""
    bench = Bench()
    bench.drop(signal_of(executor=None))
    assert bench.result().error_code == "missing_field"
    offline = Bench(rules_of(offline=True))
    offline.drop(signal_of(executor=None))
    assert offline.state() == "submitted"


def test_a_strategy_has_one_writer_over_restarts_until_a_person_rebinds() -> None:
    """Fault 72: the second host is refused; ``rebind`` lets the next one in."""
    bench = Bench()
    bench.drop(signal_of())
    bench.placed(signal_of().signal_id)
    bench.restart()
    bench.drop(other(), envelope_of(writer="dashboard@clone"))
    assert bench.result(SECOND).error_code == "other_writer"
    bench.tell(RebindTyped("grid"))
    bench.drop(signal_of(THIRD, shares=3000), envelope_of(writer="dashboard@clone"))
    assert bench.state(THIRD) == "submitted"


def test_a_bad_signal_gets_its_failed_result_and_its_bytes_stay_known() -> None:
    """Whole and wrong with an id that can be trusted: failed with a stable word, each time it is sent."""
    bench = Bench()
    raw = (SEED_LINE % OPEN_AT).replace(b'"a"', b'"../../x"').replace(b"1000", b"100.7", 1)
    first = bench.tell(bench.raw_file(raw))
    assert (bench.result("../../x").status, bench.result("../../x").error_code) == ("failed", "wrong_type")
    assert of_kind(first, Archive)
    assert of_kind(bench.tell(bench.raw_file(raw)), AnswerAgain)


def test_a_good_signal_under_an_id_that_was_refused_is_not_executed() -> None:
    """An id is spent by its first file, good or bad."""
    bench = Bench()
    bench.tell(bench.raw_file(b'{"signal_id": "%s", "shares": true}' % FIRST.encode()))
    assert alarms(bench.drop(signal_of())) == ["id_reused"]
    assert bench.submits == []


def test_a_file_under_another_signals_name_is_a_conflict_copy() -> None:
    """Rule 7: the id in the name must be that of the checked payload."""
    bench = Bench()
    actions = bench.tell(bench.file(signal_of(), name=signal_name(SignalId(SECOND))))
    assert isinstance(of_kind(actions, MoveToQuarantine)[0], MoveToQuarantine)
    assert bench.ledger.order(SignalId(FIRST)) is None


def test_a_torn_file_is_copied_apart_and_still_executed_when_it_becomes_whole() -> None:
    """Rule 3: it is read again while it changes; the copy in quarantine loses nothing."""
    bench = Bench()
    whole = encode(envelope_of(), signal_of())
    name = signal_name(SignalId(FIRST))
    damaged = whole.replace(b'"shares":1000', b'"shares":9000')
    bench.tell(bench.raw_file(damaged, name))
    bench.pass_time(6)
    assert of_kind(bench.tell(bench.raw_file(damaged, name)), CopyToQuarantine)
    bench.tell(bench.raw_file(whole, name))
    assert bench.row().signal == signal_of()


def test_a_clock_set_back_does_not_stop_the_orders() -> None:
    """Fault 40: the calls of "the future" count no more, and the broker is still asked."""
    bench = Bench(rules_of(limits=limits_of(orders_per_second=1, future_seconds=10_000)))
    bench.drop(signal_of())
    bench.placed(FIRST)
    bench.now = replace(bench.now, wall=OPEN_AT - 3600)
    bench.tell(TimePassed())
    bench.quote()
    bench.drop(other())
    assert len(bench.submits) == 2
