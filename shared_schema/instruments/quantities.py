"""How many shares an order may ask for (SSE 3.3.8 and 6.7, SZSE 3.3.8, BSE; 2026)."""

from __future__ import annotations

from typing import Literal

from shared_schema.ids import Direction
from shared_schema.instruments.rules import Instrument

QuantityFault = Literal[
    "not_whole", "below_minimum", "not_a_step", "above_maximum", "split_remainder", "more_than_held"
]


def is_valid_quantity(
    direction: Direction, shares: int, instrument: Instrument, held: int | None = None
) -> bool:
    """Whether the exchange takes an order of ``shares``; see ``quantity_fault``."""
    return quantity_fault(direction, shares, instrument, held) is None


def quantity_fault(
    direction: Direction, shares: int, instrument: Instrument, held: int | None = None
) -> QuantityFault | None:
    """What is wrong with an order of ``shares`` (bonds: pieces), None when nothing is.

    ``held`` is what the account holds and may sell; None means it is not known, and
    then no odd remainder can be sold. A remainder below one lot is sold whole, alone
    or with lots, and may not be split: of 299 shares 99, 100, 199, 200, 299 may go.
    """
    if isinstance(shares, bool) or not isinstance(shares, int) or shares <= 0:
        return "not_whole"
    if shares > instrument.max_order:
        return "above_maximum"
    if direction == "BUY":
        return _fault_of_steps(shares, instrument)
    if held is None:
        return _fault_of_steps(shares, instrument)
    if shares > held:
        return "more_than_held"
    if instrument.buy_step == 1:
        # STAR and BSE: any number from the minimum on; what is held below it goes whole.
        if shares >= instrument.min_buy or shares == held:
            return None
        return "below_minimum" if held >= instrument.min_buy else "split_remainder"
    odd = shares % instrument.lot
    return None if odd in (0, held % instrument.lot) else "split_remainder"


def _fault_of_steps(shares: int, instrument: Instrument) -> QuantityFault | None:
    if shares < instrument.min_buy:
        return "below_minimum"
    return None if (shares - instrument.min_buy) % instrument.buy_step == 0 else "not_a_step"
