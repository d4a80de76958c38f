"""The risk: a file that was altered, forged or signed with another key is taken for the writer's word."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared_schema.errors import MessageError
from shared_schema.ids import InstanceId
from shared_schema.integrity import Key, checksum
from shared_schema.messages import (
    Account,
    AccountSnapshot,
    Halt,
    Heartbeat,
    OrderResult,
    QuoteSnapshot,
    Record,
    decode_account,
    decode_heartbeat,
    decode_quote,
    decode_result,
    decode_signal,
    encode,
    reads_as_halt,
    signal_digest,
)
from shared_schema.messages.record import UNSIGNED, signed_again
from shared_schema.words import say
from tests.execution.bench import FUND, OPEN_AT, envelope_of, signal_of

KEY, OTHER = Key(b"k" * 32), Key(b"o" * 32)
ACCOUNTS = AccountSnapshot(accounts={envelope_of().account: Account()})
RESULT = OrderResult(signal_id=signal_of().signal_id, status="failed", state="rejected", timestamp=OPEN_AT)
BEAT = Heartbeat(role="executor", instance=InstanceId("one"), ready=True)
KINDS: dict[str, tuple[Record, Callable[..., Any]]] = {
    "signal": (signal_of(), decode_signal),
    "result": (RESULT, decode_result),
    "heartbeat": (BEAT, decode_heartbeat),
    "quote": (QuoteSnapshot(code=FUND, price=1.2), decode_quote),
    "account": (ACCOUNTS, decode_account),
}
kinds = pytest.mark.parametrize("kind", KINDS)


def refusal(kind: str, raw: bytes, key: Key | None = KEY) -> MessageError:
    """Why ``raw`` is refused under ``key``."""
    with pytest.raises(MessageError) as problem:
        KINDS[kind][1](raw, kind, key)
    return problem.value


@kinds
@given(st.data())
def test_no_flipped_bit_changes_what_is_said(kind: str, data: st.DataObject) -> None:
    """Any byte altered: refused, or (another spelling of the same number) exactly the same record."""
    body, decode = KINDS[kind]
    raw = bytearray(encode(envelope_of(), body, KEY))
    raw[data.draw(st.integers(0, len(raw) - 1))] ^= data.draw(st.integers(1, 255))
    try:
        received = decode(bytes(raw), kind, KEY)
    except MessageError:
        return
    assert (received.envelope, received.body) == (envelope_of(), body) and received.signed


@kinds
def test_whoever_has_no_key_cannot_say_anything(kind: str) -> None:
    """Each field changed, dropped or added, the checksum made right: bad_signature, no id is trusted."""
    raw = encode(envelope_of(), KINDS[kind][0], KEY)
    payload = orjson.loads(raw)
    forged = []
    for name, value in payload.items():
        if name not in ("checksum", "signature"):
            forged.append({field: old for field, old in payload.items() if field != name})
            forged.append(payload | {name: f"{value}x" if isinstance(value, str) else [value]})
    forged += [payload | {"schema_version": 1}, payload | {"further": 1}]
    for fields in forged:
        bare = {name: value for name, value in fields.items() if name not in ("checksum", "signature")}
        for signature in (payload["signature"], payload["signature"].upper(), "", None, 7, ["x"]):
            sealed = bare | {"checksum": checksum(bare), "signature": signature}
            problem = refusal(kind, orjson.dumps(sealed))
            assert (problem.error_code, problem.signal_id) == ("bad_signature", None)
        problem = refusal(kind, orjson.dumps(bare | {"checksum": checksum(bare)}))
        assert (problem.error_code, problem.signal_id) == ("bad_signature", None)


@kinds
def test_unsigned_and_wrongly_keyed_files_are_refused(kind: str) -> None:
    """No signature, or that of another key; without a key of our own either is read, and it shows."""
    body, decode = KINDS[kind]
    bare, foreign = encode(envelope_of(), body), encode(envelope_of(), body, OTHER)
    assert refusal(kind, bare).error_code == refusal(kind, foreign).error_code == "bad_signature"
    assert decode(bare).carries_signature is False
    assert decode(foreign).carries_signature is True and decode(foreign).signed is False
    assert decode(encode(envelope_of(), body, KEY), kind, KEY).signed is True


@pytest.mark.parametrize("kind", ["signal", "result", "quote"])
def test_the_seeds_format_is_refused_where_a_key_is(kind: str) -> None:
    """Version 1 carries no signature: refused as such, with no id to answer."""
    seed = {"signal_id": "s1", "code": FUND, "direction": "BUY", "price": 1.2, "shares": 100}
    problem = refusal(kind, orjson.dumps(seed | {"timestamp": 1.0}))
    assert (problem.error_code, problem.signal_id) == ("version_1", None)
    assert {"version_1", "bad_signature"} == set(UNSIGNED)


def test_signed_again_changes_the_signature_and_nothing_else() -> None:
    """From no key to one, to another and back: the same signal and digest; the seed's format stays."""
    bare = encode(envelope_of(), signal_of())
    first = signed_again(bare, KEY)
    second = signed_again(first, OTHER)
    assert decode_signal(second, key=OTHER).body == signal_of()
    digests = {signal_digest((r := decode_signal(raw)).body, r.envelope) for raw in (bare, first, second)}
    assert len(digests) == 1
    assert signed_again(second, None) == bare and signed_again(first, KEY) is first
    assert signed_again(b'{"signal_id": "s1"}', KEY) == b'{"signal_id": "s1"}'


NAME = "halt.operator@mac.json"
ON, OFF = Halt(halt=True, reason="stop", by="me", at=10.0), Halt(halt=False, reason="go", by="me", at=20.0)


def test_anybody_may_halt_and_only_its_signed_writer_may_lift() -> None:
    """The safe side: unsigned, foreign, seed's and broken files halt; a lift needs key, writer and name."""
    mac = envelope_of(writer="operator@mac")
    signed = [encode(mac, ON, key) for key in (None, KEY, OTHER)]
    for halting in (*signed, b'{"reason": "x"}', b"{", None):
        assert reads_as_halt(halting, KEY, NAME)[0]
    lift = encode(mac, OFF, KEY)
    assert reads_as_halt(lift, KEY, NAME) == (False, "go")
    for no_lift in (encode(mac, OFF), encode(mac, OFF, OTHER), b'{"halt": false}', lift[:-1]):
        assert reads_as_halt(no_lift, KEY, NAME)[0]
    for other_name in ("halt.dashboard@mac.json", "halt.operator@mac2.json", "halt.json", ""):
        assert reads_as_halt(lift, KEY, other_name) == (True, say("refusals.halt_other_writer"))
    assert reads_as_halt(lift, KEY, "halt.operator@mac.1a2b3c4d.json")[0] is False
    assert reads_as_halt(encode(mac, OFF))[0] is False  # without a key as ever
