"""Fault 44 over the stand-in terminal: whatever order_stock answers, only an order id is an answer."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from test_offline.fake_qmt.install import is_possible

if not is_possible():
    pytest.skip("xtquant is not installed (requirements-dev.txt)", allow_module_level=True)

from tests.brokers.contract.driver import WAIT
from tests.brokers.contract.steps import answered, day, first, placed, ready, returned, shown, submit
from tests.brokers.qmt_driver import QmtDriver
from windows_side.brokers.port import BrokerStatus, OrderUpdate, Placed, SubmitOverran, TradeUpdate, Unclear
from windows_side.brokers.qmt import DEFINITE_REFUSALS


@pytest.fixture
def driver(tmp_path: Path) -> Iterator[QmtDriver]:
    driver = QmtDriver(tmp_path)
    yield driver
    driver.close()


@pytest.mark.parametrize(
    ("fault", "exists"), [("minus_one", False), ("minus_one_live", True), ("zero", True)]
)
def test_no_order_id_is_unclear_whether_it_exists_or_not(driver: QmtDriver, fault: str, exists: bool) -> None:
    """-1 and 0 prove nothing: unclear with the answer named; the list tells, by the tag."""
    ready(driver)
    driver.faults.set("place", fault, 1)
    submit(driver, "BUY", 1000, 1.040)
    answer = returned(driver).answer
    assert isinstance(answer, Unclear) and ("-1" in answer.message or "0" in answer.message)
    assert [order.remark for order in day(driver).orders] == (["mqBUY1"] if exists else [])


def test_no_answer_is_known_to_be_definite_yet() -> None:
    """The list starts empty: only a real terminal's acceptance run may fill it."""
    assert frozenset() == DEFINITE_REFUSALS


@pytest.mark.parametrize(("fault", "exists"), [("lost", True), ("drop", False)])
def test_an_answer_that_never_comes_is_unknown(driver: QmtDriver, fault: str, exists: bool) -> None:
    """The deadline says unknown; the link is replaced, the next order goes through, the list tells."""
    ready(driver)
    driver.faults.set("place", fault, 1)
    if exists:
        driver.die_in_next_place()
    else:
        driver.terminal.before_place = (begun := driver.hang_next_place()).begun.set
    hung = submit(driver, "BUY", 1000, 1.040)
    assert (driver.hangs[-1] if exists else begun).begun.wait(WAIT)
    driver.pass_deadlines()
    assert driver.events.wait(lambda seen: first(seen, SubmitOverran)).signal_id == hung
    placed(driver, "BUY", 500, 1.041)
    assert sorted(order.shares for order in day(driver).orders) == ([500, 1000] if exists else [500])


@pytest.mark.slow
def test_a_late_answer_counts_and_nobody_waits_for_it(driver: QmtDriver) -> None:
    """Past its deadline the call is unknown and the next order goes; then its id comes, and counts."""
    ready(driver)
    driver.faults.set("place", "late", 1)
    driver.terminal.after_place = (begun := threading.Event()).set
    slow = submit(driver, "BUY", 1000, 1.040)
    assert begun.wait(WAIT)
    driver.pass_deadlines()
    assert driver.events.wait(lambda seen: first(seen, SubmitOverran)).signal_id == slow
    placed(driver, "BUY", 500, 1.041)
    late = driver.events.wait(lambda seen: answered(seen, slow)).answer
    assert isinstance(late, Placed) and shown(driver, late.order_id).remark == "mqBUY1"


def test_a_doubled_answer_is_one(driver: QmtDriver) -> None:
    """The second answer of one call finds nobody waiting."""
    ready(driver)
    driver.faults.set("place", "doubled", 1)
    name = submit(driver, "BUY", 1000, 1.040)
    driver.events.wait(lambda seen: answered(seen, name))
    assert len(day(driver).orders) == 1


@pytest.mark.parametrize("fault", ["drop", "doubled", "status_first"])
def test_pushes_lost_doubled_or_turned_round_end_the_same(driver: QmtDriver, fault: str) -> None:
    """Faults 46 to 48: the lists show one filled order with its trades, whatever the pushes said."""
    ready(driver)
    for name in ("push_trade", "push_order"):
        driver.faults.set(name, fault)
    order_id = placed(driver, "BUY", 1000, 1.050)
    driver.trade(1.050, 1_000_000)
    assert shown(driver, order_id).status == BrokerStatus.FILLED
    assert sum(trade.shares for trade in day(driver).trades) == 1000
    pushed = [*driver.events.of(OrderUpdate), *driver.events.of(TradeUpdate)]
    assert (pushed == []) is (fault == "drop")
