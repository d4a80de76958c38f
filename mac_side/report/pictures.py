"""The report's pictures, as PNG bytes. Nights and lunch take no room."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any

import numpy as np

from mac_side.backtest.result import BacktestResult
from mac_side.report.lot_results import LotResult
from mac_side.report.tables import Benchmark
from shared_schema.shanghai import shanghai

UP, DOWN, LINE, SHADE = "#c0392b", "#1e8449", "#1f4e79", "#e6b0aa"
_WIDE = (11.5, 4.2)


def equity_picture(result: BacktestResult, benchmark: Benchmark | None) -> bytes:
    """Profit in yuan with the falls from its peak shaded; holding beside it."""
    figure, axes = _figure(_WIDE, 2, (3, 1))
    curve, below = axes
    rows = np.arange(len(result.equity))
    base = result.parameters.curve_base
    share = result.parameters.beta_capital / float(result.close[0])
    beta = (result.close - result.close[0]) * share
    peak = np.maximum.accumulate(result.equity)
    curve.fill_between(rows, result.equity, peak, color=SHADE, alpha=0.7, linewidth=0, label="below its peak")
    curve.plot(rows, result.equity + beta, color="0.55", linewidth=0.7, label="total (alpha + beta)")
    curve.plot(rows, beta, color="#b9770e", linewidth=0.6, label="beta (base position)")
    if benchmark is not None:
        gain = (benchmark.close / benchmark.close[0] - 1) * base
        curve.plot(rows, gain, color="#7d3c98", linewidth=0.6, label=f"benchmark {benchmark.name}")
    curve.plot(rows, result.equity, color=LINE, linewidth=1.0, label="alpha (grid)")
    curve.axhline(0, color="0.7", linewidth=0.6)
    curve.set_ylabel("yuan")
    curve.legend(loc="upper left", fontsize=8, frameon=False)
    worth = result.equity - result.equity[0] + base
    fall = (worth / np.maximum.accumulate(worth) - 1) * 100
    below.fill_between(rows, fall, 0, color=UP, alpha=0.45, linewidth=0)
    below.set_ylabel("drawdown %")
    _days(below, result)
    return _png(figure)


def price_picture(result: BacktestResult) -> bytes:
    """The price with buys and sells, and the layers held below it."""
    figure, axes = _figure((11.5, 4.8), 2, (3, 1))
    price, layers = axes
    rows = np.arange(len(result.close))
    price.plot(rows, result.close, color="0.45", linewidth=0.6)
    size = 20 if len(result.table) < 300 else 8
    for chosen, colour, marker, label in (
        (result.table.is_buy, UP, "^", "buy"),
        (~result.table.is_buy, DOWN, "v", "sell"),
    ):
        at = result.table.row[chosen]
        price.scatter(
            at, result.close[at], color=colour, marker=marker, s=size, label=f"{label} {len(at)}", zorder=3
        )
    price.legend(loc="upper left", fontsize=8, frameon=False)
    price.set_ylabel("price, yuan")
    layers.fill_between(rows, result.layers, step="post", color=LINE, alpha=0.5, linewidth=0)
    layers.axhline(result.most_layers, color=UP, linewidth=0.7, linestyle="--")
    layers.set_ylabel("layers")
    layers.set_ylim(0, max(1, min(result.most_layers, int(result.layers.max()) + 1) * 1.08))
    _days(layers, result)
    return _png(figure)


def layers_picture(result: BacktestResult) -> bytes:
    """How much of the time each number of layers was held."""
    figure, axes = _figure((5.6, 3.2), 1, (1,))
    counts = np.bincount(result.layers, minlength=2)
    axes[0].bar(range(len(counts)), counts / counts.sum() * 100, color=LINE, alpha=0.75)
    axes[0].set_xlabel("layers held")
    axes[0].set_ylabel("% of the time")
    axes[0].xaxis.get_major_locator().set_params(integer=True)
    return _png(figure)


def lots_picture(results: Sequence[LotResult]) -> bytes:
    """How the lots sold did, and how long they were held."""
    figure, axes = _figure((11.5, 3.2), 1, (1,), columns=2)
    profit, held = axes
    values = [each.profit for each in results]
    profit.hist(values, bins=40, color=LINE, alpha=0.75)
    profit.axvline(0, color=UP, linewidth=0.8)
    profit.set_xlabel("profit of a lot after fees, yuan")
    profit.set_ylabel("lots")
    bars = [max(1, each.bars) for each in results]
    held.hist(bars, bins=list(np.geomspace(1, max([*bars, 2]), 30)), color=LINE, alpha=0.75)
    held.set_xscale("log")
    held.set_xlabel("trading minutes held (240 a day)")
    return _png(figure)


def _figure(
    size: tuple[float, float], rows: int, heights: tuple[int, ...], columns: int = 1
) -> tuple[Any, Any]:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=size, layout="constrained")
    FigureCanvasAgg(figure)
    share = rows > 1
    axes = np.atleast_1d(
        figure.subplots(rows, columns, sharex=share, height_ratios=heights if share else None)
    )
    for each in axes.flat:
        each.grid(alpha=0.25, linewidth=0.5)
        each.spines[["top", "right"]].set_visible(False)
    return figure, axes


def _days(axis: Any, result: BacktestResult) -> None:
    """Dates below the rows: the first bar of some days."""
    starts = np.concatenate(([0], np.flatnonzero(np.diff(result.day)) + 1))
    some = starts[:: max(1, len(starts) // 9)]
    axis.set_xticks(some, [shanghai(float(result.end[row])).strftime("%y-%m-%d") for row in some], fontsize=8)
    axis.set_xlim(0, len(result.close))


def _png(figure: Any) -> bytes:
    picture = io.BytesIO()
    figure.savefig(picture, format="png", dpi=110)
    return picture.getvalue()
