"""What the broker says, in any order and any number of times, and what it can't have meant."""

from __future__ import annotations

import itertools
from dataclasses import replace

import pytest

from shared_schema.clock import Moment
from shared_schema.ids import OrderId, SignalId, TradeId
from shared_schema.messages import encode
from tests.execution.bench import (
    FUND,
    OTHER_FUND,
    Bench,
    alarms,
    envelope_of,
    next_day,
    of_kind,
    rules_of,
    signal_of,
)
from windows_side.brokers.port import (
    BrokerOrder,
    BrokerStatus,
    DayAnswered,
    OrderUpdate,
    Placed,
    Refused,
    SubmitOverran,
    SubmitReturned,
    TradeUpdate,
    Unclear,
)
from windows_side.execution.actions import AskDay, PublishResult
from windows_side.execution.results import result_of

FIRST = SignalId("BUY_159201.SZ_L1_00000001")


def ordered(bench: Bench | None = None) -> Bench:
    """A bench with one order placed under id 1."""
    bench = bench or Bench()
    bench.drop(signal_of())
    bench.placed(FIRST)
    return bench


@pytest.mark.parametrize("overrun", [False, True])
def test_no_usable_answer_is_unknown_and_never_sent_again(overrun: bool) -> None:
    """Fault 42: an alarm, a question to the broker, and the held order; no machine sends it twice."""
    bench = Bench()
    bench.drop(signal_of())
    event = SubmitOverran(FIRST) if overrun else SubmitReturned(FIRST, Unclear("timeout"))
    actions = bench.tell(event)
    assert (bench.state(), bench.result().status) == ("unknown", "pending")
    assert "order_unknown" in alarms(actions) and of_kind(actions, AskDay)
    bench.drop(signal_of())
    bench.pass_time(400)
    bench.restart()
    bench.day()
    assert (bench.state(), len(bench.submits)) == ("unknown", 1)


def test_an_unknown_order_is_adopted_by_its_tag_alone() -> None:
    """Fault 52: equal code, side, size and price without the tag is a candidate, not the order."""
    bench = Bench()
    bench.drop(signal_of())
    bench.answer(FIRST, Unclear("timeout"))
    bench.pass_time(3)
    bench.day(bench.seen_order(remark=""), bench.seen_order(order_id=OrderId("2"), remark="mq"))
    assert bench.state() == "unknown"
    bench.day(bench.seen_order(order_id=OrderId("3")))
    assert (bench.state(), bench.row().order_id) == ("submitted", "3")


def test_a_late_answer_ends_the_doubt() -> None:
    """After an overrun the order id may still come."""
    bench = Bench()
    bench.drop(signal_of())
    bench.tell(SubmitOverran(FIRST))
    bench.placed(FIRST, "7")
    assert (bench.state(), bench.row().order_id) == ("submitted", "7")


def test_a_definite_refusal_is_an_end() -> None:
    """Refused for sure: no order exists; failed, with the counter's own words."""
    bench = Bench()
    bench.drop(signal_of())
    bench.answer(FIRST, Refused("x", "no such thing"))
    assert (bench.state(), bench.result().broker_message) == ("refused_by_broker", "no such thing")


def test_any_order_of_the_news_ends_the_same() -> None:
    """Fault 47: answer, order, trades and final status in each of the 120 orders, doubled, end alike."""
    finals = set()
    for order in itertools.permutations(range(5)):
        bench = Bench()
        bench.drop(signal_of())
        events = [
            SubmitReturned(FIRST, Placed(OrderId("1"))),
            OrderUpdate(bench.seen_order(status=BrokerStatus.PART_FILLED, filled_shares=400)),
            TradeUpdate(bench.seen_trade(shares=400)),
            TradeUpdate(bench.seen_trade(trade_id="t2", shares=300, price=1.19)),
            OrderUpdate(bench.seen_order(status=BrokerStatus.PART_CANCELLED, filled_shares=700)),
        ]
        for index in order:
            bench.tell(events[index])
            bench.tell(events[index])
        row = bench.row()
        finals.add((row.state, row.filled_shares, round(row.average_price, 6), row.order_id))
        assert bench.core.halt_since is None
    assert finals == {("partly_cancelled", 700, round((400 * 1.2 + 300 * 1.19) / 700, 6), "1")}


def test_a_trade_without_a_remark_waits_for_its_order() -> None:
    """Trades may come first and carry only the broker's order id."""
    bench = Bench()
    bench.drop(signal_of())
    bench.trade(bench.seen_trade(remark="", shares=1000))
    assert bench.row().filled_shares == 0
    bench.placed(FIRST)
    assert bench.state() == "filled"


def test_a_filled_status_ahead_of_its_trades_is_pending() -> None:
    """I5: fills are trades; a status alone fills nothing."""
    bench = ordered()
    bench.update(bench.seen_order(status=BrokerStatus.FILLED, filled_shares=1000))
    assert (bench.state(), bench.result().filled_shares, bench.result().status) == ("submitted", 0, "pending")
    bench.trade(bench.seen_trade(shares=1000))
    assert (bench.state(), bench.result().status) == ("filled", "success")


def test_an_end_is_read_once_more_where_answers_are_not_complete() -> None:
    """A cancel status counts only when a list asked ``final_read`` seconds later still says so."""
    bench = ordered(Bench(rules_of(final_read=2.0)))
    cancelled = bench.seen_order(status=BrokerStatus.CANCELLED)
    bench.update(cancelled)
    bench.pass_time(1.9)
    bench.day(cancelled)
    assert bench.state() == "submitted"
    bench.pass_time(0.1)
    bench.day(cancelled)
    assert bench.state() == "cancelled"


@pytest.mark.parametrize("filled_first", [False, True])
def test_a_reject_after_a_fill_keeps_the_fill(filled_first: bool) -> None:
    """Fault 55: junk with a part filled ends partly cancelled, whichever news came first."""
    bench = ordered()
    news = [bench.seen_order(status=BrokerStatus.JUNK, filled_shares=100), bench.seen_trade(shares=100)]
    for seen in reversed(news) if filled_first else news:
        bench.update(seen) if isinstance(seen, BrokerOrder) else bench.trade(seen)
    assert (bench.state(), bench.result().status) == ("partly_cancelled", "success")


def test_a_reject_at_the_counter_fails_with_its_text() -> None:
    """Junk without a fill is refused by the broker."""
    bench = ordered()
    bench.update(bench.seen_order(status=BrokerStatus.JUNK, message="资金不足"))
    result = bench.result()
    assert (result.state, result.status, result.error_code) == (
        "refused_by_broker",
        "failed",
        "refused_by_broker",
    )
    assert "资金不足" in (result.message, result.broker_message)


def test_a_fill_that_races_a_cancel_counts() -> None:
    """Fault 53: the final shares are the trades, also those that come after the end, with an alarm."""
    bench = ordered()
    bench.update(bench.seen_order(status=BrokerStatus.CANCELLED))
    assert bench.state() == "cancelled"
    revision = bench.row().revision
    actions = bench.trade(bench.seen_trade(shares=300))
    assert (bench.state(), bench.result().filled_shares, bench.result().status) == (
        "partly_cancelled",
        300,
        "success",
    )
    assert "late_trade" in alarms(actions) and bench.row().revision == revision + 1


def impossible(bench: Bench, seen: object) -> list[str]:
    """The alarms after something impossible was seen; trading must be halted by it."""
    actions = bench.update(seen) if isinstance(seen, BrokerOrder) else bench.trade(seen)  # type: ignore[arg-type]
    assert bench.core.halt_since is not None
    assert bench.core.halt_reason.startswith("executor:")
    return alarms(actions)


def test_an_over_fill_halts() -> None:
    """Fault 54: more shares than ordered is impossible; they are counted, and trading stops."""
    bench = ordered()
    bench.trade(bench.seen_trade(shares=1000))
    assert "impossible_event" in impossible(bench, bench.seen_trade(trade_id="t2", shares=1))
    assert bench.row().filled_shares == 1001


@pytest.mark.parametrize(
    "change",
    [{"direction": "SELL"}, {"code": OTHER_FUND}, {"shares": 2000}, {"price": 1.3}],
)
def test_an_order_that_differs_from_its_signal_halts(change: dict[str, object]) -> None:
    """Our tag on another side, code, size or price: nothing of it is taken over."""
    bench = ordered()
    impossible(bench, bench.seen_order(filled_shares=500, **change))
    assert bench.row().broker_filled == 0
    assert "与信号不符" in bench.core.halt_reason, "it stands in every refusal after it"


@pytest.mark.parametrize(
    "change", [{"direction": "SELL"}, {"price": 0.0}, {"shares": 0}, {"code": OTHER_FUND}]
)
def test_an_impossible_trade_halts_and_fills_nothing(change: dict[str, object]) -> None:
    """Zero price, no shares, wrong side."""
    bench = ordered()
    impossible(bench, replace(bench.seen_trade(), **change))
    assert bench.row().filled_shares == 0


def test_a_float_price_of_the_terminal_is_the_same_price() -> None:
    """Rule 12: whole ticks are compared, 1.2000000000000002 is 1.2."""
    bench = ordered()
    bench.update(bench.seen_order(price=1.2000000000000002, filled_shares=0))
    assert bench.core.halt_since is None


@pytest.mark.parametrize("as_trade", [False, True])
def test_a_second_order_under_one_tag_halts(as_trade: bool) -> None:
    """Two broker ids for one signal is the double submit itself: it must not be merged in silence."""
    bench = ordered()
    second = OrderId("2")
    impossible(bench, bench.seen_trade(order_id=second) if as_trade else bench.seen_order(order_id=second))
    assert (bench.row().order_id, bench.row().filled_shares) == ("1", 0)


def test_an_order_that_appears_after_it_was_proven_absent_halts() -> None:
    """The proof was wrong: a person must look, whether the answer, a list or a trade tells."""
    for news in ("answer", "list", "trade"):
        bench = Bench(rules_of(absence_is_proof=True))
        bench.drop(signal_of())
        bench.answer(FIRST, Unclear("timeout"))
        bench.pass_time(3)
        bench.day()
        assert bench.state() == "not_placed"
        if news == "answer":
            bench.placed(FIRST)
        elif news == "list":
            bench.day(bench.seen_order())
        else:
            bench.trade(bench.seen_trade())
        assert bench.core.halt_since is not None, news


def test_a_refusal_of_an_order_seen_alive_is_not_believed() -> None:
    """A late "refused" cannot end an order the broker shows."""
    bench = ordered()
    bench.answer(FIRST, Refused("x", "?"))
    assert bench.state() == "submitted"
    assert bench.core.halt_since is not None


def test_impossible_news_is_told_once_and_a_person_can_resume() -> None:
    """Every list repeats it; the alarm and the halt come once in a run, and again after a restart."""
    from windows_side.execution.events import ResumeTyped

    bench = ordered()
    wrong = bench.seen_order(shares=2000)
    assert alarms(bench.day(wrong)) == ["impossible_event", "halted"]
    since = bench.core.halt_since
    bench.pass_time(3)
    assert alarms(bench.day(wrong)) == [] and bench.core.halt_since == since
    bench.tell(ResumeTyped("looked", {}))
    bench.day(wrong)
    assert bench.core.halt_since is None
    bench.restart()
    bench.day(wrong)
    assert bench.core.halt_since is not None


def test_a_foreign_order_with_our_tag_halts_and_others_do_not() -> None:
    """A tag the ledger does not know: it was put back, or another executor trades here."""
    bench = Bench()
    foreign = BrokerOrder(OrderId("9"), FUND, "BUY", 1.2, 1000, 0, BrokerStatus.REPORTED, "by hand")
    bench.day(foreign)
    assert bench.core.halt_since is None
    bench.day(replace(foreign, order_id=OrderId("10"), remark="mq" + "a" * 20))
    assert bench.core.halt_since is not None


@pytest.mark.parametrize("restart", [False, True])
@pytest.mark.parametrize("traded_today", [False, True])
def test_yesterdays_orders_in_the_list_are_ours(restart: bool, traded_today: bool) -> None:
    """A broker still lists orders of the day before: they are known and halt nothing."""
    bench = ordered()
    bench.trade(bench.seen_trade(shares=1000))
    order = bench.seen_order(status=BrokerStatus.FILLED, filled_shares=1000)
    trade = bench.seen_trade(shares=1000)
    next_day(bench)
    bench.quote()
    if traded_today:
        bench.drop(signal_of("today", timestamp=bench.now.wall))
        bench.placed("today", "2")
    if restart:
        bench.restart(ready=False)
    bench.day(order, trades=(trade,))
    assert bench.core.halt_since is None


def test_a_day_list_that_failed_decides_nothing() -> None:
    """I4: no answer is no proof, not even where absence would be."""
    bench = Bench(rules_of(absence_is_proof=True))
    bench.drop(signal_of())
    bench.answer(FIRST, Unclear("timeout"))
    bench.pass_time(3)
    bench.tell(DayAnswered(None, bench.now.wall))
    assert bench.state() == "unknown"


@pytest.mark.parametrize("is_proof", [False, True])
def test_absence_is_proof_only_where_the_broker_declares_it(is_proof: bool) -> None:
    """I4: QMT's missing order stays unknown for ever; the simulated broker's was never placed."""
    bench = Bench(rules_of(absence_is_proof=is_proof))
    bench.drop(signal_of())
    bench.answer(FIRST, Unclear("timeout"))
    bench.pass_time(3)
    bench.day()
    assert bench.state() == ("not_placed" if is_proof else "unknown")


def test_a_list_asked_before_the_doubt_proves_nothing() -> None:
    """Only a list asked after the call had ended can miss the order; one asked at that very moment cannot."""
    bench = Bench(rules_of(absence_is_proof=True))
    bench.drop(signal_of())
    asked = bench.now.wall
    bench.pass_time(1)
    bench.answer(FIRST, Unclear("timeout"))
    bench.tell(DayAnswered(bench_day(), asked))
    assert bench.state() == "unknown"


def test_an_order_in_flight_is_not_missed_by_a_list() -> None:
    """A list may be answered while the place call still runs: that says nothing about it."""
    bench = Bench(rules_of(absence_is_proof=True))
    bench.drop(signal_of())
    bench.pass_time(5)
    bench.day()
    assert bench.state() == "submitted"


def bench_day():  # type: ignore[no-untyped-def]
    """An empty, complete list."""
    from windows_side.brokers.port import Day

    return Day((), ())


def test_results_rise_carry_the_digest_and_are_written_again_byte_for_byte() -> None:
    """Each revision is one higher; a row gives the same bytes for ever, also from the ledger."""
    bench = ordered()
    bench.trade(bench.seen_trade(shares=400))
    bench.trade(bench.seen_trade(trade_id=TradeId("t2"), shares=600))
    ours = [result for result in bench.published if result.signal_id == FIRST]
    assert [result.revision for result in ours] == list(range(1, len(ours) + 1))
    assert [result.status for result in ours][-1] == "success" and ours[0].status == "pending"
    assert all(result.signal_digest == bench.row().digest != "" for result in ours)
    before = encode(envelope_of(), result_of(bench.row()))
    bench.now = Moment(bench.now.wall + 50, bench.now.market + 50)
    assert encode(envelope_of(), result_of(bench.row())) == before
    assert of_kind(bench.restart(), PublishResult) == []
