"""The executor's memory of orders: what is open, what is known, and what both add up to."""

from __future__ import annotations

from collections.abc import Iterator

from shared_schema.ids import Code, OrderId, SignalId, Tag
from windows_side.brokers.port import AccountState
from windows_side.execution.committed import Committed
from windows_side.execution.day_tally import DayTally
from windows_side.execution.ledger import ACCEPTED_TAGS, Memory
from windows_side.execution.native_calls import NativeCalls
from windows_side.execution.open_rows import OpenRows, Rows, age
from windows_side.execution.order import Order


class OrderBook:
    """Open and recent orders whole; of all others id and digest. Filled from the ledger."""

    def __init__(self, memory: Memory) -> None:
        self._orders: dict[SignalId, Order] = {}
        self._open = OpenRows()
        self.calls = NativeCalls(row.calling_at for row in memory.orders.values() if row.calling_at)
        self.committed = Committed(self._open, self.calls)
        """What open orders need and the account does not show yet."""
        self._known = dict(memory.known)
        self._folded = {signal_id.casefold(): signal_id for signal_id in memory.known}
        self._by_tag: dict[Tag, SignalId] = {}
        self._tags = set(memory.tags) | {Tag(tag) for tag in memory.meta.get(ACCEPTED_TAGS, [])}
        self._by_order_id: dict[OrderId, SignalId] = {}
        self._touched: set[SignalId] = set()
        self._day = ""
        """The trading day the broker's ids are of: it may give one again on another."""
        self._shown: set[SignalId] = set()
        """Rows the broker has shown in its newest list or since."""
        self.tally = DayTally()
        """Counts and turnover by day, and the intents of late."""
        for order in memory.orders.values():
            self.put(order)

    def put(self, order: Order) -> None:
        """Keep the newest value of a row."""
        before = self._orders.get(order.signal_id)
        if before is not None and before.order_id != order.order_id:
            self._by_order_id.pop(before.order_id, None)
        self._orders[order.signal_id] = order
        self._open.put(order)
        self.committed.put(order)
        self._touched.add(order.signal_id)
        self.tally.put(order)
        self._known[order.signal_id] = order.digest
        self._folded.setdefault(order.signal_id.casefold(), order.signal_id)
        if order.tag:
            self._by_tag[order.tag] = order.signal_id
            self._tags.add(order.tag)
        if order.order_id and _id_counts(order, self._day):
            self._by_order_id[order.order_id] = order.signal_id

    def digest_of(self, signal_id: SignalId) -> str | None:
        """The digest a known id stands for, None for an id never seen."""
        return self._known.get(signal_id)

    def clash_of(self, signal_id: SignalId) -> SignalId | None:
        """A known id equal but for case, None without one."""
        known = self._folded.get(signal_id.casefold())
        return known if known is not None and known != signal_id else None

    def get(self, signal_id: SignalId) -> Order | None:
        """The row, where it is open or recent."""
        return self._orders.get(signal_id)

    def by_tag(self, tag: str) -> Order | None:
        """The row whose order carries ``tag``."""
        signal_id = self._by_tag.get(Tag(tag))
        return self._orders.get(signal_id) if signal_id is not None else None

    def knows_tag(self, tag: str) -> bool:
        """Whether an order of this ledger ever carried ``tag``, also one settled on an earlier day."""
        return tag in self._tags

    def accept_tag(self, tag: Tag) -> None:
        """Know a tag that no row explains, because a person has seen it."""
        self._tags.add(tag)

    def by_order_id(self, order_id: OrderId) -> Order | None:
        """The row the broker's id belongs to today; one a person typed belongs to its row for ever."""
        signal_id = self._by_order_id.get(order_id)
        return self._orders.get(signal_id) if signal_id is not None else None

    def everything(self) -> list[Order]:
        """Every row kept whole, oldest first."""
        return sorted(self._orders.values(), key=age)

    def open(self) -> Rows:
        """Every row that is not settled, oldest first."""
        return self._open.all

    def waiting(self) -> Rows:
        """Orders whose INTENT waits for its turn, oldest first."""
        return self._open.waiting

    def at_broker(self) -> Rows:
        """Orders that are or may be alive at the broker, oldest first."""
        return self._open.at_broker

    def take_touched(self) -> list[Order]:
        """Those of them that were put or shown since the last call, oldest first."""
        touched = [self._orders[one] for one in self._touched if one in self._orders]
        self._touched.clear()
        return sorted((order for order in touched if order.is_at_broker and not order.is_cancel), key=age)

    def unknown(self) -> Rows:
        """Orders of which nobody knows whether they were placed, of any day, oldest first."""
        return self._open.unknown

    def unknown_of(self, code: Code) -> SignalId | None:
        """An unknown order of ``code``, None without one."""
        return next((o.signal_id for o in self.unknown() if o.signal and o.signal.code == code), None)

    def open_cancels(self) -> Rows:
        """Cancel signals whose target has not ended."""
        return self._open.cancels

    def placed_on(self, trading_day: str) -> Iterator[Order]:
        """The day's orders that were handed to the broker or wait for it."""
        for order in self._orders.values():
            if order.trading_day == trading_day and order.intent_at and not order.is_cancel:
                yield order

    def call_ended(self, signal_id: SignalId, started_at: float = 0.0) -> None:
        """The place call came back, or is waited for no longer; ``started_at`` as in NativeCalls."""
        self.calls.end(signal_id, started_at)
        if signal_id in self._orders:
            self.committed.put(self._orders[signal_id])

    def shows(self, signal_id: SignalId) -> None:
        """The broker shows this row's order today."""
        self._shown.add(signal_id)
        self._touched.add(signal_id)

    def forget_shown(self) -> None:
        """What the broker shows from now on counts: at night it lists the day before, then no more."""
        self._shown.clear()

    def was_shown(self, order: Order) -> bool:
        """Whether the order's id is still its own: of today, or in the broker's newest list."""
        return order.trading_day >= self._day or order.signal_id in self._shown

    def forget_before(self, trading_day: str) -> None:
        """Let settled rows of earlier days go; their ids stay known. The broker's ids begin anew."""
        self._day = trading_day
        self._shown.clear()
        self._by_order_id = {
            order.order_id: order.signal_id
            for order in self._orders.values()
            if order.order_id and _id_counts(order, trading_day)
        }
        gone = [o.signal_id for o in self._orders.values() if o.is_terminal and o.trading_day < trading_day]
        for signal_id in gone:
            order = self._orders.pop(signal_id)
            self.tally.forget(order)
            self._by_tag.pop(order.tag, None)
            if self._by_order_id.get(order.order_id) == signal_id:
                del self._by_order_id[order.order_id]


def sellable(account: AccountState, code: Code) -> int:
    """Shares of ``code`` that may be sold today, as the account shows."""
    return next((p.can_use_volume for p in account.positions if p.code == code), 0)


def _id_counts(order: Order, day: str) -> bool:
    return order.trading_day >= day or order.order_id_typed
