"""What of an order trades, and what never does. Cases 02, 03, 04, 11, 12, 23, 24, 25, 44."""

from __future__ import annotations

from shared_schema.ids import Code
from tests.brokers.contract.driver import FUND, BrokerDriver
from tests.brokers.contract.steps import (
    account,
    bought,
    day,
    ended,
    never_trades,
    placed,
    returned,
    shown,
    submit,
    trades_of,
)
from windows_side.brokers.port import BrokerStatus


class MatchingCases:
    """What of an order trades, and what never does."""

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

    def test_bc44_a_locked_market_fills_nobody(self, driver: BrokerDriver) -> None:
        """At the upper limit with nobody selling a buy at that limit rests."""
        driver.trade(1.155, 100_000)
        order_id = placed(driver, "BUY", 1000, 1.155)
        driver.trade(1.155, 100_000)
        assert shown(driver, order_id).filled_shares == 0
