"""The cases every ledger passes, the one on disk and its twin in memory alike."""

from __future__ import annotations

from dataclasses import replace

import pytest

from shared_schema.ids import OrderId, SignalId, Tag, TradeId
from shared_schema.messages import Trade
from tests.execution.bench import signal_of
from windows_side.execution.ledger import HALT, Change, JournalEntry, Ledger
from windows_side.execution.order import Order


def row(signal_id: str = "s1", state: str = "submitted", day: str = "2026-11-18", **changes: object) -> Order:
    """A row with every kind of content."""
    plain = Order(
        SignalId(signal_id),
        f"digest of {signal_id}",
        signal_of(signal_id, release_client_order_ids=("a", "b")),
        state,  # type: ignore[arg-type]
        1.5,
        2.5,
        day,
        tag=Tag(f"mq{signal_id:0>20}"),
        order_id=OrderId("7"),
        trades=(Trade(trade_id=TradeId("t1"), price=1.2, shares=100, time=3.25),),
        revision=3,
        result_seq=9,
        changed_at=10.0,
        message="已送出",
    )
    return replace(plain, **changes)  # type: ignore[arg-type]


class LedgerContract:
    """Subclass it and give ``open`` and ``again``."""

    def open(self) -> Ledger:
        """A new, empty ledger."""
        raise NotImplementedError

    def again(self, ledger: Ledger) -> Ledger:
        """The same ledger as a new process opens it."""
        raise NotImplementedError

    def test_what_was_committed_is_read_again_whole(self) -> None:
        """Every field of a row, the facts and the journal survive the process."""
        ledger = self.open()
        order = row()
        ledger.commit(
            Change((order,), {HALT: {"active": {}}}, (JournalEntry(1.0, order.signal_id, "calling"),))
        )
        again = self.again(ledger)
        memory = again.load()
        assert memory.orders == {order.signal_id: order}
        assert again.order(order.signal_id) == order
        assert (memory.known, memory.result_seq, memory.tags) == (
            {order.signal_id: order.digest},
            9,
            frozenset({order.tag}),
        )
        assert memory.meta[HALT] == {"active": {}}

    def test_the_newest_value_of_a_row_counts(self) -> None:
        """A row is replaced, never doubled."""
        ledger = self.open()
        ledger.commit(Change((row(),)))
        ledger.commit(Change((row(state="filled", revision=4),)))
        assert [order.state for order in self.again(ledger).load().orders.values()] == ["filled"]

    def test_settled_rows_of_earlier_days_leave_memory_but_their_ids_stay(self) -> None:
        """Open rows of any day and all of the last day are loaded; every id and tag ever is known."""
        ledger = self.open()
        ledger.commit(Change((row("old", "filled", "2026-11-16"), row("open", "unknown", "2026-11-16"))))
        ledger.commit(Change((row("new", "filled", "2026-11-18"),)))
        memory = self.again(ledger).load()
        assert set(memory.orders) == {"open", "new"}
        assert set(memory.known) == {"old", "open", "new"}
        assert len(memory.tags) == 3

    def test_one_change_is_all_or_nothing(self) -> None:
        """A change that can't be written leaves nothing of itself, and the ledger is usable after it."""
        ledger = self.open()
        ledger.commit(Change((row("s1"),)))
        unwritable = row("s3", message=object())
        with pytest.raises(Exception):  # noqa: B017 - what it is differs; that nothing stays is the promise
            ledger.commit(Change((row("s2"), unwritable), {HALT: {"active": {"x": [1]}}}))
        again = self.again(ledger)
        assert set(again.load().known) == {"s1"}
        assert again.load().meta[HALT] == {}
        assert again.commits == 1
        again.commit(Change((row("s2"),)))
        assert again.commits == 2

    def test_commits_are_counted_and_the_id_stays(self) -> None:
        """Both tell a ledger that was put back."""
        ledger = self.open()
        identity = ledger.ledger_id
        for number in range(3):
            ledger.commit(Change((row(f"s{number}"),)))
        again = self.again(ledger)
        assert (again.ledger_id, again.commits, again.load().meta["commits"]) == (identity, 3, 3)

    def test_settled_ids_come_oldest_first_from_a_moment_on(self) -> None:
        """What ``executed_signals.json`` shows: settled only, refused ones included."""
        ledger = self.open()
        ledger.commit(
            Change(
                (
                    row("c", "filled", changed_at=30.0),
                    row("a", "rejected", changed_at=10.0),
                    row("b", "expired", changed_at=20.0),
                    row("open", "unknown", changed_at=25.0),
                )
            )
        )
        assert ledger.settled_since(20.0) == ["b", "c"]

    def test_only_settled_rows_tell_when_they_ended(self) -> None:
        """An open row has no end, and of an id without a row nothing is known."""
        ledger = self.open()
        rows = row("a", "filled", changed_at=10.5), row("b", "unknown"), row("c", "rejected")
        ledger.commit(Change(rows, settled_ids=(SignalId("d"),)))
        asked = [SignalId(one) for one in "abde"]
        assert ledger.settled_at(asked) == {"a": 10.5}
        assert ledger.settled_at([]) == {}

    def test_a_row_without_a_signal_is_kept(self) -> None:
        """A file that named an id and was no signal has a row too."""
        ledger = self.open()
        ledger.commit(Change((row("bad", "rejected", signal=None, trades=()),)))
        assert self.again(ledger).load().orders[SignalId("bad")].signal is None

    def test_an_id_never_recorded_has_no_row(self) -> None:
        """None, not an error."""
        assert self.open().order(SignalId("never")) is None
