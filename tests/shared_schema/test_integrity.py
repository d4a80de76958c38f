"""The seals: the same content has the same seal, other content another."""

from __future__ import annotations

from typing import Any

import orjson
from hypothesis import given, settings
from hypothesis import strategies as some

from shared_schema.integrity import Key, canonical, checksum, sign, signature_holds

TEXT = some.text(some.characters(exclude_categories=("Cs",)), max_size=10)
plain = some.none() | some.booleans() | some.integers(-(2**53), 2**53) | some.floats(-1e9, 1e9) | TEXT
payloads = some.dictionaries(
    TEXT, plain | some.lists(plain, max_size=3) | some.dictionaries(TEXT, plain), max_size=6
)


@given(payloads)
@settings(max_examples=150)
def test_a_seal_survives_the_way_through_bytes(payload: dict[str, Any]) -> None:
    """Written, read and written again, in any order of keys: the same checksum and signature."""
    again = orjson.loads(orjson.dumps(dict(reversed(payload.items()))))
    assert canonical(again) == canonical(payload)
    assert checksum(again) == checksum(payload)
    assert signature_holds(again, sign(payload, Key(b"k")), Key(b"k"))


@given(payloads, payloads)
@settings(max_examples=100)
def test_other_content_has_another_seal(one: dict[str, Any], two: dict[str, Any]) -> None:
    """1 and 1.0 and True are three things."""
    assert (checksum(one) == checksum(two)) is (canonical(one) == canonical(two))
    assert len({checksum({"a": value}) for value in (1, 1.0, True, "1")}) == 4


def test_a_signature_needs_its_key() -> None:
    """Another key, an empty, cut or foreign text: none holds, none raises."""
    payload = {"a": 1}
    signature = sign(payload, Key(b"k"))
    assert signature_holds(payload, signature, Key(b"k"))
    for wrong in ("", signature[:-1], signature.upper(), "签名", sign(payload, Key(b"other"))):
        assert not signature_holds(payload, wrong, Key(b"k"))
    assert not signature_holds({"a": 2}, signature, Key(b"k"))
