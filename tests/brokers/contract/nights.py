"""A host that dies, and the end of the day. Cases 13, 14, 16."""

from __future__ import annotations

from tests.brokers.contract.driver import FUND, BrokerDriver
from tests.brokers.contract.steps import account, cancelled, day, ended, placed, ready, shown, submit


class NightCases:
    """A host that dies, and the end of the day."""

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

    def test_bc16_open_orders_end_with_the_day(self, driver: BrokerDriver) -> None:
        """Nothing placed yesterday trades today, and its cash is free."""
        order_id = placed(driver, "BUY", 1000, 1.040)
        driver.next_day()
        driver.trade(1.030, 100_000)
        left = [order for order in day(driver).orders if order.order_id == order_id]
        assert all(order.is_final and order.filled_shares == 0 for order in left)
        assert account(driver).asset.frozen_cash == 0
