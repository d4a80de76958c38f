"""An order that is taken back. Cases 05, 06, 07, 26, 27, 33."""

from __future__ import annotations

from shared_schema.ids import OrderId
from tests.brokers.contract.driver import BrokerDriver
from tests.brokers.contract.steps import account, cancelled, ended, placed, shown, trades_of
from windows_side.brokers.port import BrokerStatus


class CancelCases:
    """An order that is taken back."""

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

    def test_bc33_a_cancel_by_hand_is_told(self, driver: BrokerDriver) -> None:
        """Our order, taken back at the terminal, ends for us too, without our asking."""
        order_id = placed(driver, "BUY", 1000, 1.040)
        driver.cancel_by_hand(order_id)
        assert ended(driver, order_id).status == BrokerStatus.CANCELLED
