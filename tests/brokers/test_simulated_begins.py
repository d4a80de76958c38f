"""The risk: a simulated account that began empty, since the executor was quicker, and nobody was told."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest

from shared_schema.clock import Moment, Stamper
from shared_schema.drop_folder import DropFolder
from shared_schema.drop_folder.names import ACCOUNT_LIVE
from shared_schema.ids import Epoch
from shared_schema.logs import Log
from shared_schema.messages import Account, AccountSnapshot, Position, encode
from shared_schema.messages.account import Asset
from shared_schema.settings import Settings
from tests.brokers.simulated_bench import FUND, MAIN, MORNING
from tests.producer.world import Remembering
from windows_side.brokers.port import BrokerPosition
from windows_side.venue import SIMULATED, Surroundings

NOW = Moment(MORNING, MORNING)
HELD = Position(volume=20_000, can_use_volume=20_000, open_price=1.05, market_value=21_000.0)


class Desk:
    """A folder, the place of the simulated books, and what the log was told."""

    def __init__(self, place: Path) -> None:
        self.folder = DropFolder(place / "exchange")
        self.folder.path.mkdir()
        self.books = place / "books.sqlite3"
        self.told = Remembering()

    def publish_account(self, *, complete: bool = True) -> None:
        """The producer's snapshot of a real account."""
        stamper = Stamper("producer@windows", Epoch("0198-a"), "live", MAIN)
        account = Account(asset=Asset(cash=60_000.0), positions={FUND: HELD}, complete=complete)
        body = AccountSnapshot(accounts={MAIN: account})
        self.folder.publish(ACCOUNT_LIVE, encode(stamper.next(NOW, "2026-03-03"), body))

    def held(self) -> list[BrokerPosition]:
        """What the account holds once an executor has started."""
        log = Log("order_executor", [self.told])
        around = Surroundings(Settings(), self.folder, MAIN, self.books, lambda: NOW, lambda code: True, log)
        with closing(SIMULATED.open(around).calls) as calls:
            calls.open(lambda event: None)
            return list(calls.positions() or ())


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def test_it_says_that_it_began_with_the_real_account(desk: Desk) -> None:
    """With a snapshot in the folder the account holds what that one shows, and the log says so."""
    desk.publish_account()
    assert [(held.code, held.volume) for held in desk.held()] == [(FUND, 20_000)]
    (line,) = desk.told.lines
    assert line.action == "simulated_from_snapshot"
    assert (line.fields["cash"], line.fields["positions"]) == ("60000.0", "1")


@pytest.mark.parametrize("published", [False, True])
def test_it_says_that_it_began_without(desk: Desk, published: bool) -> None:
    """With no snapshot, or one that is not complete, it holds nothing; the log says so and what to do."""
    if published:
        desk.publish_account(complete=False)
    assert desk.held() == []
    (line,) = desk.told.lines
    assert line.action == "simulated_from_settings"
    assert "bridge_producer" in line.sentence
    assert str(desk.books) in line.sentence


def test_a_later_start_says_nothing(desk: Desk) -> None:
    """The account goes on with its own books: a snapshot that came since changes nothing."""
    desk.held()
    desk.publish_account()
    assert desk.held() == []
    assert desk.told.actions == ["simulated_from_settings"]
