"""The keeper between the broker's answers and the day files: what belongs to which day."""

from __future__ import annotations

from pathlib import Path

from shared_schema.clock import Moment
from shared_schema.logs import Log
from tests.execution.bench import FUND, OPEN_AT, account_of
from windows_side.brokers.port import AccountAnswered, Day, DayAnswered
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
