"""``shared_quote.json``: the latest quotes, 1-minute bars and the real position."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, model_validator

from shared_schema.ids import Code
from shared_schema.integrity import Key
from shared_schema.messages.record import LARGE_FILE, Received, Record, decode

Prices = Annotated[tuple[float, ...], Field(strict=False)]
Counts = Annotated[tuple[int, ...], Field(strict=False)]
BARS_SHOWN = 240
"""Bars of a code in the quote file: a trading day, so that a dashboard that was away catches up."""


class Position(Record):
    """What the account holds of one code."""

    volume: int = 0
    """Shares held."""
    can_use_volume: int = 0
    """Shares that may be sold today (T+1)."""
    open_price: float = 0.0
    """Average cost, yuan a share."""
    market_value: float = 0.0
    """Yuan."""


class Quote(Record):
    """One code's latest quote. Prices in yuan, volumes in shares, amount in yuan."""

    price: float
    open: float = 0.0
    high: float = 0.0
    low: float = 0.0
    pre_close: float = 0.0
    volume: int = 0
    """Shares traded today so far."""
    amount: float = 0.0
    bid: Prices = ()
    """Best first, 5 prices; 0 where that side of the book is empty."""
    ask: Prices = ()
    bid_volume: Counts = ()
    ask_volume: Counts = ()
    limit_up: float = 0.0
    """0 where unknown."""
    limit_down: float = 0.0
    status: str = ""
    """"trading", "suspended", "closed" or "" where unknown."""
    tick_time: float = 0.0
    """Unix seconds (market time) of the tick."""


class MinuteBars(Record):
    """Columns of 1-minute bars, oldest first, all of one length; ``time`` is the bar's end."""

    time: Prices = ()
    open: Prices = ()
    high: Prices = ()
    low: Prices = ()
    close: Prices = ()
    volume: Prices = ()
    """Shares."""

    @model_validator(mode="after")
    def _one_length(self) -> MinuteBars:
        # An empty column is not told. Columns out of step would give every later bar another bar's price.
        columns = (self.time, self.open, self.high, self.low, self.close, self.volume)
        if len({len(column) for column in columns if column}) > 1:
            raise ValueError("columns of different length")
        return self


class QuoteSnapshot(Record):
    """The whole quote file; the seed's fields speak of the first configured code."""

    code: Code
    price: float
    preClose: float = 0.0
    history: Prices = ()
    """Closes of 1-minute bars, oldest first, at least 80."""
    position: Position = Position()
    time: str = ""
    """``HH:MM:SS``"""
    quotes: dict[Code, Quote] = {}
    bars: dict[Code, MinuteBars] = {}
    positions: dict[Code, Position] = {}
    complete: bool = True
    """False when a query failed: then nothing in here means "none"."""


SEED_FIELDS = frozenset({"code", "price", "preClose", "history", "position", "time"})


def decode_quote(raw: bytes, where: str = "", key: Key | None = None) -> Received[QuoteSnapshot]:
    """The quote file in ``raw``; raises MessageError."""
    return decode(raw, QuoteSnapshot, where=where, seed_fields=SEED_FIELDS, limit=LARGE_FILE, key=key)
