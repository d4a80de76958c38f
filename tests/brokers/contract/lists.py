"""What queries and pushes tell, and that both tell the same. Cases 15, 18, 21, 32, 40, 41."""

from __future__ import annotations

from collections import defaultdict

from shared_schema.ids import OrderId
from tests.brokers.contract.driver import FUND, BrokerDriver
from tests.brokers.contract.steps import account, answer_of, bought, day, ended, first, placed, trades_of
from windows_side.brokers.port import AccountAnswered, BrokerStatus, DayAnswered, OrderUpdate, TradeUpdate


class ListCases:
    """What queries and pushes tell, and that both tell the same."""

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

    def test_bc18_a_failed_query_is_not_an_empty_answer(self, driver: BrokerDriver) -> None:
        """Failure answers None; after it, complete answers come again by themselves."""
        bought(driver, 1000)
        driver.break_queries(True)
        assert answer_of(driver, driver.port.ask_day, DayAnswered).day is None
        assert answer_of(driver, driver.port.ask_account, AccountAnswered).account is None
        driver.break_queries(False)
        assert len(day(driver).orders) == 1
        assert account(driver).positions[0].volume == 1000

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

    def test_bc32_anothers_order_is_shown_without_our_remark(self, driver: BrokerDriver) -> None:
        """An order placed by hand is in the day's list, holds its cash, and is not one of ours."""
        before = account(driver).asset.cash
        order_id = placed(driver, "BUY", 1000, 1.040)
        driver.by_hand("BUY", 500, 1.040)
        listed = day(driver).orders
        assert [order.order_id for order in listed if order.remark.startswith("mq")] == [order_id]
        assert sorted(order.shares for order in listed) == [500, 1000]
        assert account(driver).asset.cash <= before - 1500 * 1.040

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
