"""Fault 45: the place call answers with an id that no order of the broker carries."""

from __future__ import annotations

import pytest

from shared_schema.ids import OrderId
from tests.execution.bench import Bench, signal_of
from windows_side.execution.actions import CancelAtBroker

FIRST = "BUY_159201.SZ_L1_00000001"


def answered_with_777() -> Bench:
    """A submitted order whose call was answered with an id nobody has seen."""
    bench = Bench()
    bench.drop(signal_of())
    bench.answered(FIRST, "777")
    return bench


@pytest.mark.parametrize("as_trade", [False, True])
def test_the_tag_decides_over_an_answered_id_nobody_has_seen(as_trade: bool) -> None:
    """What carries our tag is adopted under its own id; trading goes on."""
    bench = answered_with_777()
    ours = OrderId("1001")
    if as_trade:
        bench.trade(bench.seen_trade(order_id=ours))
    else:
        bench.update(bench.seen_order(order_id=ours))
    assert bench.row().order_id == "1001"
    assert bench.core.halt_since is None


def test_an_id_nobody_has_seen_is_never_cancelled_by() -> None:
    """Its time over, the order is not taken back under an id that could be another's; once seen it is."""
    bench = answered_with_777()
    assert not [action for action in bench.pass_time(130) if isinstance(action, CancelAtBroker)]
    seen = bench.update(bench.seen_order(order_id=OrderId("1001")))
    cancels = [action for action in [*seen, *bench.pass_time(1)] if isinstance(action, CancelAtBroker)]
    assert [cancel.order_id for cancel in cancels] == ["1001"]
