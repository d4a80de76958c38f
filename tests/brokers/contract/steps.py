"""The steps of the contract cases. Every wait is for an event, with a limit that only a failure reaches."""

from __future__ import annotations

from collections.abc import Callable

from shared_schema.ids import Code, Direction, OrderId, SignalId, Tag
from tests.brokers.contract.driver import FUND, OPENING_PRICE, WAIT, BrokerDriver, Found, HealedDriver
from windows_side.brokers.port import (
    AccountAnswered,
    AccountState,
    BrokerEvent,
    BrokerOrder,
    BrokerTrade,
    CancelReturned,
    Day,
    DayAnswered,
    OrderRequest,
    OrderUpdate,
    Placed,
    ReadinessChanged,
    SubmitReturned,
)


def ready(driver: BrokerDriver) -> bool:
    """Wait until the port says it is ready."""
    return driver.events.wait(
        lambda seen: next(
            (True for event in seen if isinstance(event, ReadinessChanged) and event.readiness.ready), None
        )
    )


def a_request(
    driver: BrokerDriver, direction: Direction, shares: int, price: float, code: Code = FUND
) -> OrderRequest:
    """A request with a signal id and tag of its own: mqBUY1, mqBUY2, mqSELL3, ..."""
    driver.requests += 1
    name = f"{direction}{driver.requests}"
    return OrderRequest(SignalId(name), Tag(f"mq{name}"), code, direction, shares, price)


def submit(
    driver: BrokerDriver, direction: Direction, shares: int, price: float, code: Code = FUND
) -> SignalId:
    """Submit an order that no guard stops."""
    request = a_request(driver, direction, shares, price, code)
    driver.port.submit(request, lambda: None)
    return request.signal_id


def answered(seen: list[BrokerEvent], signal_id: SignalId) -> SubmitReturned | None:
    """The answer to one signal's submit."""
    return next(
        (event for event in seen if isinstance(event, SubmitReturned) and event.signal_id == signal_id), None
    )


def returned(driver: BrokerDriver) -> SubmitReturned:
    """Wait for the answer to the newest submit."""
    names = {SignalId(f"{direction}{driver.requests}") for direction in ("BUY", "SELL")}
    return driver.events.wait(lambda seen: next(filter(None, (answered(seen, name) for name in names)), None))


def placed(driver: BrokerDriver, direction: Direction, shares: int, price: float) -> OrderId:
    """Submit and wait for the id."""
    ready(driver)
    submit(driver, direction, shares, price)
    answer = returned(driver).answer
    assert isinstance(answer, Placed), answer
    return answer.order_id


def bought(driver: BrokerDriver, shares: int) -> None:
    """A buy at the opening price, filled."""
    order_id = placed(driver, "BUY", shares, OPENING_PRICE)
    driver.trade(OPENING_PRICE, 1_000_000)
    assert ended(driver, order_id).filled_shares == shares


def never_trades(driver: BrokerDriver, direction: Direction, shares: int, price: float) -> bool:
    """Submit what must not trade, let the market trade on both sides of it, look at the day."""
    ready(driver)
    submit(driver, direction, shares, price)
    answer = returned(driver).answer
    driver.trade(price if 0.945 <= price <= 1.155 else OPENING_PRICE, 1_000_000)
    if not isinstance(answer, Placed):
        return True
    order = shown(driver, answer.order_id)
    return order.is_final and order.filled_shares == 0 and trades_of(driver, answer.order_id) == []


def first(seen: list[BrokerEvent], kind: type[Found]) -> Found | None:
    """The first event of a kind."""
    return next((event for event in seen if isinstance(event, kind)), None)


def answer_of(driver: BrokerDriver, ask: Callable[[], None], kind: type[Found]) -> Found:
    """Ask and wait for an answer of that kind that came after."""
    before = len(driver.events.of(object))
    ask()
    return driver.events.wait(lambda seen: first(seen[before:], kind))


def day(driver: BrokerDriver) -> Day:
    """A complete day list, asked for now; a broker that must be opened again first gets a few tries."""
    ready(driver)
    for _ in range(5):
        answer = answer_of(driver, driver.port.ask_day, DayAnswered).day
        if answer is not None:
            return answer
        driver.pass_deadlines()
    raise AssertionError("no complete day list")


def account(driver: BrokerDriver) -> AccountState:
    """The account as it stands after everything placed so far."""
    day(driver)  # queries run in order: a push from before this can't be taken for the answer
    return answer_of(driver, driver.port.ask_account, AccountAnswered).account or account(driver)


def shown(driver: BrokerDriver, order_id: OrderId) -> BrokerOrder:
    """One order as a query shows it."""
    return next(order for order in day(driver).orders if order.order_id == order_id)


def ended(driver: BrokerDriver, order_id: OrderId) -> BrokerOrder:
    """Wait until an update says the order is final, then look it up."""
    driver.events.wait(
        lambda seen: next(
            (
                True
                for event in seen
                if isinstance(event, OrderUpdate)
                and event.order.order_id == order_id
                and event.order.is_final
            ),
            None,
        )
    )
    return shown(driver, order_id)


def trades_of(driver: BrokerDriver, order_id: OrderId) -> list[BrokerTrade]:
    """The order's trades as a query shows them."""
    return [trade for trade in day(driver).trades if trade.order_id == order_id]


def cancelled(driver: BrokerDriver, order_id: OrderId) -> CancelReturned:
    """Ask to cancel and wait for the answer."""
    ready(driver)
    return answer_of(driver, lambda: driver.port.cancel(order_id), CancelReturned)


def heal(driver: HealedDriver) -> None:
    """Mend the link, let the pause before the next try pass, and wait until the port is ready anew."""
    before = _ready_count(driver.events.of(object))  # type: ignore[arg-type]
    driver.mend()
    _come_back(driver, before)


def come_back(driver: HealedDriver) -> None:
    """Wait until the port is ready; the terminal is not started anew, which a try under way would miss."""
    _come_back(driver, _ready_count(driver.events.of(object)))  # type: ignore[arg-type]


def _ready_count(seen: list[BrokerEvent]) -> int:
    return sum(1 for event in seen if isinstance(event, ReadinessChanged) and event.readiness.ready)


def _come_back(driver: HealedDriver, before: int) -> None:
    # The executor looks all the time; a look while the last try is still under way changes nothing.
    for _ in range(int(WAIT / 0.05)):
        driver.elapsed += 60.0
        driver.port.check_deadlines()
        if driver.events.came(lambda seen: _ready_count(seen) > before, 0.05):
            return
    raise AssertionError("never ready again")
