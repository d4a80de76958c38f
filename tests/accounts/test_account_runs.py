"""One process, several accounts: what stops one, what stops all, and what the supervisor is shown."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from shared_schema.errors import SettingsError, StateError
from shared_schema.log_lines import Line
from shared_schema.logs import Log, read_actions
from shared_schema.settings import Settings, load_settings
from shared_schema.stop_flag import StopFlag
from windows_side.account_runs import (
    ACCOUNT_THREAD,
    FAILED,
    STARTS_WITHIN,
    TURNS_WITHIN,
    AccountRun,
    run_accounts,
)
from windows_side.single_instance import hold_single_instance

THREE = "shared_dir = 'share'\nruntime_dir = 'runtime'\nlog_dir = 'logs'\n[accounts.b]\n[accounts.c]\n"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """A host with the accounts main, b and c."""
    (tmp_path / "share").mkdir()
    file = tmp_path / "miniqmt.toml"
    file.write_text(THREE, encoding="utf-8")
    return load_settings(environment={}, config_file=file, working_folder=tmp_path)


def serving(**fates: Callable[[AccountRun], None]) -> Callable[[AccountRun], None]:
    """Each account does as told; one that nothing is told of waits for the stop."""

    def serve(account: AccountRun) -> None:
        account.turned()
        fates.get(account.alias, lambda run: run.stop.wait() and None)(account)

    return serve


def fails(problem: BaseException) -> Callable[[AccountRun], None]:
    """An account that ends so at once."""

    def fail(account: AccountRun) -> None:
        raise problem

    return fail


def asks_to_stop(stop: threading.Event, when: Callable[[], bool]) -> threading.Thread:
    """A person who stops the process once something is so."""

    def look() -> None:
        until = time.monotonic() + 120.0
        while not when() and time.monotonic() < until:
            time.sleep(0.005)
        stop.set()

    person = threading.Thread(target=look, daemon=True)
    person.start()
    return person


def lines(settings: Settings, alias: str) -> list[Line]:
    """What stands in an account's log file."""
    return read_actions(settings.for_account(alias).log_dir / "order_executor.log")


def test_one_that_fails_stops_no_other_and_is_said_with_its_name(settings: Settings) -> None:
    """Its own log says why and who goes on; the others end when asked; the exit code tells of it."""
    stop, others = StopFlag(), []

    def goes_on(account: AccountRun) -> None:
        account.stop.wait()
        others.append(account.alias)

    def is_said() -> bool:
        return any(line.action == "account_stopped" for line in lines(settings, "b"))

    asks_to_stop(stop, is_said)
    damaged = fails(StateError("executor.ledger_damaged", "b.sqlite3", detail="x"))
    code = run_accounts(settings, stop, serving(main=goes_on, b=damaged, c=goes_on), console=False)
    assert code == 3 and sorted(others) == ["c", "main"]
    (told,) = (line for line in lines(settings, "b") if line.action == "account_stopped")
    assert told.level == "error" and told.fields["account"] == "b" and told.fields["others"] == "main, c"
    assert told.sentence.startswith("[b] ") and "b.sqlite3" in told.sentence


def test_the_process_ends_by_itself_once_all_have_failed(settings: Settings) -> None:
    """With the worst of their exit codes, so that a supervisor tries again, or sees that nothing began."""
    unarmed = fails(SettingsError("qmt.no_account"))
    assert run_accounts(settings, StopFlag(), serving(main=unarmed, b=unarmed, c=unarmed), console=False) == 2
    unforeseen = fails(RuntimeError("x"))
    fates = {"main": unarmed, "b": unforeseen, "c": unarmed}
    assert run_accounts(settings, StopFlag(), serving(**fates), console=False) == 2
    fates = dict.fromkeys(fates, unforeseen)
    assert run_accounts(settings, StopFlag(), serving(**fates), console=False) == FAILED


def test_one_that_failed_while_it_traded_is_held_until_the_process_ends(settings: Settings) -> None:
    """What it left at the broker may still live, so nobody else may trade for it; one that never began to
    trade is free at once."""
    runtime, stop, runs = settings.runtime_dir, StopFlag(), []

    def hold(account: AccountRun) -> None:
        runs.append(account)
        lock = hold_single_instance("test", runtime, Path(account.alias))
        account.held.callback(lock.release)

    def before(account: AccountRun) -> None:
        hold(account)
        raise SettingsError("qmt.no_account")

    def trading(account: AccountRun) -> None:
        hold(account)
        account.begins()
        raise StateError("executor.ledger_damaged", "x", detail="x")

    asks_to_stop(stop, lambda: len(runs) == 2 and not any(run.is_running for run in runs))
    run_accounts(settings, stop, serving(main=before, b=trading), console=False)
    hold_single_instance("test", runtime, Path("main")).release()
    with pytest.raises(SettingsError):
        hold_single_instance("test", runtime, Path("b"))


def test_a_second_process_for_the_same_accounts_stays_out(settings: Settings) -> None:
    """It is told who serves them, before it touches any log or account."""
    rooms = settings.exchange_folder("executor") / "accounts"
    lock = hold_single_instance("executor", settings.runtime_dir, rooms)
    with pytest.raises(SettingsError) as refused:
        run_accounts(settings, StopFlag(), serving(), console=False)
    assert "pid" in str(refused.value) and not settings.log_dir.exists()
    lock.release()


def test_an_account_that_hangs_is_not_hidden_by_one_that_turns(settings: Settings) -> None:
    """Starting may take its time, a turn may not; one that has ended hangs no more."""
    now = [0.0]
    release = threading.Event()
    run = AccountRun(settings, Log("x", []), lambda _: release.wait() and None, StopFlag(), lambda: now[0])
    run.start()
    now[0] = STARTS_WITHIN - 1
    assert not run.is_hung(now[0])
    assert run.is_hung(STARTS_WITHIN + 1)
    run.turned()
    assert not run.is_hung(now[0] + TURNS_WITHIN - 1) and run.is_hung(now[0] + TURNS_WITHIN + 1)
    release.set()
    for thread in threading.enumerate():
        if thread.name.startswith(ACCOUNT_THREAD):
            thread.join(60.0)
    assert not run.is_hung(now[0] + TURNS_WITHIN + 1) and run.exit_code == 0


def test_lines_bear_their_account_and_lie_with_it(settings: Settings) -> None:
    """A further account has a log file of its own; the first one's holds the process's lines as well."""
    stop = StopFlag()

    def says(account: AccountRun) -> None:
        account.log.say("info", "executor_stopped")

    run_accounts(settings, stop, serving(main=says, b=says, c=says), console=False)
    told = {alias: [line.fields.get("account") for line in lines(settings, alias)] for alias in "bc"}
    assert told == {"b": ["b"], "c": ["c"]}
    assert [line.fields.get("account") for line in lines(settings, "main")] == [None, "main"]
