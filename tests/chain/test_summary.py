"""The demo's comparison is no decoration: each kind of difference between the three memories is named."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from io import StringIO

import pytest
from rich.console import Console

from commands.demo_room.actors import start_all, stop_all
from commands.demo_room.ending import wait_for_end
from commands.demo_room.floor import Spread
from commands.demo_room.plan import Plan
from commands.demo_room.report import show_summary
from commands.demo_room.stage import START_CASH, set_stage
from commands.demo_room.summary import Counts, Facts, Summary, differences, gather
from mac_side.bridge_client.outbox import Outbox
from shared_schema.words import use_language
from tests.chain.kill_chain import short_plan


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> tuple[Plan, Facts]:
    """One undisturbed short day."""
    folder = tmp_path_factory.mktemp("played")
    plan = short_plan(folder)
    stage = set_stage(plan, folder)
    actors = start_all(stage, speed="max", lockstep=True)
    try:
        wait_for_end(stage, actors)
    finally:
        stop_all(actors)
    return plan, gather(stage, START_CASH)


def _without_a_trade(facts: Facts) -> Facts:
    at = next(index for index, order in enumerate(facts.orders) if order.trades)
    order = facts.orders[at]
    changed = (*facts.orders[:at], replace(order, trades=order.trades[1:]), *facts.orders[at + 1 :])
    return replace(facts, orders=changed)


def _placed_twice(facts: Facts) -> Facts:
    double = replace(facts.broker_orders[0], order_id=facts.broker_orders[0].order_id + "9")
    return replace(facts, broker_orders=(*facts.broker_orders, double))


def _without_an_entry(facts: Facts) -> Facts:
    outbox = Outbox(facts.state.outbox.entries[1:])
    return replace(facts, state=replace(facts.state, outbox=outbox))


def _without_a_row(facts: Facts) -> Facts:
    return replace(facts, orders=facts.orders[1:])


def _a_cent_too_little(facts: Facts) -> Facts:
    return replace(facts, cash=facts.cash - 0.01)


def _a_lot_too_many(facts: Facts) -> Facts:
    return replace(facts, volume=facts.volume + 100)


@pytest.mark.slow
def test_an_undisturbed_day_agrees(played: tuple[Plan, Facts]) -> None:
    """Without a fault there is no difference, and there was something to compare."""
    plan, facts = played
    assert differences(facts, plan.base_shares) == []
    assert len(facts.broker_trades) >= 5


@pytest.mark.parametrize(
    "tamper",
    [_without_a_trade, _placed_twice, _without_an_entry, _without_a_row, _a_cent_too_little, _a_lot_too_many],
)
def test_every_kind_of_difference_is_named(
    played: tuple[Plan, Facts], tamper: Callable[[Facts], Facts]
) -> None:
    """A lost fill, a double order, a missing entry or row, a cent, a lot: each is seen."""
    plan, facts = played
    assert differences(tamper(facts), plan.base_shares)


@pytest.mark.parametrize("chosen", ["zh", "en"])
def test_no_name_is_cut_at_80_columns(chosen: str) -> None:
    """The table of latencies names the disk's floor whole, on as many lines as it takes."""
    spread = Spread(60, 0.0123, 0.1234)
    counts = Counts(100, 12, 11, 5, 12, 1, 1, 1, 0)
    told = StringIO()
    use_language(chosen)
    try:
        show_summary(Console(width=80, file=told), Summary(counts, spread, spread, ()), spread, [], "")
    finally:
        use_language("zh")
    assert "…" not in told.getvalue()
