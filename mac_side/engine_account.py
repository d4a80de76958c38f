"""What the account says: how much may be sold, and when its zero clears the books. Pure."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field, replace

from mac_side.bridge_client.entry import OutboxEntry
from mac_side.bridge_client.outbox import Outbox
from mac_side.state_file import DashboardState
from shared_schema.clock import Moment
from shared_schema.ids import Code, SignalId
from shared_schema.messages import Account, AccountSnapshot, OrderResult, Position, Received
from shared_schema.messages.record import Envelope
from shared_schema.sessions import trading_day_of

FRESH = 60.0
"""Seconds a snapshot may be old to clear anything."""
APART = 30.0
"""Seconds between the two snapshots that must agree."""
AFTER_LAST_FILL = 60.0
"""Seconds both must be younger than the last fill."""
ONE_YUAN = 1.0
"""Market value below which nothing is held: sums of floats leave dust."""
OUR_REMARK = "mq"
"""What the remarks of our orders begin with."""
FINAL_STATUSES = frozenset({53, 54, 56, 57})
"""Part cancelled, cancelled, filled, refused (xtquant)."""
AT_BROKER = frozenset({"submitted", "partly_filled"})
"""States of an order that may be at the broker; with an order id the broker has answered for it."""


@dataclass(frozen=True)
class SeenAccount:
    """The newest snapshot of our mode and account."""

    account: Account
    envelope: Envelope

    def position(self, code: Code) -> Position | None:
        """What is held of ``code``: zero where a complete list does not name it, None where unknown."""
        found = self.account.positions.get(code)
        if found is not None:
            return found
        return Position() if self.account.complete else None


def account_of(received: Received[AccountSnapshot], state: DashboardState) -> SeenAccount | None:
    """Our account in a snapshot; None where it is of another mode or does not name it."""
    envelope = received.envelope
    if envelope is None or envelope.mode != state.mode:
        return None
    account = received.body.accounts.get(state.account)
    return SeenAccount(account, envelope) if account is not None else None


@dataclass
class OrdersAtBroker:
    """Since when the broker has had each open order; a new process begins with none."""

    _since: dict[SignalId, float] = field(default_factory=dict)
    """When its executor wrote so, Unix seconds; the account is asked by the same host's clock."""

    def heard(self, received: Received[OrderResult], entry: OutboxEntry) -> None:
        """A result was taken, and ``entry`` is what it left.

        "submitted" is told before the call as well, and then no broker has frozen a share.
        """
        result = received.body
        if entry.settled or result.state not in AT_BROKER or not result.order_id:
            self._since.pop(entry.signal_id, None)
        elif received.envelope is not None:
            self._since.setdefault(entry.signal_id, received.envelope.written_at)

    def shown_by(self, seen: SeenAccount, latest: float) -> set[SignalId]:
        """The orders that this snapshot shows: it was asked after the broker had them.

        One asked later than ``latest`` was asked by a clock that was wrong: it shows none for certain.
        """
        asked = seen.account.queried_at
        return {identity for identity, since in self._since.items() if since < asked <= latest}


def sellable(
    position: Position,
    fixed_volume: int,
    sells: tuple[OutboxEntry, ...],
    as_of: float,
    code: Code,
    shown: Collection[SignalId] = (),
) -> int:
    """Shares that may be sold now: never more than T+1 allows, never below the fixed volume.

    Sells of ours that ``position`` (written at ``as_of``) can't know yet are taken off. An open sell that it
    has ``shown`` is frozen in ``can_use_volume`` already, but still in ``volume``.
    """
    leaving = hidden = 0
    for entry in sells:
        if entry.direction != "SELL" or entry.code != code or not entry.is_order:
            continue
        if not entry.settled:
            leaving += entry.intention.shares
            hidden += 0 if entry.signal_id in shown else entry.intention.shares
        elif entry.settled_at is not None and entry.settled_at >= as_of:
            leaving += entry.intention.applied_shares
            hidden += entry.intention.applied_shares
    return max(0, min(position.can_use_volume - hidden, position.volume - fixed_volume - leaving))


def without_future(outbox: Outbox, seen: SeenAccount, latest: float) -> Outbox:
    """``outbox`` with no order settled after ``latest``: the clock was set back, and until it is there again
    no snapshot would be younger. Left alone while the snapshot itself is of that future."""
    if seen.envelope.written_at > latest:
        return outbox
    for entry in outbox.entries:
        if entry.settled_at is not None and entry.settled_at > latest:
            outbox = outbox.put(replace(entry, settled_at=latest))
    return outbox


def same_day(seen: SeenAccount, now: Moment) -> bool:
    """Whether the snapshot is of this trading day: yesterday's ``can_use_volume`` says nothing today."""
    return seen.envelope.trading_day == trading_day_of(now.market)


@dataclass
class ZeroWatch:
    """Waits for two snapshots that agree on zero shares, far enough apart and from the last fill."""

    first_at: float | None = None

    def must_clear(self, state: DashboardState, seen: SeenAccount, code: Code, now: Moment) -> bool:
        """Whether this snapshot completes the proof that the lots are gone (strategy.md, Live)."""
        if not state.books.lots or not self._is_zero(state, seen, code, now):
            self.first_at = None
            return False
        if self.first_at is None:
            self.first_at = seen.envelope.written_at
            return False
        return seen.envelope.written_at - self.first_at >= APART

    def _is_zero(self, state: DashboardState, seen: SeenAccount, code: Code, now: Moment) -> bool:
        position = seen.position(code)
        is_zero = position is not None and position.volume == 0 and not _contradicts_itself(seen.account)
        return is_zero and not _is_unread(seen) and _is_quiet(state, seen, code, now)


@dataclass
class ShortWatch:
    """Waits for two snapshots that agree that the account holds less than the books say."""

    first_at: float | None = None

    def is_proven(self, state: DashboardState, seen: SeenAccount, code: Code, now: Moment) -> bool:
        """Whether this snapshot completes the proof that shares are missing (a part was sold by hand)."""
        position = seen.position(code)
        short = position is not None and position.volume < state.books.expected_shares
        short = short and not _contradicts_itself(seen.account)
        if not short or not _is_quiet(state, seen, code, now):
            self.first_at = None
            return False
        if self.first_at is None:
            self.first_at = seen.envelope.written_at
        return seen.envelope.written_at - self.first_at >= APART


def _contradicts_itself(account: Account) -> bool:
    """Shares worth money and a list without one: after a reconnect a terminal's empty list is not none."""
    held = any(position.volume > 0 for position in account.positions.values())
    return account.asset.market_value >= ONE_YUAN and not held


def _is_unread(seen: SeenAccount) -> bool:
    """A broker's account without any money: so a terminal shows it that has not read it yet.

    Lots sold by hand leave their cash. The simulated broker has always read its account.
    """
    asset = seen.account.asset
    return seen.envelope.mode == "live" and max(asset.cash, asset.frozen_cash, asset.total_asset) < ONE_YUAN


def _is_quiet(state: DashboardState, seen: SeenAccount, code: Code, now: Moment) -> bool:
    """Whether the snapshot is whole and fresh, younger than the last fill, with nothing of ours open."""
    written = seen.envelope.written_at
    last_fill = max(
        (e.settled_at or 0.0 for e in state.outbox.entries if e.intention.applied_shares), default=0.0
    )
    ours_open = any(
        order.code == code and order.remark.startswith(OUR_REMARK) and order.status not in FINAL_STATUSES
        for order in seen.account.orders
    )
    return (
        seen.account.complete
        and 0 <= now.wall - written <= FRESH
        and written - last_fill > AFTER_LAST_FILL
        and not state.outbox.open_orders
        and not ours_open
    )
