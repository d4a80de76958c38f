"""Fault 57: what a person does at the terminal is followed: a cancelled order ends, sold shares are gone."""

from __future__ import annotations

from dataclasses import replace

import pytest

from mac_side.books import Lot
from mac_side.engine_core import EngineCore
from tests.execution.bench import Bench, account_of, signal_of
from tests.mac_side.test_engine_decides import NOW, published, ready
from tests.mac_side.world import account, beats, moment, quote
from windows_side.brokers.port import AccountAnswered, BrokerStatus


def test_an_order_cancelled_by_hand_ends_with_what_it_filled() -> None:
    """Nobody of ours asked for the cancel: partly cancelled, and the strategy gets its result."""
    bench = Bench()
    bench.drop(signal_of("s1"))
    bench.placed("s1")
    bench.trade(bench.seen_trade("s1", shares=400))
    bench.update(bench.seen_order("s1", status=BrokerStatus.PART_CANCELLED, filled_shares=400))
    assert bench.state("s1") == "partly_cancelled"
    assert bench.result("s1").filled_shares == 400 and bench.result("s1").status == "success"


def test_shares_sold_by_hand_cannot_be_sold_again() -> None:
    """The account's next answer bounds every sell; the refusal names what is left."""
    bench = Bench()
    bench.pass_time(10)
    bench.tell(AccountAnswered(account_of(sellable=300), bench.now.wall))
    bench.drop(signal_of("s1", direction="SELL", timestamp=bench.now.wall))
    assert bench.result("s1").error_code == "not_enough_shares" and "300" in bench.result("s1").message


def short_of(held: int, *clocks: str, **fields: object) -> EngineCore:
    """A dashboard with 1000 shares of lots that is told so often that ``held`` are there."""
    made = ready(lots=(Lot(1000, 1050.0, 1.05, "a"),))
    made.state = replace(made.state, books=replace(made.state.books, fixed_volume=2000))
    for seq, clock in enumerate(clocks, start=1):
        now = moment(clock)
        made.handle(beats(now), now)
        assert published(made.handle(account(now, held, held, seq=seq, **fields), now)) == []
    return made


def test_a_part_sold_by_hand_is_reported_and_nothing_is_traded() -> None:
    """Two whole snapshots 30 s apart below fixed position and lots: an alarm, the books stay."""
    made = short_of(2900, "10:05:00", "10:05:31")
    text = made.alarms["position_short"].text
    assert "2900" in text and "3000" in text and made.state.books.shares == 1000
    now = moment("10:06:00")
    made.handle(account(now, 3000, 3000, seq=9), now)
    assert "position_short" not in made.alarms


@pytest.mark.parametrize(
    ("held", "clocks", "fields"),
    [
        (3000, ("10:05:00", "10:05:31"), {}),
        (2900, ("10:05:00", "10:05:29"), {}),
        (2900, ("10:05:00",), {}),
        (2900, ("10:05:00", "10:05:31"), {"complete": False}),
    ],
    ids=["enough", "too close", "once", "incomplete"],
)
def test_less_than_that_reports_nothing(
    held: int, clocks: tuple[str, ...], fields: dict[str, object]
) -> None:
    """One look, or half a list, proves no sale."""
    assert "position_short" not in short_of(held, *clocks, **fields).alarms


def test_an_open_order_explains_the_difference() -> None:
    """Shares of a buy in flight are in the books and not in the account."""
    made = ready()
    made.handle(quote(NOW, 1.052), NOW)
    for seq, clock in enumerate(("10:05:00", "10:05:31"), start=1):
        made.handle(account(moment(clock), 0, 0, seq=seq), moment(clock))
    assert "position_short" not in made.alarms
