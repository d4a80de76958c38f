"""The stand-in does what was measured of the real module: else a broker that passes over it proves little."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from test_offline.fake_qmt import native
from test_offline.fake_qmt.install import is_possible

if not is_possible():
    pytest.skip("xtquant is not installed (requirements-dev.txt)", allow_module_level=True)

from tests.brokers.contract.driver import WAIT
from tests.brokers.contract.steps import ready
from tests.brokers.qmt_driver import NUMBER, QmtDriver
from windows_side.brokers.qmt_package import stock_account, xttrader

CHINESE = "网格策略第三层买入委托"
"""33 bytes: byte 23 lies inside a character."""


class Told:
    """A callback object that keeps what it hears."""

    def __init__(self) -> None:
        self.names: list[str] = []
        self.natives: list[Any] = []

    def __getattr__(self, name: str) -> Any:
        def keep(*values: Any) -> None:
            self.names.append(name)
            self.natives += values

        return keep


@pytest.fixture
def driver(tmp_path: Path) -> Iterator[QmtDriver]:
    driver = QmtDriver(tmp_path)
    ready(driver)
    yield driver
    driver.close()


def trader_of(driver: QmtDriver, session: int = 9000) -> tuple[Any, Told]:
    """A plain XtQuantTrader on a session of its own, connected and subscribed; built as a user would."""
    told, made = Told(), []
    thread = threading.Thread(
        target=lambda: made.append(xttrader().XtQuantTrader(str(driver.userdata), session, told))
    )
    thread.start()
    thread.join()
    made[0].oldloop = None
    made[0].start()
    assert made[0].connect() == 0
    assert made[0].subscribe(stock_account(NUMBER, "STOCK")) == 0
    return made[0], told


def order(trader: Any, remark: str, price: float = 1.040, **changes: Any) -> int:
    """order_stock with 1,000 shares."""
    values = {"kind": 23, "shares": 1000, "price_type": 11} | changes
    account = stock_account(NUMBER, "STOCK")
    answer: int = trader.order_stock(
        account, "159201.SZ", values["kind"], values["shares"], values["price_type"], price, "grid", remark
    )
    return answer


def test_a_text_field_keeps_its_bytes() -> None:
    """23 of 40 in the old remark, 127 in the new one, 23 in the account, as the setters were measured."""
    request: Any = native.OrderStockReq()
    request.m_strOrderRemark = request.m_strOrderRemarkNew = "A" * 200
    request.m_strAccountID = "9" * 40
    request.m_strStockCode = "1" * 40
    kept = {name: len(value) for name, value in request._raw.items() if isinstance(value, bytes)}
    assert (kept["m_strOrderRemark"], kept["m_strOrderRemarkNew"]) == (23, 127)
    assert (kept["m_strAccountID"], kept["m_strStockCode"]) == (23, 15)


def test_a_text_cut_inside_a_character_cannot_be_read() -> None:
    """The getter is strict UTF-8."""
    request: Any = native.OrderStockReq()
    request.m_strOrderRemark = CHINESE
    with pytest.raises(UnicodeDecodeError):
        _ = request.m_strOrderRemark
    with pytest.raises(AttributeError):
        vars_of = request.__dict__
        assert vars_of


@pytest.mark.parametrize("changes", [{"price_type": 11.0}, {"kind": "23"}, {"price": "1.0"}])
def test_wrong_types_raise_at_the_native_boundary(driver: QmtDriver, changes: dict[str, Any]) -> None:
    """pybind takes no float for an int and no text for a number."""
    trader, _ = trader_of(driver)
    with pytest.raises(TypeError):
        order(trader, "x", **changes)
    trader.stop()


def test_a_chinese_remark_hangs_the_call_with_the_order_live(driver: QmtDriver) -> None:
    """Why our remark is ASCII: reading the cut answer raises inside xttrader, and nobody ever returns."""
    trader, _ = trader_of(driver)
    calling = threading.Thread(target=order, args=(trader, CHINESE), daemon=True)
    calling.start()
    while len(driver.counter.orders()) < 1:
        assert calling.is_alive()
    calling.join(0.2)
    assert calling.is_alive(), "it should hang"


def test_one_session_connects_once_and_rests(driver: QmtDriver) -> None:
    """A second connection of a session, and one within 3 s of its end, get -1."""
    trader, _ = trader_of(driver)

    def connects() -> int:
        made: list[Any] = []
        thread = threading.Thread(
            target=lambda: made.append(xttrader().XtQuantTrader(str(driver.userdata), 9000, Told()))
        )
        thread.start()
        thread.join()
        made[0].oldloop = None
        made[0].start()
        answer: int = made[0].connect()
        made[0].stop()
        return answer

    assert connects() == -1
    trader.stop()
    while 9000 in driver.terminal._links:
        pass
    assert connects() == -1
    driver.elapsed += 3.1
    assert connects() == 0


def test_pushes_come_as_native_objects_and_to_every_session(driver: QmtDriver) -> None:
    """Not xttype's classes, no ``__dict__``, both spellings; each session hears of the others' orders."""
    first, _ = trader_of(driver)
    _, told = trader_of(driver, 9001)
    order_id = order(first, "x", price=1.050)
    driver.trade(1.050, 1_000_000)
    waited = threading.Event()
    while "on_stock_trade" not in told.names:
        assert not waited.wait(0.01)
    pushed = next(item for item in told.natives if type(item).__name__ == "XtOrder")
    assert pushed.order_id == pushed.m_nOrderID == order_id
    assert not hasattr(pushed, "__dict__")
    assert pushed.price_type == 50, "the counter's code, never the one that was sent"


def test_a_finished_order_is_not_cancelled(driver: QmtDriver) -> None:
    """-1 and an on_cancel_error, held back until the answer of our own cancel was handled."""
    trader, told = trader_of(driver)
    order_id = order(trader, "x", price=1.050)
    driver.trade(1.050, 1_000_000)
    assert trader.cancel_order_stock(stock_account(NUMBER, "STOCK"), order_id) == -1
    while "on_cancel_error" not in told.names:
        assert WAIT


def test_the_terminals_own_check_leaves_no_record(driver: QmtDriver) -> None:
    """A price type it does not know: -1, no order, no error push."""
    trader, told = trader_of(driver)
    assert order(trader, "x", price_type=0) == -1
    assert driver.counter.orders() == () and "on_order_error" not in told.names


def test_an_account_number_that_is_no_text_is_refused(driver: QmtDriver) -> None:
    """xtquant's StockAccount(12345) does not raise but returns a text; ours raises."""
    from xtquant.xttype import StockAccount

    from shared_schema.errors import SettingsError

    assert isinstance(StockAccount(12345), str)
    with pytest.raises(SettingsError):
        stock_account(12345, "STOCK")  # type: ignore[arg-type]


def test_importing_asks_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    """``requests`` is out of the way during the import only, and the version and hash of it are told."""
    import sys

    from windows_side.brokers.qmt_package import load_package

    package = load_package()
    assert package.version.startswith("xtquant_2") and len(package.digest) == 12
    assert sys.modules.get("requests", 1) is not None
    assert "requests" not in getattr(sys.modules["xtquant"], "__dict__", {})
