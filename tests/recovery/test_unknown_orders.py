"""What an unknown order blocks, and the proofs that end it (I4, I13, faults 42 to 45, 52, 56)."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

import pytest

from shared_schema.clock import Moment
from shared_schema.ids import OrderId, SignalId, TradeId
from shared_schema.sessions import SHANGHAI
from tests.execution.bench import (
    FUND,
    OPEN_AT,
    OTHER_FUND,
    Bench,
    account_of,
    alarms,
    envelope_of,
    limits_of,
    next_day,
    rules_of,
    signal_of,
)
from windows_side.brokers.port import (
    AccountAnswered,
    AccountState,
    BrokerAsset,
    BrokerOrder,
    BrokerPosition,
    BrokerStatus,
    BrokerTrade,
    Day,
    DayAnswered,
    Placed,
    Unclear,
)
from windows_side.execution.actions import Say
from windows_side.execution.events import ResolveTyped, ResumeTyped

FIRST = "BUY_159201.SZ_L1_00000001"
SECOND = "BUY_159201.SZ_L2_00000002"
AFTER_CLOSE = datetime(2026, 11, 18, 15, 5, 1, tzinfo=SHANGHAI).timestamp()


def doubtful(**limits: object) -> Bench:
    """A bench whose first buy got no usable answer, at a broker where absence proves nothing."""
    bench = Bench(rules_of(limits=limits_of(**limits), needs_quote=False))
    bench.drop(signal_of())
    bench.pass_time(1.0)
    bench.answer(FIRST, Unclear("no answer"))
    bench.pass_time(1.0)
    assert bench.state() == "unknown"
    return bench


def resolve(bench: Bench, order_id: str | None) -> list[str]:
    """What a person types; the alarms it raises."""
    typed = ResolveTyped(SignalId(FIRST), OrderId(order_id) if order_id else None, "me: looked")
    return alarms(bench.tell(typed))


# What it blocks


def test_its_code_buys_nothing_and_sells_go_on() -> None:
    """I13: a further buy is refused (``unknown_order``), lots of other orders are sold, other codes buy."""
    bench = doubtful()
    bench.drop(signal_of(SECOND, shares=2000, timestamp=bench.now.wall))
    assert bench.result(SECOND).error_code == "unknown_order"
    bench.drop(signal_of("SELL_1", direction="SELL", shares=3000, timestamp=bench.now.wall))
    assert bench.state("SELL_1") == "submitted"
    bench.drop(signal_of("OTHER_1", code=OTHER_FUND, timestamp=bench.now.wall))
    assert bench.state("OTHER_1") == "submitted"


def test_its_cash_counts_as_used_overnight() -> None:
    """The account does not show it, so the gate takes it off; the next day and after a restart as well."""
    bench = Bench(rules_of(needs_quote=False))
    bench.account = account_of(cash=2_000.0)
    bench.make_ready()
    bench.drop(signal_of())
    bench.answer(FIRST, Unclear("?"))
    for _ in range(2):
        bench.drop(signal_of(f"O{bench.now.wall:.0f}", code=OTHER_FUND, timestamp=bench.now.wall))
        assert bench.result(f"O{bench.now.wall:.0f}").error_code == "not_enough_cash"
        next_day(bench)
        bench.restart()
    assert bench.state() == "unknown"


def test_its_shares_count_as_used() -> None:
    """An unknown sell keeps its shares from being sold twice; further lots are sold."""
    bench = Bench()
    bench.account = account_of(sellable=5_000)
    bench.make_ready()
    bench.drop(signal_of("SELL_1", direction="SELL", shares=3000))
    bench.answer("SELL_1", Unclear("?"))
    bench.drop(signal_of("SELL_2", direction="SELL", shares=3100, timestamp=bench.now.wall))
    assert bench.result("SELL_2").error_code == "not_enough_shares"
    bench.drop(signal_of("SELL_3", direction="SELL", shares=2000, timestamp=bench.now.wall))
    assert bench.state("SELL_3") == "submitted"


def test_the_third_unknown_of_a_day_halts_and_a_new_day_counts_anew() -> None:
    """I13: three in a day halt the account, also where the first two were found since."""
    bench = Bench()
    for number in range(3):
        signal_id = f"SELL_{number}"
        assert bench.core.halt_since is None
        bench.drop(
            signal_of(signal_id, direction="SELL", shares=100 * (number + 1), timestamp=bench.now.wall)
        )
        bench.answer(signal_id, Unclear("?"))
        if number < 2:
            bench.placed(signal_id, str(number + 1))
        bench.pass_time(1.0)
    assert "3" in bench.core.halt_reason
    bench.tell(ResumeTyped("seen", {}))
    next_day(bench)
    bench.quote()
    bench.make_ready()
    bench.drop(signal_of("SELL_9", direction="SELL", shares=900, timestamp=bench.now.wall))
    bench.answer("SELL_9", Unclear("?"))
    assert bench.core.halt_since is None


# A person's proof


def test_not_placed_by_a_person_ends_it_and_the_code_buys_again() -> None:
    """I4: the fourth proof; the result is final and tells who said so."""
    bench = doubtful()
    assert resolve(bench, None) == []
    assert (bench.state(), bench.result().status, bench.result().error_code) == (
        "not_placed", "failed", "not_placed",
    )  # fmt: skip
    assert "looked" in bench.result().message
    bench.drop(signal_of(SECOND, shares=2000, timestamp=bench.now.wall))
    assert bench.state(SECOND) == "submitted"
    assert len([s for s in bench.submits if s.request.signal_id == FIRST]) == 1


def test_placed_by_a_person_adopts_the_order_and_follows_it() -> None:
    """Fault 52: an order whose remark was lost is adopted by its id; its trades count, also earlier ones."""
    bench = doubtful()
    seen = bench.seen_order(remark="", order_id=OrderId("77"))
    trade = bench.seen_trade(order_id=OrderId("77"), remark="", shares=400)
    bench.day(seen, trades=(trade,))
    assert bench.state() == "unknown", "never adopted by machine"
    assert resolve(bench, "77") == []
    assert (bench.state(), bench.row().order_id, bench.row().filled_shares) == ("partly_filled", "77", 400)
    last = bench.seen_trade(trade_id="t2", order_id=OrderId("77"), remark="", shares=600)
    bench.update(replace(seen, filled_shares=1000, status=BrokerStatus.FILLED))
    bench.trade(last)
    assert (bench.state(), bench.result().filled_shares) == ("filled", 1000)


@pytest.mark.parametrize(
    "changes",
    [{"shares": 1100}, {"direction": "SELL"}, {"code": OTHER_FUND}],
    ids=["shares", "side", "code"],
)
def test_an_order_that_differs_is_not_taken(changes: dict[str, object]) -> None:
    """Fault 45: whatever a person types, code, side and shares have to be the signal's."""
    bench = doubtful()
    bench.day(bench.seen_order(remark="", order_id=OrderId("77"), **changes))
    assert resolve(bench, "77") == ["resolve_refused"]
    assert bench.state() == "unknown" and not bench.row().order_id


def test_an_order_of_another_row_is_not_taken() -> None:
    """By its id, or by a tag that is another signal's."""
    bench = doubtful()
    bench.drop(signal_of("SELL_1", direction="SELL", timestamp=bench.now.wall))
    bench.placed("SELL_1", "9")
    other = bench.seen_order("SELL_1", order_id=OrderId("9"))
    bench.day(other, bench.seen_order(remark=bench.row("SELL_1").tag, order_id=OrderId("9"), direction="BUY"))
    assert resolve(bench, "9") == ["resolve_refused"]
    assert bench.state() == "unknown"


def test_an_order_nobody_has_seen_is_not_taken() -> None:
    """A slip of the finger: the id is not in the broker's list."""
    bench = doubtful()
    bench.day()
    assert resolve(bench, "4711") == ["resolve_refused"]
    assert bench.state() == "unknown"


def test_a_settled_or_unknown_id_can_not_be_resolved() -> None:
    """Only what is unknown needs a person; a settled order does not change."""
    bench = Bench()
    bench.drop(signal_of())
    bench.placed(FIRST, "1")
    before = bench.row()
    assert resolve(bench, None) == ["resolve_refused"]
    assert bench.row() == before
    typed = ResolveTyped(SignalId("never"), None, "")
    assert alarms(bench.tell(typed)) == ["resolve_refused"]


def test_candidates_are_shown_once_and_never_adopted() -> None:
    """Equal in code, side, shares, price and time, owned by nobody: named in an alarm, for a person."""
    bench = doubtful()
    candidate = bench.seen_order(remark="", order_id=OrderId("77"))
    other_price = bench.seen_order(remark="", order_id=OrderId("78"), price=1.25)
    long_ago = bench.seen_order(remark="", order_id=OrderId("79"), time=OPEN_AT - 1000)
    actions = bench.day(candidate, other_price, long_ago)
    said = [a for a in actions if isinstance(a, Say) and a.action == "order_candidates"]
    assert [a.fields["orders"] for a in said] == ["77"]
    assert "order_candidates" not in alarms(bench.day(candidate, other_price, long_ago))
    assert bench.state() == "unknown"


# The day's final list


def after_close(
    bench: Bench,
    *orders: BrokerOrder,
    frozen_cash: float = 0.0,
    held: tuple[int, int] = (0, 0),
    trades: tuple[BrokerTrade, ...] = (),
    at: float = AFTER_CLOSE,
    account_first: bool = False,
    market_value: float = 0.0,
    tick_age: float = 240.0,
) -> str:
    """List and account asked at ``at``, the newest tick ``tick_age`` s old; the first order's state then."""
    bench.now = Moment(at, at)
    bench.quote(tick_time=at - tick_age)
    position = (BrokerPosition(FUND, held[0], held[1], 1.2, 0.0),) if held[0] else ()
    account = AccountState(BrokerAsset(100_000.0, frozen_cash, market_value, 100_000.0), position)
    answers = [
        DayAnswered(Day(orders, trades), at),
        AccountAnswered(account, at - 1.0 if account_first else at + 1.0),
    ]
    bench.now = Moment(at + 2.0, at + 2.0)
    bench.tell(*(reversed(answers) if account_first else answers))
    return bench.state()


def test_the_final_list_proves_that_it_was_never_placed() -> None:
    """I4: complete, after 15:05, nothing frozen: not placed, and said why."""
    bench = doubtful()
    assert after_close(bench) == "not_placed"
    assert bench.result().error_code == "not_placed" and len(bench.result().message) > 5


@pytest.mark.parametrize(
    "given",
    [
        {"at": AFTER_CLOSE - 60.0},
        {"frozen_cash": 1200.0},
        {"held": (1000, 0)},
        {"account_first": True},
        {"tick_age": 3600.0},
    ],
    ids=["before 15:05", "cash frozen", "shares frozen", "account before list", "exchange at 14:05"],
)
def test_anything_unexplained_keeps_it_unknown(given: dict[str, object]) -> None:
    """One piece of the proof missing is no proof."""
    bench = doubtful()
    assert after_close(bench, **given) == "unknown"  # type: ignore[arg-type]


def test_a_list_that_lacks_a_known_order_is_not_final() -> None:
    """Fault 51: a cut or stale list shows it by what it lacks."""
    bench = Bench()
    bench.drop(signal_of("SELL_1", direction="SELL"))
    bench.placed("SELL_1", "9")
    bench.drop(signal_of(timestamp=bench.now.wall))
    bench.answer(FIRST, Unclear("?"))
    known = bench.seen_order("SELL_1", order_id=OrderId("9"), status=BrokerStatus.CANCELLED)
    assert after_close(bench) == "unknown"
    assert after_close(bench, known) == "not_placed"


def test_what_listed_orders_explain_is_explained() -> None:
    """A resting foreign buy explains its cash, a buy of today its shares (T+1), and not one share more."""
    resting = BrokerOrder(OrderId("5"), FUND, "BUY", 2.4, 500, 0, BrokerStatus.REPORTED)
    bought = BrokerTrade(TradeId("x"), OrderId("6"), FUND, "BUY", 1.2, 500)
    whole = {"frozen_cash": 1200.0, "held": (500, 0), "trades": (bought,)}
    assert after_close(doubtful(), resting, **whole) == "not_placed"  # type: ignore[arg-type]
    more_cash, more_shares = {**whole, "frozen_cash": 1201.0}, {**whole, "held": (501, 0)}
    assert after_close(doubtful(), resting, **more_cash) == "unknown"  # type: ignore[arg-type]
    assert after_close(doubtful(), resting, **more_shares) == "unknown"  # type: ignore[arg-type]


def test_an_order_that_could_be_it_keeps_it_unknown() -> None:
    """I4, fault 52: equal in all but the remark, which a terminal may lose: a person decides, no list."""
    bench = doubtful()
    bench.day(cut := bench.seen_order(order_id=OrderId("77"), remark="cut", status=BrokerStatus.CANCELLED))
    assert after_close(bench, cut) == "unknown"
    assert resolve(bench, None) == [] and bench.state() == "not_placed"


def test_empty_lists_beside_shares_worth_money_prove_nothing() -> None:
    """Fault 50: it may have bought just these; after a reconnect both lists are empty for a while."""
    bench = doubtful()
    assert after_close(bench, market_value=1200.0) == "unknown"
    assert after_close(bench, at=AFTER_CLOSE + 60.0) == "not_placed"


def test_the_next_days_list_proves_nothing_of_yesterday() -> None:
    """It is another day's list."""
    bench = doubtful()
    assert after_close(bench, at=AFTER_CLOSE + 86_400) == "unknown"


# Adoption meanwhile


def test_a_late_answer_still_adopts_it() -> None:
    """Fault 42: the broker's own answer, however late, ends the doubt."""
    bench = doubtful()
    bench.answer(FIRST, Placed(OrderId("3")))
    assert (bench.state(), bench.row().order_id) == ("submitted", "3")
    bench.drop(signal_of(SECOND, shares=2000, timestamp=bench.now.wall), envelope_of(seq=2))
    assert bench.state(SECOND) == "submitted"
