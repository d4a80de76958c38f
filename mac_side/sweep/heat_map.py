"""The picture of a sweep: the score over one or two parameters, in sample beside out of sample."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any

import numpy as np

from mac_side.sweep.files import Row


def heat_map(rows: Sequence[Row], names: Sequence[str], score: str, title: str) -> bytes:
    """A PNG over the first two of ``names`` (a line where there is one); where several sets share a field,
    the mean of all is shown, not the best: a single lucky set makes no warm region.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    columns = [f"score_{score}", f"in_sample_{score}", f"out_of_sample_{score}"]
    columns = [name for name in columns if rows[0][name] is not None]
    figure = Figure(figsize=(5.2 * len(columns) + 1, 5), layout="constrained")
    FigureCanvasAgg(figure)
    panels = np.atleast_1d(figure.subplots(1, len(columns)))
    for panel, column in zip(panels, columns, strict=True):
        if len(names) > 1:
            _field(figure, panel, rows, names[0], names[1], column)
        else:
            labels, means = _means(rows, names[:1] or ["set"], column)
            panel.plot([str(label[0]) for label in labels], means, marker="o")
            panel.set_xlabel(names[0] if names else "set")
            panel.grid(alpha=0.3)
        panel.set_title(column, fontsize=10)
    figure.suptitle(title)
    picture = io.BytesIO()
    figure.savefig(picture, format="png", dpi=110)
    return picture.getvalue()


def _field(figure: Any, panel: Any, rows: Sequence[Row], across: str, down: str, column: str) -> None:
    labels, means = _means(rows, [across, down], column)
    xs, ys = (sorted({label[k] for label in labels}, key=_order) for k in (0, 1))
    table = np.full((len(ys), len(xs)), np.nan)
    for (x, y), value in zip(labels, means, strict=True):
        table[ys.index(y), xs.index(x)] = value
    shown = panel.imshow(table, aspect="auto", origin="lower", cmap="viridis")
    figure.colorbar(shown, ax=panel, shrink=0.85)
    for axis, values, name in ((panel.xaxis, xs, across), (panel.yaxis, ys, down)):
        step = max(1, -(-len(values) // 10))
        axis.set_ticks(range(0, len(values), step), [str(value) for value in values[::step]])
        axis.set_label_text(name)
    panel.tick_params(axis="x", rotation=45)
    if table.size <= 80:
        middle = (np.nanmin(table) + np.nanmax(table)) / 2
        for (y, x), value in np.ndenumerate(table):
            colour = "black" if value > middle else "white"
            panel.text(x, y, _short(value), ha="center", va="center", fontsize=7, color=colour)


def _short(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"


def _means(
    rows: Sequence[Row], names: Sequence[str], column: str
) -> tuple[list[tuple[str, ...]], list[float]]:
    """The mean of ``column`` for each different choice of ``names``, in the order of their values."""
    groups: dict[tuple[str, ...], list[float]] = {}
    for row in rows:
        groups.setdefault(tuple(str(row[name]) for name in names), []).append(row[column])
    labels = sorted(groups, key=lambda label: tuple(map(_order, label)))
    return labels, [sum(groups[label]) / len(groups[label]) for label in labels]


def _order(text: str) -> tuple[float, str]:
    try:
        return float(text), text
    except ValueError:
        return float("inf"), text
