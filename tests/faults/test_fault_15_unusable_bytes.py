"""Faults 15 and 18: empty, padded, foreign or hostile bytes are no order; each is put apart or refused."""

from __future__ import annotations

import orjson
import pytest

from shared_schema.messages import encode
from shared_schema.messages.record import SMALL_FILE
from tests.execution.bench import Bench, envelope_of, of_kind, signal_of
from windows_side.execution.actions import Archive, CopyToQuarantine, MoveToQuarantine

WHOLE = encode(envelope_of(), signal_of("s1"))
SEED = (
    b'{"signal_id": "s1", "code": "159201.SZ", "direction": "BUY", "price": %b, "shares": %b, "timestamp": 1}'
)
UNDATED = {
    "empty": b"",
    "zero-filled": bytes(400),
    "NUL-padded": WHOLE + bytes(64),
    "GBK": '{"reason": "买入"}'.encode("gbk"),
    "UTF-16": WHOLE.decode().encode("utf-16"),
    "deep nesting": b"[" * 5000 + b"]" * 5000,
    "duplicate keys": b'{"signal_id": "s1", "signal_id": "s2"}',
    "NaN": SEED % (b"NaN", b"1000"),
    "Infinity": SEED % (b"Infinity", b"1000"),
    "too large": WHOLE[:-1] + b" " * SMALL_FILE + b"}",
    "a list": b"[1, 2]",
}
WHOLE_BUT_WRONG = {
    "1e400": SEED % (b"1e400", b"1000"),
    "huge int": SEED % (b"1.2", b"9" * 30),
    "minus": SEED % (b"-1.2", b"1000"),
    "text": SEED % (b'"1.2"', b"1000"),
}


@pytest.mark.parametrize("kind", UNDATED)
def test_what_cannot_be_read_goes_to_quarantine_once_it_has_settled(kind: str) -> None:
    """No order, no row; a moment later it may still be whole, so it is moved only after it stood still."""
    bench = Bench()
    first = bench.tell(bench.raw_file(UNDATED[kind][: SMALL_FILE + 1]))
    assert not of_kind(first, MoveToQuarantine)
    bench.now = bench.now.__class__(bench.now.wall + 6, bench.now.market + 6)
    second = bench.tell(bench.raw_file(UNDATED[kind][: SMALL_FILE + 1]))
    apart = of_kind(second, MoveToQuarantine) + of_kind(second, CopyToQuarantine)
    assert len(apart) == 1 and not bench.submits and not bench.core.book.everything()


@pytest.mark.parametrize("kind", WHOLE_BUT_WRONG)
def test_a_whole_file_with_a_senseless_number_places_nothing(kind: str) -> None:
    """Refused with a result where its id can be trusted, else put apart: nothing reaches the broker."""
    bench = Bench()
    seen = bench.tell(bench.raw_file(WHOLE_BUT_WRONG[kind]))
    bench.now = bench.now.__class__(bench.now.wall + 6, bench.now.market + 6)
    seen += bench.tell(bench.raw_file(WHOLE_BUT_WRONG[kind]))
    assert not bench.submits
    assert of_kind(seen, Archive) or of_kind(seen, MoveToQuarantine) or of_kind(seen, CopyToQuarantine)


def test_the_whole_file_is_an_order() -> None:
    """Or the refusals above would prove nothing; a byte order mark and line ends of Windows pass."""
    for raw in (
        WHOLE,
        b"\xef\xbb\xbf" + WHOLE,
        orjson.dumps(orjson.loads(WHOLE), option=orjson.OPT_INDENT_2),
    ):
        bench = Bench()
        bench.tell(bench.raw_file(raw.replace(b"\n", b"\r\n")))
        assert bench.state("s1") == "submitted"
