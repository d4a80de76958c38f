"""One picture of a run: price with buys and sells, layers in use, equity."""

from __future__ import annotations

import io
from pathlib import Path

from mac_side.backtest.result import BacktestResult
from mac_side.backtest.result_files import write_whole


def write_plot(path: Path, result: BacktestResult, title: str) -> None:
    """Write a PNG to ``path``; nights and lunch take no room. FolderError if it fails."""
    # Imported here: half a second that a run without a picture need not pay.
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(13, 8), layout="constrained")
    FigureCanvasAgg(figure)
    price, layers, equity = figure.subplots(3, 1, sharex=True, height_ratios=(3, 1, 2))
    rows = range(len(result.close))
    price.plot(rows, result.close, color="0.4", linewidth=0.7)
    for side, colour, marker in (("BUY", "tab:red", "^"), ("SELL", "tab:green", "v")):
        trades = [trade for trade in result.trades if trade.type == side]
        price.scatter(
            [trade.row for trade in trades],
            [trade.price for trade in trades],
            color=colour,
            marker=marker,
            s=22,
            label=f"{side} {len(trades)}",
            zorder=3,
        )
    price.legend(loc="upper left")
    price.set_ylabel("price, yuan")
    price.set_title(title)
    layers.fill_between(rows, result.layers, step="post", color="tab:blue", alpha=0.4)
    layers.set_ylabel("layers")
    equity.plot(rows, result.equity, color="tab:blue", linewidth=0.8)
    equity.axhline(0, color="0.7", linewidth=0.6)
    equity.set_ylabel("alpha, yuan")
    equity.set_xlabel("minutes simulated")
    picture = io.BytesIO()
    figure.savefig(picture, format="png", dpi=110)
    write_whole(path, picture.getvalue())
