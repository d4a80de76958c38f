"""An unknown order whose day's list is gone: a person books what the terminal's history shows (I4, I13)."""

from __future__ import annotations

import math

import pytest

from shared_schema.ids import OrderId, SignalId
from tests.execution.bench import Bench, alarms, next_day, rules_of, signal_of
from windows_side.brokers.port import Unclear
from windows_side.execution.actions import RecordOrder
from windows_side.execution.events import ResolveTyped
from windows_side.execution.ledger import JournalEntry

BUY = SignalId("BUY_159201.SZ_L1_00000001")
SELL = SignalId("SELL_159201.SZ_L1_00000002")


def asleep(signal_id: SignalId = BUY, filled: int = 0) -> Bench:
    """An order of 1000 shares at 1.20, alive (``filled`` booked) when the host slept; the next morning."""
    bench = Bench(rules_of(final_read=2.0))
    bench.drop(signal_of(signal_id, direction="SELL" if signal_id == SELL else "BUY"))
    bench.placed(signal_id, "7")
    if filled:
        bench.trade(bench.seen_trade(signal_id, order_id=OrderId("7"), shares=filled, price=1.199))
    next_day(bench)
    bench.quote()
    bench.make_ready()
    assert bench.state(signal_id) == "unknown"
    return bench


def journal(bench: Bench) -> list[JournalEntry]:
    """All that was written down of the rows."""
    return [action.journal for action in bench.actions if isinstance(action, RecordOrder)]


def resolve(bench: Bench, filled: int, price: float, signal_id: SignalId = BUY) -> list[str]:
    """What a person types; why it is refused."""
    actions = bench.tell(ResolveTyped(signal_id, None, "me: history", filled, price))
    assert alarms(actions) in ([], ["resolve_refused"])
    return [entry.detail for entry in journal(bench) if entry.action == "resolve_refused"]


@pytest.mark.parametrize("signal_id", [BUY, SELL])
@pytest.mark.parametrize(("filled", "state"), [(1000, "filled"), (300, "partly_cancelled")])
def test_what_filled_unseen_is_booked_and_final(signal_id: SignalId, filled: int, state: str) -> None:
    """The result carries the typed fill, of its own day and marked; the code buys again."""
    bench = asleep(signal_id)
    assert resolve(bench, filled, 1.2, signal_id) == []
    result = bench.result(signal_id)
    assert (result.state, result.filled_shares, result.status) == (state, filled, "success")
    assert (result.is_terminal, result.error_code, result.average_price) == (True, "", 1.2)
    (trade,) = result.trades
    assert trade.trade_id.startswith("typed-") and trade.time == bench.row(signal_id).calling_market
    assert any("me: history" in entry.detail for entry in journal(bench))
    bench.drop(signal_of("more", price=1.19, timestamp=bench.now.wall))
    assert bench.state("more") == "submitted"
    bench.restart()
    assert bench.row(signal_id).filled_shares == filled


def test_fills_seen_before_are_not_booked_twice() -> None:
    """The history tells the whole order: only what the row lacks is added, and the sum is right."""
    bench = asleep(filled=400)
    assert resolve(bench, 1000, 1.1984) == []
    assert [trade.shares for trade in bench.result().trades] == [400, 600]
    assert bench.row().filled_yuan == pytest.approx(1198.4)


def test_no_more_than_was_seen_ends_it_as_it_stands() -> None:
    """The exchange dropped the rest at the close: nothing is added."""
    bench = asleep(filled=400)
    assert resolve(bench, 400, 1.199) == []
    assert (bench.state(), len(bench.result().trades)) == ("partly_cancelled", 1)


@pytest.mark.parametrize(
    ("signal_id", "filled", "price"),
    [
        (BUY, 1001, 1.2),
        (BUY, 399, 1.2),
        (BUY, 0, 1.2),
        (BUY, -5, 1.2),
        (BUY, 1000, 1.21),
        (BUY, 1000, 0.12),
        (BUY, 1000, 0.0),
        (BUY, 1000, math.nan),
        (SELL, 1000, 1.19),
        (SELL, 1000, 12.0),
        (SELL, 1000, math.inf),
    ],
)
def test_a_slip_of_the_finger_is_refused(signal_id: SignalId, filled: int, price: float) -> None:
    """More than ordered, fewer than booked, or a price no limit order fills at: said, and nothing booked."""
    bench = asleep(signal_id, filled=400)
    before = bench.row(signal_id)
    assert len(resolve(bench, filled, price, signal_id)) == 1
    assert bench.row(signal_id).trades == before.trades and bench.state(signal_id) == "unknown"


def test_an_order_of_today_has_better_ways() -> None:
    """Its own list tells what became of it: the refusal names them."""
    bench = Bench()
    bench.drop(signal_of())
    bench.answer(BUY, Unclear("?"))
    (why,) = resolve(bench, 1000, 1.2)
    assert "--placed" in why and "--not-placed" in why and bench.state() == "unknown"


def test_its_own_sentence_names_the_way_once_its_day_is_gone() -> None:
    """QMT's list of today can't show it any more; said once, also of one that was unknown the day before."""
    assert "--filled" in asleep().result().message
    bench = Bench(rules_of(final_read=2.0))
    bench.drop(signal_of())
    bench.answer(BUY, Unclear("?"))
    assert "--filled" not in bench.result().message
    next_day(bench)
    bench.quote()
    bench.make_ready()
    assert "--filled" in bench.result().message and str(BUY) in bench.result().message
    revision = bench.row().revision
    bench.day()
    assert (bench.state(), bench.row().revision) == ("unknown", revision)


def test_its_old_id_is_refused_with_the_way_that_is_left() -> None:
    """No list shows that id any more, or shows it as another's: the refusal names ``--filled``."""
    bench = asleep()
    bench.tell(ResolveTyped(BUY, OrderId("7"), "me: history"))
    refused = [entry.detail for entry in journal(bench) if entry.action == "resolve_refused"]
    assert len(refused) == 1 and "--filled" in refused[0] and bench.state() == "unknown"
