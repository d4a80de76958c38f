"""The ledger's twin in memory: the same port and contract cases, for simulation and tests."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from shared_schema.ids import LedgerId, SignalId
from windows_side.execution.ledger import (
    COMMITS,
    LEDGER_ID,
    SETTLED_BEFORE,
    Change,
    JournalEntry,
    Memory,
    order_from_json,
    order_to_json,
)
from windows_side.execution.order import Order


class MemoryLedger:
    """Keeps the rows as the bytes SQLite would keep, so that nothing survives that a file would lose."""

    def __init__(self, meta: dict[str, Any]) -> None:
        self._rows: dict[SignalId, bytes] = {}
        self._settled: list[SignalId] = []
        self._meta = dict(meta)
        self.journal: list[JournalEntry] = []

    def load(self) -> Memory:
        orders = [order_from_json(row, "memory") for row in self._rows.values()]
        last_day = max((order.trading_day for order in orders), default="")
        kept = [order for order in orders if not order.is_terminal or order.trading_day == last_day]
        known = {signal_id: SETTLED_BEFORE for signal_id in self._settled}
        known |= {order.signal_id: order.digest for order in orders}
        result_seq = max((order.result_seq for order in orders), default=0)
        tags = frozenset(order.tag for order in orders if order.tag)
        return Memory({order.signal_id: order for order in kept}, known, dict(self._meta), result_seq, tags)

    def commit(self, change: Change) -> None:
        self._rows |= {order.signal_id: order_to_json(order) for order in change.orders}
        self._settled.extend(change.settled_ids)
        self.journal.extend(change.journal)
        self._meta.update(change.meta)
        self._meta[COMMITS] = self.commits + 1

    def order(self, signal_id: SignalId) -> Order | None:
        row = self._rows.get(signal_id)
        return order_from_json(row, "memory") if row is not None else None

    def settled_since(self, at: float) -> list[SignalId]:
        orders = (order_from_json(row, "memory") for row in self._rows.values())
        settled = [order for order in orders if order.is_terminal and order.changed_at >= at]
        return self._settled + [
            order.signal_id for order in sorted(settled, key=lambda order: order.changed_at)
        ]

    def settled_at(self, signal_ids: Sequence[SignalId]) -> dict[SignalId, float]:
        rows = (self.order(signal_id) for signal_id in signal_ids)
        return {row.signal_id: row.changed_at for row in rows if row is not None and row.is_terminal}

    @property
    def ledger_id(self) -> LedgerId:
        """Made with the ledger, never changed."""
        return LedgerId(self._meta[LEDGER_ID])

    @property
    def commits(self) -> int:
        """How many changes this ledger has taken."""
        return int(self._meta[COMMITS])

    def tidy(self) -> None:
        """Nothing to tidy."""

    def close(self) -> None:
        """Nothing to let go of."""
