"""The cash pool: what is frozen, used and freed, and that no crash loses or doubles any of it."""

from __future__ import annotations

import math
import random
from dataclasses import replace

import pytest

from shared_schema.cash_pool import PoolTerms, PoolUse, pool_objection, steps_widened
from shared_schema.clock import Moment
from shared_schema.ids import OrderId, SignalId
from tests.execution.bench import (
    FUND,
    OPEN_AT,
    OTHER_FUND,
    Bench,
    account_of,
    alarms,
    limits_of,
    next_day,
    rules_of,
    signal_of,
)
from tests.execution.schedules import run_schedule
from windows_side.brokers.port import AccountAnswered, AccountState, BrokerAsset, BrokerStatus, Unclear
from windows_side.execution.events import FreePoolTyped
from windows_side.execution.ledger import POOL

BUY = "BUY_159201.SZ_L1_00000001"
TERMS = PoolTerms(300_000.0, 200_000.0)
WIDE = limits_of(
    pool_yuan=10_000.0, pool_code_yuan=9_500.0, orders_per_second=50, duplicate_window_seconds=0.0
)


def bench_of(**limits: object) -> Bench:
    """A bench with a pool of 10,000 yuan, at most 9,500 for one code."""
    return Bench(rules_of(limits=replace(WIDE, **limits)))  # type: ignore[arg-type]


def buy(bench: Bench, signal_id: str, shares: int = 1000, **changes: object) -> None:
    """A buy of shares at 1.20 yuan under its own name, seen at the broker."""
    named = {"client_order_id": signal_id, "layer_index": 1, "timestamp": bench.now.wall}
    bench.drop(signal_of(signal_id, shares=shares, **(named | changes)))


def fill(bench: Bench, signal_id: str, shares: int, price: float = 1.2, number: int = 1) -> None:
    """The broker has the order and fills a part of it."""
    order_id = OrderId(f"o-{signal_id}")
    bench.placed(signal_id, order_id)
    trade_id = f"t{number}-{signal_id}"
    bench.trade(bench.seen_trade(signal_id, trade_id, shares, order_id=order_id, price=price))


def end(bench: Bench, signal_id: str, filled: int) -> None:
    """The broker ends the order."""
    status = BrokerStatus.PART_CANCELLED if filled else BrokerStatus.CANCELLED
    order_id = OrderId(f"o-{signal_id}")
    bench.update(bench.seen_order(signal_id, order_id=order_id, status=status, filled_shares=filled))


def sell(bench: Bench, signal_id: str, shares: int, *names: str, **changes: object) -> None:
    """A sell that names the buys whose money it frees."""
    plain = {
        "direction": "SELL", "shares": shares, "release_client_order_ids": names,
        "timestamp": bench.now.wall, "layer_index": 2,
    }  # fmt: skip
    bench.drop(signal_of(signal_id, **(plain | changes)))


def pool(bench: Bench) -> tuple[float, float, float]:
    """Used, frozen and profit of the fund as the folder shows them."""
    shown = bench.core.pool(bench.now)
    assert shown is not None
    fields = shown.model_dump()
    return tuple(fields.get(f"{name}_159201", 0.0) for name in ("used", "frozen", "acc_alpha"))  # type: ignore[return-value]


@pytest.mark.parametrize(
    ("used", "amount", "first", "word"),
    [
        (0.0, 200_000.0, True, None),
        (0.0, 200_000.01, False, "pool_code_cap"),
        (155_000.0, 100_000.0, True, None),
        (155_000.0, 100_000.01, True, "pool_first_layer"),
        (155_000.0, 145_000.0, False, None),
        (155_000.0, 145_000.01, False, "pool_full"),
    ],
)
def test_each_limit_on_both_sides(used: float, amount: float, first: bool, word: str | None) -> None:
    """85 % for a first layer, 100 % for any order, 200,000 yuan for one code: a cent decides."""
    found = pool_objection(TERMS, PoolUse({OTHER_FUND: used}, {}), FUND, amount, opens_first_layer=first)
    assert (found.word if found else None) == word


def test_no_pool_objects_to_nothing() -> None:
    """``limits.pool_yuan = 0`` is off."""
    use = PoolUse({FUND: 1e9}, {})
    assert pool_objection(PoolTerms(0.0, 1.0), use, FUND, 1e9, opens_first_layer=True) is None


@pytest.mark.parametrize(
    ("before", "used", "after"),
    [(False, 270_000.0, False), (False, 270_001.0, True), (True, 255_000.0, True), (True, 254_999.0, False)],
)
def test_steps_widen_above_90_and_stay_until_below_85(before: bool, used: float, after: bool) -> None:
    """Between the two the state before holds, so that steps don't flutter."""
    assert steps_widened(before, TERMS, used) is after


def test_a_buy_freezes_then_uses_and_its_end_frees_the_rest() -> None:
    """Frozen with the INTENT, used with each fill, the unfilled rest free again."""
    bench = bench_of()
    buy(bench, BUY)
    assert pool(bench) == (0.0, 1200.0, 0.0)
    fill(bench, BUY, 400, price=1.19)
    assert pool(bench) == (476.0, 720.0, 0.0)
    end(bench, BUY, 400)
    assert pool(bench) == (476.0, 0.0, 0.0)


def test_a_refused_or_unplaced_buy_leaves_nothing() -> None:
    """What never reached the market takes nothing."""
    bench = bench_of()
    buy(bench, BUY, shares=8000)
    assert (bench.result().error_code, pool(bench)) == ("pool_code_cap", (0.0, 0.0, 0.0))


def test_a_sell_frees_the_lots_it_names_by_the_shares_sold() -> None:
    """Oldest first; a part of a lot leaves the rest in use; the profit counts what was sold only."""
    bench = bench_of()
    for number, name in enumerate(("A", "B")):
        buy(bench, name, layer_index=number + 1)
        fill(bench, name, 1000)
    assert pool(bench) == (2400.0, 0.0, 0.0)
    sell(bench, "S", 2000, "A", "B", price=1.25)
    fill(bench, "S", 1500, price=1.25)
    assert pool(bench) == (600.0, 0.0, 75.0)
    end(bench, "S", 1500)
    sell(bench, "T", 500, "B", price=1.25)
    fill(bench, "T", 500, price=1.3)
    assert pool(bench) == (0.0, 0.0, 125.0)


def test_a_top_up_runs_under_the_name_of_its_lot() -> None:
    """One name, one lot: the sale of the lot frees both buys."""
    bench = bench_of()
    buy(bench, "A")
    fill(bench, "A", 600)
    end(bench, "A", 600)
    buy(bench, "B", shares=400, client_order_id="A")
    fill(bench, "B", 400)
    sell(bench, "S", 1000, "A")
    fill(bench, "S", 1000)
    assert pool(bench) == (0.0, 0.0, 0.0)


def test_a_sell_without_names_frees_only_what_was_bought_without_names() -> None:
    """A script that names nothing can't free a dashboard's lot, nor fill the pool for ever."""
    bench = bench_of()
    buy(bench, "A")
    fill(bench, "A", 1000)
    bench.drop(signal_of("own", layer_index=2))
    fill(bench, "own", 1000)
    sell(bench, "S", 2000)
    fill(bench, "S", 2000)
    assert pool(bench)[0] == 1200.0


def test_an_unknown_buy_keeps_its_money_frozen_over_restart_and_night() -> None:
    """I4: it may have bought; only its end frees the money."""
    bench = bench_of()
    buy(bench, BUY)
    bench.answer(BUY, Unclear("no route"))
    assert bench.state() == "unknown"
    bench.restart()
    next_day(bench)
    bench.pass_time(1)
    assert pool(bench)[1] == 1200.0


def test_lots_of_earlier_days_still_count_after_a_restart() -> None:
    """Their rows are forgotten after the day, their money is not; a later sell frees it."""
    bench = bench_of()
    buy(bench, BUY)
    fill(bench, BUY, 1000)
    next_day(bench)
    bench.restart()
    bench.pass_time(1)
    bench.restart()
    assert pool(bench) == (1200.0, 0.0, 0.0)
    sell(bench, "S", 1000, BUY, timestamp=bench.now.wall)
    fill(bench, "S", 1000)
    bench.restart()
    assert pool(bench) == (0.0, 0.0, 0.0)


def test_waiting_orders_are_counted_once() -> None:
    """An order that waits for its turn has its money frozen and does not refuse itself at the second look."""
    bench = bench_of(orders_per_second=1)
    for number, name in enumerate(("A", "B", "C")):
        buy(bench, name, shares=2600, layer_index=number + 1)
    assert [bench.state(name) for name in ("A", "B", "C")] == ["submitted", "accepted", "accepted"]
    buy(bench, "D", shares=1000, layer_index=4)
    assert bench.result("D").error_code == "pool_code_cap"
    for name in ("A", "B"):
        bench.placed(name, f"o-{name}")
        bench.pass_time(1.1)
    assert [bench.state(name) for name in ("B", "C")] == ["submitted", "submitted"]


def test_widened_steps_outlive_a_restart() -> None:
    """Between 85 and 90 % only the memory tells that use was higher before."""
    bench = bench_of(pool_code_yuan=0.0)
    buy(bench, "A", shares=7500)
    assert bench.core.pool(bench.now).steps_widened is False  # type: ignore[union-attr]
    buy(bench, "B", shares=100, layer_index=2)
    assert bench.core.pool(bench.now).steps_widened is True  # type: ignore[union-attr]
    fill(bench, "A", 7200)
    end(bench, "A", 7200)
    bench.restart()
    assert bench.core.pool(bench.now).steps_widened is True  # type: ignore[union-attr]
    end_of = bench.seen_order("B", order_id=OrderId("o-B"), status=BrokerStatus.CANCELLED)
    bench.placed("B", OrderId("o-B"))
    bench.update(end_of)
    sell(bench, "S", 500, "A")
    fill(bench, "S", 500)
    assert bench.core.pool(bench.now).steps_widened is False  # type: ignore[union-attr]


def test_what_the_account_does_not_hold_uses_nothing() -> None:
    """Sold by hand: two answers of zero, 30 s apart and a minute after the last fill, free the code."""
    bench = bench_of()
    buy(bench, BUY)
    fill(bench, BUY, 1000)
    empty = replace(account_of(), positions=())
    said: list[str] = []
    for seconds in (10, 40, 20, 20, 20):
        bench.now = Moment(bench.now.wall + seconds, bench.now.market + seconds)
        said += alarms(bench.tell(AccountAnswered(empty, bench.now.wall)))
        if seconds == 40:
            assert pool(bench)[0] == 1200.0
    assert (pool(bench)[0], said) == (0.0, ["pool_freed"])
    bench.restart()
    assert pool(bench)[0] == 0.0


def test_one_answer_of_zero_frees_nothing() -> None:
    """An empty answer is not none: a full one in between starts the proof anew."""
    bench = bench_of()
    buy(bench, BUY)
    fill(bench, BUY, 1000)
    empty = replace(account_of(), positions=())
    for account in (empty, account_of(), empty, account_of(), empty):
        bench.now = Moment(bench.now.wall + 70, bench.now.market + 70)
        bench.tell(AccountAnswered(account, bench.now.wall))
    assert pool(bench)[0] == 1200.0


def test_an_empty_list_beside_shares_worth_money_frees_nothing() -> None:
    """Fault 50: lists stay empty for a while after a reconnect; the asset tells that something is held."""
    bench = bench_of()
    buy(bench, BUY)
    fill(bench, BUY, 1000)
    asset = replace(account_of().asset, market_value=1200.0)
    for _ in range(4):
        bench.now = Moment(bench.now.wall + 70, bench.now.market + 70)
        bench.tell(AccountAnswered(AccountState(asset, ()), bench.now.wall))
    assert pool(bench)[0] == 1200.0


def test_an_account_of_zeros_frees_nothing() -> None:
    """Fault 50: a terminal may tell zeros in the morning until it has read its account: no proof."""
    bench = bench_of()
    buy(bench, BUY)
    fill(bench, BUY, 1000)
    unread = AccountState(BrokerAsset(0.0, 0.0, 0.0, 0.0), ())
    for _ in range(3):
        bench.now = Moment(bench.now.wall + 70, bench.now.market + 70)
        assert not alarms(bench.tell(AccountAnswered(unread, bench.now.wall)))
    assert pool(bench)[0] == 1200.0


def test_a_ledger_from_before_the_pool_begins_with_what_it_has() -> None:
    """Open orders and the day's fills are counted from the first start on."""
    bench = Bench(rules_of(limits=limits_of(pool_yuan=0.0)))
    bench.drop(signal_of())
    fill(bench, BUY, 400)
    assert bench.core.pool(bench.now) is None
    bench.rules = rules_of(limits=WIDE)
    bench.restart()
    assert pool(bench) == (480.0, 720.0, 0.0)


@pytest.mark.slow
def test_no_schedule_of_crashes_loses_or_doubles_money() -> None:
    """What the pool says is used equals what the broker's own books say the buys cost, whatever happened."""
    for seed in range(60):
        world = run_schedule(seed)
        cost: dict[SignalId, float] = {}
        for trade in world.counter.trades:
            row = next(row for row in world.core.book.everything() if row.tag == trade.remark)
            cost[row.signal_id] = cost.get(row.signal_id, 0.0) + trade.price * trade.shares
        shown = pool(world)
        assert math.isclose(shown[0], math.fsum(cost.values()), abs_tol=1e-4), seed
        assert shown[1] == 0.0, f"{seed}: frozen with nothing open"
        stored = world.ledger.load().meta[POOL]["lots"]
        assert {name for name, lot in stored.items() if lot["shares"]} == set(cost), seed


@pytest.mark.slow
def test_the_pool_is_never_overspent() -> None:
    """Whatever is asked for and however it ends, used and frozen stay within the pool and the code's cap."""
    rng = random.Random(7)
    bench = bench_of(orders_per_day=10_000, turnover_yuan=1e9, round_trips=10_000)
    open_buys: list[str] = []
    for number in range(150):
        bench.now = Moment(OPEN_AT + number, OPEN_AT + number)
        name = f"B{number}"
        buy(bench, name, shares=100 * rng.randint(1, 30), layer_index=rng.randrange(3))
        if bench.state(name) == "submitted":
            open_buys.append(name)
        if open_buys and rng.random() < 0.7:
            chosen = open_buys.pop(rng.randrange(len(open_buys)))
            row = bench.row(chosen)
            assert row.signal is not None
            part = rng.choice((0, row.signal.shares // 200 * 100, row.signal.shares))
            if part:
                fill(bench, chosen, part)
                if part < row.signal.shares:
                    end(bench, chosen, part)
                sell(bench, f"S{number}", part, chosen)
                if bench.state(f"S{number}") == "submitted" and rng.random() < 0.8:
                    fill(bench, f"S{number}", part)
        used, frozen, _ = pool(bench)
        assert used + frozen <= 9_500.0 + 1e-6
        bench.quote()
    assert any(r.error_code.startswith("pool_") for r in bench.published)


def test_a_person_frees_what_is_not_the_strategys_any_more() -> None:
    """Typed at the executor's keyboard: the code's lots are free, open buys are not, and it is durable."""
    bench = bench_of()
    buy(bench, "A")
    fill(bench, "A", 1000)
    buy(bench, "B", shares=500, layer_index=2)
    said = alarms(bench.tell(FreePoolTyped(FUND, "reset")))
    assert (said, pool(bench)) == (["pool_freed_by_hand"], (0.0, 600.0, 0.0))
    bench.restart()
    assert pool(bench) == (0.0, 600.0, 0.0)
    sell(bench, "S", 1000, "A")
    fill(bench, "S", 1000)
    assert pool(bench)[0] == 0.0, "a lot that was freed frees nothing a second time"
