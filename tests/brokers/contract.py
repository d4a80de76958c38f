"""The broker contract, in numbered cases: what the executor may rely on from any broker.

Written against BrokerPort and a small driver, so that the simulated broker and the QMT
stand-in pass the same cases. A subclass gives the fixture ``driver`` and pytest runs it.
Nothing here sleeps: every wait is for an event, with a limit that only a failure reaches.
"""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Callable
from typing import Protocol, TypeVar

from shared_schema.ids import Code, Direction, OrderId, SignalId, Tag
from windows_side.brokers.port import (
    AccountAnswered,
    AccountState,
    BrokerEvent,
    BrokerOrder,
    BrokerPort,
    BrokerStatus,
    BrokerTrade,
    CancelReturned,
    Day,
    DayAnswered,
    OrderRequest,
    OrderUpdate,
    Placed,
    ReadinessChanged,
    SubmitOverran,
    SubmitReturned,
    SubmitTurnedBack,
    TradeUpdate,
)
from windows_side.brokers.worker_parts import Deadlines

FUND = Code("159201.SZ")
"""T+1, tick 0.001, lots of 100; the driver's market opens at 1.050 with limits 0.945 and 1.155."""
OPENING_PRICE = 1.050
PATIENT = Deadlines(open=1e9)
"""Opening may take as long as this machine needs, however far a case moves the clock."""
WAIT = 10.0
"""Seconds until a missing event fails a case."""
Found = TypeVar("Found")


class Events:
    """A sink that keeps everything and lets a case wait for what it needs."""

    def __init__(self) -> None:
        self.seen: list[BrokerEvent] = []
        self._changed = threading.Condition()

    def __call__(self, event: BrokerEvent) -> None:
        with self._changed:
            self.seen.append(event)
            self._changed.notify_all()

    def wait(self, found: Callable[[list[BrokerEvent]], Found | None]) -> Found:
        """The first answer of ``found`` that is not None, looking again at each new event."""
        with self._changed:
            self._changed.wait_for(lambda: found(self.seen) is not None, WAIT)
            answer = found(self.seen)
        assert answer is not None, f"never came; seen: {self.seen[-6:]}"
        return answer

    def came(self, found: Callable[[list[BrokerEvent]], bool], at_most: float) -> bool:
        """Whether ``found`` holds within ``at_most`` seconds."""
        with self._changed:
            return self._changed.wait_for(lambda: found(self.seen), at_most)

    def of(self, kind: type[Found]) -> list[Found]:
        """All events of one kind so far."""
        with self._changed:
            return [event for event in self.seen if isinstance(event, kind)]


class Hang:
    """A call that hangs: it says when it has begun, and waits to be released."""

    def __init__(self) -> None:
        self.begun = threading.Event()
        self.release = threading.Event()

    def block(self) -> None:
        """What the hung call does."""
        self.begun.set()
        self.release.wait(3 * WAIT)


class BrokerDriver(Protocol):
    """What a case needs done to the world outside the port."""

    port: BrokerPort
    events: Events
    requests: int
    """How many orders the case has asked for, over all restarts; the steps below count it."""

    def trade(self, price: float, volume: int) -> None:
        """The market trades ``volume`` shares of FUND at ``price`` yuan, and that has reached the broker."""

    def next_day(self) -> None:
        """The night passes; the market opens again at the last price."""

    def restart(self) -> None:
        """The host process dies and starts again: a new port and new events on the same broker."""

    def die_in_next_place(self) -> None:
        """The next place call reaches the broker, but its answer never comes back to this process."""

    def hang_next_place(self) -> Hang:
        """The next place call blocks, before it reaches the broker, until it is released."""

    def pass_deadlines(self) -> None:
        """More time passes than any call may take, and the port is asked to look."""

    def break_queries(self, broken: bool) -> None:
        """From now on queries fail, or work again."""

    def lose_link(self) -> None:
        """The link breaks and stays down; returns when the port has said so."""

    def heal_link(self) -> None:
        """The link can be had again, and the port is asked to look; returns when it is ready."""

    def by_hand(self, direction: Direction, shares: int, price: float) -> None:
        """Somebody places an order of FUND in the same account, without our remark."""

    def cancel_by_hand(self, order_id: OrderId) -> None:
        """Somebody takes an order back at the terminal."""


class BrokerContract:
    """The cases. ``driver`` starts with 100,000 yuan, no position, and the port started."""

    def test_bc01_ready_after_a_real_query(self, driver: BrokerDriver) -> None:
        """A started port says by itself that it is ready."""
        assert ready(driver)

    def test_bc02_a_marketable_order_fills(self, driver: BrokerDriver) -> None:
        """Placed, filled by trades that add up, at its limit or better, under its remark and id."""
        order_id = placed(driver, "BUY", 1000, 1.052)
        driver.trade(1.050, 100_000)
        order = ended(driver, order_id)
        assert order.status == BrokerStatus.FILLED
        assert order.remark == "mqBUY1"
        mine = trades_of(driver, order_id)
        assert sum(trade.shares for trade in mine) == order.filled_shares == 1000
        assert all(trade.price <= 1.052 + 1e-9 and trade.code == FUND for trade in mine)

    def test_bc03_a_limit_away_from_the_market_rests(self, driver: BrokerDriver) -> None:
        """Nothing trades above a buy's limit; when the market comes to it, it fills."""
        order_id = placed(driver, "BUY", 1000, 1.040)
        driver.trade(1.050, 100_000)
        assert shown(driver, order_id).filled_shares == 0
        driver.trade(1.040, 100_000)
        assert ended(driver, order_id).status == BrokerStatus.FILLED

    def test_bc04_a_thin_market_fills_in_parts(self, driver: BrokerDriver) -> None:
        """A part is a part: reported with its trades, open for the rest, never more than asked for."""
        order_id = placed(driver, "BUY", 2000, 1.050)
        driver.trade(1.050, 2000)
        part = shown(driver, order_id)
        assert part.status == BrokerStatus.PART_FILLED
        assert 0 < part.filled_shares < 2000
        assert sum(trade.shares for trade in trades_of(driver, order_id)) == part.filled_shares
        driver.trade(1.050, 100_000)
        assert ended(driver, order_id).filled_shares == 2000
        assert sum(trade.shares for trade in trades_of(driver, order_id)) == 2000

    def test_bc05_cancel_frees_what_was_held(self, driver: BrokerDriver) -> None:
        """A cancelled resting buy ends as 54 without trades, and its cash is free again."""
        before = account(driver).asset.cash
        order_id = placed(driver, "BUY", 1000, 1.000)
        assert account(driver).asset.cash < before
        assert cancelled(driver, order_id).accepted
        assert ended(driver, order_id).status == BrokerStatus.CANCELLED
        assert account(driver).asset.cash == before
        assert account(driver).asset.frozen_cash == 0

    def test_bc06_cancel_after_a_part_keeps_the_part(self, driver: BrokerDriver) -> None:
        """Final shares are the trades: 53, and nothing trades afterwards."""
        order_id = placed(driver, "BUY", 2000, 1.050)
        driver.trade(1.050, 2000)
        part = shown(driver, order_id).filled_shares
        cancelled(driver, order_id)
        assert ended(driver, order_id).status == BrokerStatus.PART_CANCELLED
        driver.trade(1.040, 100_000)
        assert ended(driver, order_id).filled_shares == part
        assert sum(trade.shares for trade in trades_of(driver, order_id)) == part

    def test_bc07_cancel_of_an_ended_order_is_not_taken(self, driver: BrokerDriver) -> None:
        """It is said, with a reason, and the order stays what it was."""
        order_id = placed(driver, "BUY", 1000, 1.050)
        driver.trade(1.050, 100_000)
        ended(driver, order_id)
        answer = cancelled(driver, order_id)
        assert not answer.accepted
        assert answer.message
        assert shown(driver, order_id).status == BrokerStatus.FILLED

    def test_bc08_too_little_cash_is_junk_with_its_reason(self, driver: BrokerDriver) -> None:
        """Rejected after acceptance: an order of status 57 with the counter's text, no cash held."""
        before = account(driver).asset
        order_id = placed(driver, "BUY", 100_000, 1.050)
        order = ended(driver, order_id)
        assert order.status == BrokerStatus.JUNK
        assert "[COUNTER][260200]" in order.message
        assert trades_of(driver, order_id) == []
        assert account(driver).asset == before

    def test_bc09_bought_today_is_sold_tomorrow(self, driver: BrokerDriver) -> None:
        """T+1: shares bought today can't be sold today, and can after the night."""
        bought(driver, 1000)
        held = account(driver).positions[0]
        assert (held.volume, held.can_use_volume) == (1000, 0)
        assert never_trades(driver, "SELL", 1000, 1.050)
        driver.next_day()
        assert account(driver).positions[0].can_use_volume == 1000
        order_id = placed(driver, "SELL", 1000, 1.050)
        driver.trade(1.050, 100_000)
        assert ended(driver, order_id).status == BrokerStatus.FILLED

    def test_bc10_an_open_sell_holds_its_shares(self, driver: BrokerDriver) -> None:
        """The same shares can't be offered twice; a cancel gives them back."""
        bought(driver, 1000)
        driver.next_day()
        order_id = placed(driver, "SELL", 600, 1.100)
        assert account(driver).positions[0].can_use_volume == 400
        assert never_trades(driver, "SELL", 600, 1.050)
        cancelled(driver, order_id)
        ended(driver, order_id)
        assert account(driver).positions[0].can_use_volume == 1000

    def test_bc11_off_tick_lot_or_limit_never_trades(self, driver: BrokerDriver) -> None:
        """What the exchange would not take leaves no live order and no trade."""
        assert never_trades(driver, "BUY", 1000, 1.0505)
        assert never_trades(driver, "BUY", 150, 1.050)
        assert never_trades(driver, "BUY", 1000, 1.156)
        assert never_trades(driver, "BUY", 1000, 0.944)

    def test_bc12_an_unknown_code_leaves_no_live_order(self, driver: BrokerDriver) -> None:
        """Whatever is answered, nothing is live or held afterwards."""
        before = account(driver).asset
        submit(driver, "BUY", 1000, 1.050, code=Code("000300.SH"))
        returned(driver)
        assert all(order.is_final for order in day(driver).orders)
        assert account(driver).asset == before

    def test_bc13_orders_are_found_again_after_a_restart(self, driver: BrokerDriver) -> None:
        """A host that was killed finds order, remark and part filled under the same id, and can cancel it."""
        order_id = placed(driver, "BUY", 2000, 1.050)
        driver.trade(1.050, 2000)
        before = shown(driver, order_id)
        driver.restart()
        assert ready(driver)
        assert shown(driver, order_id) == before
        cancelled(driver, order_id)
        assert ended(driver, order_id).filled_shares == before.filled_shares

    def test_bc14_killed_between_the_call_and_its_answer(self, driver: BrokerDriver) -> None:
        """The order that nobody heard of is found by its remark: once, and alive."""
        assert ready(driver)
        driver.die_in_next_place()
        submit(driver, "BUY", 1000, 1.040)
        driver.restart()
        assert ready(driver)
        mine = [order for order in day(driver).orders if order.remark == "mqBUY1"]
        assert len(mine) == 1
        assert not mine[0].is_final
        assert (mine[0].code, mine[0].direction, mine[0].shares, mine[0].price) == (FUND, "BUY", 1000, 1.040)

    def test_bc15_the_same_trades_at_every_asking(self, driver: BrokerDriver) -> None:
        """Trade ids are distinct and stable, and pushed trades are the queried ones."""
        order_id = placed(driver, "BUY", 2000, 1.050)
        driver.trade(1.050, 2000)
        driver.trade(1.050, 100_000)
        ended(driver, order_id)
        first, second = trades_of(driver, order_id), trades_of(driver, order_id)
        assert first == second
        assert len({trade.trade_id for trade in first}) == len(first) >= 2
        pushed = {event.trade.trade_id: event.trade for event in driver.events.of(TradeUpdate)}
        assert all(pushed.get(trade.trade_id, trade) == trade for trade in first)

    def test_bc16_open_orders_end_with_the_day(self, driver: BrokerDriver) -> None:
        """Nothing placed yesterday trades today, and its cash is free."""
        order_id = placed(driver, "BUY", 1000, 1.040)
        driver.next_day()
        driver.trade(1.030, 100_000)
        left = [order for order in day(driver).orders if order.order_id == order_id]
        assert all(order.is_final and order.filled_shares == 0 for order in left)
        assert account(driver).asset.frozen_cash == 0

    def test_bc17_the_guard_stops_before_the_broker(self, driver: BrokerDriver) -> None:
        """A halt seen directly before the call: turned back with its reason, and the broker never knew."""
        assert ready(driver)
        request = a_request(driver, "BUY", 1000, 1.050)
        driver.port.submit(request, lambda: "halt")
        stopped = driver.events.wait(lambda seen: first(seen, SubmitTurnedBack))
        assert (stopped.signal_id, stopped.reason) == (request.signal_id, "halt")
        assert day(driver).orders == ()

    def test_bc18_a_failed_query_is_not_an_empty_answer(self, driver: BrokerDriver) -> None:
        """Failure answers None; after it, complete answers come again by themselves."""
        bought(driver, 1000)
        driver.break_queries(True)
        assert answer_of(driver, driver.port.ask_day, DayAnswered).day is None
        assert answer_of(driver, driver.port.ask_account, AccountAnswered).account is None
        driver.break_queries(False)
        assert len(day(driver).orders) == 1
        assert account(driver).positions[0].volume == 1000

    def test_bc19_a_hung_call_stalls_nothing_and_its_late_answer_counts(self, driver: BrokerDriver) -> None:
        """Overrun is said, the next order goes through, and the hung one is told when it answers."""
        assert ready(driver)
        hang = driver.hang_next_place()
        hung = submit(driver, "BUY", 1000, 1.040)
        assert hang.begun.wait(WAIT)
        driver.pass_deadlines()
        overran = driver.events.wait(lambda seen: first(seen, SubmitOverran))
        assert overran.signal_id == hung
        placed(driver, "BUY", 500, 1.041)
        hang.release.set()
        late = driver.events.wait(lambda seen: answered(seen, hung))
        assert isinstance(late.answer, Placed)
        assert sorted(order.shares for order in day(driver).orders) == [500, 1000]

    def test_bc20_money_moves_by_the_trades_alone(self, driver: BrokerDriver) -> None:
        """Cash falls by what was bought and rises by what was sold, but for fees below a thousandth."""
        before = account(driver).asset
        bought(driver, 2000)
        driver.next_day()
        spent = sum(trade.price * trade.shares for trade in day(driver).trades)
        order_id = placed(driver, "SELL", 1000, 1.060)
        driver.trade(1.060, 100_000)
        ended(driver, order_id)
        received = sum(trade.price * trade.shares for trade in trades_of(driver, order_id))
        after = account(driver)
        spent = spent or 2000 * OPENING_PRICE
        change = after.asset.cash + after.asset.frozen_cash - before.cash
        fees = received - spent - change
        assert 0 <= fees <= 0.001 * (received + spent)
        assert after.positions[0].volume == 1000
        total = after.asset.cash + after.asset.frozen_cash + after.asset.market_value
        assert abs(after.asset.total_asset - total) < 1e-6

    def test_bc21_no_final_status_runs_ahead_of_its_trades(self, driver: BrokerDriver) -> None:
        """Where answers are declared complete, an order never ends before its trades were told."""
        order_id = placed(driver, "BUY", 2000, 1.050)
        driver.trade(1.050, 2000)
        driver.trade(1.050, 100_000)
        ended(driver, order_id)
        if not driver.port.answers_complete:
            return
        told: dict[OrderId, int] = defaultdict(int)
        for event in driver.events.of(object):
            if isinstance(event, TradeUpdate):
                told[event.trade.order_id] += event.trade.shares
            elif isinstance(event, OrderUpdate):
                assert event.order.filled_shares <= told[event.order.order_id]

    def test_bc22_many_at_once_have_ids_of_their_own(self, driver: BrokerDriver) -> None:
        """Each submit is answered under its signal, each order stands once under its own id and remark."""
        ready(driver)
        names = [submit(driver, "BUY", 100 * number, 1.040) for number in (1, 2, 3, 4, 5)]
        ids = set()
        for name in names:
            event = driver.events.wait(lambda seen, name=name: answered(seen, name))  # type: ignore[misc]
            assert isinstance(event.answer, Placed)
            ids.add(event.answer.order_id)
        listed = day(driver).orders
        assert {order.order_id for order in listed} == ids and len(ids) == 5
        assert sorted(order.remark for order in listed) == sorted(f"mq{name}" for name in names)

    def test_bc23_an_order_is_shown_as_asked(self, driver: BrokerDriver) -> None:
        """Code, side, price, shares, a live status, and a time of this trading day."""
        order = shown(driver, placed(driver, "BUY", 1300, 1.041))
        assert (order.code, order.direction, order.price, order.shares) == (FUND, "BUY", 1.041, 1300)
        assert order.filled_shares == 0 and not order.is_final
        assert order.time > 1e9

    def test_bc24_a_sell_rests_until_the_market_comes(self, driver: BrokerDriver) -> None:
        """Nothing trades below a sell's limit; when the market comes to it, it fills there or better."""
        bought(driver, 1000)
        driver.next_day()
        order_id = placed(driver, "SELL", 1000, 1.070)
        driver.trade(1.060, 100_000)
        assert shown(driver, order_id).filled_shares == 0
        driver.trade(1.072, 100_000)
        assert ended(driver, order_id).status == BrokerStatus.FILLED
        assert all(trade.price >= 1.070 - 1e-9 for trade in trades_of(driver, order_id))

    def test_bc25_the_better_limit_trades_first(self, driver: BrokerDriver) -> None:
        """Of two resting buys a thin market serves the higher one, though it came later."""
        low = placed(driver, "BUY", 1000, 1.040)
        high = placed(driver, "BUY", 1000, 1.045)
        driver.trade(1.040, 2000)
        assert shown(driver, high).filled_shares > shown(driver, low).filled_shares == 0

    def test_bc26_cancelling_what_never_was_is_not_taken(self, driver: BrokerDriver) -> None:
        """An id nobody knows: not accepted, with a reason, and nothing changes."""
        order_id = placed(driver, "BUY", 1000, 1.040)
        answer = cancelled(driver, OrderId("987654321"))
        assert not answer.accepted and answer.message
        assert not shown(driver, order_id).is_final

    def test_bc27_a_second_cancel_changes_nothing(self, driver: BrokerDriver) -> None:
        """The first ends the order; the second is not taken."""
        order_id = placed(driver, "BUY", 1000, 1.040)
        assert cancelled(driver, order_id).accepted
        ended(driver, order_id)
        assert not cancelled(driver, order_id).accepted
        assert shown(driver, order_id).status == BrokerStatus.CANCELLED

    def test_bc28_a_part_of_a_sell_leaves_the_rest_held(self, driver: BrokerDriver) -> None:
        """Volume falls by what traded, and what is still offered can't be offered again."""
        bought(driver, 3000)
        driver.next_day()
        order_id = placed(driver, "SELL", 2000, 1.050)
        driver.trade(1.050, 2000)
        part = shown(driver, order_id).filled_shares
        assert 0 < part < 2000
        held = account(driver).positions[0]
        assert (held.volume, held.can_use_volume) == (3000 - part, 1000)

    def test_bc29_the_cost_is_what_was_paid(self, driver: BrokerDriver) -> None:
        """Two buys at two prices: the average of their trades, shares added up."""
        for price in (1.050, 1.040):
            driver.trade(price, 1000)
            order_id = placed(driver, "BUY", 1000, price)
            driver.trade(price, 1_000_000)
            ended(driver, order_id)
        held = account(driver).positions[0]
        assert held.volume == 2000
        assert abs(held.open_price - 1.045) < 1e-6

    def test_bc30_what_was_sold_is_gone(self, driver: BrokerDriver) -> None:
        """After selling all of it the position is absent or zero, never negative."""
        bought(driver, 1000)
        driver.next_day()
        order_id = placed(driver, "SELL", 1000, 1.050)
        driver.trade(1.050, 1_000_000)
        ended(driver, order_id)
        assert sum(held.volume for held in account(driver).positions) == 0
        assert never_trades(driver, "SELL", 100, 1.050)

    def test_bc31_cash_is_never_spent_twice(self, driver: BrokerDriver) -> None:
        """Of buys that need more than there is the one too many ends as junk; free cash stays above 0."""
        for _ in range(2):
            placed(driver, "BUY", 40_000, 1.040)
        third = placed(driver, "BUY", 40_000, 1.040)
        assert ended(driver, third).status == BrokerStatus.JUNK
        assert account(driver).asset.cash >= 0

    def test_bc32_anothers_order_is_shown_without_our_remark(self, driver: BrokerDriver) -> None:
        """An order placed by hand is in the day's list, holds its cash, and is not one of ours."""
        before = account(driver).asset.cash
        order_id = placed(driver, "BUY", 1000, 1.040)
        driver.by_hand("BUY", 500, 1.040)
        listed = day(driver).orders
        assert [order.order_id for order in listed if order.remark.startswith("mq")] == [order_id]
        assert sorted(order.shares for order in listed) == [500, 1000]
        assert account(driver).asset.cash <= before - 1500 * 1.040

    def test_bc33_a_cancel_by_hand_is_told(self, driver: BrokerDriver) -> None:
        """Our order, taken back at the terminal, ends for us too, without our asking."""
        order_id = placed(driver, "BUY", 1000, 1.040)
        driver.cancel_by_hand(order_id)
        assert ended(driver, order_id).status == BrokerStatus.CANCELLED

    def test_bc34_an_order_outlives_the_link(self, driver: BrokerDriver) -> None:
        """The link breaks: not ready, then ready again by itself; the order stands and can be taken back."""
        order_id = placed(driver, "BUY", 1000, 1.040)
        driver.lose_link()
        driver.heal_link()
        assert not shown(driver, order_id).is_final
        assert cancelled(driver, order_id).accepted
        assert ended(driver, order_id).status == BrokerStatus.CANCELLED

    def test_bc35_what_traded_meanwhile_is_in_the_lists(self, driver: BrokerDriver) -> None:
        """Fills of a time without link are found by the next query, with all their trades."""
        order_id = placed(driver, "BUY", 1000, 1.040)
        driver.lose_link()
        driver.trade(1.040, 1_000_000)
        driver.heal_link()
        assert shown(driver, order_id).status == BrokerStatus.FILLED
        assert sum(trade.shares for trade in trades_of(driver, order_id)) == 1000

    def test_bc36_a_submit_waits_for_the_link_and_goes_once(self, driver: BrokerDriver) -> None:
        """Handed over while the link is down it is placed when the link is back, once."""
        ready(driver)
        driver.lose_link()
        submit(driver, "BUY", 1000, 1.040)
        driver.heal_link()
        assert isinstance(returned(driver).answer, Placed)
        assert [order.shares for order in day(driver).orders] == [1000]

    def test_bc37_a_submit_that_expires_meanwhile_never_goes(self, driver: BrokerDriver) -> None:
        """Its guard ends it while the link is down; after the link is back nothing of it is there."""
        ready(driver)
        driver.lose_link()
        request = a_request(driver, "BUY", 1000, 1.040)
        driver.port.submit(request, lambda: "expired")
        driver.port.check_deadlines()
        stopped = driver.events.wait(lambda seen: first(seen, SubmitTurnedBack))
        assert (stopped.signal_id, stopped.reason) == (request.signal_id, "expired")
        driver.heal_link()
        assert day(driver).orders == ()

    def test_bc38_without_a_link_nothing_is_none(self, driver: BrokerDriver) -> None:
        """Queries of a time without link answer None at once: never an empty list, never no cash."""
        bought(driver, 1000)
        driver.lose_link()
        assert answer_of(driver, driver.port.ask_day, DayAnswered).day is None
        assert answer_of(driver, driver.port.ask_account, AccountAnswered).account is None
        driver.heal_link()
        assert len(day(driver).orders) == 1

    def test_bc39_a_cancel_without_a_link_is_not_taken(self, driver: BrokerDriver) -> None:
        """It is answered as not accepted, and the order lives on."""
        order_id = placed(driver, "BUY", 1000, 1.040)
        driver.lose_link()
        assert not cancelled(driver, order_id).accepted
        driver.heal_link()
        assert not shown(driver, order_id).is_final

    def test_bc40_pushes_tell_without_asking(self, driver: BrokerDriver) -> None:
        """A fill comes as trade and as order update, both under the order's id and remark."""
        order_id = placed(driver, "BUY", 1000, 1.050)
        driver.trade(1.050, 1_000_000)
        trade = driver.events.wait(lambda seen: first(seen, TradeUpdate)).trade
        assert (trade.order_id, trade.code, trade.direction) == (order_id, FUND, "BUY")
        assert trade.remark in ("", "mqBUY1") and trade.shares > 0
        driver.events.wait(
            lambda seen: next(
                (
                    True
                    for event in seen
                    if isinstance(event, OrderUpdate) and event.order.status == BrokerStatus.FILLED
                ),
                None,
            )
        )

    def test_bc41_trades_are_not_earlier_than_their_order(self, driver: BrokerDriver) -> None:
        """Times are Unix seconds of the market, to the second at least."""
        order_id = placed(driver, "BUY", 1000, 1.040)
        driver.trade(1.040, 1_000_000)
        order = ended(driver, order_id)
        assert all(trade.time >= order.time - 1 and trade.time > 1e9 for trade in trades_of(driver, order_id))

    def test_bc42_a_tag_of_23_bytes_comes_back_whole(self, driver: BrokerDriver) -> None:
        """The longest remark that is promised, after a restart too."""
        ready(driver)
        tag = Tag("mq" + "a1" * 10 + "z")
        request = OrderRequest(SignalId("LONG"), tag, FUND, "BUY", 1000, 1.040, strategy="grid")
        driver.port.submit(request, lambda: None)
        driver.events.wait(lambda seen: answered(seen, request.signal_id))
        driver.restart()
        ready(driver)
        assert [order.remark for order in day(driver).orders] == [tag]

    def test_bc43_a_chinese_strategy_name_places_as_any_other(self, driver: BrokerDriver) -> None:
        """A name cut inside a character must not hang the call with the order live."""
        ready(driver)
        request = OrderRequest(
            SignalId("NAMED"), Tag("mqNAMED"), FUND, "BUY", 1000, 1.040, strategy="网格交易策略一号甲乙丙丁"
        )
        driver.port.submit(request, lambda: None)
        event = driver.events.wait(lambda seen: answered(seen, request.signal_id))
        assert isinstance(event.answer, Placed)

    def test_bc44_a_locked_market_fills_nobody(self, driver: BrokerDriver) -> None:
        """At the upper limit with nobody selling a buy at that limit rests."""
        driver.trade(1.155, 100_000)
        order_id = placed(driver, "BUY", 1000, 1.155)
        driver.trade(1.155, 100_000)
        assert shown(driver, order_id).filled_shares == 0

    def test_bc45_a_raising_guard_places_nothing(self, driver: BrokerDriver) -> None:
        """Where it can't be known whether trading is halted, it is."""
        ready(driver)
        request = a_request(driver, "BUY", 1000, 1.050)
        driver.port.submit(request, lambda: 1 / 0)  # type: ignore[arg-type, return-value]
        stopped = driver.events.wait(lambda seen: first(seen, SubmitTurnedBack))
        assert stopped.reason == "halt"
        assert day(driver).orders == ()

    def test_bc46_after_stop_nothing_reaches_the_broker(self, driver: BrokerDriver) -> None:
        """A submit after the stop is turned back; what was placed before lives on."""
        placed(driver, "BUY", 1000, 1.040)
        driver.port.stop()
        request = a_request(driver, "BUY", 500, 1.040)
        driver.port.submit(request, lambda: None)
        stopped = driver.events.wait(lambda seen: first(seen, SubmitTurnedBack))
        assert (stopped.signal_id, stopped.reason) == (request.signal_id, "stopped")
        driver.restart()
        ready(driver)
        assert [order.shares for order in day(driver).orders] == [1000]


# Steps of the cases


def ready(driver: BrokerDriver) -> bool:
    """Wait until the port says it is ready."""
    return driver.events.wait(
        lambda seen: next(
            (True for event in seen if isinstance(event, ReadinessChanged) and event.readiness.ready), None
        )
    )


def a_request(
    driver: BrokerDriver, direction: Direction, shares: int, price: float, code: Code = FUND
) -> OrderRequest:
    """A request with a signal id and tag of its own: mqBUY1, mqBUY2, mqSELL3, ..."""
    driver.requests += 1
    name = f"{direction}{driver.requests}"
    return OrderRequest(SignalId(name), Tag(f"mq{name}"), code, direction, shares, price)


def submit(
    driver: BrokerDriver, direction: Direction, shares: int, price: float, code: Code = FUND
) -> SignalId:
    """Submit an order that no guard stops."""
    request = a_request(driver, direction, shares, price, code)
    driver.port.submit(request, lambda: None)
    return request.signal_id


def answered(seen: list[BrokerEvent], signal_id: SignalId) -> SubmitReturned | None:
    """The answer to one signal's submit."""
    return next(
        (event for event in seen if isinstance(event, SubmitReturned) and event.signal_id == signal_id), None
    )


def returned(driver: BrokerDriver) -> SubmitReturned:
    """Wait for the answer to the newest submit."""
    names = {SignalId(f"{direction}{driver.requests}") for direction in ("BUY", "SELL")}
    return driver.events.wait(lambda seen: next(filter(None, (answered(seen, name) for name in names)), None))


def placed(driver: BrokerDriver, direction: Direction, shares: int, price: float) -> OrderId:
    """Submit and wait for the id."""
    ready(driver)
    submit(driver, direction, shares, price)
    answer = returned(driver).answer
    assert isinstance(answer, Placed), answer
    return answer.order_id


def bought(driver: BrokerDriver, shares: int) -> None:
    """A buy at the opening price, filled."""
    order_id = placed(driver, "BUY", shares, OPENING_PRICE)
    driver.trade(OPENING_PRICE, 1_000_000)
    assert ended(driver, order_id).filled_shares == shares


def never_trades(driver: BrokerDriver, direction: Direction, shares: int, price: float) -> bool:
    """Submit what must not trade, let the market trade on both sides of it, look at the day."""
    ready(driver)
    submit(driver, direction, shares, price)
    answer = returned(driver).answer
    driver.trade(price if 0.945 <= price <= 1.155 else OPENING_PRICE, 1_000_000)
    if not isinstance(answer, Placed):
        return True
    order = shown(driver, answer.order_id)
    return order.is_final and order.filled_shares == 0 and trades_of(driver, answer.order_id) == []


def first(seen: list[BrokerEvent], kind: type[Found]) -> Found | None:
    """The first event of a kind."""
    return next((event for event in seen if isinstance(event, kind)), None)


def answer_of(driver: BrokerDriver, ask: Callable[[], None], kind: type[Found]) -> Found:
    """Ask and wait for an answer of that kind that came after."""
    before = len(driver.events.of(object))
    ask()
    return driver.events.wait(lambda seen: first(seen[before:], kind))


def day(driver: BrokerDriver) -> Day:
    """A complete day list, asked for now; a broker that must be opened again first gets a few tries."""
    ready(driver)
    for _ in range(5):
        answer = answer_of(driver, driver.port.ask_day, DayAnswered).day
        if answer is not None:
            return answer
        driver.pass_deadlines()
    raise AssertionError("no complete day list")


def account(driver: BrokerDriver) -> AccountState:
    """The account as it stands after everything placed so far."""
    day(driver)  # queries run in order: a push from before this can't be taken for the answer
    return answer_of(driver, driver.port.ask_account, AccountAnswered).account or account(driver)


def shown(driver: BrokerDriver, order_id: OrderId) -> BrokerOrder:
    """One order as a query shows it."""
    return next(order for order in day(driver).orders if order.order_id == order_id)


def ended(driver: BrokerDriver, order_id: OrderId) -> BrokerOrder:
    """Wait until an update says the order is final, then look it up."""
    driver.events.wait(
        lambda seen: next(
            (
                True
                for event in seen
                if isinstance(event, OrderUpdate)
                and event.order.order_id == order_id
                and event.order.is_final
            ),
            None,
        )
    )
    return shown(driver, order_id)


def trades_of(driver: BrokerDriver, order_id: OrderId) -> list[BrokerTrade]:
    """The order's trades as a query shows them."""
    return [trade for trade in day(driver).trades if trade.order_id == order_id]


def cancelled(driver: BrokerDriver, order_id: OrderId) -> CancelReturned:
    """Ask to cancel and wait for the answer."""
    ready(driver)
    return answer_of(driver, lambda: driver.port.cancel(order_id), CancelReturned)


class HealedDriver(BrokerDriver, Protocol):
    """A driver whose clock ``heal`` moves."""

    elapsed: float

    def mend(self) -> None:
        """The link can be had again."""


def heal(driver: HealedDriver) -> None:
    """Mend the link, let the pause before the next try pass, and wait until the port is ready anew."""
    before = _ready_count(driver.events.of(object))  # type: ignore[arg-type]
    driver.mend()
    _come_back(driver, before)


def come_back(driver: HealedDriver) -> None:
    """Wait until the port is ready; the terminal is not started anew, which a try under way would miss."""
    _come_back(driver, _ready_count(driver.events.of(object)))  # type: ignore[arg-type]


def _ready_count(seen: list[BrokerEvent]) -> int:
    return sum(1 for event in seen if isinstance(event, ReadinessChanged) and event.readiness.ready)


def _come_back(driver: HealedDriver, before: int) -> None:
    # The executor looks all the time; a look while the last try is still under way changes nothing.
    for _ in range(int(WAIT / 0.05)):
        driver.elapsed += 60.0
        driver.port.check_deadlines()
        if driver.events.came(lambda seen: _ready_count(seen) > before, 0.05):
            return
    raise AssertionError("never ready again")
