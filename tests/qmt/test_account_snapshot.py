"""The account in the folder is what the terminal said in full, or incomplete: never empty lists."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from shared_schema.clock import Moment
from shared_schema.errors import BrokerError
from shared_schema.messages import Account
from test_offline.fake_qmt.install import is_possible

if not is_possible():
    pytest.skip("xtquant is not installed (requirements-dev.txt)", allow_module_level=True)

from tests.brokers.contract.driver import FUND, WAIT
from tests.brokers.contract.steps import placed
from tests.brokers.qmt_driver import NUMBER, QmtDriver
from windows_side.brokers.qmt import QmtAccount, QmtCalls
from windows_side.brokers.qmt_session_ids import SessionIds
from windows_side.quotes.qmt_account import ASK_EVERY, FRESH_FOR, QmtAccountSource


class Scene:
    """A terminal with an executor's port on it, and the producer's account source beside it."""

    def __init__(self, place: Path) -> None:
        self.driver = QmtDriver(place)
        calls = QmtCalls(QmtAccount(self.driver.userdata, NUMBER), SessionIds(place, "producer"))
        self.source = QmtAccountSource(
            calls, monotonic=lambda: self.driver.elapsed, wall=lambda: self.driver.clock
        )

    def look(self) -> Account | None:
        """One question; None where it is incomplete or not answered yet."""
        moment = Moment(self.driver.clock, self.driver.clock)
        try:
            return self.source.account(moment, {})
        except BrokerError:
            return None

    def until(self, right: Callable[[Account | None], bool]) -> Account | None:
        """Ask as the producer does, on a clock that goes on, until the account is as wanted."""
        seen: Account | None = None

        def looked() -> bool:
            nonlocal seen
            self.driver.elapsed += ASK_EVERY
            seen = self.look()
            return right(seen)

        deadline = int(WAIT / 0.02)
        assert any(self.driver.events.came(lambda _: looked(), 0.02) or looked() for _ in range(deadline))
        return seen


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    scene = Scene(tmp_path)
    yield scene
    scene.source.stop()
    scene.driver.close()


def test_everything_is_there_after_a_fill(scene: Scene) -> None:
    """Asset, position with what may be sold, order with its remark, each trade."""
    placed(scene.driver, "BUY", 1000, 1.050)
    scene.driver.trade(1.050, 1_000_000)
    account = scene.until(lambda seen: seen is not None and bool(seen.trades))
    assert account is not None and account.complete
    assert (account.positions[FUND].volume, account.positions[FUND].can_use_volume) == (1000, 0)
    assert [order.remark for order in account.orders] == ["mqBUY1"]
    assert sum(trade.shares for trade in account.trades) == 1000
    assert account.asset.cash < 100_000 - 1000


@pytest.mark.parametrize("name", ["orders", "trades", "positions"])
@pytest.mark.parametrize("fault", ["none", "missing_field"])
def test_a_failed_query_is_no_account(scene: Scene, name: str, fault: str) -> None:
    """One of the lists fails: no account at all, until every list is told again."""
    placed(scene.driver, "BUY", 1000, 1.050)
    scene.driver.trade(1.050, 1_000_000)
    scene.until(lambda seen: seen is not None and bool(seen.trades))
    scene.driver.faults.set(name, fault)
    scene.until(lambda seen: seen is None)
    scene.driver.faults.clear()
    scene.until(lambda seen: seen is not None and bool(seen.trades) and bool(seen.positions))


def test_an_old_answer_is_no_account(scene: Scene) -> None:
    """A terminal that went away: after a while the last answer counts no more, and why is said."""
    scene.until(lambda seen: seen is not None)
    scene.driver.terminal.restart(1e9)
    scene.driver.elapsed += FRESH_FOR + 1
    scene.until(lambda seen: seen is None)
    with pytest.raises(BrokerError, match="没有新的答复"):
        scene.source.account(Moment(scene.driver.clock, scene.driver.clock), {})
    scene.driver.terminal.restart()
    scene.until(lambda seen: seen is not None)
