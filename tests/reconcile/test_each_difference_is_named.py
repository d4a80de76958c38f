"""The day's end: what differs between our books and the broker's is named, what agrees is not."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest

from shared_schema.ids import Code, OrderId, SignalId, TradeId
from shared_schema.messages import AccountOrder, AccountTrade, OrderResult, Position, Trade
from shared_schema.messages.result import State, status_of
from tests.execution.bench import ACCOUNT, OPEN_AT, signal_of
from windows_side.execution.order import Order
from windows_side.execution.reconcile import Evidence, Reconciliation, reconcile
from windows_side.execution.tags import tag_of

DAY = "2026-11-18"
CODE = Code("159201.SZ")


def row(number: int, direction: str = "BUY", shares: int = 1000, fills: tuple[int, ...] = (1000,)) -> Order:
    """A row of the ledger whose fills came at 1.199 yuan against a signal of 1.200."""
    identity = SignalId(f"s{number}")
    trades = tuple(
        Trade(trade_id=TradeId(f"t{number}.{i}"), price=1.199, shares=shares, time=OPEN_AT + i)
        for i, shares in enumerate(fills)
    )
    done = sum(fills) == shares
    return Order(
        signal_id=identity,
        digest="d",
        signal=signal_of(identity, direction=direction, shares=shares, price=1.200),
        state="filled" if done else ("partly_cancelled" if fills else "cancelled"),
        received_at=OPEN_AT,
        received_market=OPEN_AT,
        trading_day=DAY,
        tag=tag_of(ACCOUNT, DAY, identity),
        intent_at=OPEN_AT,
        arrival_price=1.198,
        calling_at=OPEN_AT,
        calling_market=OPEN_AT,
        order_id=OrderId(f"{100 + number}"),
        trades=trades,
    )


def evidence_of(rows: list[Order]) -> Evidence:
    """What the broker and the folder show when everything went well."""
    orders, trades = [], []
    for order in rows:
        assert order.signal is not None and order.direction in ("BUY", "SELL")
        orders.append(
            AccountOrder(
                order_id=order.order_id, code=CODE, direction=order.direction, price=1.200,
                shares=order.signal.shares, filled_shares=order.filled_shares, status=56, remark=order.tag,
                time=OPEN_AT + 1,
            )
        )  # fmt: skip
        trades += [
            AccountTrade(
                trade_id=fill.trade_id, order_id=order.order_id, code=CODE, direction=order.direction,
                price=fill.price, shares=fill.shares, time=fill.time,
            )
            for fill in order.trades
        ]  # fmt: skip
    moved = sum(trade.shares if trade.direction == "BUY" else -trade.shares for trade in trades)
    return Evidence(
        rows=rows,
        orders=orders,
        trades=trades,
        results={order.signal_id: result_of(order) for order in rows},
        signals=frozenset(order.signal_id for order in rows),
        positions={CODE: Position(volume=10_000 + moved, can_use_volume=10_000)},
        positions_before={CODE: Position(volume=10_000, can_use_volume=10_000)},
    )


def result_of(order: Order) -> OrderResult:
    """The result file of a row."""
    status = status_of(order.state, order.filled_shares)
    return OrderResult(
        signal_id=order.signal_id, status=status, state=order.state, filled_shares=order.filled_shares
    )


ROWS = [row(1), row(2, "SELL", 2000, (500, 700, 800)), row(3, shares=3000, fills=(400,)), row(4, fills=())]


def kinds(report: Reconciliation) -> list[str]:
    """The kinds of difference found."""
    return [found.kind for found in report.differences]


def test_a_day_that_went_well_agrees() -> None:
    """Full and partial fills and a cancel agree to the share and the cent; slippage has its sign."""
    report = reconcile(DAY, evidence_of(ROWS))
    assert report.agrees and [line.by for line in report.lines] == ["tag"] * 4
    bought, sold = report.lines[0].fills[0], report.lines[1].fills[0]
    assert bought.slippage_signal == pytest.approx(-1.0) and bought.slippage_arrival == pytest.approx(1.0)
    assert sold.slippage_signal == pytest.approx(0.5) and sold.slippage_arrival == pytest.approx(-0.5)
    assert report.lines[1].amount == pytest.approx(2398.0)


@pytest.mark.parametrize("state", ("rejected", "expired"))
def test_an_order_turned_back_before_the_call_is_no_difference(state: State) -> None:
    """Its CALLING mark stands, a halt or its deadline came first: it was not sent, and its tag is nowhere."""
    turned_back = replace(row(5, fills=()), state=state, order_id=OrderId(""), broker_status=0)
    evidence = evidence_of(ROWS)
    rows = [*evidence.rows, turned_back]
    results = {**evidence.results, turned_back.signal_id: result_of(turned_back)}
    report = reconcile(DAY, replace(evidence, rows=rows, results=results))
    assert report.agrees and report.not_sent == (turned_back,) and len(report.lines) == 4


def test_foreign_orders_are_listed_and_are_no_difference() -> None:
    """What a hand bought in the terminal belongs to the account, not to us."""
    evidence = evidence_of(ROWS)
    by_hand = AccountOrder(
        order_id=OrderId("999"), code=CODE, direction="BUY", price=1.2, shares=100, status=56, remark="手工"
    )
    fill = AccountTrade(
        trade_id=TradeId("h"), order_id=OrderId("999"), code=CODE, direction="BUY", price=1.2, shares=100
    )
    held = {CODE: Position(volume=evidence.positions[CODE].volume + 100)}
    report = reconcile(
        DAY,
        replace(
            evidence, orders=[*evidence.orders, by_hand], trades=[*evidence.trades, fill], positions=held
        ),
    )
    assert report.agrees and [order.order_id for order in report.foreign] == ["999"]


def _without_remark(evidence: Evidence, *, known_id: bool) -> Evidence:
    orders = [order.model_copy(update={"remark": ""}) for order in evidence.orders]
    rows = [replace(one, order_id=one.order_id if known_id else OrderId("")) for one in evidence.rows]
    return replace(evidence, orders=orders, rows=rows)


def test_the_order_id_matches_where_the_remark_is_gone() -> None:
    """A terminal that shows no remark is matched by the id it answered, and nothing is remarked."""
    report = reconcile(DAY, _without_remark(evidence_of(ROWS), known_id=True))
    assert report.agrees and {line.by for line in report.lines} == {"id"}


def test_time_is_the_last_resort_and_said() -> None:
    """Without tag and id an equal order of about that time is taken, and a person is told."""
    report = reconcile(DAY, _without_remark(evidence_of([ROWS[0]]), known_id=False))
    assert [line.by for line in report.lines] == ["time"] and kinds(report) == ["matched_by_time"]


def test_a_likeness_never_takes_what_a_tag_claims() -> None:
    """Of two equal orders the one with the tag is the tagged row's, whatever comes first in the list."""
    one, two = replace(row(1), order_id=OrderId(""), tag=tag_of(ACCOUNT, DAY, SignalId("x"))), row(2)
    evidence = evidence_of([row(2)])
    report = reconcile(DAY, replace(evidence, rows=[one, two]))
    assert {line.order.signal_id: line.by for line in report.lines} == {"s1": "", "s2": "tag"}


def _changed_trade(evidence: Evidence, **changes: object) -> Evidence:
    return replace(evidence, trades=[evidence.trades[0].model_copy(update=changes), *evidence.trades[1:]])


BROKEN = {
    "not_ended": lambda e: replace(e, rows=[replace(e.rows[0], state="unknown"), *e.rows[1:]]),
    "not_at_broker": lambda e: replace(e, orders=e.orders[1:], trades=e.trades[1:]),
    "other_order_id": lambda e: replace(e, rows=[replace(e.rows[0], order_id=OrderId("5")), *e.rows[1:]]),
    "other_order": lambda e: replace(
        e, orders=[e.orders[0].model_copy(update={"shares": 900}), *e.orders[1:]]
    ),
    "fill_unknown_here": lambda e: replace(e, rows=[replace(e.rows[0], trades=()), *e.rows[1:]]),
    "fill_unknown_there": lambda e: replace(e, trades=e.trades[1:]),
    "fill_differs": lambda e: _changed_trade(e, price=1.200),
    "no_result": lambda e: replace(e, results={k: v for k, v in e.results.items() if k != "s1"}),
    "result_differs": lambda e: replace(e, results=e.results | {SignalId("s1"): e.results[SignalId("s4")]}),
    "signal_without_row": lambda e: replace(e, signals=e.signals | {SignalId("lost")}),
    "tag_without_row": lambda e: replace(e, rows=e.rows[1:], signals=frozenset()),
    "position_moved": lambda e: replace(e, positions={CODE: Position(volume=1)}),
}


@pytest.mark.parametrize("kind", sorted(BROKEN))
def test_one_thing_broken_is_named(kind: str) -> None:
    """Each way in which two books can disagree has its own name."""
    assert kind in kinds(reconcile(DAY, BROKEN[kind](evidence_of(ROWS))))


@pytest.mark.parametrize("seed", range(20))
def test_a_random_day_agrees_until_one_share_is_moved(seed: int) -> None:
    """Days of many orders agree; one fill changed by one lot anywhere is found, with its order."""
    dice = random.Random(seed)
    rows = []
    for number in range(dice.randrange(1, 40)):
        shares = 100 * dice.randrange(1, 50)
        fills, left = [], shares
        while left and dice.random() < 0.8:
            fills.append(100 * dice.randrange(1, left // 100 + 1))
            left -= fills[-1]
        rows.append(row(number, dice.choice(("BUY", "SELL")), shares, tuple(fills)))
    evidence = evidence_of(rows)
    dice.shuffle(evidence.orders)  # type: ignore[arg-type]
    assert reconcile(DAY, evidence).agrees
    if evidence.trades:
        chosen = dice.randrange(len(evidence.trades))
        trades = list(evidence.trades)
        trades[chosen] = trades[chosen].model_copy(update={"shares": trades[chosen].shares + 100})
        wrong = reconcile(DAY, replace(evidence, trades=trades))
        owner = trades[chosen].trade_id.split(".")[0].replace("t", "s")
        assert ("fill_differs", owner) in {(found.kind, found.subject) for found in wrong.differences}


def test_an_order_one_tick_away_is_another_order() -> None:
    """A fund's tick is a tenth of a cent: four ticks are no rounding of the broker's."""
    evidence = evidence_of(ROWS)
    orders = [evidence.orders[0].model_copy(update={"price": 1.201}), *evidence.orders[1:]]
    assert kinds(reconcile(DAY, replace(evidence, orders=orders))) == ["other_order"]
    unread = [evidence.orders[0].model_copy(update={"price": 1.2000000476837158}), *evidence.orders[1:]]
    assert reconcile(DAY, replace(evidence, orders=unread)).agrees


def test_a_likeness_in_time_needs_the_very_price() -> None:
    """Matched by time alone, an order four ticks away would be taken for ours."""
    evidence = evidence_of([row(4, fills=())])
    orders = [evidence.orders[0].model_copy(update={"price": 1.204, "remark": "", "order_id": OrderId("9")})]
    assert "not_at_broker" in kinds(reconcile(DAY, replace(evidence, orders=orders)))
