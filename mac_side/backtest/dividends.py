"""Ex-dates in a backtest over unadjusted bars: anchor and lots follow a table of dates and factors.

The table is a CSV with ``date`` and ``factor`` (new price by old price, as the exchange sets the previous
close), and optionally ``kind``: ``cash`` (paid out: shares stay, their money arrives) or ``split`` (shares
follow, cost stays). The change is made before the first bar of that day, as a person agrees before the
opening when live (``miniqmt plan adjust``). Indicators see the gap, as they do live.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import Literal

import numpy as np

from mac_side.backtest.prepared import Prepared, with_live_rules
from mac_side.backtest.result import BacktestResult
from mac_side.backtest.series import Floats, Whole
from mac_side.backtest.step_loop import StepBook, markets_for
from mac_side.strategy.grid_step import GridState, Market
from mac_side.strategy.lots import Lot
from mac_side.strategy.parameters import GridParameters
from shared_schema.errors import DataError

Kind = Literal["cash", "split"]
_EPOCH = date(1970, 1, 1).toordinal()
_LEAST, _MOST = 0.001, 1000.0


@dataclass(frozen=True)
class Dividend:
    """One line of the table."""

    day: date
    factor: float
    kind: Kind = "cash"


@dataclass(frozen=True)
class Adjusted:
    """What an ex-date did at a simulated row: yuan that arrived, shares that came or went."""

    row: int
    dividend: Dividend
    cash: float
    shares: int
    gap: float
    """The first close of the day by the last one before it."""

    @property
    def without_gap(self) -> bool:
        """Whether the price went on as if nothing had happened: the bars may be adjusted already."""
        return abs(self.gap - 1) < abs(self.gap - self.dividend.factor)


@dataclass(frozen=True, eq=False)
class AdjustedResult(BacktestResult):
    """A run over ex-dates: equity and shares follow them. Cycles count trades only."""

    adjusted: tuple[Adjusted, ...] = ()
    base_dividends: float = 0.0
    """Yuan the base position (beta money) was paid."""

    @cached_property
    def shares(self) -> Whole:
        bought = self.table.spread(np.cumsum(self.table.signed_shares), len(self.close))
        return np.asarray(bought + self._from_rows([change.shares for change in self.adjusted]), np.int64)

    @cached_property
    def equity(self) -> Floats:
        cash = self.table.spread(self.table.cash, len(self.close))
        paid = self._from_rows([change.cash for change in self.adjusted])
        return np.asarray(cash + paid + self.shares * self.close, np.float64)

    def _from_rows(self, amounts: list[float] | list[int]) -> Floats:
        column = np.zeros(len(self.close))
        for change, amount in zip(self.adjusted, amounts, strict=True):
            column[change.row :] += amount
        return column


def read_dividends(path: Path) -> tuple[Dividend, ...]:
    """The table in ``path``, oldest first. Raises DataError naming the line."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as problem:
        raise DataError("bars_file.unreadable", path, reason=problem) from problem
    rows = [
        (line, row)
        for line, row in enumerate(csv.reader(text.splitlines()), start=1)
        if any(cell.strip() for cell in row) and not row[0].lstrip().startswith("#")
    ]
    header = [cell.strip().lower() for cell in rows[0][1]] if rows else []
    if header[:2] != ["date", "factor"]:
        raise DataError("dividends.no_header", path, found=", ".join(header) or "-")
    found: list[Dividend] = []
    for line, row in rows[1:]:
        dividend = _dividend(path, line, [cell.strip() for cell in row])
        if found and dividend.day <= found[-1].day:
            raise DataError("dividends.unsorted", path, line=line, day=dividend.day)
        found.append(dividend)
    return tuple(found)


def _dividend(path: Path, line: int, cells: list[str]) -> Dividend:
    kind = cells[2].lower() if len(cells) > 2 and cells[2] else "cash"
    try:
        day, factor = date.fromisoformat(cells[0]), float(cells[1])
    except (ValueError, IndexError):
        raise DataError("dividends.bad_row", path, line=line, row=",".join(cells)) from None
    if kind not in ("cash", "split") or not _LEAST <= factor <= _MOST:
        raise DataError("dividends.bad_row", path, line=line, row=",".join(cells))
    return Dividend(day, factor, "split" if kind == "split" else "cash")


class AdjustedBook(StepBook):
    """Books that follow ex-dates; what a dividend pays is kept apart from the trades' cash."""

    def __init__(self, parameters: GridParameters, anchor: float, dividends: tuple[Dividend, ...]) -> None:
        super().__init__(parameters, anchor)
        self._waiting = list(dividends)
        self.adjusted: list[Adjusted] = []

    def markets(self, prepared: Prepared) -> Iterator[Market]:
        """The rows; before the first one of an ex-date the books follow it."""
        days = (prepared.day + _EPOCH).tolist()
        for row in self._before(days[0]):
            self._waiting.remove(row)  # nothing was held before the first row
        markets = markets_for(prepared, self)
        if not self._waiting:
            yield from markets
        for market in markets:
            for due in self._before(days[market.bar]):
                self._waiting.remove(due)
                close = float(prepared.close[market.bar - 1])
                self._follow(due, market.bar, close, market.price / close)
            yield market

    def _before(self, day: int) -> list[Dividend]:
        return [dividend for dividend in self._waiting if dividend.day.toordinal() <= day]

    def _follow(self, dividend: Dividend, row: int, close: float, gap: float) -> None:
        state, factor = self.state, dividend.factor
        lots = tuple(_lot(lot, dividend) for lot in state.lots)
        self.state = GridState(lots, state.anchor * factor, state.flat_bar)
        cash = state.shares * close * (1 - factor) if dividend.kind == "cash" else 0.0
        self.adjusted.append(Adjusted(row, dividend, cash, self.state.shares - state.shares, gap))


def _lot(lot: Lot, dividend: Dividend) -> Lot:
    if dividend.kind == "cash":
        return replace(lot, cost=lot.cost * dividend.factor, buy_price=lot.buy_price * dividend.factor)
    shares = int(lot.shares / dividend.factor + 1e-6)
    return replace(lot, shares=shares, buy_price=lot.buy_price * dividend.factor)


def run_with_dividends(
    prepared: Prepared, parameters: GridParameters, dividends: tuple[Dividend, ...]
) -> AdjustedResult:
    """The grid's own step over ``prepared``, its books following ``dividends``."""
    book = AdjustedBook(with_live_rules(parameters), float(prepared.close[0]), dividends)
    for market in book.markets(prepared):
        book.step(market)
    return result_of(prepared, parameters, book)


def result_of(prepared: Prepared, parameters: GridParameters, book: AdjustedBook) -> AdjustedResult:
    """What the books of a finished run amount to."""
    return AdjustedResult(
        parameters=parameters,
        most_layers=book.parameters.layers,
        bars_in_file=prepared.bars_in_file,
        end=prepared.end,
        close=prepared.close,
        day=prepared.day,
        table=book.table(),
        state=book.state,
        full_bars=book.full_bars,
        paused_bars=book.paused_bars,
        adjusted=tuple(book.adjusted),
        base_dividends=_base_dividends(prepared, parameters, book.adjusted),
    )


def _base_dividends(prepared: Prepared, parameters: GridParameters, adjusted: list[Adjusted]) -> float:
    shares, paid = parameters.beta_capital / float(prepared.close[0]), 0.0
    for change in adjusted:
        if change.dividend.kind == "cash":
            paid += shares * float(prepared.close[change.row - 1]) * (1 - change.dividend.factor)
        else:
            shares /= change.dividend.factor
    return paid
