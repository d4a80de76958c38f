"""Two accounts in one executor: nothing of one is ever the other's."""

from __future__ import annotations

import signal
import time

import pytest

from commands.folder_view import FolderView
from commands.halt_writing import lift_halt, write_halt
from mac_side.bridge_client.handle import BridgeError
from shared_schema.drop_folder.names import RESULTS_FOLDER, result_name, signal_name
from shared_schema.ids import AccountAlias, SignalId
from shared_schema.messages import decode_result, encode
from shared_schema.sessions import trading_day_of
from tests.accounts.stage import WAIT, Stage
from tests.execution.bench import FUND, envelope_of, signal_of

pytestmark = pytest.mark.slow


def test_each_account_trades_in_its_own_room_books_and_limits(stage: Stage) -> None:
    """A buy of each fills in its own ledger and books; the limits of one are no matter of the other."""
    stage.begin()
    with stage.script("main") as first, stage.script("b") as other:
        of_first = [first.buy(FUND, 1.26, shares) for shares in (1000, 2000, 1500)]
        assert [handle.wait(WAIT).answer for handle in of_first] == ["done"] * 3
        of_other = other.buy(FUND, 1.26, 300)
        assert of_other.wait(WAIT).answer == "done"
        refused = other.buy(FUND, 1.26, 1000).wait(WAIT)
        assert refused.answer == "refused" and "500" in refused.message
        assert other.buy(FUND, 1.26, 200).wait(WAIT).answer == "done"
        too_many = other.buy(FUND, 1.26, 100).wait(WAIT)
        assert too_many.answer == "refused" and "2" in too_many.message
    assert stage.end() == 0, stage.words()
    ids = {alias: set(stage.ledger(alias).ids()) for alias in ("main", "b")}
    assert ids["main"] == {handle.signal_id for handle in of_first}
    assert of_other.signal_id in ids["b"] and len(ids["b"]) == 4
    assert [stage.ledger(alias).account for alias in ("main", "b")] == ["main", "b"]
    assert (stage.at_broker("main"), stage.at_broker("b")) == ([1000, 2000, 1500], [300, 200])


def test_a_signal_for_another_account_is_refused_and_told_where_that_one_is(stage: Stage) -> None:
    """Never sent on: neither to an account that has a room of its own nor to one nobody knows."""
    stage.begin()
    stage.script("main").close()
    folder, now = stage.folder("main"), time.time()
    stamp = {"written_at": now, "market_time": now, "trading_day": trading_day_of(now)}
    for name, account in (("for_b", "b"), ("for_nobody", "nobody")):
        executor = stage.ledger("main").instance
        sent = signal_of(name, price=1.26, shares=100, executor=executor, timestamp=now)
        envelope = envelope_of(**stamp, account=AccountAlias(account))
        folder.publish(signal_name(SignalId(name)), encode(envelope, sent))
    names = [f"{RESULTS_FOLDER}/{result_name(SignalId(name))}" for name in ("for_b", "for_nobody")]
    stage.wait(lambda: all(folder.read(name) for name in names))
    told = [decode_result(folder.read(name) or b"", name).body for name in names]
    assert [result.error_code for result in told] == ["other_account", "other_account"]
    assert "accounts/b/" in told[0].message and "main, b" in told[1].message
    assert stage.end() == 0
    assert stage.ledger("b").ids() == []


def test_a_ledger_that_cant_be_read_stops_its_own_account_alone(stage: Stage) -> None:
    """The other trades on, the log names account and reason, and the process ends with 3."""
    stage.begin()
    with stage.script("b") as other:
        assert other.buy(FUND, 1.26, 100).wait(WAIT).answer == "done"
    stage.end()
    (ledger,) = stage.runtime("b").glob("ledger_*.sqlite3")
    ledger.write_bytes(b"no database" * 1000)
    stage.begin()
    with stage.script("main") as first:
        assert first.buy(FUND, 1.26, 100).wait(WAIT).answer == "done"
        stage.wait(lambda: "[b] 这个账户停止工作" in stage.words())
    assert "继续工作的账户：main" in stage.words()
    assert stage.end() == 3


def test_a_halt_of_the_folder_stops_both_and_one_of_a_room_its_own_account(stage: Stage) -> None:
    """Whoever halts means everything, unless the account is named; lifting goes the same ways."""
    stage.begin()
    stage.script("main").close()
    folder, room, writer = stage.folder("main"), stage.folder("b"), "operator@elsewhere"
    with stage.script("b") as other:
        name = write_halt(room, writer, "only b", "simulate", 1.0)
        stage.wait(lambda: held(stage) == ["b"])
        lift_halt(room, name, writer, "go", "simulate", 2.0)
        stage.wait(lambda: held(stage) == [])
        write_halt(folder, writer, "all", "simulate", 3.0)
        stage.wait(lambda: held(stage) == ["main", "b"])
        with pytest.raises(BridgeError):
            other.buy(FUND, 1.26, 100)
        lift_halt(folder, name, writer, "go", "simulate", 4.0)
        stage.wait(lambda: held(stage) == [])
        assert other.buy(FUND, 1.26, 100).wait(WAIT).answer == "done"
    assert stage.end() == 0


def held(stage: Stage) -> list[str]:
    """The accounts whose executor confirms a halt in its heartbeat."""
    beats = {alias: FolderView(stage.folder(alias)).executors() for alias in ("main", "b")}
    return [alias for alias, (beat,) in beats.items() if beat.body.halt_since is not None]


@pytest.mark.parametrize("point", ["before_native_call", "after_native_call", "after_intent"])
def test_killed_and_started_again_no_order_stands_twice(stage: Stage, point: str) -> None:
    """kill -9 while both trade: afterwards each account's broker shows its own order once, or none where it
    was proven never placed, and each signal is answered."""
    stage.begin(MINIQMT_CRASH_AT=f"{point}:1", MINIQMT_ALLOW_CRASH="1")
    with stage.script("main") as first, stage.script("b") as other:
        sent = {"main": first.buy(FUND, 1.26, 1000), "b": other.buy(FUND, 1.26, 300)}
        stage.wait(lambda: stage.process is not None and stage.process.poll() is not None)
        assert stage.process is not None and stage.process.returncode == -signal.SIGKILL
        stage.begin()
        ends = {alias: handle.wait(WAIT) for alias, handle in sent.items()}
    assert stage.end() == 0
    for alias, shares in (("main", 1000), ("b", 300)):
        assert stage.ledger(alias).ids() == [sent[alias].signal_id]
        expected = {"filled": [shares], "not_placed": []}
        assert stage.at_broker(alias) == expected[ends[alias].state or ""], f"{alias}: {ends[alias]}"


def test_one_account_can_be_served_alone(stage: Stage) -> None:
    """``--account b`` leaves the first alone, and no second process may serve b meanwhile."""
    stage.begin("--account", "b")
    with stage.script("b") as other:
        assert other.buy(FUND, 1.26, 100).wait(WAIT).answer == "done"
        assert not list((stage.place / "share" / "heartbeat").iterdir())
        alone = stage.process
        stage.begin("--account", "b")
        assert stage.process is not None and stage.process.wait(WAIT) == 2
        stage.process = alone
    assert stage.end() == 0
