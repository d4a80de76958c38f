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

FUND = Code("159201.SZ")
"""T+1, tick 0.001, lots of 100; the driver's market opens at 1.050 with limits 0.945 and 1.155."""
OPENING_PRICE = 1.050
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
