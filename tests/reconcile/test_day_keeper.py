"""The keeper between the broker's answers and the day files: what belongs to which day."""

from __future__ import annotations

from pathlib import Path

from shared_schema.clock import Moment
from shared_schema.ids import OrderId
from shared_schema.logs import Log
from tests.execution.bench import FUND, OPEN_AT, account_of
from windows_side.brokers.port import AccountAnswered, BrokerOrder, Day, DayAnswered
from windows_side.day_files import DayFiles
from windows_side.day_keeper import DayKeeper

DAY = 86_400.0


def test_next_mornings_positions_are_not_kept_as_yesterdays_end(tmp_path: Path) -> None:
    """The list of yesterday with the account of today: a split overnight would be hidden by it (I9)."""
    files = DayFiles(tmp_path)
    keeper = DayKeeper(files, Log("order_executor", []))
    keeper.heard(
        [DayAnswered(Day((), ()), OPEN_AT), AccountAnswered(account_of(sellable=10_000), OPEN_AT)]
    )
    assert keeper.keep(Moment(OPEN_AT, OPEN_AT))
    morning = OPEN_AT + DAY
    keeper.heard([AccountAnswered(account_of(sellable=20_000), morning)])
    assert not keeper.keep(Moment(morning, morning))
    held = files.positions_before("20261119")
    assert held is not None and held[FUND].volume == 10_000
    keeper.heard([DayAnswered(Day((), ()), morning)])
    assert keeper.keep(Moment(morning, morning))
    kept = files.read("20261119")
    assert kept is not None and kept.positions[FUND].volume == 20_000


def test_what_the_night_still_lists_of_yesterday_never_becomes_todays_file(tmp_path: Path) -> None:
    """A live terminal lists the day before until its morning restart: today's own orders must be kept."""
    files = DayFiles(tmp_path)
    keeper = DayKeeper(files, Log("order_executor", []))

    def heard(at: float, *orders: BrokerOrder) -> bool:
        keeper.heard([DayAnswered(Day(orders, ()), at), AccountAnswered(account_of(), at)])
        return keeper.keep(Moment(at, at))

    yesterdays = BrokerOrder(
        OrderId("7"), FUND, "BUY", 1.2, 1000, 1000, 56, "mq00000000000000000000", "", OPEN_AT
    )
    midnight = OPEN_AT + 14 * 3600 + 300
    heard(midnight, yesterdays)
    morning = OPEN_AT + DAY
    todays = BrokerOrder(OrderId("8"), FUND, "SELL", 1.2, 500, 0, 50, "mq00000000000000000001", "", morning)
    heard(morning, todays)
    kept = files.read("20261119")
    assert kept is not None
    assert [order.order_id for order in kept.orders] == ["8"]
