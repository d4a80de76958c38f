"""Each of these brought a process down or was believed, until the fuzz ring found it."""

from __future__ import annotations

import orjson
import pytest

from shared_schema.errors import MessageError
from shared_schema.messages import (
    decode_account,
    decode_heartbeat,
    decode_quote,
    decode_result,
    decode_signal,
    reads_as_halt,
    signal_digest,
)
from test_offline.fuzz import examples
from test_offline.fuzz.runner import random_of
from test_offline.fuzz.strict_json import sealed
from tests.execution.bench import Bench, signal_of

READERS = {
    "signal": (examples.signal, decode_signal),
    "result": (examples.result, decode_result),
    "quote": (examples.quote, decode_quote),
    "account": (examples.account, decode_account),
    "heartbeat": (examples.heartbeat, decode_heartbeat),
}
RANDOM = random_of(1, "found", 1)


def file_of(payload: dict[str, object]) -> bytes:
    return orjson.dumps(sealed(payload))


def nested(depth: int) -> bytes:
    return b"[" * depth + b"]" * depth


@pytest.mark.parametrize("kind", READERS)
@pytest.mark.parametrize("depth", [65, 260, 900, 1023])
def test_a_deeply_nested_file_stops_no_reader(kind: str, depth: int) -> None:
    """Depths that orjson reads and can't write again (over 254) are refused like any other."""
    example, read = READERS[kind]
    raw = orjson.dumps(example(RANDOM)).replace(b'"epoch":"e1"', b'"epoch":' + nested(depth), 1)
    assert nested(depth) in raw
    with pytest.raises(MessageError) as refused:
        read(raw)
    assert refused.value.error_code == "unreadable"


def test_a_deeply_nested_halt_is_a_halt() -> None:
    """What can't be read halts, however it can't be read."""
    raw = b'{"halt": false, "checksum": "", "by": ' + nested(300) + b"}"
    assert reads_as_halt(raw)[0]


def test_a_price_beyond_all_numbers_stops_no_executor() -> None:
    """1e306 yuan has no whole thousandths; the signal is refused like any fat finger."""
    bench = Bench()
    bench.drop(signal_of(price=1e306))
    assert bench.submits == [] and bench.state() == "rejected"
    one, other = signal_of(price=1e306), signal_of(price=1.1e306)
    assert signal_digest(one, None) != signal_digest(other, None)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("trading_day", "159201.SZ"),
        ("trading_day", "2026-13-45"),
        ("trading_day", ""),
        ("writer", "grid"),
        ("writer", ""),
        ("epoch", ""),
        ("seq", -1),
        ("account", ""),
    ],
)
def test_an_envelope_that_says_nothing_usable_is_refused(field: str, value: object) -> None:
    """A well sealed file whose day is no day, or whose writer nobody can be bound to, is not taken."""
    with pytest.raises(MessageError):
        decode_signal(file_of(examples.signal(RANDOM) | {field: value}))


def test_bars_out_of_step_give_no_bar_anothers_price() -> None:
    """Columns of different length are refused; a column that is left out is not told."""
    whole = examples.quote(RANDOM)
    columns = whole["bars"]["159201.SZ"]
    short = {**columns, "low": columns["low"][1:] or [1.0, 1.0]}
    with pytest.raises(MessageError):
        decode_quote(file_of(whole | {"bars": {"159201.SZ": short}}))
    without = {name: column for name, column in columns.items() if name != "low"}
    decode_quote(file_of(whole | {"bars": {"159201.SZ": without}}))


def filled(**changes: object) -> dict[str, object]:
    trades = [{"trade_id": "t1", "price": 1.2, "shares": 1000, "time": examples.NOW}]
    plain = {
        "state": "filled",
        "status": "success",
        "requested_shares": 1000,
        "filled_shares": 1000,
        "trades": trades,
    }
    return examples.result(RANDOM) | plain | changes


@pytest.mark.parametrize(
    "changes",
    [
        {"filled_shares": 900},
        {"filled_shares": -1000},
        {"average_price": -1.2},
        {"trades": [{"trade_id": "t1", "price": -1.2, "shares": 1000, "time": 1.0}]},
        {"trades": []},
        {"status": "pending"},
        {"status": "failed"},
        {"state": "submitted"},
        {"trades": [{"trade_id": "t1", "price": 1.2, "shares": 500, "time": 1.0}] * 2},
    ],
)
def test_a_fill_without_its_trades_is_never_booked(changes: dict[str, object]) -> None:
    """I5 holds for readers too: a sealed result whose words, shares and trades disagree is refused."""
    decode_result(file_of(filled()))
    with pytest.raises(MessageError):
        decode_result(file_of(filled(**changes)))


@pytest.mark.parametrize("damage", [{"price": float("nan")}, {"price": float("inf")}, {"time": float("nan")}])
def test_a_trade_that_is_no_number_halts_and_stops_no_executor(damage: dict[str, float]) -> None:
    """A terminal that reports a price or time of NaN is an impossible event (54), never an exception."""
    bench = Bench()
    bench.drop(signal_of())
    bench.placed(signal_of().signal_id)
    bench.trade(bench.seen_trade(shares=400, **damage))
    assert bench.core.halt_since is not None and bench.row().trades == ()
