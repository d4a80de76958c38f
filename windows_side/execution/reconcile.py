"""The day's end: our rows against the broker's orders and trades, and every difference by its name (I9).

A broker's order belongs to a row by our tag in its remark, else by the order id the row knows, else, as a
last resort and said so, by code, side, shares, price and time. Nothing is decided here: a report without
state or I/O.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from shared_schema.ids import Code, Direction, OrderId, SignalId, TradeId
from shared_schema.instruments import instrument, to_ticks
from shared_schema.messages import AccountOrder, AccountTrade, OrderResult, Position, Trade
from windows_side.execution.order import Order
from windows_side.execution.tags import is_ours

MatchedBy = Literal["tag", "id", "time", ""]
NEAR = 60.0
"""Seconds between our call and the broker's time of an order within which the time may match them."""
CENT = 0.005
"""Yuan: sums that differ by less are the same."""


@dataclass(frozen=True)
class Difference:
    """One thing on which two books disagree; ``kind`` names its sentence in the catalogue."""

    kind: str
    subject: str
    """A signal id, an order id or a code."""
    ours: str = ""
    brokers: str = ""


@dataclass(frozen=True)
class FillLine:
    """One fill. Money in yuan; slippage is positive where the fill was worse than what it is held against."""

    signal_id: SignalId
    order_id: OrderId
    trade_id: TradeId
    strategy: str
    code: Code
    direction: Direction
    shares: int
    price: float
    time: float
    signal_price: float
    arrival_price: float
    """The market's last price when the executor admitted the order; 0 where it knew no fresh one."""

    @property
    def slippage_signal(self) -> float:
        """Against the signal's price."""
        return _worse(self.direction, self.price, self.signal_price) * self.shares

    @property
    def slippage_arrival(self) -> float | None:
        """Against the market at arrival; None where that is not known."""
        if not self.arrival_price:
            return None
        return _worse(self.direction, self.price, self.arrival_price) * self.shares


@dataclass(frozen=True)
class OrderLine:
    """One of our orders that reached, or may have reached, the broker."""

    order: Order
    brokers: AccountOrder | None
    by: MatchedBy
    fills: tuple[FillLine, ...]
    amount: float
    """Traded, yuan, as the broker tells it."""


@dataclass(frozen=True)
class Reconciliation:
    """The report of one day."""

    day: str
    lines: tuple[OrderLine, ...]
    not_sent: tuple[Order, ...]
    """Rows that ended before any broker call: refused, expired."""
    foreign: tuple[AccountOrder, ...]
    """Orders of the account that are none of ours: by hand, or another program's."""
    differences: tuple[Difference, ...]

    @property
    def agrees(self) -> bool:
        """Whether nothing differs."""
        return not self.differences


@dataclass(frozen=True)
class Evidence:
    """What the report is made from."""

    rows: Sequence[Order]
    """The ledger's rows of the day."""
    orders: Sequence[AccountOrder]
    trades: Sequence[AccountTrade]
    """The broker's, complete."""
    results: Mapping[SignalId, OrderResult]
    """The results found in the folder and its archive."""
    signals: frozenset[SignalId]
    """Ids of the day's archived signals; what has no row is a difference."""
    positions: Mapping[Code, Position]
    positions_before: Mapping[Code, Position] | None
    """At the end of the day before; None where that was not kept."""


def reconcile(day: str, evidence: Evidence) -> Reconciliation:
    """Match, compare, and name what differs. ``day`` as YYYYMMDD."""
    sent = [row for row in evidence.rows if _may_be_at_broker(row)]
    matched = _match(sent, evidence.orders)
    traded = _by_order(evidence.trades)
    lines = tuple(_line(row, *matched[row.signal_id], traded) for row in sent)
    ours = {line.brokers.order_id for line in lines if line.brokers}
    foreign = tuple(order for order in evidence.orders if order.order_id not in ours)
    differences = [
        *(found for line in lines for found in _of_line(line, traded)),
        *(Difference("tag_without_row", order.order_id) for order in foreign if is_ours(order.remark)),
        *_of_results(evidence),
        *_of_signals(evidence),
        *_of_positions(evidence),
    ]
    not_sent = tuple(
        row for row in evidence.rows if row.is_terminal and not row.is_cancel and row not in sent
    )
    return Reconciliation(day, lines, not_sent, foreign, tuple(differences))


def _may_be_at_broker(row: Order) -> bool:
    # Refused or expired after the CALLING mark: the worker turned back before the call, and recorded that.
    turned_back = row.state in ("rejected", "expired")
    return not row.is_cancel and not turned_back and bool(row.calling_at or row.order_id)


def _match(
    rows: Sequence[Order], orders: Sequence[AccountOrder]
) -> dict[SignalId, tuple[AccountOrder | None, MatchedBy]]:
    found: dict[SignalId, tuple[AccountOrder | None, MatchedBy]] = {}
    left = {order.order_id: order for order in orders}
    tests = (
        ("tag", lambda row, order: bool(row.tag) and order.remark == row.tag),
        ("id", lambda row, order: bool(row.order_id) and order.order_id == row.order_id),
        ("time", _alike),
    )
    # All rows by the strongest proof first: a likeness in time never takes what a tag claims.
    for by, test in tests:
        for row in rows:
            if row.signal_id in found:
                continue
            order = next((order for order in left.values() if test(row, order)), None)
            if order is not None:
                found[row.signal_id] = (left.pop(order.order_id), by)  # type: ignore[assignment]
    return {row.signal_id: found.get(row.signal_id, (None, "")) for row in rows}


def _alike(row: Order, order: AccountOrder) -> bool:
    signal = row.signal
    if signal is None or is_ours(order.remark):
        return False
    same = (signal.code, signal.direction, signal.shares) == (order.code, order.direction, order.shares)
    near = abs(order.time - row.calling_market) <= NEAR
    return same and near and _same_price(signal.code, signal.price, order.price)


def _by_order(trades: Iterable[AccountTrade]) -> dict[OrderId, list[AccountTrade]]:
    grouped: dict[OrderId, list[AccountTrade]] = {}
    for trade in trades:
        grouped.setdefault(trade.order_id, []).append(trade)
    return grouped


def _line(
    row: Order, brokers: AccountOrder | None, by: MatchedBy, traded: Mapping[OrderId, list[AccountTrade]]
) -> OrderLine:
    trades = traded.get(brokers.order_id, []) if brokers else []
    signal = row.signal
    fills = tuple(
        FillLine(
            signal_id=row.signal_id,
            order_id=trade.order_id,
            trade_id=trade.trade_id,
            strategy=(signal.strategy if signal else None) or "",
            code=trade.code,
            direction=trade.direction,
            shares=trade.shares,
            price=trade.price,
            time=trade.time,
            signal_price=signal.price if signal else trade.price,
            arrival_price=row.arrival_price,
        )
        for trade in trades
    )
    return OrderLine(row, brokers, by, fills, sum(trade.price * trade.shares for trade in trades))


def _of_line(line: OrderLine, traded: Mapping[OrderId, list[AccountTrade]]) -> list[Difference]:
    row, order = line.order, line.brokers
    subject = row.signal_id
    found = [] if row.is_terminal else [Difference("not_ended", subject, row.state)]
    if order is None:
        if row.state != "not_placed" and row.state != "refused_by_broker":
            found.append(Difference("not_at_broker", subject, row.order_id or row.tag))
        return found
    if line.by == "time":
        found.append(Difference("matched_by_time", subject, row.tag, order.order_id))
    elif row.order_id and row.order_id != order.order_id:
        found.append(Difference("other_order_id", subject, row.order_id, order.order_id))
    signal = row.signal
    if signal is not None:
        asked = (signal.code, signal.direction, signal.shares, signal.price)
        placed = (order.code, order.direction, order.shares, order.price)
        if asked[:3] != placed[:3] or not _same_price(signal.code, signal.price, order.price):
            found.append(Difference("other_order", subject, _order_text(*asked), _order_text(*placed)))
    return found + _of_fills(row, traded.get(order.order_id, []))


def _of_fills(row: Order, trades: Sequence[AccountTrade]) -> list[Difference]:
    known: dict[TradeId, Trade] = {trade.trade_id: trade for trade in row.trades}
    theirs: dict[TradeId, AccountTrade] = {trade.trade_id: trade for trade in trades}
    subject = row.signal_id
    found = [
        Difference("fill_unknown_here", subject, "", _fill(theirs[i])) for i in sorted(theirs.keys() - known)
    ]
    found += [
        Difference("fill_unknown_there", subject, _fill(known[i])) for i in sorted(known.keys() - theirs)
    ]
    for i in sorted(known.keys() & theirs.keys()):
        one, other = known[i], theirs[i]
        if one.shares != other.shares or abs(one.price - other.price) * one.shares >= CENT:
            found.append(Difference("fill_differs", subject, _fill(one), _fill(other)))
    return found


def _of_results(evidence: Evidence) -> list[Difference]:
    found = []
    for row in evidence.rows:
        result = evidence.results.get(row.signal_id)
        if result is None:
            found.append(Difference("no_result", row.signal_id, row.state))
        elif (result.state, result.filled_shares) != (row.state, row.filled_shares):
            shown = f"{result.state} {result.filled_shares}"
            found.append(
                Difference("result_differs", row.signal_id, f"{row.state} {row.filled_shares}", shown)
            )
    return found


def _of_signals(evidence: Evidence) -> list[Difference]:
    rows = {row.signal_id for row in evidence.rows}
    return [Difference("signal_without_row", signal_id) for signal_id in sorted(evidence.signals - rows)]


def _of_positions(evidence: Evidence) -> list[Difference]:
    """Yesterday's shares and today's fills, ours and foreign, must be today's shares."""
    before = evidence.positions_before
    if before is None:
        return []
    moved: dict[Code, int] = {}
    for trade in evidence.trades:
        moved[trade.code] = moved.get(trade.code, 0) + (
            trade.shares if trade.direction == "BUY" else -trade.shares
        )
    found = []
    for code in sorted({*before, *evidence.positions, *moved}):
        had = before[code].volume if code in before else 0
        has = evidence.positions[code].volume if code in evidence.positions else 0
        expected = had + moved.get(code, 0)
        if expected != has:
            found.append(Difference("position_moved", code, str(expected), str(has)))
    return found


def _same_price(code: Code, one: float, other: float) -> bool:
    tick = instrument(code).tick_size  # of a fund a tenth of a cent
    return to_ticks(one, tick) == to_ticks(other, tick)


def _worse(direction: Direction, price: float, held_against: float) -> float:
    return price - held_against if direction == "BUY" else held_against - price


def _fill(trade: Trade | AccountTrade) -> str:
    return f"{trade.trade_id}: {trade.shares} @ {trade.price:g}"


def _order_text(code: str, direction: str, shares: int, price: float) -> str:
    return f"{code} {direction} {shares} @ {price:g}"
