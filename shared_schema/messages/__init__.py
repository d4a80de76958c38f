"""The records that cross the folder (contract.md in code), frozen and versioned."""

from __future__ import annotations

from shared_schema.messages.account import (
    Account,
    AccountOrder,
    AccountSnapshot,
    AccountTrade,
    Asset,
    decode_account,
)
from shared_schema.messages.halt import Halt, reads_as_halt
from shared_schema.messages.heartbeat import Heartbeat, Role, Seen, decode_heartbeat
from shared_schema.messages.quote import (
    BARS_SHOWN,
    MinuteBars,
    Position,
    Quote,
    QuoteSnapshot,
    decode_quote,
)
from shared_schema.messages.record import SCHEMA_VERSION, Envelope, Received, Record, decode, encode
from shared_schema.messages.result import (
    TERMINAL_STATES,
    OrderResult,
    State,
    Status,
    Trade,
    decode_result,
    status_of,
)
from shared_schema.messages.signal import OrderSignal, decode_signal, price_text, signal_digest
from shared_schema.messages.views import ExecutedSignals, SharedPool

__all__ = [
    "BARS_SHOWN",
    "SCHEMA_VERSION",
    "TERMINAL_STATES",
    "Account",
    "AccountOrder",
    "AccountSnapshot",
    "AccountTrade",
    "Asset",
    "Envelope",
    "ExecutedSignals",
    "Halt",
    "Heartbeat",
    "MinuteBars",
    "OrderResult",
    "OrderSignal",
    "Position",
    "Quote",
    "QuoteSnapshot",
    "Received",
    "Record",
    "Role",
    "Seen",
    "SharedPool",
    "State",
    "Status",
    "Trade",
    "decode",
    "decode_account",
    "decode_heartbeat",
    "decode_quote",
    "decode_result",
    "decode_signal",
    "encode",
    "price_text",
    "reads_as_halt",
    "signal_digest",
    "status_of",
]
