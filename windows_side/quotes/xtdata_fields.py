"""xtdata's ticks, bars and instrument details as our own records.

Lots become shares, milliseconds seconds, raw floats whole ticks. How many shares a lot is, the data
themselves tell: ``pvolume`` beside ``volume``, else the amount; nothing is taken on trust for boards
where nobody has measured it.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from shared_schema.bars_file import Bar
from shared_schema.errors import BrokerError
from shared_schema.ids import Code
from shared_schema.instruments import Board, InstrumentError, board_of, from_ticks, instrument, to_ticks
from shared_schema.messages import MinuteBars, Quote
from windows_side.brokers.qmt_fields import UNTOLD
from windows_side.quotes.opening_call import join_opening_call

LEVELS = 5
_TRADING = frozenset({12, 13, 18, 19})
_SUSPENDED = frozenset({1, 16, 17, 20, 21})
_CLOSED = frozenset({15, 22, 23})
_NUMBERS = {"<i8": "q", "<f8": "d", "<i4": "i", "<f4": "f", "int64": "q", "float64": "d"}


class DataError(BrokerError):
    """xtdata gave something that can't be used."""


@dataclass(frozen=True)
class Detail:
    """What the terminal knows of a code for today; prices in yuan, 0 where unknown."""

    name: str = ""
    tick_size: float = 0.0
    limit_up: float = 0.0
    limit_down: float = 0.0
    pre_close: float = 0.0


def detail_of(told: Mapping[str, Any]) -> Detail:
    """``get_instrument_detail``'s answer; what is missing or no price stays 0."""
    return Detail(
        name=str(told.get("InstrumentName") or ""),
        tick_size=_price(told.get("PriceTick")),
        limit_up=_price(told.get("UpStopPrice")),
        limit_down=_price(told.get("DownStopPrice")),
        pre_close=_price(told.get("PreClose")),
    )


def quote_of(code: Code, tick: Mapping[str, Any], detail: Detail | None) -> Quote | None:
    """A tick as a quote; None for one without a time or any price at all."""
    known = detail or Detail()
    tick_size = _tick_size(code, known)

    def price(value: object) -> float:
        number = _price(value)
        return from_ticks(to_ticks(number, tick_size), tick_size) if number else 0.0

    pre_close = price(tick.get("lastClose")) or price(known.pre_close)
    # Before its first trade, or suspended, a code has no last price: yesterday's close stands for it.
    last = price(tick.get("lastPrice")) or pre_close
    tick_time = _price(tick.get("time")) / 1000
    if not last or not tick_time:
        return None
    lot = lot_of(code, tick)
    volume = _count(tick.get("pvolume")) or _count(tick.get("volume")) * lot
    return Quote(
        price=last,
        open=price(tick.get("open")),
        high=price(tick.get("high")),
        low=price(tick.get("low")),
        pre_close=pre_close,
        volume=volume,
        amount=_price(tick.get("amount")),
        bid=tuple(price(value) for value in _five(tick.get("bidPrice"))),
        ask=tuple(price(value) for value in _five(tick.get("askPrice"))),
        bid_volume=tuple(_count(value) * lot for value in _five(tick.get("bidVol"))),
        ask_volume=tuple(_count(value) * lot for value in _five(tick.get("askVol"))),
        limit_up=price(known.limit_up),
        limit_down=price(known.limit_down),
        status=_status(tick, last),
        tick_time=tick_time,
    )


def lot_of(code: Code, tick: Mapping[str, Any]) -> int:
    """Shares of one lot in this tick's volumes: told by ``pvolume``, else by the amount, else the board's."""
    lots, shares = _count(tick.get("volume")), _count(tick.get("pvolume"))
    if lots and shares:
        return max(1, round(shares / lots))
    return lot_by_amount(code, lots, _price(tick.get("amount")), _price(tick.get("lastPrice")))


def bars_of(
    code: Code, columns: Sequence[tuple[str, str, bytes]], until: float, tick_size: float = 0.0
) -> MinuteBars:
    """Complete 1-minute bars: those that ended at ``until`` (Unix seconds) or before. Raises DataError.

    The opening call's bar is joined with the first minute, and waits for it.
    ``columns`` are the native answer's (field, numpy type, raw bytes); no numpy is needed to read them.
    """
    read = {name: _numbers(kind, raw) for name, kind, raw in columns}
    missing = {"time", "open", "high", "low", "close", "volume"} - set(read)
    if missing:
        raise DataError("qmt.bars", code, detail=", ".join(sorted(missing)))
    amounts = read.get("amount", (0.0,) * len(read["time"]))
    size = tick_size or _tick_size(code, Detail())
    rows = sorted(
        zip(read["time"], read["open"], read["high"], read["low"], read["close"], read["volume"], amounts,
            strict=True)
    )  # fmt: skip
    priced = [Bar(row[0] / 1000, *row[1:]) for row in rows if min(row[1:5]) > 0]
    chosen = [bar for bar in join_opening_call(priced) if bar.end <= until]
    traded = [bar for bar in chosen if bar.volume > 0]
    volume, amount = sum(bar.volume for bar in traded), sum(bar.amount for bar in traded)
    lot = lot_by_amount(code, int(volume), amount, _mean(traded))

    def prices(name: str) -> tuple[float, ...]:
        return tuple(from_ticks(to_ticks(getattr(bar, name), size), size) for bar in chosen)

    return MinuteBars(
        time=tuple(bar.end for bar in chosen),
        open=prices("open"),
        high=prices("high"),
        low=prices("low"),
        close=prices("close"),
        volume=tuple(float(bar.volume) * lot for bar in chosen),
    )


def _mean(bars: list[Bar]) -> float:
    lots = sum(bar.volume for bar in bars)
    return sum(bar.close * bar.volume for bar in bars) / lots if lots else 0.0


def lot_by_amount(code: Code, volume: int, amount: float, price: float) -> int:
    """The power of ten that brings amount / shares closest to the price; the board's usual lot else."""
    try:
        usual = 10 if board_of(code) is Board.CONVERTIBLE_BOND else 100
    except InstrumentError:
        usual = 100
    if volume <= 0 or amount <= 0 or price <= 0:
        return usual
    measured = amount / (volume * price)
    return min((1, 10, 100), key=lambda lot: abs(math.log(measured / lot)))


def _numbers(kind: str, raw: bytes) -> tuple[Any, ...]:
    letter = _NUMBERS.get(kind)
    size = struct.calcsize(letter) if letter else 0
    if letter is None or len(raw) % size:
        raise DataError("qmt.bars", detail=f"{kind}, {len(raw)}")
    return struct.unpack(f"<{len(raw) // size}{letter}", raw)


def _tick_size(code: Code, detail: Detail) -> float:
    if detail.tick_size:
        return detail.tick_size
    try:
        return instrument(code).tick_size
    except InstrumentError:
        return 0.001


def _status(tick: Mapping[str, Any], last: float) -> str:
    state = tick.get("openInt")
    if state in _SUSPENDED:
        return "suspended"
    if state in _CLOSED:
        return "closed"
    return "trading" if state in _TRADING else ""


def _price(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        return 0.0
    return float(value) if 0 < value < UNTOLD else 0.0


def _count(value: object) -> int:
    return int(_price(value))


def _five(values: object) -> list[object]:
    listed = list(values) if isinstance(values, (list, tuple)) else []
    return [*listed, *([0] * LEVELS)][:LEVELS]
