"""Faults 50 to 52 over the stand-in: a list that can't be right is no list, a remark stays as it is."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from test_offline.fake_qmt.install import is_possible

if not is_possible():
    pytest.skip("xtquant is not installed (requirements-dev.txt)", allow_module_level=True)

from tests.brokers.contract.steps import answer_of, bought, day, placed, ready
from tests.brokers.qmt_driver import NUMBER, QmtDriver
from windows_side.brokers.port import AccountAnswered, DayAnswered
from windows_side.brokers.qmt import short_text


@pytest.fixture
def driver(tmp_path: Path) -> Iterator[QmtDriver]:
    driver = QmtDriver(tmp_path)
    yield driver
    driver.close()


@pytest.mark.parametrize("fault", ["none", "bare_codes", "missing_field"])
@pytest.mark.parametrize("name", ["orders", "trades"])
def test_a_list_with_an_unusable_row_is_no_list(driver: QmtDriver, name: str, fault: str) -> None:
    """None, six bare digits, a missing field: no answer at all, and a complete one when it is right again."""
    bought(driver, 1000)
    driver.faults.set(name, fault)
    assert answer_of(driver, driver.port.ask_day, DayAnswered).day is None
    driver.faults.clear()
    driver.pass_deadlines()
    assert len(day(driver).orders) == 1


@pytest.mark.parametrize("fault", ["none", "bare_codes", "missing_field"])
def test_positions_with_an_unusable_row_are_no_positions(driver: QmtDriver, fault: str) -> None:
    """A position that can't be read must not read as "none held": a grid would buy it again."""
    bought(driver, 1000)
    driver.faults.set("positions", fault)
    assert answer_of(driver, driver.port.ask_account, AccountAnswered).account is None


@pytest.mark.parametrize(("fault", "remark"), [("cut", "mqLONGTAG0"), ("empty", ""), ("altered", "by hand")])
def test_a_changed_remark_is_shown_as_it_stands(driver: QmtDriver, fault: str, remark: str) -> None:
    """Nothing is completed or guessed: only a whole tag adopts, so these adopt nothing by machine."""
    from shared_schema.ids import SignalId, Tag
    from tests.brokers.contract.driver import FUND
    from tests.brokers.contract.steps import answered
    from windows_side.brokers.port import OrderRequest

    ready(driver)
    request = OrderRequest(SignalId("L"), Tag("mqLONGTAG0123"), FUND, "BUY", 1000, 1.040)
    driver.port.submit(request, lambda: None)
    driver.events.wait(lambda seen: answered(seen, request.signal_id))
    driver.faults.set("remark", fault)
    assert [order.remark for order in day(driver).orders] == [remark]


def test_a_foreign_remark_cut_inside_a_character_hides_no_order(driver: QmtDriver) -> None:
    """Another program's Chinese remark can't be read; its order is still in the list, as nobody's of ours."""
    order_id = placed(driver, "BUY", 1000, 1.040)
    room = driver.terminal.rooms[NUMBER]
    room._notes["1"] = (b"", "网格交易第三层买入委托备注".encode()[:25])
    (order,) = day(driver).orders
    assert order.order_id == order_id
    assert order.remark == "\ufffd"


def test_what_we_write_survives_the_cut() -> None:
    """Remark and strategy name leave as ASCII of at most 23 bytes, whatever they were."""
    assert short_text("mq" + "a" * 20) == "mq" + "a" * 20
    assert short_text("网格grid") == "??grid"
    assert len(short_text("x" * 40).encode()) == 23


def test_orders_of_another_client_are_told_apart(driver: QmtDriver) -> None:
    """Without an id here they go by counter number and market, each as itself."""
    from test_offline.fake_qmt.native import XtOrder, raw_of
    from windows_side.brokers.qmt_fields import order_of, sysid_of

    def native(number: str, code: str) -> object:
        values = {"order_id": 0, "order_sysid": number, "stock_code": code, "order_type": 23}
        return XtOrder(raw_of(XtOrder, values))

    first, second = order_of(native("77", "159201.SZ")), order_of(native("77", "600009.SH"))
    assert first is not None and second is not None
    assert (first.order_id, second.order_id) == ("77@SZ", "77@SH")
    assert sysid_of(first.order_id) == ("SZ", "77")
    assert sysid_of(placed(driver, "BUY", 100, 1.040)) is None
