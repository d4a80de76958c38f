"""Prices as whole ticks, daily limits and the price cage.

Raw floats are never compared: the terminal sends 11.370000000000001. A price goes to
ticks, is compared there, and comes back as the float nearest to its decimal.
"""

from __future__ import annotations

import math
from decimal import ROUND_HALF_UP, Decimal
from functools import lru_cache

from shared_schema.ids import Direction
from shared_schema.instruments.codes import InstrumentError
from shared_schema.instruments.rules import Instrument

# A price this near to a tick (as a fraction of the tick) stands on it: far above the
# noise of doubles and of single-precision sources, far below anything a person types.
TICK_TOLERANCE = 1e-3


def to_ticks(price: float, tick_size: float) -> int:
    """``price`` (yuan) in whole ticks, the nearest one, halves up.

    Errors: InstrumentError (``instruments.price``) for NaN, infinity, a negative price
    or something that is no number; (``instruments.tick_size``) for an unusable tick.
    """
    per_yuan = _per_yuan(tick_size)
    if isinstance(price, bool) or not isinstance(price, (int, float)) or not 0 <= price <= 1e12:
        raise InstrumentError("instruments.price", price=repr(price)[:40])
    in_ticks = price * per_yuan
    nearest = round(in_ticks)
    if abs(in_ticks - nearest) <= TICK_TOLERANCE:
        return nearest
    # Between two ticks the float's noise could decide a half: let the decimal decide.
    return _half_up(Decimal(repr(round(price, 9))) * per_yuan)


def from_ticks(ticks: int, tick_size: float) -> float:
    """The price (yuan) of ``ticks``: the float nearest to the decimal, 1137 -> 11.37."""
    return ticks / _per_yuan(tick_size)


def is_on_tick(price: float, tick_size: float) -> bool:
    """Whether ``price`` (yuan) is above zero and a whole number of ticks, float noise forgiven."""
    if isinstance(price, bool) or not isinstance(price, (int, float)) or not 0 < price <= 1e12:
        return False
    in_ticks = price * _per_yuan(tick_size)
    return round(in_ticks) >= 1 and abs(in_ticks - round(in_ticks)) <= TICK_TOLERANCE


def price_limits(pre_close: float, instrument: Instrument) -> tuple[float, float]:
    """Lowest and highest price (yuan) allowed on the day, both on a tick.

    ``pre_close x (1 -+ fraction)`` rounded half up to the tick, at least one tick away
    from ``pre_close`` and never below one tick (trading rules of SSE and SZSE). Half up,
    not to even: the two differ on about 0.6 % of days. What the terminal gave wins.
    Without a limit: one tick and infinity. Errors: InstrumentError for a ``pre_close``
    that is not above zero where the table needs it.
    """
    tick_size = instrument.tick_size
    if instrument.limit_down is not None and instrument.limit_up is not None:
        down, up = to_ticks(instrument.limit_down, tick_size), to_ticks(instrument.limit_up, tick_size)
        return from_ticks(down, tick_size), from_ticks(up, tick_size)
    if instrument.limit_fraction is None:
        lowest, highest = from_ticks(1, tick_size), math.inf
    else:
        lowest, highest = _table_limits(pre_close, instrument.limit_fraction, tick_size)
    if instrument.limit_down is not None:
        lowest = from_ticks(to_ticks(instrument.limit_down, tick_size), tick_size)
    if instrument.limit_up is not None:
        highest = from_ticks(to_ticks(instrument.limit_up, tick_size), tick_size)
    return lowest, highest


def is_within_limits(price: float, pre_close: float, instrument: Instrument) -> bool:
    """Whether ``price`` (yuan) lies inside the day's limits, compared in ticks."""
    lowest, highest = price_limits(pre_close, instrument)
    ticks = to_ticks(price, instrument.tick_size)
    if ticks < to_ticks(lowest, instrument.tick_size):
        return False
    return math.isinf(highest) or ticks <= to_ticks(highest, instrument.tick_size)


def price_cage(
    direction: Direction, instrument: Instrument, *, bid: float, ask: float, last: float, pre_close: float
) -> float | None:
    """The highest price to buy or lowest to sell at (yuan) in continuous trading; None: no cage.

    Buy: the higher of 102 % of the base and base + 10 ticks, base the best ask, else the
    best bid, else the last price, else the previous close; sell mirrors it. STAR has
    2 % alone, BSE 5 % or 0.1 yuan; funds and bonds have none. An order outside is
    rejected by the exchange. Prices of 0 (an empty side) are passed over.
    Errors: InstrumentError when none of the four is above zero.
    """
    if instrument.cage_fraction is None:
        return None
    order = (ask, bid, last, pre_close) if direction == "BUY" else (bid, ask, last, pre_close)
    base = next((price for price in order if price > 0 and math.isfinite(price)), None)
    if base is None:
        raise InstrumentError("instruments.price", instrument.code, price=repr(pre_close)[:40])
    in_ticks = _exact_ticks(base, instrument.tick_size)
    fraction = Decimal(repr(instrument.cage_fraction))
    if direction == "BUY":
        bound = max(_half_up(in_ticks * (1 + fraction)), _half_up(in_ticks + instrument.cage_ticks))
    else:
        bound = min(_half_up(in_ticks * (1 - fraction)), _half_up(in_ticks - instrument.cage_ticks))
    return from_ticks(max(1, bound), instrument.tick_size)


def is_within_cage(
    direction: Direction,
    price: float,
    instrument: Instrument,
    *,
    bid: float,
    ask: float,
    last: float,
    pre_close: float,
) -> bool:
    """Whether a limit order at ``price`` (yuan) would pass the cage in continuous trading."""
    bound = price_cage(direction, instrument, bid=bid, ask=ask, last=last, pre_close=pre_close)
    if bound is None:
        return True
    ticks, bound_ticks = to_ticks(price, instrument.tick_size), to_ticks(bound, instrument.tick_size)
    return ticks <= bound_ticks if direction == "BUY" else ticks >= bound_ticks


@lru_cache(maxsize=4096)
def _table_limits(pre_close: float, limit_fraction: float, tick_size: float) -> tuple[float, float]:
    if not pre_close > 0:
        raise InstrumentError("instruments.price", price=repr(pre_close)[:40])
    close = _exact_ticks(pre_close, tick_size)
    fraction = Decimal(repr(limit_fraction))
    up = max(_half_up(close * (1 + fraction)), _half_up(close + 1))
    down = max(1, min(_half_up(close * (1 - fraction)), _half_up(close - 1)))
    return from_ticks(down, tick_size), from_ticks(up, tick_size)


def _exact_ticks(price: float, tick_size: float) -> Decimal:
    """``price`` in ticks: whole where it stands on one, else the decimal as written."""
    nearest = to_ticks(price, tick_size)
    if is_on_tick(price, tick_size):
        return Decimal(nearest)
    return Decimal(repr(round(price, 9))) * _per_yuan(tick_size)


def _half_up(value: Decimal) -> int:
    return int(value.quantize(Decimal(1), rounding=ROUND_HALF_UP))


@lru_cache(maxsize=64)
def _per_yuan(tick_size: float) -> int:
    """How many ticks make one yuan: dividing by it gives the nearest float, multiplying would not."""
    if math.isfinite(tick_size) and tick_size > 0:
        per_yuan = round(1 / tick_size)
        if per_yuan >= 1 and abs(per_yuan * tick_size - 1) <= 1e-9:
            return per_yuan
    raise InstrumentError("instruments.tick_size", tick_size=tick_size)
