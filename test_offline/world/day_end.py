"""Each simulated day is reconciled as ``miniqmt reconcile`` does it: ledger, results, the counter's day."""

from __future__ import annotations

from datetime import date

from shared_schema.drop_folder.names import RESULTS_FOLDER
from shared_schema.errors import MessageError
from shared_schema.ids import Code, SignalId
from shared_schema.messages import OrderResult, Position, decode_result
from test_offline.world.sync import ROOT
from test_offline.world.world import World
from windows_side.brokers.account_message import account_message
from windows_side.brokers.port import Day
from windows_side.execution.reconcile import Evidence, Reconciliation, reconcile


class DayEnds:
    """Reconciles one day after the other of a world, carrying the positions over."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._before: dict[Code, Position] | None = None
        self.orders = self.fills = self.partly = self.cancelled = self.foreign = 0
        """What all days had so far."""

    def reconcile(self, day: date) -> Reconciliation:
        """The report of a day that has just ended."""
        world, name = self._world, day.isoformat()
        book = world.counter.book_of(name)
        happened = Day(tuple(book.orders.values()), tuple(book.trades))
        account = account_message(world.counter.account(), happened, queried_at=world.timeline.now)
        rows = [row for row in world.oracle.rows.values() if row.trading_day == name]
        evidence = Evidence(
            rows=rows,
            orders=account.orders,
            trades=account.trades,
            results=self._results(),
            signals=frozenset(),
            positions=dict(account.positions),
            positions_before=self._before,
        )
        self._before = dict(account.positions)
        report = reconcile(name, evidence)
        self._count(report)
        return report

    def _results(self) -> dict[SignalId, OrderResult]:
        """What the executor's folder shows; an unreadable file is a missing one, and told as that."""
        disk = self._world.executor.disk
        found: dict[SignalId, OrderResult] = {}
        archives = [folder for folder in disk.folders() if folder.startswith(f"{ROOT}/archive")]
        for folder in (f"{ROOT}/{RESULTS_FOLDER}", *archives):
            for name in disk.names(folder):
                inode = disk.peek(folder, name)
                if inode is None or not name.startswith("order_result_"):
                    continue
                try:
                    result = decode_result(inode.data).body
                except MessageError:
                    continue
                known = found.get(result.signal_id)
                if known is None or known.revision <= result.revision:
                    found[result.signal_id] = result
        return found

    def _count(self, report: Reconciliation) -> None:
        self.orders += len(report.lines)
        self.foreign += len(report.foreign)
        self.fills += sum(len(line.fills) for line in report.lines)
        self.partly += sum(len(line.fills) > 1 for line in report.lines)
        self.cancelled += sum(line.order.state in ("cancelled", "partly_cancelled") for line in report.lines)
