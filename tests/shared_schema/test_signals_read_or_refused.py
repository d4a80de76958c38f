"""A signal's bytes are the signal that was written, or refused by name: never another order."""

from __future__ import annotations

import math
from typing import Any

import orjson
import pytest

from shared_schema.errors import MessageError
from shared_schema.integrity import Key, checksum
from shared_schema.messages import (
    decode_signal,
    encode,
    signal_digest,
)
from shared_schema.messages.record import SMALL_FILE
from tests.execution.bench import envelope_of, signal_of

KEY = Key(b"secret")


def refusal(raw: bytes, **more: Any) -> MessageError:
    """Why ``raw`` is no signal."""
    with pytest.raises(MessageError) as raised:
        decode_signal(raw, "order_signal.json", **more)
    assert str(raised.value) and raised.value.error_code in str(raised.value.key)
    return raised.value


def seed(**changes: object) -> dict[str, object]:
    """A signal in the seed's format."""
    plain = {
        "signal_id": "s1",
        "code": "159201.SZ",
        "direction": "BUY",
        "price": 1.2,
        "shares": 1000,
        "timestamp": 1.0,
    }
    return plain | changes


def sealed(**changes: object) -> bytes:
    """A version 2 file whose payload was changed before it was sealed."""
    payload = orjson.loads(encode(envelope_of(), signal_of())) | changes
    payload = {name: value for name, value in payload.items() if value != "DROP"}
    payload.pop("checksum")
    return orjson.dumps(payload | {"checksum": checksum(payload)})


@pytest.mark.parametrize(
    ("raw", "code", "damaged"),
    [
        (b"", "unreadable", True),
        (b"\xff\xfe{}", "unreadable", True),
        (b"null", "not_an_object", True),
        (b'"text"', "not_an_object", True),
        (b"[]", "not_an_object", True),
        (b'{"signal_id": "s1", "price": NaN}', "unreadable", True),
        (b'{"signal_id": "s1", "price": Infinity}', "unreadable", True),
        (b'{"signal_id": "s1", "price": 1e400}', "unreadable", True),
        (b'{"price": 1, "price": 2}', "duplicate_key", True),
        (b'{"a": {"b": 1, "b": 2}}', "duplicate_key", True),
        (b"[" * 100_000, "too_large", False),
        (b"[" * 60_000, "unreadable", True),
        (b'{"a":' * 900 + b"1" + b"}" * 900, "unreadable", True),
        ('{"reason": "买入"}'.encode("gbk"), "unreadable", True),
        (b" " * (SMALL_FILE + 1), "too_large", False),
        (b'{"schema_version": 2}', "damaged", True),
        (b'{"signal_id": "s1", "writer": "x"}', "damaged", True),
        (b'{"signal_id": "s1", "signature": "x"}', "damaged", True),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_is_no_message_names_no_id(raw: bytes, code: str, damaged: bool) -> None:
    """The id of a file that can't be read whole is never trusted; "damaged" may still be mended."""
    problem = refusal(raw)
    assert (problem.error_code, problem.damaged, problem.signal_id) == (code, damaged, None)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"shares": 100.7}, "wrong_type"),
        ({"shares": 100.0}, "wrong_type"),
        ({"shares": "1000"}, "wrong_type"),
        ({"shares": True}, "wrong_type"),
        ({"shares": None}, "wrong_type"),
        ({"shares": [1]}, "wrong_type"),
        ({"shares": 0}, "out_of_range"),
        ({"shares": 10**30}, "wrong_type"),
        ({"price": True}, "wrong_type"),
        ({"price": "1.2"}, "wrong_type"),
        ({"price": -1.2}, "out_of_range"),
        ({"timestamp": "now"}, "wrong_type"),
        ({"direction": "buy"}, "out_of_range"),
        ({"layer_index": -1}, "out_of_range"),
        ({"extra": 1}, "unknown_field"),
        ({"strategy": "grid"}, "unknown_field"),
        ({"shares": "DROP"}, "missing_field"),
        ({"signal_id": "../../x"}, "bad_id"),
        ({"signal_id": "CON"}, "bad_id"),
        ({"signal_id": "nul.txt"}, "bad_id"),
        ({"signal_id": "x" * 300}, "bad_id"),
        ({"signal_id": "a\nb"}, "bad_id"),
        ({"signal_id": "买"}, "bad_id"),
    ],
    ids=str,
)
def test_a_whole_but_wrong_seed_signal_names_its_id(changes: dict[str, object], code: str) -> None:
    """A stable word, and the id of whoever waits for an answer."""
    payload = {name: value for name, value in seed(**changes).items() if value != "DROP"}
    raw = (
        orjson.dumps(payload)
        if changes.get("shares") != 10**30
        else str(payload).replace("'", '"').encode()
    )
    problem = refusal(raw)
    assert (problem.error_code, problem.signal_id, problem.damaged) == (
        code,
        payload["signal_id"],
        False,
    )


@pytest.mark.parametrize(
    "identity", [None, 7, "", True, ["s1"], "x" * 5000], ids=lambda value: repr(value)[:9]
)
def test_an_id_nobody_can_be_answered_by_is_not_trusted(identity: object) -> None:
    """There is nobody to answer."""
    assert refusal(orjson.dumps(seed(signal_id=identity))).signal_id is None


@pytest.mark.parametrize(
    ("changes", "code", "trusted"),
    [
        ({"schema_version": 3}, "unknown_version", None),
        ({"schema_version": 1}, "bad_version", "BUY_159201.SZ_L1_00000001"),
        ({"schema_version": "2"}, "bad_version", "BUY_159201.SZ_L1_00000001"),
        ({"schema_version": 2.0}, "wrong_type", "BUY_159201.SZ_L1_00000001"),
        ({"seq": "1"}, "wrong_type", "BUY_159201.SZ_L1_00000001"),
        ({"mode": "paper"}, "out_of_range", "BUY_159201.SZ_L1_00000001"),
        ({"writer": "DROP"}, "missing_field", "BUY_159201.SZ_L1_00000001"),
        ({"strategy": "DROP"}, "missing_field", "BUY_159201.SZ_L1_00000001"),
        ({"action": "cancel"}, "missing_field", "BUY_159201.SZ_L1_00000001"),
        ({"price_type": "market"}, "out_of_range", "BUY_159201.SZ_L1_00000001"),
        ({"future": 1}, "unknown_field", "BUY_159201.SZ_L1_00000001"),
    ],
    ids=str,
)
def test_a_sealed_but_wrong_signal(changes: dict[str, object], code: str, trusted: str | None) -> None:
    """Fault 17: refused with its word; a newer version is nobody's to answer."""
    problem = refusal(sealed(**changes))
    assert (problem.error_code, problem.signal_id, problem.damaged) == (code, trusted, False)


@pytest.mark.slow
def test_no_flipped_bit_gives_another_signal() -> None:
    """Fault 16, at every byte, three bits each: refused, or the very same signal (1E2 is 1e2)."""
    whole = decode_signal(encode(envelope_of(), signal_of()))
    for index in range(len(whole.raw)):
        for bit in (0, 3, 5):
            raw = bytearray(whole.raw)
            raw[index] ^= 1 << bit
            try:
                read = decode_signal(bytes(raw))
            except MessageError as problem:
                assert problem.signal_id is None or problem.error_code == "unknown_field", (
                    index,
                    problem,
                )
            else:
                assert (read.body, read.envelope) == (whole.body, whole.envelope), index


def test_no_truncation_is_a_signal() -> None:
    """Fault 14, at every byte: damaged, so it is read again."""
    raw = encode(envelope_of(), signal_of())
    for length in range(len(raw)):
        problem = refusal(raw[:length])
        assert problem.damaged and problem.signal_id is None


def test_a_byte_order_mark_and_line_ends_are_read() -> None:
    """Windows tools write both."""
    raw = b"\xef\xbb\xbf" + orjson.dumps(seed(), option=orjson.OPT_INDENT_2).replace(b"\n", b"\r\n")
    assert decode_signal(raw).body.signal_id == "s1"


def test_a_key_asks_for_its_signature() -> None:
    """Unsigned, signed by another key, or changed and sealed again: refused."""
    signed = encode(envelope_of(), signal_of(), KEY)
    assert decode_signal(signed, key=KEY).signed
    assert not decode_signal(signed).signed
    for raw in (encode(envelope_of(), signal_of()), encode(envelope_of(), signal_of(), Key(b"other"))):
        assert refusal(raw, key=KEY).error_code == "bad_signature"


def test_a_digest_names_one_signal() -> None:
    """Each field it is taken over changes it; a price's last float digit does not."""
    plain, stamp = signal_of(), envelope_of()
    digest = signal_digest(plain, stamp)
    changes: list[dict[str, object]] = [
        {"signal_id": "x"},
        {"code": "512890.SH"},
        {"direction": "SELL"},
        {"price": 1.201},
        {"shares": 1100},
        {"timestamp": 5.0},
        {"expires_at": 7.0},
        {"strategy": "other"},
        {"action": "cancel", "target_signal_id": "t"},
    ]
    others = [signal_digest(signal_of(**change), stamp) for change in changes]  # type: ignore[arg-type]
    others += [
        signal_digest(plain, envelope_of(mode="live")),
        signal_digest(plain, envelope_of(account="b")),
    ]
    assert len({digest, *others}) == len(others) + 1
    assert signal_digest(signal_of(price=math.nextafter(1.2, 2)), stamp) == digest
    assert signal_digest(signal_of(reason="other words"), envelope_of(seq=9)) == digest
