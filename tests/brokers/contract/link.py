"""Ready, the link lost, the link back. Cases 01, 34, 35, 36, 37, 38, 39."""

from __future__ import annotations

from tests.brokers.contract.driver import BrokerDriver
from tests.brokers.contract.steps import (
    a_request,
    answer_of,
    bought,
    cancelled,
    day,
    ended,
    first,
    placed,
    ready,
    returned,
    shown,
    submit,
    trades_of,
)
from windows_side.brokers.port import AccountAnswered, BrokerStatus, DayAnswered, Placed, SubmitTurnedBack


class LinkCases:
    """Ready, the link lost, the link back."""

    def test_bc01_ready_after_a_real_query(self, driver: BrokerDriver) -> None:
        """A started port says by itself that it is ready."""
        assert ready(driver)

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
