"""The way to the broker: guards, remarks, a call that hangs. Cases 17, 19, 22, 42, 43, 45, 46."""

from __future__ import annotations

from shared_schema.ids import SignalId, Tag
from tests.brokers.contract.driver import FUND, WAIT, BrokerDriver
from tests.brokers.contract.steps import a_request, answered, day, first, placed, ready, submit
from windows_side.brokers.port import OrderRequest, Placed, SubmitOverran, SubmitTurnedBack


class SubmitCases:
    """The way to the broker: guards, remarks, a call that hangs."""

    def test_bc17_the_guard_stops_before_the_broker(self, driver: BrokerDriver) -> None:
        """A halt seen directly before the call: turned back with its reason, and the broker never knew."""
        assert ready(driver)
        request = a_request(driver, "BUY", 1000, 1.050)
        driver.port.submit(request, lambda: "halt")
        stopped = driver.events.wait(lambda seen: first(seen, SubmitTurnedBack))
        assert (stopped.signal_id, stopped.reason) == (request.signal_id, "halt")
        assert day(driver).orders == ()

    def test_bc19_a_hung_call_stalls_nothing_and_its_late_answer_counts(self, driver: BrokerDriver) -> None:
        """Overrun is said, the next order goes through, and the hung one is told when it answers."""
        assert ready(driver)
        hang = driver.hang_next_place()
        hung = submit(driver, "BUY", 1000, 1.040)
        assert hang.begun.wait(WAIT)
        driver.pass_deadlines()
        overran = driver.events.wait(lambda seen: first(seen, SubmitOverran))
        assert overran.signal_id == hung
        placed(driver, "BUY", 500, 1.041)
        hang.release.set()
        late = driver.events.wait(lambda seen: answered(seen, hung))
        assert isinstance(late.answer, Placed)
        assert sorted(order.shares for order in day(driver).orders) == [500, 1000]

    def test_bc22_many_at_once_have_ids_of_their_own(self, driver: BrokerDriver) -> None:
        """Each submit is answered under its signal, each order stands once under its own id and remark."""
        ready(driver)
        names = [submit(driver, "BUY", 100 * number, 1.040) for number in (1, 2, 3, 4, 5)]
        ids = set()
        for name in names:
            event = driver.events.wait(lambda seen, name=name: answered(seen, name))  # type: ignore[misc]
            assert isinstance(event.answer, Placed)
            ids.add(event.answer.order_id)
        listed = day(driver).orders
        assert {order.order_id for order in listed} == ids and len(ids) == 5
        assert sorted(order.remark for order in listed) == sorted(f"mq{name}" for name in names)

    def test_bc42_a_tag_of_23_bytes_comes_back_whole(self, driver: BrokerDriver) -> None:
        """The longest remark that is promised, after a restart too."""
        ready(driver)
        tag = Tag("mq" + "a1" * 10 + "z")
        request = OrderRequest(SignalId("LONG"), tag, FUND, "BUY", 1000, 1.040, strategy="grid")
        driver.port.submit(request, lambda: None)
        driver.events.wait(lambda seen: answered(seen, request.signal_id))
        driver.restart()
        ready(driver)
        assert [order.remark for order in day(driver).orders] == [tag]

    def test_bc43_a_chinese_strategy_name_places_as_any_other(self, driver: BrokerDriver) -> None:
        """A name cut inside a character must not hang the call with the order live."""
        ready(driver)
        request = OrderRequest(
            SignalId("NAMED"), Tag("mqNAMED"), FUND, "BUY", 1000, 1.040, strategy="网格交易策略一号甲乙丙丁"
        )
        driver.port.submit(request, lambda: None)
        event = driver.events.wait(lambda seen: answered(seen, request.signal_id))
        assert isinstance(event.answer, Placed)

    def test_bc45_a_raising_guard_places_nothing(self, driver: BrokerDriver) -> None:
        """Where it can't be known whether trading is halted, it is."""
        ready(driver)
        request = a_request(driver, "BUY", 1000, 1.050)
        driver.port.submit(request, lambda: 1 / 0)  # type: ignore[arg-type, return-value]
        stopped = driver.events.wait(lambda seen: first(seen, SubmitTurnedBack))
        assert stopped.reason == "halt"
        assert day(driver).orders == ()

    def test_bc46_after_stop_nothing_reaches_the_broker(self, driver: BrokerDriver) -> None:
        """A submit after the stop is turned back; what was placed before lives on."""
        placed(driver, "BUY", 1000, 1.040)
        driver.port.stop()
        request = a_request(driver, "BUY", 500, 1.040)
        driver.port.submit(request, lambda: None)
        stopped = driver.events.wait(lambda seen: first(seen, SubmitTurnedBack))
        assert (stopped.signal_id, stopped.reason) == (request.signal_id, "stopped")
        driver.restart()
        ready(driver)
        assert [order.shares for order in day(driver).orders] == [1000]
