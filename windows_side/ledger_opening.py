"""Opening the executor's ledger: is it there, is it this machine's, and is it the newest one?

Nothing is made anew where anything tells of an earlier ledger, and a ledger that something else has
counted further is held: a backup put back has forgotten what it did (faults 21, 22, 35).
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from shared_schema.clock import host_name, new_epoch
from shared_schema.drop_folder import DropFolder
from shared_schema.drop_folder.archive import result_files, signal_archives
from shared_schema.drop_folder.names import HEARTBEAT_FOLDER, heartbeat_name
from shared_schema.errors import FolderError, MessageError, StateError
from shared_schema.ids import AccountAlias, InstanceId, Mode
from shared_schema.messages import Envelope, decode_heartbeat, decode_result, decode_signal
from shared_schema.points import Reach, pass_by
from shared_schema.words import say
from windows_side.execution.halt_latch import PUT_BACK, HaltLatch
from windows_side.execution.ledger import BOUND_TO, HALT, INSTANCE, Ledger, new_meta
from windows_side.execution.second_counter import Counted, SecondCounter
from windows_side.execution.sqlite_ledger import SqliteLedger


@dataclass(frozen=True)
class OpenedLedger:
    """A ledger that may be used, and what speaks against its being the newest one."""

    ledger: SqliteLedger
    put_back: str
    """Why it can't be the newest, in words; "" where nothing tells so."""


def counter_path(ledger: Path, folder: Path) -> Path:
    """The second file of a ledger, in ``folder``."""
    return folder / (ledger.stem + ".count")


def open_guarded(
    path: Path,
    mode: Mode,
    account: AccountAlias,
    folder: DropFolder,
    counter: SecondCounter,
    reach: Reach = pass_by,
    *,
    may_be_first: bool = True,
) -> OpenedLedger:
    """The ledger of one account and mode. Raises StateError where it is missing, damaged or another's.

    A first one is made only where neither ``counter`` nor results or archives in ``folder`` tell of an
    earlier one; in an OFFLINE folder, whose files anybody may delete, always; and never without
    ``may_be_first``: a live one is made by a person (``miniqmt arm``).
    """
    is_new = not path.exists()
    if is_new and not may_be_first:
        raise StateError("arming.no_live_ledger", path)
    if is_new and not folder.is_offline():
        refuse_first_ledger(path, mode, account, folder, counter)
    ledger = open_ledger(path, mode, account, reach)
    try:
        counted = None if is_new else _read(counter)
        reason = counted if isinstance(counted, str) else _put_back(ledger, counted, counter.path, folder)
        if not reason:
            instance = InstanceId(ledger.load().meta[INSTANCE])
            counter.write(Counted(ledger.ledger_id, ledger.commits, instance))
    except BaseException:
        ledger.close()
        raise
    return OpenedLedger(ledger, reason)


def diagnosis(
    path: Path, mode: Mode, account: AccountAlias, folder: DropFolder, counter: SecondCounter
) -> str:
    """What is wrong with the ledger, in words; "" where nothing is. Changes nothing of it."""
    try:
        if not path.exists():
            refuse_first_ledger(path, mode, account, folder, counter)
            return ""
        ledger = open_ledger(path, mode, account)
    except StateError as problem:
        return str(problem)
    try:
        held = HaltLatch.from_json(ledger.load().meta.get(HALT, {})).active.get(PUT_BACK)
        counted = _read(counter)
        found = counted if isinstance(counted, str) else _put_back(ledger, counted, counter.path, folder)
        return found or (held.reason if held is not None else "")
    except StateError as problem:
        return str(problem)
    finally:
        ledger.close()


def open_ledger(
    path: Path, mode: Mode, account: AccountAlias, reach: Reach = pass_by, host: str = ""
) -> SqliteLedger:
    """The ledger at ``path``, made where there is none. Raises StateError where it is bound elsewhere."""
    host = host or host_name()
    ledger = SqliteLedger(path, lambda: new_meta(mode, account, host, new_epoch(time.time())), reach)
    bound = ledger.load().meta[BOUND_TO]
    asked = {"mode": mode, "account": account}
    try:
        if {key: bound[key] for key in asked} != asked:
            told = f"{bound['mode']}/{bound['account']}"
            raise StateError("executor.ledger_bound", path, bound=told, asked=f"{mode}/{account}")
        if bound["host"] != host:
            raise StateError("recovery.ledger_other_machine", path, bound=bound["host"], host=host)
    except BaseException:
        ledger.close()
        raise
    return ledger


def refuse_first_ledger(
    path: Path, mode: Mode, account: AccountAlias, folder: DropFolder, counter: SecondCounter
) -> None:
    """Raise StateError where anything tells that there was a ledger before."""
    evidence = next(iter(traces_of_earlier(mode, account, folder, counter)), None)
    if evidence is not None:
        raise StateError("recovery.ledger_missing", path, evidence=evidence)


def traces_of_earlier(
    mode: Mode, account: AccountAlias, folder: DropFolder, counter: SecondCounter
) -> Iterator[str]:
    """Files that only an executor with a ledger of this mode and account leaves. Raises FolderError.

    Archives in the seed's format carry no mode and were often left by the seed itself: they tell nothing.
    """
    if counter.path.exists():
        yield str(counter.path)
    for name in result_files(folder):
        if _is_of(_result_envelope(folder, name), mode, account):
            yield name
    for name in signal_archives(folder):
        if _is_of(_signal_envelope(folder, name), mode, account):
            yield name


def _result_envelope(folder: DropFolder, name: str) -> Envelope | None:
    try:
        return decode_result(folder.read(name) or b"", name).envelope
    except (MessageError, FolderError):
        return None  # what can't be read is no trace; the others are looked at


def _signal_envelope(folder: DropFolder, name: str) -> Envelope | None:
    try:
        return decode_signal(folder.read(name) or b"", name).envelope
    except (MessageError, FolderError):
        return None


def _is_of(envelope: Envelope | None, mode: Mode, account: AccountAlias) -> bool:
    return envelope is not None and (envelope.mode, envelope.account) == (mode, account)


def _read(counter: SecondCounter) -> Counted | str | None:
    try:
        return counter.read()
    except StateError:
        return say("recovery.counter_damaged", where=counter.path)


def _put_back(ledger: Ledger, counted: Counted | None, where: Path, folder: DropFolder) -> str:
    """Why the ledger can't be the newest one, "" where it may be."""
    told = [(str(where), counted)] if counted is not None else []
    beat = _heartbeat_count(ledger, folder)
    # After ``recover`` the newest heartbeat still tells of the ledger before: there the counter decides.
    if beat is not None and (counted is None or beat[1].ledger_id == ledger.ledger_id):
        told.append(beat)
    for place, count in told:
        if count.ledger_id != ledger.ledger_id:
            return say("recovery.other_ledger", where=place, counted=count.ledger_id)
        if count.commits > ledger.commits:
            return say("recovery.behind_counter", commits=ledger.commits, where=place, counted=count.commits)
    return ""


def _heartbeat_count(ledger: Ledger, folder: DropFolder) -> tuple[str, Counted] | None:
    """What this executor's own last heartbeat says of its ledger."""
    instance = InstanceId(ledger.load().meta[INSTANCE])
    name = f"{HEARTBEAT_FOLDER}/{heartbeat_name('executor', instance)}"
    try:
        raw = folder.read(name)
        beat = decode_heartbeat(raw, name).body if raw else None
    except (MessageError, FolderError):
        return None  # half a heartbeat tells nothing
    if beat is None or beat.ledger_id is None or beat.commits is None:
        return None
    return name, Counted(beat.ledger_id, beat.commits, instance)
