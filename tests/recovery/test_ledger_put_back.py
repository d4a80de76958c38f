"""A ledger that was put back has forgotten what it did: found out, held, and never lying (faults 21, 22)."""

from __future__ import annotations

import shutil
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from shared_schema.drop_folder.names import DONE_FOLDER, RESULTS_FOLDER, SIGNAL_SLOT, done_name, result_name
from shared_schema.errors import StateError
from shared_schema.ids import InstanceId, LedgerId, SignalId
from shared_schema.messages import decode_result
from tests.execution.shell import ACCOUNT, Shell
from windows_side.execution.second_counter import Counted, SecondCounter
from windows_side.keyboard import Typed, type_order
from windows_side.ledger_opening import open_guarded, open_ledger


@pytest.fixture
def shell(tmp_path: Path) -> Iterator[Shell]:
    """A ready executor whose broker fills at once."""
    shell = Shell(tmp_path, poll_interval=0.2).ready()
    yield shell
    shell.kill()


def saved(shell: Shell) -> Path:
    """A backup of the ledger as it stands, made as people make it: with the executor ended."""
    shell.kill()
    copy = shell.place / "backup.sqlite3"
    shutil.copy(shell.files.ledger, copy)
    shell._begin()
    shell.ready()
    return copy


def put_back(shell: Shell, copy: Path) -> None:
    """The backup goes over the ledger; a new process starts."""
    shell.kill()
    for tail in ("-wal", "-shm"):
        Path(f"{shell.files.ledger}{tail}").unlink(missing_ok=True)
    shutil.copy(copy, shell.files.ledger)
    shell.lines.actions.clear()
    shell._begin()


def resume(shell: Shell) -> None:
    """A person lets the ledger count as it stands."""
    type_order(shell.place, Typed(kind="resume", reason="checked", by="me", at=time.time()))
    shell.skip += 1.0
    shell.until(lambda: shell.core.halt_since is None)


def test_a_ledger_behind_the_second_counter_is_held(shell: Shell) -> None:
    """Nothing is taken and nothing is refused: the signal waits in the folder; its true result stays."""
    copy = saved(shell)
    shell.drop(shell.signal("s1"))
    filled = shell.settled("s1")
    put_back(shell, copy)
    shell.ready()
    assert "ledger_put_back" in shell.lines.actions and shell.core.halt_since is not None
    again = shell.bytes_of(shell.signal("s1"))
    shell.put("order_signal_s1.json", again)
    shell.put(SIGNAL_SLOT, b'{"signal_id": "odd", "code": 7}')
    for _ in range(5):
        shell.executor.turn()
    assert shell.orders == 1
    assert {"order_signal_s1.json", SIGNAL_SLOT} <= set(shell.names())
    assert shell.result("s1") == filled
    assert shell.result("odd") is None
    shell.restart()
    assert shell.core.halt_since is not None, "a restart resumes nothing"


def test_after_a_resume_the_forgotten_signal_is_doubted_never_executed(shell: Shell) -> None:
    """I1 before I2: it is at the broker already, so it is adopted by its tag; new signals go on."""
    copy = saved(shell)
    signal = shell.signal("s1")
    shell.drop(signal)
    revision = shell.settled("s1").revision
    (shell.folder.path / RESULTS_FOLDER / result_name(SignalId("s1"))).unlink()
    (shell.folder.path / DONE_FOLDER / done_name(SignalId("s1"))).unlink()
    put_back(shell, copy)
    shell.ready()
    shell.drop(signal)
    resume(shell)
    result = shell.settled("s1")
    assert (shell.orders, result.state, result.filled_shares) == (1, "filled", 1000)
    assert result.revision > revision, "a reader keeps the highest revision it saw"
    shell.drop(shell.signal("s2", shares=500, timestamp=time.time() + 15.0))
    assert shell.settled("s2").error_code == "not_placed", "inside the margin for skew: doubted too"
    assert shell.orders == 1
    shell.restart()
    assert shell.core.halt_since is None, "the counter starts again from this ledger"


def test_a_signal_that_never_was_is_closed_by_proof(shell: Shell) -> None:
    """Doubted, and the simulated broker's list proves it absent: not placed, no order."""
    copy = saved(shell)
    shell.drop(shell.signal("s1"))
    shell.settled("s1")
    put_back(shell, copy)
    shell.ready()
    shell.drop(shell.signal("lost", shares=700))
    resume(shell)
    assert shell.settled("lost").state == "not_placed" and shell.orders == 1


def test_our_tag_without_a_row_holds_at_start(shell: Shell) -> None:
    """Second counter restored as well: the broker's day still tells (design, a ledger that was put back)."""
    copy = saved(shell)
    shell.drop(shell.signal("s1"))
    shell.settled("s1")
    shell.kill()
    shell.counter.path.unlink()
    for path in (shell.folder.path / "heartbeat").iterdir():
        path.unlink()
    shell._begin = lambda: Shell._begin(shell)  # type: ignore[method-assign]
    put_back(shell, copy)
    assert shell.core.halt_since is None, "nothing on this host tells"
    shell.until(lambda: shell.core.halt_since is not None)
    assert not shell.core.ready or shell.core.halt_since is not None
    assert "ledger_put_back" in shell.lines.actions
    resume(shell)
    shell.restart()
    shell.ready()
    assert shell.core.halt_since is None, "a person has seen that order"


def test_the_heartbeat_tells_too(shell: Shell) -> None:
    """The second file lost, the folder's heartbeat left: held."""
    copy = saved(shell)
    shell.drop(shell.signal("s1"))
    shell.settled("s1")
    shell.skip += 10
    shell.executor.turn()
    shell.kill()
    shell.counter.path.unlink()
    put_back(shell, copy)
    assert shell.core.halt_since is not None


def test_a_ledger_of_another_id_or_a_damaged_counter_holds(shell: Shell) -> None:
    """The second file tells of another ledger, or can't be read: a person looks."""
    shell.kill()
    shell.counter.write(Counted(LedgerId("abcdef"), 0, InstanceId("simulate-1")))
    shell._begin()
    assert shell.core.halt_since is not None
    shell.kill()
    shell.counter.path.write_bytes(b"\0" * 160)
    shell._begin()
    assert shell.core.halt_since is not None


def test_a_copied_database_without_its_log_is_behind(shell: Shell) -> None:
    """Fault 22: what was committed last stood in the write-ahead log alone."""
    shell.drop(shell.signal("s1"))
    shell.settled("s1")
    copy = shell.place / "copy.sqlite3"
    shutil.copy(shell.files.ledger, copy)  # while it is open: without the log
    put_back(shell, copy)
    assert shell.core.halt_since is not None


def test_a_ledger_ahead_of_the_counter_is_normal(shell: Shell) -> None:
    """It is written before submits only, and a power loss may take its last value."""
    shell.drop(shell.signal("s1"))
    shell.settled("s1")
    shell.kill()
    shell.counter.write(Counted(shell.ledger.ledger_id, 1, shell.instance))
    shell._begin()
    assert shell.core.halt_since is None


def test_the_counter_is_written_before_the_submit_leaves(shell: Shell) -> None:
    """At the moment the order is handed on the second file holds the commit with its INTENT."""
    counted: list[int] = []

    class Port:
        def submit(self, request: object, guard: object) -> None:
            found = SecondCounter(shell.counter.path).read()
            assert found is not None
            counted.append(found.commits - shell.ledger.commits)

        def __getattr__(self, name: str) -> object:
            return lambda *_: None

    shell.executor.broker.attach(Port(), None)  # type: ignore[arg-type]
    shell.drop(shell.signal("s1"))
    shell.until(lambda: counted)
    assert counted == [0]


def test_a_counter_that_can_not_be_written_stops_before_the_broker_hears(shell: Shell) -> None:
    """Fail closed: no order without its count."""
    shell.counter.close()
    shell.counter.path.unlink()
    shell.counter.path.mkdir()
    shell.drop(shell.signal("s1"))
    with pytest.raises(StateError):
        shell.until(lambda: shell.orders)
    assert shell.orders == 0
    shell.counter.path.rmdir()


# A missing ledger


def lose(shell: Shell) -> None:
    """The ledger is gone."""
    shell.kill()
    for tail in ("", "-wal", "-shm"):
        Path(f"{shell.files.ledger}{tail}").unlink(missing_ok=True)


@pytest.mark.parametrize("left", ["counter", "results", "archives"])
def test_a_missing_ledger_is_not_made_anew_beside_any_trace(shell: Shell, left: str) -> None:
    """Fault 21: the second file, a result or an archive of this mode, each alone, stops the executor."""
    shell.drop(shell.signal("s1"))
    shell.settled("s1")
    lose(shell)
    if left != "counter":
        shell.counter.path.unlink()
    for name, folder in (("results", RESULTS_FOLDER), ("archives", DONE_FOLDER)):
        if left != name:
            shutil.rmtree(shell.folder.path / folder)
    with pytest.raises(StateError) as raised:
        shell._begin()
    assert "miniqmt recover" in str(raised.value)
    assert not shell.files.ledger.exists()
    shell.folder.prepare()


def test_traces_of_another_mode_account_or_of_the_seed_hinder_nothing(shell: Shell) -> None:
    """A first simulated ledger makes itself beside live results, and in a folder the seed has used."""
    shell.drop(shell.signal("s1"))
    shell.settled("s1")
    lose(shell)
    shell.counter.path.unlink()
    for path in (
        *(shell.folder.path / DONE_FOLDER).iterdir(),
        *(shell.folder.path / RESULTS_FOLDER).iterdir(),
    ):
        path.unlink()
    seed = b'{"signal_id": "old", "code": "159201.SZ", "direction": "BUY", "price": 1.2, "shares": 100,'
    (shell.folder.path / DONE_FOLDER / "order_signal_old.done").write_bytes(
        seed + b' "timestamp": 1700000000}'
    )
    shell._begin()
    assert shell.ledger.commits >= 0 and shell.core.halt_since is None


def test_an_offline_folder_begins_anew_whenever_it_likes(tmp_path: Path) -> None:
    """Anybody may delete an OFFLINE folder's private files: the next run makes its ledger and counter."""
    shell = Shell(tmp_path)
    (shell.folder.path / "OFFLINE").touch()
    shell.restart()
    shell.ready()
    shell.drop(shell.signal("s1"))
    shell.settled("s1")
    lose(shell)
    shell.files.simulated_books.unlink()
    shell._begin()
    shell.ready()
    assert shell.core.halt_since is None
    shell.kill()


def test_an_empty_file_is_damage(shell: Shell) -> None:
    """Never read as a new ledger."""
    lose(shell)
    shell.files.ledger.write_bytes(b"")
    with pytest.raises(StateError) as raised:
        shell._begin()
    assert "recover" in str(raised.value)


# Another machine


def test_a_ledger_of_another_machine_is_refused(tmp_path: Path) -> None:
    """Fault 35: a copied ledger stops on the other machine and says what to do."""
    path = tmp_path / "ledger.sqlite3"
    open_ledger(path, "simulate", ACCOUNT, host="first").close()
    open_ledger(path, "simulate", ACCOUNT, host="first").close()
    with pytest.raises(StateError) as raised:
        open_ledger(path, "simulate", ACCOUNT, host="second")
    assert "first" in str(raised.value) and "recover" in str(raised.value)


def test_opening_leaves_no_handle_behind_when_it_refuses(shell: Shell) -> None:
    """A refused ledger can be moved and opened again at once."""
    shell.kill()
    database = sqlite3.connect(shell.files.ledger)
    database.execute(
        "UPDATE meta SET value = ? WHERE name = 'bound_to'", ['{"mode":"simulate","account":"x","host":"h"}']
    )
    database.commit()
    database.close()
    for _ in range(2):
        with pytest.raises(StateError):
            open_guarded(shell.files.ledger, "simulate", ACCOUNT, shell.folder, shell.counter)


def test_the_result_of_the_lost_part_is_kept(shell: Shell) -> None:
    """A row that was open in the backup is settled in the folder: the older result never covers the newer."""
    shell.instant = False
    shell.drop(shell.signal("s1"))
    shell.until(lambda: shell.result("s1") is not None and shell.orders == 1)
    copy = saved(shell)
    shell.broker.cancel(shell.broker.orders()[0].order_id)
    settled = shell.settled("s1")
    put_back(shell, copy)
    path = shell.folder.path / RESULTS_FOLDER / result_name(SignalId("s1"))
    assert decode_result(path.read_bytes()).body == settled
    again = shell.settled("s1")
    assert again.state == "cancelled" and again.revision >= settled.revision
