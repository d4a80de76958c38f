"""Older results that a split of the folder may have put back: shown again until somebody has applied them.

The newest results are looked after every few seconds (``ExecutorViews``). A split that lasts longer than
that may end with an earlier, pending revision in the folder, and a reader that has seen any answer asks no
more (rule 13). So the rest of the day's rows are compared too, a hundred a minute, but for those a living
dashboard says it has applied. A settled row of an earlier day is not kept in memory: it is compared once
more at the executor's next start, which is the bound.
"""

from __future__ import annotations

from collections.abc import Callable

from shared_schema.clock import Moment
from shared_schema.ids import SignalId
from windows_side.execution.order import Order
from windows_side.executor_views import RESTORE_FOR, ExecutorViews, Step
from windows_side.pruning import Pruner

LOOK_EVERY = 60.0
"""Seconds between two looks."""
AT_MOST = 100
"""Rows compared at one look, so that a day of thousands costs no more than one of few."""


class LostResults:
    """Goes round the rows. Used by one thread; its steps are done by whoever works in the folder."""

    def __init__(
        self,
        views: ExecutorViews,
        pruner: Pruner,
        orders: Callable[[], list[Order]],
        monotonic: Callable[[], float],
    ) -> None:
        self._views = views
        self._pruner = pruner
        self._orders = orders
        self._monotonic = monotonic
        self._looked_at = monotonic()
        self._after = 0

    def due(self, now: Moment, applied: Callable[[], frozenset[SignalId]]) -> list[Step]:
        """The comparisons that are due, none where the last look was a moment ago."""
        monotonic = self._monotonic()
        if monotonic - self._looked_at < LOOK_EVERY:
            return []
        self._looked_at = monotonic
        settled = applied()
        rows = [
            order
            for order in self._orders()
            if abs(now.wall - order.changed_at) >= RESTORE_FOR and order.signal_id not in settled
        ]
        begin = self._after if self._after < len(rows) else 0
        chosen = rows[begin : begin + AT_MOST]
        self._after = begin + len(chosen)
        return [lambda order=order: self._show(order) for order in chosen]  # type: ignore[misc]

    def _show(self, order: Order) -> None:
        if not self._pruner.has_put_away(order):
            self._views.result_if_missing(order)
