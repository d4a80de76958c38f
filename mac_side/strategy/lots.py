"""A lot: the shares one buy brought, sold whole."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Lot:
    """Shares bought by one order. ``cost`` in yuan without fees, ``buy_price`` in yuan a share.

    ``client_order_id`` names the buy whose pool money the sale of this lot frees; "" in the backtest.
    """

    shares: int
    cost: float
    buy_price: float
    client_order_id: str = ""


def shares_of(lots: Iterable[Lot]) -> int:
    """Shares of all ``lots`` together."""
    return sum(lot.shares for lot in lots)


def cost_of(lots: Iterable[Lot]) -> float:
    """What ``lots`` cost together, yuan, fees not included."""
    total = 0.0
    for lot in lots:
        total += lot.cost
    return total
