"""Calls the loop over rows with its columns, as Python or compiled, and puts together what it wrote."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from mac_side.backtest.compiled import Engine, compiled
from mac_side.backtest.curve import ALPHA, DAYS, DRAWDOWN, read_curve
from mac_side.backtest.grid_loop import WIDTH, End, walk
from mac_side.backtest.metrics import CurveFigures
from mac_side.backtest.prepared import Prepared, columns_for, rules_of
from mac_side.backtest.result import TradeTable
from mac_side.strategy.parameters import GridParameters


class Walked(NamedTuple):
    """What one walk of the loop left: its end, its trades, the places of its lots."""

    end: End
    table: TradeTable
    lot_shares: list[int]
    lot_price: list[float]


class Walker:
    """One set of parameters over prepared rows: its columns are worked out once for all its walks.

    ``parameters`` have the live rules already in them.
    """

    def __init__(self, prepared: Prepared, parameters: GridParameters, engine: Engine) -> None:
        self.prepared, self.parameters = prepared, parameters
        self.is_compiled = engine == "numba"
        columns = columns_for(prepared, parameters, engine)
        self._columns: list[Any] = list(columns) if self.is_compiled else [each.tolist() for each in columns]
        self._rules = rules_of(parameters)
        threshold, factor = parameters.sell_profit_threshold, parameters.sell_threshold_factor
        factors = parameters.trend_factors
        by_trend = (
            [1 + threshold * each.sell * factor for each in factors],
            list(parameters.layer_money),
            [each.money for each in factors],
        )
        self._by_trend: list[Any] = [np.array(each) for each in by_trend] if self.is_compiled else [*by_trend]

    def walk(self, first: int, last: int, anchor: float) -> Walked:
        """Over the rows ``first`` to before ``last`` from a flat book anchored at ``anchor`` yuan."""
        # A row buys once at most and no lot is sold twice; pages never written to take no memory.
        whole = np.empty((2 * (last - first), WIDTH), dtype=np.int64)
        money = np.empty((2 * (last - first), 2), dtype=np.float64)
        layers = self.parameters.layers
        shares: Any = np.zeros(layers, np.int64) if self.is_compiled else [0] * layers
        prices: Any = np.zeros(layers) if self.is_compiled else [0.0] * layers
        opened: Any = np.zeros(layers, np.int64) if self.is_compiled else [0] * layers
        loop: Callable[..., End] = compiled(walk) if self.is_compiled else walk
        lots = (shares, prices, opened)
        end = loop(*self._columns, *self._by_trend, self._rules, first, last, anchor, *lots, whole, money)
        held = slice(0, end.layers)
        table = TradeTable(whole[: end.trades].copy(), money[: end.trades].copy())
        return Walked(end, table, list(map(int, shares[held])), list(map(float, prices[held])))

    def figures(self, table: TradeTable, first: int, stops: Sequence[int]) -> list[CurveFigures]:
        """The curve's figures from ``first`` up to each of ``stops``, for a walk that began there."""
        out = np.empty((len(stops), 3))
        trades = (table.row, table.signed_shares, table.cash)
        curve: list[Any] = [self._columns[0], self._columns[6]]
        if self.is_compiled:
            given: list[Any] = [np.ascontiguousarray(each) for each in trades]
            read: Callable[..., None] = compiled(read_curve)
            ends: Any = np.array(stops, dtype=np.int64)
        else:
            given, read, ends = [each.tolist() for each in trades], read_curve, list(stops)
        read(*given, *curve, first, ends, float(self.parameters.curve_base), out)
        return [CurveFigures(float(row[ALPHA]), float(row[DRAWDOWN]), int(row[DAYS])) for row in out]
