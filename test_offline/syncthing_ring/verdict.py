"""After healing: was anything placed twice, lost, left unanswered, and do the memories agree?"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from commands.demo_room.floor import Spread, spread_of
from commands.demo_room.summary import read_orders
from mac_side.bridge_client.entry import OutboxEntry
from mac_side.state_file import DashboardState, StateFile, new_state
from shared_schema.clock import Moment
from shared_schema.ids import AccountAlias, SignalId
from shared_schema.logs import read_actions
from test_offline.syncthing_ring.place import ACCOUNT, STRATEGY, Place
from windows_side.brokers.port import BrokerOrder
from windows_side.brokers.simulated_books import SimulatedBooks
from windows_side.execution.order import Order

CONFLICT = ".sync-conflict-"


@dataclass(frozen=True)
class Verdict:
    """The figures of one run. ``problems`` is empty where everything holds."""

    signals: int
    orders: int
    """Native calls that were taken."""
    trades: int
    faults: dict[str, int]
    not_possible: dict[str, int]
    """Faults whose moment did not come."""
    duplicates: tuple[str, ...]
    """Tags that stand at the broker more than once, or that no signal has."""
    lost: tuple[str, ...]
    """Signals sent that the ledger does not know."""
    unanswered: tuple[str, ...]
    """Signals that ended nowhere, or whose end the script never saw."""
    differences: tuple[str, ...]
    """Signals of which broker, ledger and script tell different shares."""
    overtaken: int
    """Cancels that reached the executor before their order."""
    states: dict[str, int]
    alarms: dict[str, int]
    """The executor's alarms by kind."""
    answered: Spread | None
    """Seconds from sending to the first answer seen by the script."""
    ended: Spread | None
    """Seconds from the executor's last word on a signal to its being seen by the script."""
    conflicts: dict[str, int] = field(default_factory=dict)
    """Conflict copies seen, by the folder they ended in."""
    unequal: tuple[str, ...] = ()
    """Names that differ between the two sides at the end."""

    @property
    def problems(self) -> tuple[str, ...]:
        """What must not be."""
        return (*self.duplicates, *self.lost, *self.unanswered, *self.differences)


def script_state(place: Place) -> DashboardState:
    """The script's memory as saved. Raises StateError."""
    fresh = new_state(Moment(0.0, 0.0), "simulate", AccountAlias(ACCOUNT), STRATEGY, "ring")
    return StateFile(place.state_file).load(fresh)


def judge(
    place: Place,
    signals: int,
    faults: Counter[str],
    not_possible: Counter[str],
    conflicts: Iterable[str],
) -> Verdict:
    """Compare the three memories. ``conflicts`` are the names seen on either side, with their folder."""
    orders = {order.signal_id: order for order in read_orders(place.executor_files.ledger)}
    entries = {entry.signal_id: entry for entry in script_state(place).outbox.entries}
    books = SimulatedBooks.existing(place.executor_files.simulated_books)
    try:
        placed = [order.as_broker_order() for order in books.orders()]
        traded: Counter[str] = Counter()
        for trade, _ in books.trades_with_fees():
            traded[trade.order_id] += trade.shares
    finally:
        books.close()
    return Verdict(
        signals=len(entries),
        orders=len(placed),
        trades=traded.total(),
        faults=dict(faults),
        not_possible=dict(not_possible),
        duplicates=tuple(_duplicates(placed, orders.values())),
        lost=tuple(f"lost: {identity}" for identity in entries if identity not in orders)
        + ((f"lost: {signals - len(entries)} never sent",) if len(entries) < signals else ()),
        unanswered=tuple(_unanswered(orders, entries)),
        differences=tuple(_differences(placed, traded, orders, entries)),
        overtaken=_overtaken(orders),
        states=dict(Counter(order.state for order in orders.values())),
        alarms=_alarms(place.executor_log),
        answered=spread_of([seconds for _, seconds in _times(place, "answered")]),
        ended=spread_of(
            [
                entries[identity].timestamp + seconds - orders[identity].changed_at
                for identity, seconds in _times(place, "ended")
                if identity in entries and identity in orders
            ]
        ),
        conflicts=dict(Counter(_end_of(place, name) for name in conflicts)),
        unequal=tuple(unequal(place)),
    )


def _duplicates(placed: list[BrokerOrder], orders: Iterable[Order]) -> list[str]:
    known = {order.tag for order in orders if order.tag and not order.is_cancel}
    tags = Counter(order.remark for order in placed)
    return [
        f"placed {count} times: {tag}" if tag in known else f"placed for no signal: {tag}"
        for tag, count in tags.items()
        if count > 1 or tag not in known
    ]


def _unanswered(orders: Mapping[SignalId, Order], entries: Mapping[SignalId, OutboxEntry]) -> list[str]:
    found = []
    for identity, entry in entries.items():
        order = orders.get(identity)
        if order is None:
            continue
        if not order.is_terminal:
            found.append(f"unanswered: {identity} is {order.state} in the ledger")
        elif not entry.settled:
            found.append(f"unanswered: {identity} ended as {order.state}, the script knows {entry.state}")
    return found


def _differences(
    placed: list[BrokerOrder],
    traded: Counter[str],
    orders: Mapping[SignalId, Order],
    entries: Mapping[SignalId, OutboxEntry],
) -> list[str]:
    at_broker: Counter[str] = Counter()
    for row in placed:
        at_broker[row.remark] += traded[row.order_id]
    found = []
    for identity, entry in entries.items():
        order = orders.get(identity)
        if order is None or order.is_cancel:
            continue
        told = (at_broker[order.tag], order.filled_shares, entry.reported_shares)
        if len(set(told)) > 1:
            found.append(f"shares differ: {identity} broker, ledger, script: {told}")
    return found


def _overtaken(orders: Mapping[SignalId, Order]) -> int:
    count = 0
    for cancel in orders.values():
        target = orders.get(cancel.signal.target_signal_id or cancel.signal_id) if cancel.signal else None
        count += target is not None and cancel.is_cancel and cancel.received_at < target.received_at
    return count


def _alarms(log: Path) -> dict[str, int]:
    return dict(Counter(line.action for line in read_actions(log) if line.level in ("error", "alarm")))


def _times(place: Place, what: str) -> list[tuple[SignalId, float]]:
    first: dict[SignalId, float] = {}
    for line in place.times_file.read_text("utf-8").splitlines():
        identity, word, seconds = json.loads(line)
        if word == what:
            first.setdefault(identity, seconds)  # a script that was killed tells it again
    return list(first.items())


def _end_of(place: Place, name: str) -> str:
    for side in (place.a, place.b):
        for path in side.rglob(f"*{Path(name).name}"):
            return path.parent.relative_to(side).as_posix()
    return "gone"


def unequal(place: Place) -> list[str]:
    """Names that stand on one side only, or with other bytes."""
    ours, theirs = _contents(place.a), _contents(place.b)
    return sorted(name for name in ours.keys() | theirs.keys() if ours.get(name) != theirs.get(name))


def _contents(side: Path) -> dict[str, bytes]:
    found = {}
    for path in side.rglob("*"):
        try:
            if path.is_file() and not path.name.startswith("."):
                found[path.relative_to(side).as_posix()] = path.read_bytes()
        except FileNotFoundError:
            continue  # gone between listing and reading
    return found
