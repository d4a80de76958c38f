"""The risk: what a machine finds after power was lost is half a signal, half a state, or half a ledger."""

from __future__ import annotations

import os
import random
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from mac_side.bridge_client.outbox import Outbox
from mac_side.state_file import DashboardState, StateFile
from shared_schema.clock import Moment
from shared_schema.drop_folder import DropFolder, NameKind
from shared_schema.drop_folder.names import SIGNAL_SLOT, signal_name
from shared_schema.errors import MessageError, StateError
from shared_schema.ids import InstanceId, LedgerId, SignalId
from shared_schema.messages import decode_signal, encode
from test_offline.fuzz.ledger_target import LOG, NAME, Written, told, written
from test_offline.fuzz.local_targets import FRESH
from test_offline.fuzz.power_loss import Content, RecordingDisk, wakings
from tests.execution.bench import envelope_of, signal_of
from windows_side.execution.ledger import new_meta
from windows_side.execution.second_counter import Counted, SecondCounter
from windows_side.execution.sqlite_ledger import SqliteLedger

HOME, EXCHANGE = Path("/home/runtime"), Path("/exchange")
NOW = Moment(1_794_967_200.0, 1_794_967_200.0)
DAY = "2026-11-18"
OLD = encode(envelope_of(1), signal_of("BUY_159201.SZ_L1_00000001"))
NEW = encode(envelope_of(2), signal_of("BUY_159201.SZ_L1_00000002", reason="x" * 3000))


def folder_on(disk: RecordingDisk, path: Path = EXCHANGE) -> DropFolder:
    count = iter(range(1000))
    return DropFolder(path, disk, lambda: f"{next(count):08x}")


def whole_signals(content: Content) -> set[bytes]:
    """What an executor would take from this disk; asserts that nothing torn stands under a name it reads."""
    folder = folder_on(RecordingDisk(content))
    found = set()
    for file in folder.scan():
        raw = folder.read(file.name.text)
        assert raw is not None
        if file.name.kind in (NameKind.SIGNAL, NameKind.SIGNAL_SLOT):
            decode_signal(raw)
            found.add(raw)
        else:
            assert file.name.kind is NameKind.TEMPORARY
    return found


@pytest.mark.parametrize("name", [SIGNAL_SLOT, signal_name(SignalId("BUY_159201.SZ_L1_00000002"))])
@pytest.mark.parametrize("standing", [True, False])
def test_a_publication_is_the_old_file_or_the_new_one(name: str, standing: bool) -> None:
    """At every moment the name holds the old bytes whole, the new bytes whole, or (never used) nothing."""
    before = {EXCHANGE / name: OLD} if standing else {}
    disk = RecordingDisk(before)
    folder_on(disk).publish(name, NEW)
    seen = set()
    for done, content in wakings(disk):
        found = whole_signals(content)
        assert found <= {OLD, NEW} and len(found) <= 1
        assert found or not standing
        if done == len(disk.steps):
            assert found == {NEW}, "publish had returned"
        seen |= {frozenset(found)}
    assert seen == {frozenset({OLD} if standing else ()), frozenset({NEW})}


@pytest.mark.parametrize("forgotten", ["fsync", "sync"])
def test_a_publisher_that_forgets_a_sync_is_caught(forgotten: str) -> None:
    """The check itself: without fsync a torn signal is found, without the folder's sync a lost one."""
    disk = RecordingDisk(forgets=frozenset({forgotten}))
    folder_on(disk).publish(SIGNAL_SLOT, NEW)
    torn = lost = 0
    for done, content in wakings(disk):
        try:
            found = whole_signals(content)
        except MessageError as problem:
            assert problem.damaged or problem.error_code == "unreadable"
            torn += 1
            continue
        lost += done == len(disk.steps) and not found
    assert bool(torn) == (forgotten == "fsync") and bool(lost) == (forgotten == "sync")


def states(count: int) -> list[DashboardState]:
    """A strategy's states as signals leave one after the other."""
    return [
        replace(FRESH, counter=number, paused=bool(number % 2), outbox=Outbox()) for number in range(1, count)
    ]


def test_the_state_file_is_never_half_and_never_older_than_promised() -> None:
    """After each crash the dashboard starts with the last saved state or the one being saved, and its copy
    beside it is whole; it never starts empty once a save had returned."""
    disk = RecordingDisk()
    file = StateFile(HOME / "dashboard_state.json", disk)
    file.folder = folder_on(disk, HOME)
    began: list[int] = []
    returned: list[int] = []
    for state in states(5):
        began.append(len(disk.steps))
        _, raw = file.save(state, NOW, DAY)
        returned.append(len(disk.steps))
        file.keep_last_good(raw)
    checked = 0
    for done, content in wakings(disk):
        promised = sum(at <= done for at in returned)
        begun = sum(at < done for at in began)
        waking = StateFile(HOME / "dashboard_state.json", RecordingDisk(content))
        found = waking.load(replace(FRESH, counter=0))
        assert promised <= found.counter <= begun, (done, promised, found.counter, begun)
        copy = content.get(waking.last_good)
        if copy is not None:
            beside = RecordingDisk({HOME / "dashboard_state.json": copy})
            assert StateFile(HOME / "dashboard_state.json", beside).load(FRESH).counter <= found.counter
        checked += 1
    assert checked > 100


def test_a_signal_in_the_folder_is_always_in_the_outbox() -> None:
    """The state goes first: on no disk does a signal stand in the folder that its own state does not know."""
    disk = RecordingDisk()
    file = StateFile(HOME / "dashboard_state.json", disk)
    file.folder, exchange = folder_on(disk, HOME), folder_on(disk)
    identities = [f"BUY_159201.SZ_L1_0000000{number}" for number in range(1, 4)]
    for number, identity in enumerate(identities, start=1):
        _, raw = file.save(replace(FRESH, counter=number), NOW, DAY)
        exchange.publish(signal_name(SignalId(identity)), encode(envelope_of(number), signal_of(identity)))
        file.keep_last_good(raw)
    for _, content in wakings(disk):
        known = StateFile(HOME / "dashboard_state.json", RecordingDisk(content)).load(
            replace(FRESH, counter=0)
        )
        sent = {decode_signal(raw).body.signal_id for raw in whole_signals(only(content, EXCHANGE))}
        assert sent <= set(identities[: known.counter])


def only(content: Content, folder: Path) -> Content:
    return {path: raw for path, raw in content.items() if path.parent == folder}


def test_what_is_quarantined_or_archived_is_never_lost() -> None:
    """A moved file stands in the old place or the new one, whole; never in neither."""
    for move in (archive, quarantine):
        disk = RecordingDisk({EXCHANGE / SIGNAL_SLOT: OLD})
        move(folder_on(disk))
        for _, content in wakings(disk):
            assert [raw for raw in content.values() if raw == OLD] == [OLD]


def archive(folder: DropFolder) -> None:
    folder.archive(SIGNAL_SLOT, SignalId("BUY_159201.SZ_L1_00000001"))


def quarantine(folder: DropFolder) -> None:
    folder.quarantine_move(SIGNAL_SLOT, {"reason": "test"})


def test_the_second_counter_is_whole_from_its_first_moment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its bytes are synced before it gets its name: an empty counter would stop a sound executor."""
    steps: list[str] = []
    for name in ("fsync", "replace"):
        real = getattr(os, name)
        monkeypatch.setattr(
            os, name, lambda *given, name=name, real=real: (steps.append(name), real(*given))[1]
        )
    counter = SecondCounter(tmp_path / "counter")
    counted = Counted(LedgerId("ab"), 1, InstanceId("simulate-1"))
    counter.write(counted)
    counter.close()
    assert steps[:2] == ["fsync", "replace"] and SecondCounter(tmp_path / "counter").read() == counted


# The ledger: what stands in the log after its last sync may be cut, lost or out of order.


def told_by(place: Path, database: bytes, log: bytes) -> object:
    for left in place.glob(f"{NAME}*"):
        left.unlink()
    (place / NAME).write_bytes(database)
    (place / LOG).write_bytes(log)
    return told(place / NAME)


def test_a_commit_that_returned_is_on_the_disk(tmp_path: Path) -> None:
    """What the next tests take for durable: SQLite syncs its log at each commit at level FULL (2) alone."""
    ledger = SqliteLedger(tmp_path / NAME, lambda: new_meta("simulate", "main", "test", "e0"))
    level = ledger._database.execute("PRAGMA synchronous").fetchone()[0]
    mode = ledger._database.execute("PRAGMA journal_mode").fetchone()[0]
    ledger.close()
    assert (level, mode) == (2, "wal")


@pytest.mark.slow
def test_a_ledger_cut_after_its_last_sync_tells_every_commit_it_confirmed(tmp_path: Path) -> None:
    """The log cut at every 512 bytes: all commits that had returned are there, nothing of the next one."""
    source = Written(4, logged=True)
    log = source.files[LOG]
    for length in range(0, len(log) + 1, 512):
        confirmed = sum(size <= length for size in source.sizes) - 1
        assert told_by(tmp_path, source.files[NAME], log[:length]) == source.steps[confirmed]


def scrambled(tail: bytes, dice: random.Random) -> bytes:
    """The unsynced end of a log whose blocks came to the disk in any order, some not at all."""
    blocks = [tail[at : at + 512] for at in range(0, len(tail), 512)]
    lost: Callable[[bytes], bytes] = lambda block: bytes(len(block))  # noqa: E731
    kept = [block if dice.random() < 0.5 else lost(block) for block in blocks]
    return b"".join(kept)[: dice.randrange(len(tail) + 1)]


@pytest.mark.slow
def test_a_ledger_whose_last_commit_was_written_out_of_order_is_before_or_after_it(tmp_path: Path) -> None:
    """Each commit's blocks lost at random: the commit is there whole or not at all, all earlier ones are."""
    source, dice = written(True), random.Random(1)
    log = source.files[LOG]
    for number in range(1, len(source.sizes)):
        start, end = source.sizes[number - 1], source.sizes[number]
        for _ in range(6):
            cut = log[:start] + scrambled(log[start:end], dice)
            assert told_by(tmp_path, source.files[NAME], cut) in source.steps[number - 1 : number + 1]


@pytest.mark.slow
def test_a_checkpoint_torn_by_power_loss_changes_nothing(tmp_path: Path) -> None:
    """Any mixture of old and new pages in the file: the log still stands, and the ledger tells the same."""
    import sqlite3

    source, dice = written(True), random.Random(2)
    told_by(tmp_path, source.files[NAME], source.files[LOG])
    for name in (NAME, LOG):
        (tmp_path / name).write_bytes(source.files[name])
    database = sqlite3.connect(tmp_path / NAME)
    database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    database.close()
    old, new = source.files[NAME], (tmp_path / NAME).read_bytes()
    assert len(new) > len(old)
    for _ in range(60):
        pages = [
            (new if dice.random() < 0.5 else old)[at : at + 512].ljust(512, b"\x00")
            for at in range(0, len(new), 512)
        ]
        mixture = b"".join(pages)
        if dice.random() < 0.3:
            mixture = mixture[: len(old)]
        assert told_by(tmp_path, mixture, source.files[LOG]) == source.steps[-1]


@pytest.mark.slow
def test_a_ledger_without_its_synced_log_is_an_earlier_one_or_refused(tmp_path: Path) -> None:
    """Losing what was synced is no power loss but a damaged copy: an earlier commit, counted as such."""
    source = written(True)
    try:
        found = told_by(tmp_path, source.files[NAME], b"")
    except StateError:
        return
    assert found == source.steps[0] and found[2]["commits"] < source.steps[-1][2]["commits"]  # type: ignore[index]
