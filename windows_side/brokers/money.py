"""Exact money inside the simulated books: whole hundred-millionths of a yuan.

A price has at most three decimals and a commission rate usually five, so every amount
and fee is a whole number of them: fees stay unrounded, as the strategy counts them, and
sums come out exactly. Floats (yuan) appear only at the port.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import NewType

from shared_schema.ids import Direction
from shared_schema.instruments import Board, Instrument

Money = NewType("Money", int)
"""1 is 0.00000001 yuan."""
_ONE_YUAN = 10**8
_SHARES = frozenset({Board.MAIN, Board.CHINEXT, Board.STAR, Board.BEIJING})


def money(yuan: float) -> Money:
    """``yuan`` as exact money, by its shortest decimal: 0.1 is a tenth, not the float beside it."""
    return _rounded(Decimal(repr(yuan)) * _ONE_YUAN)


def in_yuan(amount: int) -> float:
    """The float nearest to ``amount``."""
    return amount / _ONE_YUAN


def amount_of(price: float, shares: int) -> Money:
    """What ``shares`` cost at ``price`` (yuan), without fees."""
    return Money(money(price) * shares)


def _rounded(exact: Decimal) -> Money:
    return Money(int(exact.to_integral_value(ROUND_HALF_UP)))


@dataclass(frozen=True)
class Fees:
    """What the counter charges: rates as fractions of the amount, ``min_commission`` in yuan an order."""

    commission_rate: float = 0.0001
    min_commission: float = 0.0
    stamp_duty_rate: float = 0.0
    """On sales of shares alone; funds and bonds pay none."""

    def of_order(self, traded: int, direction: Direction, instrument: Instrument) -> Money:
        """All fees of an order that has traded the amount ``traded`` so far; 0 before its first fill."""
        if traded <= 0:
            return Money(0)
        commission = max(_rounded(traded * _exact(self.commission_rate)), money(self.min_commission))
        if direction == "SELL" and instrument.board in _SHARES:
            return Money(commission + _rounded(traded * _exact(self.stamp_duty_rate)))
        return commission


def _exact(rate: float) -> Decimal:
    return Decimal(repr(rate))
