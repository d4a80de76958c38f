"""Days in one simulated world: what a schedule of a minute never reaches."""

from __future__ import annotations

import pytest

from shared_schema.ids import SignalId, Tag
from test_offline.world.counter import CODE, Counter
from test_offline.world.host import chance_of
from test_offline.world.soak import soak
from windows_side.brokers.port import OrderRequest


@pytest.mark.slow
def test_two_days_with_a_night_between() -> None:
    """Each day ends with every invariant held; the night puts the day's files away."""
    first, second = soak(1, 2)
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
    counter.new_day()
    assert counter.day().orders == ()
    assert counter.of_tag("one")[0].order_id == order.order_id and counter.orders[order.order_id].is_final
    later = counter.place(request("two"))
    assert [shown.order_id for shown in counter.day().orders] == [later.order_id]
