"""A ledger made again from what is left of its work: archives, results, the list of ids, the broker's day.

Pure: evidence in, rows out. What the evidence does not settle is held as ``unknown``, never guessed: an
order that was under way, a signal whose result is gone. Of an id that stands in
``executed_signals.json`` alone, or in files that are not signed where a key is in use, only the id is
kept: it will never be executed again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from shared_schema.ids import AccountAlias, OrderId, SignalId, Tag
from shared_schema.messages import OrderResult, OrderSignal, Received, signal_digest
from shared_schema.messages.result import TERMINAL_STATES, State
from shared_schema.sessions import trading_day_of
from windows_side.brokers.port import BrokerOrder
from windows_side.execution.desk import LOST_REVISIONS
from windows_side.execution.ledger import JournalEntry
from windows_side.execution.order import NO_ORDER_ID, Order
from windows_side.execution.results import sentence
from windows_side.execution.tags import is_ours, tag_of

NO_DIGEST = "unusable:recovered"
_NEVER_CALLED: frozenset[State] = frozenset({"rejected", "expired", "not_placed"})


@dataclass
class Evidence:
    """Everything that was found, each piece checked for itself."""

    signals: dict[SignalId, Received[OrderSignal]] = field(default_factory=dict)
    """Archived: each was recorded by the lost ledger."""
    results: dict[SignalId, Received[OrderResult]] = field(default_factory=dict)
    executed: tuple[SignalId, ...] = ()
    unproven: list[SignalId] = field(default_factory=list)
    """Ids of signals and results that this host's key did not sign: what they tell is not believed."""
    orders: tuple[BrokerOrder, ...] = ()
    rows: dict[SignalId, Order] = field(default_factory=dict)
    """Of the ledger that is put aside, where it could be read."""
    meta: Mapping[str, Any] = field(default_factory=dict)
    unreadable: list[str] = field(default_factory=list)
    """Files that could not be used, each with the reason."""


@dataclass(frozen=True)
class Rebuilt:
    """The rows of the new ledger, and what could not be known."""

    orders: tuple[Order, ...]
    settled_ids: tuple[SignalId, ...]
    """Ids of which nothing else is left."""
    strange_tags: tuple[Tag, ...]
    """Orders at the broker that carry our tag and no signal explains."""
    strange_orders: tuple[OrderId, ...]
    writers: dict[str, str]
    journal: tuple[JournalEntry, ...]

    @property
    def unknown(self) -> list[SignalId]:
        """Signals whose orders nobody can tell of."""
        return [order.signal_id for order in self.orders if order.state == "unknown"]


def rebuild(evidence: Evidence, account: AccountAlias, now: float) -> Rebuilt:
    """The rows that ``evidence`` amounts to; ``now`` is wall Unix seconds."""
    at_broker = {order.remark: order for order in evidence.orders if order.remark}
    named = dict.fromkeys([*evidence.rows, *evidence.signals, *evidence.results])
    orders = [_row(signal_id, evidence, at_broker, account, now) for signal_id in named]
    tags = {order.tag for order in orders if order.tag}
    strange = [order for order in evidence.orders if is_ours(order.remark) and Tag(order.remark) not in tags]
    return Rebuilt(
        orders=tuple(orders),
        settled_ids=tuple(
            signal_id
            for signal_id in dict.fromkeys((*evidence.executed, *evidence.unproven))
            if signal_id not in named
        ),
        strange_tags=tuple(dict.fromkeys(Tag(order.remark) for order in strange)),
        strange_orders=tuple(order.order_id for order in strange),
        writers=_writers(evidence),
        journal=tuple(JournalEntry(now, order.signal_id, "recovered", order.state) for order in orders),
    )


def _row(
    signal_id: SignalId,
    evidence: Evidence,
    at_broker: Mapping[str, BrokerOrder],
    account: AccountAlias,
    now: float,
) -> Order:
    archived, shown = evidence.signals.get(signal_id), evidence.results.get(signal_id)
    order = evidence.rows.get(signal_id) or _first_row(signal_id, archived, shown, account)
    if shown is not None and shown.body.revision >= order.revision:
        order = _with_result(order, shown)
    if order.is_terminal or order.is_cancel:
        return order if order.is_terminal else order.changed(state="accepted")
    seen = at_broker.get(order.tag)
    order_id = order.order_id or (seen.order_id if seen is not None else NO_ORDER_ID)
    state: State = "unknown" if not order_id else "partly_filled" if order.trades else "submitted"
    begun = order.calling_market or order.received_market
    held = order.changed(
        state=state,
        order_id=order_id,
        intent_at=order.intent_at or now,
        calling_at=order.calling_at or now,
        calling_market=begun,
        unclear_at=order.unclear_at or (0.0 if order_id else now),
        revision=max(order.revision, LOST_REVISIONS),
        error_code="",
    )
    return held.changed(message=sentence(held))


def _first_row(
    signal_id: SignalId,
    archived: Received[OrderSignal] | None,
    shown: Received[OrderResult] | None,
    account: AccountAlias,
) -> Order:
    signal = archived.body if archived is not None else _signal_of(shown)
    source = archived or shown
    envelope = source.envelope if source is not None else None
    decided = signal.timestamp if signal is not None else shown.body.timestamp if shown is not None else 0.0
    market = envelope.market_time if envelope is not None else decided
    day = envelope.trading_day if envelope is not None else trading_day_of(decided)
    if archived is not None:
        digest = signal_digest(archived.body, archived.envelope)
    else:
        digest = (shown.body.signal_digest if shown is not None else "") or NO_DIGEST
    by_producer = archived.envelope if archived is not None else None
    return Order(
        signal_id=signal_id,
        digest=digest,
        signal=signal,
        state="received",
        received_at=decided,
        received_market=market,
        trading_day=day,
        signal_day=day,
        version=archived.version if archived is not None else 2,
        writer=by_producer.writer if by_producer is not None else "",
        signal_epoch=by_producer.epoch if by_producer is not None else None,
        signal_seq=by_producer.seq if by_producer is not None else None,
        tag=tag_of(account, day, signal_id) if signal is not None else Tag(""),
        changed_at=decided,
        changed_market=market,
    )


def _signal_of(shown: Received[OrderResult] | None) -> OrderSignal | None:
    """As much of the signal as its result tells; None where the result names no order."""
    body = shown.body if shown is not None else None
    if body is None or body.code is None or body.direction is None or not body.price:
        return None
    if body.requested_shares <= 0:
        return None
    return OrderSignal(
        signal_id=body.signal_id,
        code=body.code,
        direction=body.direction,
        price=body.price,
        shares=body.requested_shares,
        timestamp=body.timestamp or 1.0,
        strategy=body.strategy,
    )


def _with_result(order: Order, shown: Received[OrderResult]) -> Order:
    body, envelope = shown.body, shown.envelope
    called = body.state not in _NEVER_CALLED and not order.is_cancel
    at = order.received_at
    return order.changed(
        state=body.state,
        order_id=body.order_id or order.order_id,
        trades=body.trades or order.trades,
        revision=body.revision,
        result_seq=envelope.seq if envelope is not None else order.result_seq,
        changed_at=body.timestamp,
        changed_market=envelope.market_time if envelope is not None else body.timestamp,
        error_code=body.error_code,
        message=body.message,
        broker_message=body.broker_message,
        signal_epoch=body.signal_epoch or order.signal_epoch,
        signal_seq=body.signal_seq if body.signal_seq is not None else order.signal_seq,
        intent_at=order.intent_at or (at if called else 0.0),
        calling_at=order.calling_at or (at if called and body.state in TERMINAL_STATES else 0.0),
        calling_market=order.calling_market or (order.received_market if called else 0.0),
    )


def _writers(evidence: Evidence) -> dict[str, str]:
    """Which writer each strategy name was bound to: the newest whose signal was taken."""
    newest: dict[str, tuple[tuple[str, int], str]] = {}
    for received in evidence.signals.values():
        envelope, strategy = received.envelope, received.body.strategy
        if envelope is None or not strategy:
            continue
        order = (str(envelope.epoch), envelope.seq)
        if strategy not in newest or newest[strategy][0] < order:
            newest[strategy] = (order, envelope.writer)
    return {strategy: writer for strategy, (_, writer) in newest.items()}
