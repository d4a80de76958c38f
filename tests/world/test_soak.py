"""Days in one simulated world: what a schedule of a minute never reaches."""

from __future__ import annotations

import pytest

from shared_schema.ids import SignalId, Tag
from test_offline.world.counter import CODE, Counter
from test_offline.world.host import chance_of
from test_offline.world.soak import soak
from windows_side.brokers.port import OrderRequest


@pytest.mark.slow
@pytest.mark.parametrize("seed", (1, 2), ids=("terminal", "simulated"))
def test_two_days_with_a_night_between(seed: int) -> None:
    """Each day ends with every invariant held; the night puts the day's files away."""
    first, second = soak(seed, 2)
    assert first.signals > 5 and second.signals > 5
    assert second.starts > first.starts, "nobody was ever started again"
    assert second.archived > first.archived or first.archived > 5
    assert second.descriptors <= first.descriptors
    assert second.files < 150, "yesterday's files still lie about"
    orders, fills, _ = second.reconciled
    assert orders > 5 and fills > 5, "nothing was reconciled"


def request(tag: str) -> OrderRequest:
    """A hundred shares."""
    return OrderRequest(SignalId(tag), Tag(tag), CODE, "BUY", 100, 1.05)


def test_a_new_day_shows_no_order_of_yesterday() -> None:
    """The broker's list is the day's; what happened yesterday is still known to have happened."""
    counter = Counter(chance_of(1, "market"))
    order = counter.place(request("one"))
    counter.new_day("2026-07-14")
    assert counter.day().orders == ()
    counter.new_day("2026-07-15")
    later = counter.place(request("two"))
    assert [shown.order_id for shown in counter.day().orders] == [later.order_id]
    assert order.order_id != later.order_id


def test_a_terminal_gives_its_ids_again_and_both_days_are_kept_apart() -> None:
    """What really happened is known by day and id: the same id is another order on another day."""
    counter = Counter(chance_of(1, "market"), ids_repeat=True)
    counter.new_day("2026-07-13")
    yesterdays = counter.place(request("one"))
    fill = counter.fill(yesterdays.order_id, 100)
    counter.new_day("2026-07-14")
    todays = counter.place(request("two"))
    assert todays.order_id == yesterdays.order_id
    assert [order.is_final for order in counter.of_tag("one")] == [True]
    assert counter.trades_of_tag("one") == [fill] and counter.trades_of_tag("two") == []
    assert [order.remark for order in counter.day().orders] == ["two"] and counter.day().trades == ()
    assert [order.remark for order in counter.book_of("2026-07-13").orders.values()] == ["one"]
