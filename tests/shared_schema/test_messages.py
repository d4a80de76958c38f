"""What crosses the folder comes back as it was, or not at all: never a record nobody wrote."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some
from pydantic import ValidationError

from shared_schema.messages import (
    Account,
    AccountOrder,
    AccountSnapshot,
    AccountTrade,
    Asset,
    ExecutedSignals,
    Halt,
    Heartbeat,
    MinuteBars,
    OrderResult,
    OrderSignal,
    Position,
    Quote,
    QuoteSnapshot,
    Record,
    Seen,
    SharedPool,
    Trade,
    decode,
    decode_account,
    decode_heartbeat,
    decode_quote,
    decode_result,
    decode_signal,
    encode,
    reads_as_halt,
    status_of,
)
from shared_schema.messages.halt import halted_at
from tests.execution.bench import envelope_of, signal_of

TEXT = some.text(some.characters(exclude_categories=("Cs",)), max_size=20)
PRICE = some.floats(0.001, 1e6)
MONEY = some.floats(-1e12, 1e12)
SHARES = some.integers(1, 2**53)
TIME = some.floats(1, 4e9)
PRICES = some.lists(MONEY, max_size=5).map(tuple)
COUNTS = some.lists(SHARES, max_size=5).map(tuple)
SIDE = some.sampled_from(("BUY", "SELL"))
ID = some.from_regex(r"[A-Za-z0-9_-]{1,64}", fullmatch=True).filter(
    lambda text: text.upper() not in RESERVED
)
RESERVED = {"CON", "PRN", "AUX", "NUL"} | {f"{port}{n}" for port in ("COM", "LPT") for n in range(10)}

positions = some.builds(
    Position, volume=SHARES, can_use_volume=SHARES, open_price=MONEY, market_value=MONEY
)
quotes = some.builds(
    Quote,
    price=PRICE,
    open=MONEY,
    volume=SHARES,
    amount=MONEY,
    bid=PRICES,
    ask=PRICES,
    bid_volume=COUNTS,
    status=TEXT,
    tick_time=TIME,
    pre_close=PRICE,
    limit_up=PRICE,
)
trades = some.builds(Trade, trade_id=TEXT, price=PRICE, shares=SHARES, time=TIME)
orders = some.builds(
    AccountOrder,
    order_id=TEXT,
    code=TEXT,
    direction=SIDE,
    price=PRICE,
    shares=SHARES,
    status=some.integers(0, 255),
    remark=TEXT,
)
account_trades = some.builds(
    AccountTrade, trade_id=TEXT, order_id=TEXT, code=TEXT, direction=SIDE, price=PRICE, shares=SHARES
)
accounts = some.builds(
    Account,
    asset=some.builds(Asset, cash=MONEY),
    positions=some.dictionaries(TEXT, positions, max_size=2),
    orders=some.lists(orders, max_size=2).map(tuple),
    trades=some.lists(account_trades, max_size=2).map(tuple),
    complete=some.booleans(),
    queried_at=TIME,
)
signals = some.builds(
    OrderSignal,
    signal_id=ID,
    code=TEXT,
    direction=SIDE,
    price=PRICE,
    shares=SHARES,
    timestamp=TIME,
    reason=TEXT,
    amount=PRICE,
    layer_index=some.integers(0, 20),
    release_client_order_ids=some.lists(TEXT, max_size=3).map(tuple),
    strategy=ID,
    executor=some.none() | ID,
    expires_at=some.none() | TIME,
    cancel_after_seconds=some.floats(0, 1e5),
)
results = some.builds(
    OrderResult,
    signal_id=ID,
    status=some.just("success"),
    timestamp=TIME,
    message=TEXT,
    filled_shares=some.just(7),
    trades=trades.map(lambda trade: (trade.model_copy(update={"shares": 7}),)),
    state=some.just("filled"),
    revision=some.integers(0, 2**40),
    average_price=PRICE,
    direction=some.none() | SIDE,
)
heartbeats = some.builds(
    Heartbeat,
    role=some.just("executor"),
    instance=ID,
    ready=some.booleans(),
    state=TEXT,
    seen=some.dictionaries(
        TEXT, some.builds(Seen, epoch=TEXT, seq=SHARES, received_at=TIME), max_size=2
    ),
    applied_results=some.lists(ID, max_size=3).map(tuple),
    halt_since=some.none() | TIME,
)
snapshots = some.builds(
    QuoteSnapshot,
    code=TEXT,
    price=PRICE,
    history=PRICES,
    position=positions,
    quotes=some.dictionaries(TEXT, quotes, max_size=2),
    bars=some.dictionaries(
        TEXT, PRICES.map(lambda prices: MinuteBars(time=prices, close=prices)), max_size=2
    ),
)

ROUND_TRIPS = [
    (signals, decode_signal),
    (results, decode_result),
    (heartbeats, decode_heartbeat),
    (snapshots, decode_quote),
    (
        some.builds(AccountSnapshot, accounts=some.dictionaries(TEXT, accounts, max_size=2)),
        decode_account,
    ),
    (some.builds(Halt, halt=some.booleans(), reason=TEXT, at=TIME), lambda raw: decode(raw, Halt)),
    (
        some.builds(ExecutedSignals, signal_ids=some.lists(ID).map(tuple)),
        lambda raw: decode(raw, ExecutedSignals),
    ),
    (some.builds(SharedPool, updated_at=TIME), lambda raw: decode(raw, SharedPool)),
]


@pytest.mark.parametrize(
    ("records", "read"),
    ROUND_TRIPS,
    ids=["signal", "result", "heartbeat", "quote", "account", "halt", "executed", "pool"],
)
def test_a_record_comes_back_as_it_was(records: Any, read: Any) -> None:
    """Body and envelope are equal after the way through bytes, and the bytes are the same again."""

    @given(records, some.integers(0, 2**50), MONEY)
    @settings(max_examples=20)
    def comes_back(record: Record, seq: int, written_at: float) -> None:
        envelope = envelope_of(seq=seq, written_at=written_at)
        raw = encode(envelope, record)
        received = read(raw)
        assert (received.envelope, received.body, received.raw) == (envelope, record, raw)
        assert encode(received.envelope, received.body) == raw

    comes_back()


def test_records_are_frozen() -> None:
    """A record that was checked stays what was checked."""
    with pytest.raises(ValidationError):
        signal_of().shares = 5  # type: ignore[misc]


@pytest.mark.parametrize(
    ("raw", "halts"),
    [
        (None, True),
        (b"", True),
        (b"{", True),
        (b"{}", True),
        (b'{"halt": 0}', True),
        (b'{"halt": "false"}', True),
        (b'{"halt": false, "halt": true}', True),
        (b'{"halt": false, "extra": 1}', True),
        (b'{"halt": false, "schema_version": 2}', True),
        (b'{"halt": false}', False),
        (b'{"halt": true}', True),
    ],
)
def test_only_a_whole_plain_false_does_not_halt(raw: bytes | None, halts: bool) -> None:
    """Fault 68: whatever can't be read halts."""
    assert reads_as_halt(raw)[0] is halts


def test_when_a_halt_was_written() -> None:
    """By its own words; 0 where it has none."""
    assert [halted_at(raw) for raw in (None, b"{", b"{}", b'{"at": 5.5}')] == [0.0, 0.0, 0.0, 5.5]


@pytest.mark.parametrize(
    ("state", "filled", "status"),
    [
        ("received", 0, "pending"),
        ("accepted", 0, "pending"),
        ("submitted", 0, "pending"),
        ("partly_filled", 5, "pending"),
        ("unknown", 0, "pending"),
        ("unknown", 5, "pending"),
        ("filled", 5, "success"),
        ("partly_cancelled", 5, "success"),
        ("cancelled", 0, "failed"),
        ("rejected", 0, "failed"),
        ("expired", 0, "failed"),
        ("refused_by_broker", 0, "failed"),
        ("not_placed", 0, "failed"),
    ],
)
def test_the_seeds_three_words(state: Any, filled: int, status: str) -> None:
    """Pending until terminal; success with any fill."""
    assert status_of(state, filled) == status
