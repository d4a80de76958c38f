"""Lists of the day say the same again and again: what is old news is passed over, and nothing else."""

from __future__ import annotations

from dataclasses import replace

import pytest

from shared_schema.ids import OrderId, SignalId, TradeId
from tests.execution.bench import FUND, PRICE, Bench, signal_of
from tests.execution.schedules import World, run_schedule
from windows_side.brokers.port import BrokerOrder, BrokerStatus, BrokerTrade, Day, DayAnswered
from windows_side.execution.old_news import OldNews
from windows_side.execution.order import Order

FIRST = SignalId("BUY_159201.SZ_L1_00000001")
SCHEDULES = 40


def listed(bench: Bench, *trades: BrokerTrade, status: int, filled: int) -> None:
    """The broker lists the first order so, with these fills."""
    tag = bench.row(FIRST).tag
    order = BrokerOrder(OrderId("1"), FUND, "BUY", PRICE, 1000, filled, status, tag)
    bench.tell(DayAnswered(Day((order,), trades), bench.now.wall))


def fill(bench: Bench, number: int, shares: int) -> BrokerTrade:
    """A fill of the first order."""
    tag = bench.row(FIRST).tag
    return BrokerTrade(TradeId(f"t{number}"), OrderId("1"), FUND, "BUY", PRICE, shares, remark=tag)


def ended() -> Bench:
    """The first order ended in part, as one list told."""
    bench = Bench()
    bench.drop(signal_of())
    bench.placed(FIRST)
    listed(bench, fill(bench, 1, 300), status=BrokerStatus.PART_CANCELLED, filled=300)
    assert (bench.state(), bench.row(FIRST).filled_shares) == ("partly_cancelled", 300)
    return bench


def test_news_of_an_ended_order_still_count() -> None:
    """A fill that comes after the end is booked; the list from before it, said again, takes nothing back."""
    bench = ended()
    late = fill(bench, 2, 200)
    listed(bench, fill(bench, 1, 300), late, status=BrokerStatus.PART_CANCELLED, filled=500)
    assert bench.row(FIRST).filled_shares == 500
    listed(bench, fill(bench, 1, 300), status=BrokerStatus.PART_CANCELLED, filled=300)
    third = replace(late, trade_id=TradeId("t3"), shares=500)
    listed(bench, fill(bench, 1, 300), third, status=BrokerStatus.FILLED, filled=1000)
    assert (bench.state(), bench.row(FIRST).filled_shares) == ("filled", 1000)


@pytest.mark.slow
def test_nothing_but_old_news_is_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same schedules with each list judged whole: the same actions to the last, and the same rows."""
    quick = [run_schedule(seed) for seed in range(SCHEDULES)]
    passed_over: list[object] = []
    order_again, trade_again = OldNews.order_again, OldNews.trade_again

    def order_judged(self: OldNews, seen: BrokerOrder) -> bool:
        passed_over.extend([seen] if order_again(self, seen) else [])
        return False

    def trade_judged(self: OldNews, seen: BrokerTrade) -> bool:
        passed_over.extend([seen] if trade_again(self, seen) else [])
        return False

    monkeypatch.setattr(OldNews, "order_again", order_judged)
    monkeypatch.setattr(OldNews, "trade_again", trade_judged)
    for seed, world in enumerate(quick):
        whole = run_schedule(seed)
        assert whole.actions == world.actions, f"schedule {seed}"
        assert rows(whole) == rows(world), f"schedule {seed}"
    assert len(passed_over) > 1000, "the schedules say nothing twice"


def rows(world: World) -> list[Order]:
    """Every row of the ledger, oldest first."""
    return [world.row(signal_id) for signal_id in sorted(world.dropped)]
