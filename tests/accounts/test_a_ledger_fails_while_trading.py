"""One account's ledger fails in the middle of the day: nothing of it is sent, and the others trade on."""

from __future__ import annotations

import threading
from functools import partial
from pathlib import Path

import pytest

from shared_schema.errors import SettingsError, StateError
from shared_schema.logs import read_actions
from shared_schema.settings import load_settings
from shared_schema.stop_flag import StopFlag
from tests.accounts.stage import WAIT, Stage
from tests.execution.bench import FUND
from windows_side.account_runs import run_accounts
from windows_side.execution.ledger import Change
from windows_side.execution.sqlite_ledger import SqliteLedger
from windows_side.order_executor import serve_account
from windows_side.single_instance import hold_single_instance


@pytest.mark.slow
def test_nothing_is_sent_for_it_and_nobody_takes_its_place(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The order that could not be recorded never reaches b's broker; main's next one fills; b's account is
    held until the process ends, and free then."""
    disk_full = threading.Event()
    commit = SqliteLedger.commit

    def fails_for_b(self: SqliteLedger, change: Change) -> None:
        if disk_full.is_set() and "accounts" in self.path.parts:
            raise StateError("executor.ledger_damaged", self.path, detail="disk full")
        commit(self, change)

    monkeypatch.setattr(SqliteLedger, "commit", fails_for_b)
    settings = load_settings(environment={}, working_folder=stage.place)
    stop, codes = StopFlag(), []
    process = threading.Thread(
        target=lambda: codes.append(run_accounts(settings, stop, partial(serve_account), console=False))
    )
    process.start()
    own = settings.for_account("b")
    try:
        with stage.script("main") as first, stage.script("b") as other:
            assert other.buy(FUND, 1.26, 100).wait(WAIT).answer == "done"
            disk_full.set()
            lost = other.buy(FUND, 1.26, 200)
            stage.wait(lambda: "account_stopped" in actions(own.log_dir))
            assert first.buy(FUND, 1.26, 300).wait(WAIT).answer == "done"
            assert lost.wait(0.2).answer == "unknown"
            with pytest.raises(SettingsError):
                hold_single_instance("executor", own.runtime_dir, own.exchange_folder("executor"))
    finally:
        stop.set()
        process.join(WAIT)
    assert codes == [3]
    assert (stage.at_broker("b"), stage.at_broker("main")) == ([100], [300])


def actions(folder: Path) -> list[str]:
    """The action words of an account's log."""
    return [line.action for line in read_actions(folder / "order_executor.log")]
