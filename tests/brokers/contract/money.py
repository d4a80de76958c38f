"""Cash and shares: held, spent, given back, never twice. Cases 08, 09, 10, 20, 28, 29, 30, 31."""

from __future__ import annotations

from tests.brokers.contract.driver import OPENING_PRICE, BrokerDriver
from tests.brokers.contract.steps import (
    account,
    bought,
    cancelled,
    day,
    ended,
    never_trades,
    placed,
    shown,
    trades_of,
)
from windows_side.brokers.port import BrokerStatus


class MoneyCases:
    """Cash and shares: held, spent, given back, never twice."""

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
