"""A ledger made again where a key is in use: unsigned files give their ids away and nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest

from shared_schema.clock import host_name
from shared_schema.drop_folder import DropFolder
from shared_schema.drop_folder.names import (
    DONE_FOLDER,
    HEARTBEAT_FOLDER,
    RESULTS_FOLDER,
    done_name,
    heartbeat_name,
    result_name,
)
from shared_schema.errors import StateError
from shared_schema.ids import AccountAlias, InstanceId, OrderId, SignalId
from shared_schema.integrity import Key
from shared_schema.keys import new_key
from shared_schema.messages import Heartbeat, OrderResult, encode
from tests.execution.bench import ACCOUNT, OPEN_AT, envelope_of, signal_of
from windows_side.execution.rebuild import Rebuilt, rebuild
from windows_side.execution.second_counter import SecondCounter
from windows_side.ledger_opening import open_guarded
from windows_side.recovery import Lost, gather, newest_heartbeat

KEY = new_key()
OURS = f"executor@{host_name()}"


@pytest.fixture
def lost(tmp_path: Path) -> Lost:
    """A ledger that is gone; its folder is read with a key."""
    folder = DropFolder(tmp_path / "exchange", key=KEY)
    folder.disk.make_folder(folder.path)
    folder.prepare()
    counter = SecondCounter(tmp_path / "count")
    return Lost(tmp_path / "ledger", "simulate", AccountAlias(ACCOUNT), folder, counter, tmp_path / "books")


def lay(lost: Lost, identity: str, key: Key | None, state: str = "rejected") -> None:
    """An archived signal and its result, signed with ``key``."""
    signal_id = SignalId(identity)
    raw = encode(envelope_of(), signal_of(identity), key)
    lost.folder.publish(f"{DONE_FOLDER}/{done_name(signal_id)}", raw)
    body = OrderResult.model_validate(
        {"signal_id": identity, "status": "failed", "timestamp": OPEN_AT, "state": state, "revision": 2,
         "requested_shares": 1000, "filled_shares": 0, "order_id": OrderId("")}
    )  # fmt: skip
    shown = encode(envelope_of(writer=OURS), body, key)
    lost.folder.publish(f"{RESULTS_FOLDER}/{result_name(signal_id)}", shown)


def recovered(lost: Lost) -> Rebuilt:
    """The rows that are left."""
    return rebuild(gather(lost), lost.account, OPEN_AT + 60)


def test_a_signed_signal_and_its_result_make_a_row(lost: Lost) -> None:
    """As without a key."""
    lay(lost, "s1", KEY)
    rebuilt = recovered(lost)
    assert [(order.signal_id, order.state) for order in rebuilt.orders] == [("s1", "rejected")]
    assert rebuilt.settled_ids == ()


@pytest.mark.parametrize("key", [None, new_key()], ids=["unsigned", "another key"])
def test_of_unsigned_files_the_id_alone_is_kept(lost: Lost, key: Key | None) -> None:
    """No row says "rejected" because somebody wrote so; the id is never executed again, and is reported."""
    lay(lost, "s1", key)
    evidence = gather(lost)
    rebuilt = recovered(lost)
    assert rebuilt.orders == () and rebuilt.settled_ids == ("s1",)
    assert rebuilt.writers == {} and len(evidence.unreadable) == 2


def test_a_forged_result_does_not_end_a_signed_signal(lost: Lost) -> None:
    """The archive is ours, its result is not: nobody knows how it ended."""
    lay(lost, "s1", KEY)
    lay_forged = OrderResult.model_validate(
        {"signal_id": "s1", "status": "failed", "timestamp": OPEN_AT, "state": "rejected", "revision": 9,
         "requested_shares": 1000, "filled_shares": 0}
    )  # fmt: skip
    raw = encode(envelope_of(writer=OURS), lay_forged, None)
    lost.folder.publish(f"{RESULTS_FOLDER}/{result_name(SignalId('s1'))}", raw)
    rebuilt = recovered(lost)
    assert rebuilt.unknown == ["s1"] and rebuilt.settled_ids == ()


@pytest.mark.parametrize(
    ("key", "halted", "counts"), [(KEY, False, True), (None, False, False), (None, True, True)]
)
def test_an_unsigned_heartbeat_counts_only_where_it_halts(
    lost: Lost, key: Key | None, halted: bool, counts: bool
) -> None:
    """It may stop; it may not say that nothing was halted."""
    instance = InstanceId("simulate-1")
    since = OPEN_AT if halted else None
    body = Heartbeat(role="executor", instance=instance, ready=True, state="ready", halt_since=since)
    raw = encode(envelope_of(writer=OURS), body, key)
    lost.folder.publish(f"{HEARTBEAT_FOLDER}/{heartbeat_name('executor', instance)}", raw)
    assert (newest_heartbeat(lost) is not None) is counts


def test_unsigned_traces_still_keep_a_first_ledger_from_being_made(lost: Lost) -> None:
    """At the start anything that tells of an earlier ledger stops, signed or not: all it can do is stop."""
    lay(lost, "s1", None)
    with pytest.raises(StateError):
        open_guarded(lost.path, "simulate", lost.account, lost.folder, lost.counter)
