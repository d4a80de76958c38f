"""From bytes under a name to what they are."""

from __future__ import annotations

import orjson
import pytest

from shared_schema.clock import Moment
from shared_schema.drop_folder import classify
from shared_schema.drop_folder.names import signal_name
from shared_schema.ids import SignalId
from shared_schema.integrity import Key
from shared_schema.messages import encode
from tests.execution.bench import OPEN_AT, envelope_of, signal_of
from windows_side.execution.intake import Intake, KeepApart, LeaveAlone, RefusedFile, SignalFile, SignalIntake

WHOLE = encode(envelope_of(), signal_of("s1"))
SLOT = "order_signal.json"


def look(raw: bytes, name: str = SLOT, at: float = 0.0, intake: SignalIntake | None = None) -> Intake:
    """What the file is, ``at`` seconds after the first look."""
    return (intake or SignalIntake()).look(
        classify(name), raw, Moment(OPEN_AT + at, OPEN_AT + at), 100.0 + at
    )


def test_a_whole_signal_under_its_own_name() -> None:
    """In the slot, or under its id."""
    for name in (SLOT, signal_name(SignalId("s1"))):
        found = look(WHOLE, name)
        assert isinstance(found, SignalFile) and found.received.body == signal_of("s1")


@pytest.mark.parametrize(
    "name", ["order_signal_s2.json", "order_signal_s1-HOST.json", "order_signal_s1 2.json"]
)
def test_a_whole_signal_under_another_name_is_a_copy(name: str) -> None:
    """At once: nothing of it can still change for the better."""
    found = look(WHOLE, name)
    assert isinstance(found, KeepApart) and found.reason["reason"] == "conflict_copy" and not found.copy


def test_a_bad_signal_under_another_name_is_a_copy_too() -> None:
    """Or it would burn the id of the real one."""
    raw = b'{"signal_id": "s1", "shares": "x"}'
    assert isinstance(look(raw, "order_signal_s2.json"), KeepApart)
    refused = look(raw, "order_signal_s1.json")
    assert isinstance(refused, RefusedFile) and refused.signal_id == "s1"


def test_a_hostile_id_is_refused_under_its_hashed_name() -> None:
    """Rule 8 both ways."""
    raw = orjson.dumps({"signal_id": "../../x"})
    assert isinstance(look(raw, signal_name(SignalId("../../x"))), RefusedFile)


def test_a_damaged_file_that_can_be_dated_is_copied_and_stays_until_it_expires() -> None:
    """A sync tool may still complete it; past its own expiry it goes."""
    intake = SignalIntake()
    damaged = WHOLE.replace(b'"shares":1000', b'"shares":2000')
    found = [look(damaged, at=at, intake=intake) for at in (0.0, 4.9, 5.0, 20.0, 300.0, 300.1)]
    assert [type(one) for one in found[:2]] == [LeaveAlone, LeaveAlone]
    assert isinstance(found[2], KeepApart) and found[2].copy and found[2].reason["reason"] == "damaged"
    assert isinstance(found[3], LeaveAlone)
    assert isinstance(found[4], KeepApart) and not found[4].copy


def test_a_file_that_cannot_be_dated_goes_once_it_has_settled() -> None:
    """Half a JSON has no expiry."""
    intake = SignalIntake()
    found = [look(WHOLE[:50], at=at, intake=intake) for at in (0.0, 5.0)]
    assert isinstance(found[0], LeaveAlone) and isinstance(found[1], KeepApart) and not found[1].copy


def test_a_newer_version_is_left_alone_for_ever() -> None:
    """Kept for the program that knows it."""
    from shared_schema.integrity import checksum

    payload = {"schema_version": 3, "signal_id": "s1"}
    raw = orjson.dumps(payload | {"checksum": checksum(payload)})
    intake = SignalIntake()
    assert {look(raw, at=at, intake=intake) for at in (0.0, 10.0, 1e6)} == {LeaveAlone("unknown_version")}


def test_an_unsigned_file_is_put_apart_where_a_key_is_configured() -> None:
    """It names nobody who could be answered."""
    intake = SignalIntake(Key(b"k"))
    found = [look(WHOLE, at=at, intake=intake) for at in (0.0, 5.0)]
    assert isinstance(found[1], KeepApart) and found[1].reason["reason"] == "bad_signature"
    signed = encode(envelope_of(), signal_of("s1"), Key(b"k"))
    assert isinstance(look(signed, intake=intake), SignalFile)
