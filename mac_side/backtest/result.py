"""What a run gives: its trades as a table, the curves that follow from them, its cycles and last state."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Literal, NamedTuple

import numpy as np

from mac_side.backtest.grid_loop import BUY, CASH, FEE, LAYERS, ORDER, REASON, ROW, SHARES
from mac_side.backtest.series import Floats, Whole
from mac_side.strategy.grid_step import GridState
from mac_side.strategy.parameters import GridParameters

REASONS = ("", "lot_profit", "max_float_loss", "take_profit")
"""The words of the loop's reasons."""


class Trade(NamedTuple):
    """One fill: ``time`` in Unix seconds, ``price`` and ``fee`` in yuan, ``layers`` held after it.

    ``reason`` is empty for a buy. Lots sold for their own profit are one trade each; a sale of the whole
    position is one trade. Trades of one signal share ``order``: the orders a broker would have seen.
    """

    time: float
    type: Literal["BUY", "SELL"]
    price: float
    shares: int
    reason: str
    fee: float
    layers: int
    row: int
    order: int


@dataclass(frozen=True, slots=True)
class Cycle:
    """From the first lot of a flat book to flat again; rows count simulated bars.

    ``profit`` in yuan after fees; ``worst_equity`` is the least equity between, in yuan. ``end_row`` is
    None while it is still open at the end of the series (``profit`` is then the value at its last close).
    """

    start_row: int
    end_row: int | None
    full: bool
    profit: float
    worst_equity: float


@dataclass(frozen=True, eq=False)
class TradeTable:
    """Trades as columns: ``whole`` and ``money`` as the loop wrote them."""

    whole: Whole
    money: Floats

    def __len__(self) -> int:
        return len(self.whole)

    @property
    def row(self) -> Whole:
        """The simulated bar of each trade."""
        return self.whole[:, ROW]

    @property
    def is_buy(self) -> np.ndarray:
        """Whether it bought."""
        return np.asarray(self.whole[:, REASON] == BUY)

    @property
    def signed_shares(self) -> Whole:
        """Shares bought, or sold as a negative number."""
        return np.where(self.is_buy, self.whole[:, SHARES], -self.whole[:, SHARES])

    @property
    def layers(self) -> Whole:
        """Layers held after each trade."""
        return self.whole[:, LAYERS]

    @property
    def cash(self) -> Floats:
        """Cash after each trade, yuan."""
        return self.money[:, CASH]

    def sells_for(self, reason: int) -> int:
        """How many trades sold for ``reason``."""
        return int(np.count_nonzero(self.whole[:, REASON] == reason))

    def spread(self, values: np.ndarray, rows: int) -> np.ndarray:
        """``values`` after each trade, as a column over all ``rows``: 0 before the first trade."""
        starts = np.concatenate(([0], self.row, [rows]))
        return np.repeat(np.concatenate((np.zeros(1, values.dtype), values)), np.diff(starts))


@dataclass(frozen=True, eq=False)
class BacktestResult:
    """All a run gives: simulated bars only (rows with every indicator), money in yuan."""

    parameters: GridParameters
    most_layers: int
    bars_in_file: int
    end: Floats
    close: Floats
    day: Whole
    table: TradeTable
    state: GridState
    full_bars: int
    paused_bars: int

    @property
    def cash(self) -> float:
        """Cash at the end, counted from 0."""
        return float(self.table.cash[-1]) if len(self.table) else 0.0

    @cached_property
    def shares(self) -> Whole:
        """Shares held at each bar's close."""
        return self.table.spread(np.cumsum(self.table.signed_shares), len(self.close))

    @cached_property
    def layers(self) -> Whole:
        """Layers held at each bar's close."""
        return self.table.spread(self.table.layers, len(self.close))

    @cached_property
    def equity(self) -> Floats:
        """Cash and shares at each bar's close, from 0."""
        return np.asarray(self.table.spread(self.table.cash, len(self.close)) + self.shares * self.close)

    @cached_property
    def trades(self) -> tuple[Trade, ...]:
        """The trades one by one."""
        rows = self.table.row
        columns = zip(
            self.end[rows].tolist(),
            self.close[rows].tolist(),
            self.table.whole.tolist(),
            self.table.money[:, FEE].tolist(),
            strict=True,
        )
        return tuple(
            Trade(
                time,
                "BUY" if whole[REASON] == BUY else "SELL",
                price,
                whole[SHARES],
                REASONS[whole[REASON]],
                fee,
                whole[LAYERS],
                whole[ROW],
                whole[ORDER],
            )
            for time, price, whole, fee in columns
        )

    @cached_property
    def cycles(self) -> tuple[Cycle, ...]:
        """The cycles of the run, the open one last; a flat book's equity is its cash, so profit has fees."""
        cycles: list[Cycle] = []
        table = self.table
        layers, rows, cash = table.layers, table.row, table.cash
        first, before = 0, 0.0
        for last in np.flatnonzero(layers == 0).tolist():
            start, end = int(rows[first]), int(rows[last])
            full = bool((layers[first : last + 1] >= self.most_layers).any())
            profit = float(cash[last]) - before
            cycles.append(Cycle(start, end, full, profit, float(self.equity[start : end + 1].min())))
            first, before = last + 1, float(cash[last])
        if first < len(table):
            start = int(rows[first])
            full = bool((layers[first:] >= self.most_layers).any())
            profit = float(self.equity[-1]) - before
            cycles.append(Cycle(start, None, full, profit, float(self.equity[start:].min())))
        return tuple(cycles)

    @property
    def orders(self) -> int:
        """Signals a live run would have sent: lots sold at one moment count once."""
        return int(self.table.whole[-1, ORDER]) + 1 if len(self.table) else 0

    @property
    def sell_orders(self) -> int:
        """Of ``orders`` the sells."""
        return len(np.unique(self.table.whole[~self.table.is_buy, ORDER]))
