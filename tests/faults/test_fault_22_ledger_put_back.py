"""Fault 22: a ledger that was put back is noticed, and nothing of the lost time is executed by machine."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from shared_schema.clock import Moment, Stamper
from shared_schema.drop_folder import DropFolder
from shared_schema.drop_folder.names import heartbeat_name
from shared_schema.ids import AccountAlias, Epoch, InstanceId
from shared_schema.messages import Heartbeat, encode
from tests.execution.bench import Bench, alarms, of_kind, signal_of
from windows_side.execution.actions import Archive, Submit, TrustLedger
from windows_side.execution.core import ExecutorCore
from windows_side.execution.events import ResumeTyped
from windows_side.execution.ledger import INSTANCE, Change, JournalEntry
from windows_side.execution.second_counter import SecondCounter
from windows_side.ledger_opening import OpenedLedger, open_guarded

ACCOUNT = AccountAlias("main")


class Place:
    """One executor's files: ledger, second counter, folder."""

    def __init__(self, path: Path) -> None:
        self.ledger = path / "ledger.sqlite3"
        self.counter = SecondCounter(path / "elsewhere" / "ledger.count")
        self.folder = DropFolder(path / "exchange")
        self.folder.disk.make_folder(self.folder.path)
        self.folder.prepare()

    def open(self) -> OpenedLedger:
        """As the executor's start does."""
        try:
            return open_guarded(self.ledger, "simulate", ACCOUNT, self.folder, self.counter)
        finally:
            self.counter.close()

    def work(self, commits: int) -> None:
        """A run that commits so often; its end is counted as a submit would."""
        opened = self.open()
        assert opened.put_back == ""
        for _ in range(commits):
            opened.ledger.commit(Change(journal=(JournalEntry(0.0, "s", "test"),)))
        opened.ledger.close()
        self.open().ledger.close()


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def test_an_old_backup_is_noticed_by_the_second_counter(place: Place, tmp_path: Path) -> None:
    """The counter elsewhere has seen more commits than the ledger knows of."""
    place.work(3)
    shutil.copy(place.ledger, tmp_path / "backup")
    place.work(3)
    for path in tmp_path.glob("ledger.sqlite3*"):
        path.unlink()
    shutil.copy(tmp_path / "backup", place.ledger)
    opened = place.open()
    opened.ledger.close()
    assert "ledger.count" in opened.put_back


def test_a_database_copied_without_its_log_is_noticed(place: Place, tmp_path: Path) -> None:
    """Copied while the executor ran: what still stood in the write-ahead log is missing."""
    place.work(2)
    running = place.open().ledger
    for _ in range(3):
        running.commit(Change(journal=(JournalEntry(0.0, "s", "test"),)))
    shutil.copy(place.ledger, tmp_path / "copy")
    running.close()
    place.open().ledger.close()
    shutil.copy(tmp_path / "copy", place.ledger)
    opened = place.open()
    opened.ledger.close()
    assert opened.put_back


def test_the_heartbeat_notices_where_the_counter_went_back_too(place: Place, tmp_path: Path) -> None:
    """A backup of the whole host: the folder, synced elsewhere, still shows how far it had come."""
    place.work(1)
    opened = place.open()
    memory = opened.ledger.load()
    instance = InstanceId(memory.meta[INSTANCE])
    body = Heartbeat(
        role="executor",
        instance=instance,
        ledger_id=opened.ledger.ledger_id,
        commits=opened.ledger.commits + 9,
    )
    opened.ledger.close()
    stamp = Stamper("executor@test", Epoch("x"), "simulate", ACCOUNT).next(Moment(1.0, 1.0), "2026-11-18")
    name = heartbeat_name("executor", instance)
    place.folder.publish(f"heartbeat/{name}", encode(stamp, body))
    opened = place.open()
    opened.ledger.close()
    assert name in opened.put_back


def put_back() -> Bench:
    """A bench whose ledger is found to be put back."""
    bench = Bench()
    bench.core = ExecutorCore(bench.rules, bench.ledger.load())
    actions = bench._perform(bench.core.start(bench.now, "put back"))
    assert alarms(actions) == ["ledger_put_back", "halted"]
    bench.make_ready()
    bench.quote()
    return bench


def test_a_doubted_ledger_takes_and_refuses_nothing() -> None:
    """A refusal would be a lie where the lost part has executed it: the file stays."""
    bench = put_back()
    actions = bench.drop(signal_of("s1"))
    assert alarms(actions) == ["held_back"]
    assert not of_kind(actions, Submit) and not of_kind(actions, Archive)


def test_after_the_resume_a_signal_of_the_lost_time_is_unknown_and_never_sent() -> None:
    """I1 before I2: it may be at the broker; a person resolves it. One decided later is placed."""
    bench = put_back()
    actions = bench.tell(ResumeTyped("books and broker agree", {}))
    assert of_kind(actions, TrustLedger)
    bench.drop(signal_of("s1"))
    assert bench.state("s1") == "unknown" and not bench.submits
    bench.pass_time(40)
    bench.quote()
    bench.drop(signal_of("s2", direction="SELL", timestamp=bench.now.wall))
    assert bench.state("s2") == "submitted"
