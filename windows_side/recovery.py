"""``miniqmt recover``: what is left of a ledger's work is gathered, and a new ledger is put in its place.

The old file is never changed or removed, only renamed. A kill at any moment leaves either the old
state or a missing ledger beside the traces of one, which stops the executor until recover is run again.
"""

from __future__ import annotations

import sqlite3
import time
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from shared_schema.clock import host_name, new_epoch
from shared_schema.disk import LocalDisk
from shared_schema.drop_folder import DropFolder
from shared_schema.drop_folder.archive import result_files, signal_archives
from shared_schema.drop_folder.names import EXECUTED, HEARTBEAT_FOLDER
from shared_schema.errors import FolderError, MessageError, StateError
from shared_schema.ids import AccountAlias, InstanceId, Mode, SignalId
from shared_schema.messages import (
    ExecutedSignals,
    Heartbeat,
    Received,
    decode_heartbeat,
    decode_result,
    decode_signal,
)
from shared_schema.messages.record import LARGE_FILE, Envelope, decode
from shared_schema.words import say
from windows_side.account_number import NUMBER
from windows_side.brokers.simulated_books import SimulatedBooks
from windows_side.execution.cash_pool import stored_of
from windows_side.execution.halt_latch import OWN, PUT_BACK, HaltLatch
from windows_side.execution.ledger import (
    ACCEPTED_TAGS,
    BOUND_TO,
    COMMITS,
    DOUBT_BEFORE,
    EPOCH,
    HALT,
    INSTANCE,
    LEDGER_ID,
    POOL,
    WRITERS,
    Change,
    new_meta,
    order_from_json,
)
from windows_side.execution.ledger_seal import SEAL
from windows_side.execution.rebuild import Evidence, Rebuilt
from windows_side.execution.second_counter import Counted, SecondCounter
from windows_side.execution.sqlite_ledger import SqliteLedger, read_only
from windows_side.single_instance import refuse_other_executor

TAILS = ("", "-wal", "-shm", "-journal")


@dataclass(frozen=True)
class Lost:
    """The ledger to be made again, and everything that belongs to it."""

    path: Path
    mode: Mode
    account: AccountAlias
    folder: DropFolder
    counter: SecondCounter
    books: Path
    """Of the simulated broker; its day is the broker's day."""


def gather(lost: Lost) -> Evidence:
    """Read all that is left. Raises FolderError (the folder) or StateError (the broker's books)."""
    evidence = Evidence()
    _from_old_ledger(lost, evidence)
    for name in signal_archives(lost.folder):
        signal = _usable(lost, name, decode_signal, evidence)
        if signal is not None:
            evidence.signals[signal.body.signal_id] = signal
    for name in result_files(lost.folder):
        result = _usable(lost, name, decode_result, evidence)
        if result is not None:
            evidence.results[result.body.signal_id] = result
    evidence.executed = _executed(lost, evidence)
    if lost.mode == "simulate" and lost.books.exists():
        books = SimulatedBooks.existing(lost.books)
        try:
            evidence.orders = tuple(order.as_broker_order() for order in books.orders(since="0"))
        finally:
            books.close()
    return evidence


def _usable(lost: Lost, name: str, read: Any, evidence: Evidence) -> Received[Any] | None:
    """One file of this mode and account; another's is passed over, an unusable one is named."""
    try:
        raw = lost.folder.read(name) or b""
        received: Received[Any] = read(raw, name)
    except (MessageError, FolderError) as problem:
        evidence.unreadable.append(f"{name}: {problem.what}")
        return None
    envelope = received.envelope
    if envelope is not None and (envelope.mode, envelope.account) != (lost.mode, lost.account):
        return None
    try:
        return read(raw, name, lost.folder.key) if lost.folder.key is not None else received
    except MessageError as problem:
        # Older than the key, or written by somebody without it: its id alone does no harm.
        evidence.unproven.append(received.body.signal_id)
        evidence.unreadable.append(f"{name}: {problem.what}")
        return None


def _executed(lost: Lost, evidence: Evidence) -> tuple[SignalId, ...]:
    raw = lost.folder.read_large(EXECUTED)
    if raw is None:
        return ()
    try:
        seed = frozenset(ExecutedSignals.model_fields)
        received = decode(raw, ExecutedSignals, seed_fields=seed, limit=LARGE_FILE)
    except MessageError as problem:
        evidence.unreadable.append(f"{EXECUTED}: {problem.what}")
        return ()
    envelope = received.envelope
    ours = envelope is None or (envelope.mode, envelope.account) == (lost.mode, lost.account)
    return received.body.signal_ids if ours else ()


def _from_old_ledger(lost: Lost, evidence: Evidence) -> None:
    """Every row that can be read of the ledger in place; damage is named, and hides no other row."""
    if not lost.path.exists():
        return
    try:
        with closing(read_only(lost.path)) as database:
            rows = database.execute("SELECT signal_id, row FROM orders").fetchall()
            meta = database.execute("SELECT name, value FROM meta").fetchall()
        evidence.meta = {name: orjson.loads(value) for name, value in meta if name != SEAL}
    except (sqlite3.Error, orjson.JSONDecodeError) as problem:
        evidence.unreadable.append(f"{lost.path.name}: {problem}")
        return
    for signal_id, row in rows:
        try:
            evidence.rows[SignalId(signal_id)] = order_from_json(row, lost.path)
        except StateError as problem:
            evidence.unreadable.append(f"{lost.path.name} {signal_id}: {problem.why}")


def replace_ledger(lost: Lost, evidence: Evidence, rebuilt: Rebuilt, doubt_before: float, stamp: str) -> Path:
    """Put the new ledger in place; returns where the old one lies now. Raises StateError."""
    beat = newest_heartbeat(lost)
    meta = _meta(lost, evidence, rebuilt, doubt_before, beat)
    new, aside = lost.path.with_name(lost.path.name + ".recovered"), _name_aside(lost.path, stamp)
    disk = LocalDisk()
    try:
        disk.make_folder(lost.path.parent)
        for tail in TAILS:
            disk.remove(new.with_name(new.name + tail))
        ledger = SqliteLedger(new, lambda: meta)
        ledger.commit(Change(rebuilt.orders, {}, rebuilt.journal, rebuilt.settled_ids))
        counted = Counted(ledger.ledger_id, ledger.commits, InstanceId(meta[INSTANCE]))
        ledger.close()
        for tail in TAILS:
            old = lost.path.with_name(lost.path.name + tail)
            if old.exists():
                disk.replace(old, aside.with_name(aside.name + tail))
        disk.replace(new, lost.path)
        disk.sync_folder(lost.path.parent)
    except OSError as problem:
        raise StateError("recovery.not_replaced", lost.path, detail=str(problem)) from problem
    LocalDisk().remove(lost.counter.path)  # it may be damaged; from here on the new ledger counts
    lost.counter.write(counted)
    return aside


def _name_aside(path: Path, stamp: str) -> Path:
    return path.with_name(f"{path.name}.aside-{stamp}")


def _meta(
    lost: Lost, evidence: Evidence, rebuilt: Rebuilt, doubt_before: float, beat: Received[Heartbeat] | None
) -> dict[str, Any]:
    made = new_meta(lost.mode, lost.account, host_name(), new_epoch(time.time()))
    meta = {**made, **evidence.meta}
    meta |= {name: made[name] for name in (LEDGER_ID, EPOCH, COMMITS, BOUND_TO)}
    if NUMBER in (was := evidence.meta.get(BOUND_TO, {})):
        meta[BOUND_TO] = {**made[BOUND_TO], NUMBER: was[NUMBER]}
    meta[INSTANCE] = _instance(lost, evidence, beat) or made[INSTANCE]
    meta[WRITERS] = {**rebuilt.writers, **evidence.meta.get(WRITERS, {})}
    meta[DOUBT_BEFORE] = doubt_before
    meta[ACCEPTED_TAGS] = sorted({*evidence.meta.get(ACCEPTED_TAGS, []), *rebuilt.strange_tags})
    meta[HALT] = _halt(evidence, rebuilt, beat).to_json()
    meta[POOL] = _pool(evidence, rebuilt)
    return meta


def _pool(evidence: Evidence, rebuilt: Rebuilt) -> dict[str, Any]:
    """The cash pool: as kept, unless fills are known now that it has not seen; then of all rows anew.

    Anew it also counts what was freed by hand: too much is refused rather than too much spent.
    """
    kept = evidence.meta.get(POOL)
    rows = evidence.rows
    seen = all(
        order.signal_id in rows and order.trades == rows[order.signal_id].trades
        for order in rebuilt.orders
        if order.trades
    )
    return dict(kept) if kept is not None and seen else stored_of(rebuilt.orders)


def refuse_living_executor(lost: Lost, evidence: Evidence, red_after: float, wall: float) -> None:
    """Raise SettingsError where an executor other than the one to be recovered lives in the folder.

    ``red_after`` in seconds, ``wall`` Unix seconds.
    """
    own = InstanceId(_instance(lost, evidence, newest_heartbeat(lost)))
    refuse_other_executor(lost.folder, own, red_after, wall)


def _instance(lost: Lost, evidence: Evidence, beat: Received[Heartbeat] | None) -> str:
    """The same executor goes on, so that dashboards stay bound; on another machine it is another one."""
    bound = evidence.meta.get(BOUND_TO, {}).get("host", host_name())
    if evidence.meta and bound != host_name():
        return ""
    if evidence.meta:
        return str(evidence.meta[INSTANCE])
    try:
        counted = lost.counter.read()
    except StateError:
        counted = None
    if counted is not None:
        return counted.instance
    return str(beat.body.instance) if beat is not None else ""


def _halt(evidence: Evidence, rebuilt: Rebuilt, beat: Received[Heartbeat] | None) -> HaltLatch:
    """What halted before halts on; and what could not be known is looked at before anything new is sent."""
    latch = HaltLatch.from_json(evidence.meta.get(HALT, {}))
    latch = HaltLatch({name: halt for name, halt in latch.active.items() if name != PUT_BACK}, latch.lifted)
    was_halted = not evidence.meta and beat is not None and beat.body.halt_since is not None
    if rebuilt.unknown or rebuilt.strange_orders or was_halted:
        return latch.halting(say("recovery.halted_by_recover"), time.time(), OWN)
    return latch


def newest_heartbeat(lost: Lost) -> Received[Heartbeat] | None:
    """The newest heartbeat this machine's executor of this mode and account left in the folder.

    With a key only a signed one counts; one that halts counts unsigned too: all it can do is stop.
    """
    found: list[tuple[tuple[bool, str, int], Received[Heartbeat]]] = []
    for entry in lost.folder.list_folder(HEARTBEAT_FOLDER):
        try:
            raw = lost.folder.read(f"{HEARTBEAT_FOLDER}/{entry.name}") or b""
            received = decode_heartbeat(raw, entry.name)
            if received.body.halt_since is None and lost.folder.key is not None:
                received = decode_heartbeat(raw, entry.name, lost.folder.key)
        except (MessageError, FolderError):
            continue  # half a heartbeat tells nothing
        envelope = received.envelope
        if received.body.role == "executor" and envelope is not None and _is_ours(envelope, lost):
            halted = lost.folder.key is not None and received.body.halt_since is not None
            found.append(((halted, str(envelope.epoch), envelope.seq), received))
    return max(found, key=lambda pair: pair[0])[1] if found else None


def _is_ours(envelope: Envelope, lost: Lost) -> bool:
    mine = (lost.mode, lost.account, f"executor@{host_name()}")
    return (envelope.mode, envelope.account, envelope.writer) == mine
