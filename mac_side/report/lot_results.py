"""What each lot brought and how long it was held."""

from __future__ import annotations

from typing import NamedTuple

from mac_side.backtest.grid_loop import BUY, FEE, OPENED, REASON, ROW, SHARES
from mac_side.backtest.result import BacktestResult


class LotResult(NamedTuple):
    """One lot sold: rows of its buy and sale, profit in yuan after the fees of both, bars between."""

    bought: int
    sold: int
    profit: float

    @property
    def bars(self) -> int:
        """Trading minutes it was held."""
        return self.sold - self.bought


def lot_results(result: BacktestResult) -> list[LotResult]:
    """Every lot that was sold, in the order of the sales; a sale of several shares its fee by shares."""
    table, close = result.table, result.close.tolist()
    held: dict[int, tuple[int, int, float]] = {}
    found: list[LotResult] = []
    for number, (whole, money) in enumerate(zip(table.whole.tolist(), table.money.tolist(), strict=True)):
        row, shares, fee = whole[ROW], whole[SHARES], money[FEE]
        if whole[REASON] == BUY:
            held[number] = (row, shares, fee)
            continue
        gone = [whole[OPENED]] if whole[OPENED] >= 0 else _sold_together(held, shares)
        for trade in gone:
            bought, count, bought_fee = held.pop(trade)
            fees = bought_fee + fee * count / shares
            found.append(LotResult(bought, row, count * (close[row] - close[bought]) - fees))
    return found


def _sold_together(held: dict[int, tuple[int, int, float]], shares: int) -> list[int]:
    """The lots of one sale of ``shares``: oldest first, those that fit, which is how the step chose them."""
    gone = []
    for trade, (_, count, _) in held.items():
        if count <= shares:
            gone.append(trade)
            shares -= count
    return gone
