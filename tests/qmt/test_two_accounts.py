"""Two accounts at one terminal: what is sent for one never reaches the other, nor do its news."""

from __future__ import annotations

from pathlib import Path

import pytest

from shared_schema.clock import Moment
from shared_schema.ids import AccountAlias, SignalId, Tag
from test_offline.fake_qmt.install import is_possible

if not is_possible():
    pytest.skip("xtquant is not installed (requirements-dev.txt)", allow_module_level=True)

from tests.brokers.contract.driver import FUND, Events
from tests.brokers.contract.steps import answered, day, placed, ready
from tests.brokers.qmt_driver import NUMBER, QmtDriver
from windows_side.brokers.port import OrderRequest, OrderUpdate, Placed, TradeUpdate
from windows_side.brokers.qmt import QmtAccount, QmtCalls
from windows_side.brokers.qmt_session_ids import FIRST, SessionIds
from windows_side.brokers.simulated import SimulatedBroker
from windows_side.brokers.worker import BrokerWorker

OTHER = "88005678"


def test_orders_and_news_stay_with_their_account(tmp_path: Path) -> None:
    """Each port sees its own orders, trades and money alone, over one terminal and its shared pushes."""
    driver = QmtDriver(tmp_path)
    other_counter = SimulatedBroker(
        tmp_path / "other.sqlite3",
        account=AccountAlias("other"),
        now=lambda: Moment(driver.clock, driver.clock),
        cash=50_000.0,
    )
    driver.terminal.add_account(OTHER, other_counter)
    events = Events()
    ids = SessionIds(tmp_path / "other", "executor", FIRST + 8)
    port = BrokerWorker(QmtCalls(QmtAccount(driver.userdata, OTHER), ids), events)
    port.start()
    events.wait(lambda seen: True if seen else None)
    ready(driver)
    placed(driver, "BUY", 1000, 1.040)
    request = OrderRequest(SignalId("other"), Tag("mqOTHER"), FUND, "BUY", 300, 1.040)
    port.submit(request, lambda: None)
    event = events.wait(lambda seen: answered(seen, SignalId("other")))
    assert isinstance(event.answer, Placed)
    driver.trade(1.040, 1_000_000)
    assert [order.remark for order in day(driver).orders] == ["mqBUY1"]
    assert [order.remark for order in other_counter.orders()] == ["mqOTHER"]
    for told, remark in ((events, "mqOTHER"), (driver.events, "mqBUY1")):
        remarks = {item.order.remark for item in told.of(OrderUpdate)}
        remarks |= {item.trade.remark for item in told.of(TradeUpdate)}
        assert remarks <= {remark}
    assert NUMBER != OTHER
    port.stop()
    other_counter.close()
    driver.close()
