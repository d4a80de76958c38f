"""Ten thousand signals at once: what is kept as a sum or in order equals what is reckoned anew."""

from __future__ import annotations

import random
import time
from dataclasses import replace

from shared_schema.ids import OrderId, SignalId, TradeId
from shared_schema.logs import Log
from shared_schema.messages import Trade
from tests.execution.bench import OTHER_FUND, signal_of
from windows_side.execution.ledger import Memory
from windows_side.execution.order import Order
from windows_side.execution.order_book import OrderBook
from windows_side.folder_work import BEHIND, RESULTS_TOGETHER, FolderWork

STATES = ("accepted", "submitted", "partly_filled", "unknown", "filled", "cancelled", "failed")


def some_row(chance: random.Random, number: int) -> Order:
    signal_id = SignalId(f"{number:04d}")
    direction = chance.choice(("BUY", "SELL"))
    signal = signal_of(
        signal_id, direction=direction, shares=1000, code=chance.choice((OTHER_FUND, "159201.SZ"))
    )
    state = chance.choice(STATES)
    filled = chance.choice((0, 400)) if state not in ("accepted", "failed") else 0
    trades = (Trade(trade_id=TradeId("1"), price=1.19, shares=filled, time=1.0),) if filled else ()
    return Order(
        signal_id,
        "d",
        signal,
        state,  # type: ignore[arg-type]
        received_at=float(chance.randrange(20)),
        received_market=0.0,
        trading_day="2026-11-18",
        intent_at=1.0,
        calling_at=0.0 if state == "accepted" else float(chance.randrange(1, 30)),
        order_id=OrderId(chance.choice(("", f"9{number}"))),
        trades=trades,
    )


def test_what_is_committed_equals_the_sum_over_all_rows() -> None:
    """No buy's cash and no sell's shares are forgotten or counted twice, whatever order news come in."""
    chance = random.Random(3)
    book = OrderBook(Memory({}, {}, {}))
    rows: dict[SignalId, Order] = {}
    asked_at = 0.0
    for step in range(2000):
        row = some_row(chance, chance.randrange(400))
        before = rows.get(row.signal_id)
        if before is not None and before.is_terminal:
            continue
        if before is not None:
            row = replace(row, signal=before.signal, received_at=before.received_at)
        rows[row.signal_id] = row
        book.put(row)
        if step % 50 == 0:
            asked_at = step * 30 / 2000
            book.committed.account_shows(asked_at, wall=40.0)
        but = SignalId(f"{chance.randrange(400):04d}")
        assert abs(book.committed.cash(asked_at, but) - _taken(rows, asked_at, but, "BUY")) < 0.01
        assert book.committed.shares(asked_at, OTHER_FUND, but) == _taken(rows, asked_at, but, "SELL")


def _taken(rows: dict[SignalId, Order], asked_at: float, but: SignalId, side: str) -> float:
    total = 0.0
    for row in rows.values():
        signal = row.signal
        assert signal is not None
        if row.signal_id == but or signal.direction != side or (side == "SELL" and signal.code != OTHER_FUND):
            continue
        still_open = 0 if row.is_terminal else row.open_shares
        unseen = not row.order_id or row.calling_at >= asked_at
        spent = row.is_terminal and bool(row.trades) and row.calling_at >= asked_at
        if row.state == "accepted" or (row.is_at_broker and unseen) or spent:
            shares = row.filled_shares + still_open
            total += row.filled_yuan + signal.price * still_open if side == "BUY" else shares
    return total


def test_open_rows_stay_oldest_first() -> None:
    """Whoever walks over open rows meets the oldest first, also where an older one came later."""
    chance = random.Random(5)
    book = OrderBook(Memory({}, {}, {}))
    rows: dict[SignalId, Order] = {}
    for _ in range(500):
        row = some_row(chance, chance.randrange(80))
        rows.setdefault(row.signal_id, row)
        row = replace(row, received_at=rows[row.signal_id].received_at)
        rows[row.signal_id] = row
        book.put(row)
        wanted = sorted(
            (r.received_at, r.signal_id) for r in rows.values() if r.is_at_broker and not r.is_cancel
        )
        assert [(r.received_at, r.signal_id) for r in book.at_broker()] == wanted
    assert [r.signal_id for r in book.unknown()] == [
        r.signal_id for r in book.at_broker() if r.state == "unknown"
    ]


def test_in_a_backlog_a_view_goes_before_all_that_waits() -> None:
    """A heartbeat that stood behind ten thousand results would turn red while the executor works."""
    done: list[str] = []
    nobody = object()
    work = FolderWork(nobody, nobody, Log("x", []), time.monotonic, lambda *_: None, threaded=False)  # type: ignore[arg-type]
    for number in range(BEHIND + 1):
        work.do(lambda number=number: done.append(str(number)))  # type: ignore[misc]
    work.show("heartbeat", lambda: done.append("heartbeat"))
    work.go_on()
    assert done[0] == "heartbeat" and len(done) == BEHIND + 2


def test_an_older_view_is_never_written_after_its_newer_one() -> None:
    """Queued in turn, then overtaken by a newer one that goes first: the older list of ids, or a heartbeat
    that says ready, must not replace it (seen once in 12,000 kills, as a list that lacked an id)."""
    done: list[str] = []
    nobody = object()
    work = FolderWork(nobody, nobody, Log("x", []), time.monotonic, lambda *_: None, threaded=False)  # type: ignore[arg-type]
    for _ in range(BEHIND):
        work.do(lambda: None)
    work.show("ids", lambda: done.append("older"))
    work.show("ids", lambda: done.append("newer"))
    work.go_on()
    assert done == ["newer"]
    work.show("ids", lambda: done.append("newest"))
    work.go_on()
    assert done == ["newer", "newest"]


class _Results:
    """Views that note what is written."""

    def __init__(self, done: list[str]) -> None:
        self._done = done

    def result(self, order: Order) -> bytes:
        self._done.append("result")
        return b""

    def end_results(self, newest: bytes | None) -> None:
        """A group has ended."""


def test_in_a_backlog_signals_are_moved_away_between_the_results() -> None:
    """A signal that waits for its move longer than half a minute is read and answered once more."""
    done: list[str] = []
    nobody = object()
    work = FolderWork(nobody, _Results(done), Log("x", []), time.monotonic, lambda *_: None, threaded=False)  # type: ignore[arg-type]
    chance, groups = random.Random(7), 4
    for number in range(groups * RESULTS_TOGETHER):
        work.result(some_row(chance, number))
        work.do(lambda: done.append("move"))
    work.go_on()
    group = ["result"] * RESULTS_TOGETHER + ["move"] * RESULTS_TOGETHER
    assert done == group * groups
